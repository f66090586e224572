"""What is read: values of the core, never rows."""

import difflib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection
from sqlmodel import Session, col, select

from ablate.errors import UsageError
from ablate.record import Attempt, Cost, Item, Record, State
from ablate.selection import Curves, Score, Selection
from ablate.store import by_hand, finals, values
from ablate.store.schema import AttemptRow, StudyRow, TrialRow
from ablate.study import Study

_STATES = {str(state): state for state in State}
_PLACED = "SELECT trial_id FROM placement WHERE study_id = ?"
_KEYS = f"SELECT id, key FROM trial WHERE id IN ({_PLACED})"  # noqa: S608 - our own text
_LAST = f"SELECT max(id) FROM attempt WHERE trial_id IN ({_PLACED}) GROUP BY trial_id"  # noqa: S608 - our own text


def studies(session: Session) -> list[str]:
    """Names, the most recently active first."""
    return list(session.exec(select(StudyRow.name).order_by(col(StudyRow.activity).desc())))


def row_of(session: Session, name: str) -> StudyRow:
    """The row of the study called `name`; raises UsageError with the nearest names."""
    row = session.exec(select(StudyRow).where(StudyRow.name == name)).one_or_none()
    if row is not None:
        return row
    known = studies(session)
    near = difflib.get_close_matches(name, known, n=1)
    if not known:
        raise UsageError(f"there is no study {name!r}: the store holds none yet")
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise UsageError(f"there is no study {name!r} in the store, only {', '.join(known)}{hint}")


def document(session: Session, study_id: int) -> Study:
    """The exact study."""
    text = session.exec(select(StudyRow.document).where(StudyRow.id == study_id)).one()
    return values.Document.model_validate_json(text).study


def current(session: Session, key: str) -> tuple[AttemptRow | None, TrialRow | None]:
    """A trial's newest attempt and the trial itself, where they exist."""
    trial = session.exec(select(TrialRow).where(TrialRow.key == key)).one_or_none()
    if trial is None:
        return None, None
    newest = (
        select(AttemptRow)
        .where(AttemptRow.trial_id == trial.id)
        .order_by(col(AttemptRow.number).desc())
        .limit(1)
    )
    return session.exec(newest).one_or_none(), trial


def attempt(key: str, row: AttemptRow) -> Attempt:
    """The attempt that a row holds."""
    return Attempt(
        key=key,
        number=row.number,
        state=State(row.state),
        owner=row.owner,
        folder=row.folder,
        host=row.host,
        device=row.device,
        started=row.started,
        ended=row.ended,
        seconds=row.seconds,
        exit_code=row.exit_code,
        error_type=row.error_type,
        error=row.error,
        provenance=json.loads(row.provenance),
    )


def attempts(session: Session, key: str) -> list[Attempt]:
    """Every attempt of a trial, the first one first."""
    rows = session.exec(
        select(AttemptRow)
        .join(TrialRow)
        .where(TrialRow.key == key)
        .order_by(col(AttemptRow.number))
    )
    return [attempt(key, row) for row in rows]


def running(session: Session) -> list[Attempt]:
    """The attempts that no one has ended, in the order they began."""
    rows = session.exec(
        select(AttemptRow, TrialRow.key)
        .join(TrialRow)
        .where(AttemptRow.state == State.RUNNING)
        .order_by(col(AttemptRow.id))
    )
    return [attempt(key, row) for row, key in rows]


def states(session: Session, keys: Sequence[str]) -> dict[str, State]:
    """The state of each trial; one that the store has never seen is pending."""
    rows = session.connection().exec_driver_sql(
        "SELECT key, state FROM trial WHERE key IN (SELECT value FROM json_each(?))",
        (json.dumps(keys),),
    )
    known = {key: State(state) for key, state in rows}
    return {key: known.get(key, State.PENDING) for key in keys}


def durations(session: Session, study_id: int) -> list[tuple[str, float]]:
    """(variant, seconds) of the study's completed attempts, in the order they began."""
    rows = session.connection().exec_driver_sql(
        "SELECT placement.variant, attempt.seconds FROM placement JOIN attempt"
        " ON attempt.trial_id = placement.trial_id WHERE placement.study_id = ?"
        " AND attempt.state = 'completed' AND attempt.seconds IS NOT NULL ORDER BY attempt.id",
        (study_id,),
    )
    return [(variant, seconds) for variant, seconds in rows]


def records(session: Session, row: StudyRow, selection: Selection | None) -> list[Record]:
    """One record per placement, in the study's order, its scores under `selection`."""
    assert row.id is not None
    study = values.Document.model_validate_json(row.document).study
    connection = session.connection()
    if selection is None or selection == study.selection:
        scores = _finals(connection, row.id)
    else:
        scores = dict(
            finals.compute(session, finals.COMPLETED, (row.id,), selection, study.directions)
        )
    costs = _costs(connection, row.id)
    externals = by_hand.externals(session, _PLACED, row.id)
    last = _last_attempts(connection, row.id)
    documents, names = _Documents(), [m.name for m in study.metrics]
    rows = _rows(
        connection,
        "SELECT p.variant, p.role, p.parent, p.position, p.seed, t.id, t.key, t.levels, t.changed,"
        " t.state, p.extra FROM placement AS p JOIN trial AS t ON t.id = p.trial_id"
        " WHERE p.study_id = ? ORDER BY p.position",
        row.id,
    )
    return [
        Record(
            study=row.name,
            variant=variant,
            role=role,
            parent=parent,
            position=position,
            levels=documents[levels],
            changed=documents[changed],
            seed=seed,
            key=key,
            state=_STATES[state],
            scores=_in_order(scores.get(trial, {}), study, names),
            costs=costs.get(trial, {}).get("", {}),
            shares=_shares(costs.get(trial, {})),
            attempt=last[trial][0] if trial in last else None,
            source=last[trial][1] if trial in last else row.source,
            externals=externals.get(key, ()),
            extra=bool(extra),
        )
        for (
            variant,
            role,
            parent,
            position,
            seed,
            trial,
            key,
            levels,
            changed,
            state,
            extra,
        ) in rows
    ]


def _rows(connection: Connection, query: str, study_id: int) -> list[tuple[Any, ...]]:
    """All rows of a query about one study, by the driver's own cursor: no object per row."""
    return list(_each(connection, query, study_id))


def _each(connection: Connection, query: str, study_id: int) -> Iterator[tuple[Any, ...]]:
    """The same rows one at a time."""
    cursor = connection.connection.cursor()
    try:
        yield from cursor.execute(query, (study_id,))
    finally:
        cursor.close()


def _shares(costs: Mapping[str, Mapping[str, Cost]]) -> Mapping[str, Mapping[str, Cost]]:
    return {f: of for f, of in costs.items() if f} if len(costs) > 1 or "" not in costs else {}


def _in_order(
    scores: Mapping[str, Score], study: Study, names: Sequence[str]
) -> Mapping[str, Score]:
    """The scores in the order of the metrics, whose `names` these are."""
    if list(scores) == names:
        return scores
    declared = {m.name: scores[m.name] for m in study.metrics if m.name in scores}
    return declared if len(declared) == len(scores) else {**declared, **scores}


def _finals(connection: Connection, study_id: int) -> dict[int, dict[str, Score]]:
    rows = _rows(
        connection,
        "SELECT trial_id, metric, value, nonfinite, step, split, selection FROM final"
        " WHERE study_id = ?",
        study_id,
    )
    found: dict[int, dict[str, Score]] = {}
    for trial, metric, value, nonfinite, step, split, selection in rows:
        number = value if nonfinite is None else values.read(value, nonfinite)
        score = Score(metric, number, step, split, selection)
        if trial in found:
            found[trial][metric] = score
        else:
            found[trial] = {metric: score}
    return found


def _costs(connection: Connection, study_id: int) -> dict[int, dict[str, dict[str, Cost]]]:
    """Trial -> factor (empty: the whole) -> name -> cost."""
    rows = _rows(
        connection,
        "SELECT trial_id, factor, name, value, nonfinite, unit, counter FROM cost"  # noqa: S608 - our own text
        f" WHERE trial_id IN ({_PLACED})",
        study_id,
    )
    found: dict[int, dict[str, dict[str, Cost]]] = {}
    known: dict[tuple[object, ...], Cost] = {}  # the runs of one variant spend the same
    for trial, factor, name, *rest in rows:
        key = (factor, name, *rest)
        cost = known.get(key)
        if cost is None:
            value, nonfinite, unit, counter = rest
            cost = known[key] = Cost(name, values.read(value, nonfinite), unit, counter, factor)
        found.setdefault(trial, {}).setdefault(factor, {})[name] = cost
    return found


def _last_attempts(connection: Connection, study_id: int) -> dict[int, tuple[Attempt, str]]:
    """Trial -> its newest attempt and where that is from, without an object of the ORM per row."""
    rows = _rows(
        connection,
        "SELECT a.trial_id, a.source, t.key, a.number, a.state, a.owner, a.folder, a.host,"  # noqa: S608 - our own text
        " a.device, a.started, a.ended, a.seconds, a.exit_code, a.error_type, a.error, a.provenance"
        f" FROM attempt AS a JOIN trial AS t ON t.id = a.trial_id WHERE a.id IN ({_LAST})",
        study_id,
    )
    documents = _Documents()
    return {trial: (_attempt(facts, documents), source) for trial, source, *facts in rows}


def _attempt(facts: Sequence[Any], documents: "_Documents") -> Attempt:
    """The attempt whose fields these are in their order, its state and provenance as text."""
    key, number, state, *others, provenance = facts
    fields: tuple[Any, ...] = (key, number, _STATES[state], *others, documents[provenance])
    return Attempt(*fields)


class _Documents(dict[str, dict[str, Any]]):
    """Text -> its JSON, read once: a study's rows repeat the same few texts; read-only."""

    def __missing__(self, text: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(text)
        self[text] = found
        return found


def curves(session: Session, key: str) -> dict[tuple[str, str], dict[int, float]]:
    """(split, name) -> step -> value of one trial."""
    trial = "SELECT id FROM trial WHERE key = ?"
    return next((found for _, found in finals.curves_of(session, trial, (key,))), {})


def items(session: Session, key: str) -> list[Item]:
    """Every item's scores of one trial, in the order of logging."""
    rows = session.connection().exec_driver_sql(
        "SELECT split, item, item.name, value, nonfinite FROM item"
        " JOIN trial ON trial.id = item.trial_id WHERE trial.key = ? ORDER BY position",
        (key,),
    )
    return [Item(s, item, name, values.read(value, bad)) for s, item, name, value, bad in rows]


def settings(session: Session, key: str) -> dict[str, str]:
    """The configuration that a trial's own program resolved, by key."""
    rows = session.connection().exec_driver_sql(
        "SELECT setting.key, value FROM setting JOIN trial ON trial.id = setting.trial_id"
        " WHERE trial.key = ? ORDER BY setting.key",
        (key,),
    )
    return {str(name): str(value) for name, value in rows}


def all_curves(session: Session, study_id: int) -> dict[str, Curves]:
    """Key -> (split, name) -> step -> value of every completed trial of a study that logged any."""
    keys = dict(_rows(session.connection(), _KEYS, study_id))
    rows = _each(
        session.connection(),
        "SELECT trial_id, split, name, step, value, nonfinite FROM scalar"  # noqa: S608 - our own text
        f" WHERE trial_id IN ({finals.COMPLETED}) ORDER BY trial_id, step",
        study_id,
    )
    found: dict[str, Curves] = {}
    for trial, of in groupby(rows, itemgetter(0)):
        own: defaultdict[tuple[str, str], dict[int, float]] = defaultdict(dict)
        for _, split, name, step, value, nonfinite in of:
            own[split, name][step] = value if nonfinite is None else values.read(value, nonfinite)
        found[keys[trial]] = dict(own)
    return found


def all_settings(session: Session, study_id: int) -> dict[str, dict[str, str]]:
    """Key -> the configuration that each trial's own program resolved, where one is known."""
    rows = _rows(
        session.connection(),
        "SELECT trial.key, setting.key, value FROM setting"  # noqa: S608 - our own text
        " JOIN trial ON trial.id = setting.trial_id"
        f" WHERE trial_id IN ({_PLACED}) ORDER BY trial_id, setting.key",
        study_id,
    )
    found: dict[str, dict[str, str]] = {}
    for trial, key, value in rows:
        found.setdefault(trial, {})[key] = value
    return found


def splits(session: Session, study: str, metric: str) -> list[str]:
    """The splits on which a completed trial of a study has a curve of a metric, in order."""
    rows = session.connection().exec_driver_sql(
        "SELECT DISTINCT split FROM scalar WHERE name = ? AND trial_id IN"  # noqa: S608 - our own text
        f" ({finals.COMPLETED}) ORDER BY split",
        (metric, row_of(session, study).id),
    )
    return list(rows.scalars())


def keys_of(session: Session, study: str) -> set[str]:
    """The keys of a study's trials."""
    rows = session.connection().exec_driver_sql(
        "SELECT trial.key FROM placement JOIN trial ON trial.id = placement.trial_id"
        " JOIN study ON study.id = placement.study_id WHERE study.name = ?",
        (study,),
    )
    return set(rows.scalars())


def find_trial(session: Session, ref: str) -> list[str]:
    """The keys that begin with `ref`, in order."""
    rows = session.connection().exec_driver_sql(
        "SELECT key FROM trial WHERE substr(key, 1, ?) = ? ORDER BY key", (len(ref), ref.lower())
    )
    return [key for (key,) in rows]
