"""Studies and where their trials stand: what `put_study` writes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection
from sqlmodel import Session, select

from ablate.record import State
from ablate.store import finals, values
from ablate.store.schema import FactorRow, MetricRow, StudyRow
from ablate.study import IDENTITY, Placement, Study, Trial

_WITHOUT_FINALS = finals.COMPLETED + (  # noqa: S608 - our own text
    " AND NOT EXISTS (SELECT 1 FROM final WHERE final.study_id = placement.study_id"
    " AND final.trial_id = placement.trial_id)"
)


class Keep(Enum):
    """Which places that are not named stay."""

    NONE = "none"
    EXTRA = "extra"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Put:
    """A study's id, whether it changed, and whether its trials did."""

    id: int
    changed: bool
    moved: bool


def put(session: Session, study: Study, source: str) -> Put:
    """Insert or update a study with its factors and metrics.

    Where the selection rule or the metrics are others than before, its finals are made anew.
    """
    row = session.exec(select(StudyRow).where(StudyRow.name == study.name)).one_or_none()
    document = values.Document(study=study).model_dump_json()
    if row is not None and row.id is not None and row.document == document:
        return Put(row.id, changed=False, moved=False)
    before = None if row is None else values.Document.model_validate_json(row.document).study
    row = row or StudyRow(name=study.name, created=values.now(), activity=0, standin=study.standin)
    row.title = study.title
    row.system = study.system
    row.revision = study.revision
    row.primary_metric = study.primary
    row.selection = str(study.selection)
    row.scale = study.scale
    row.data = study.data
    row.standin = study.standin
    row.source = source
    row.document = document
    session.add(row)
    session.flush()
    assert row.id is not None
    _declare(session, row.id, study)
    if before and (before.selection, before.metrics) != (study.selection, study.metrics):
        finals.write(session, row.id, study, finals.COMPLETED, row.id)
    moved = before is not None and _frame(before) != _frame(study)
    return Put(row.id, changed=True, moved=moved)


def _frame(study: Study) -> tuple[object, ...]:
    """What an extra placement shares with its study: where this changes, it is another's."""
    return (
        study.system,
        study.revision,
        study.data,
        study.scale,
        dict(study.fixed),
        study.modules,
        study.arms,
        study.factors,
    )


def _declare(session: Session, study_id: int, study: Study) -> None:
    connection = session.connection()
    connection.exec_driver_sql("DELETE FROM factor WHERE study_id = ?", (study_id,))
    connection.exec_driver_sql("DELETE FROM metric WHERE study_id = ?", (study_id,))
    modules = study.modules.factors if study.modules else ()
    session.add_all(
        FactorRow(
            study_id=study_id,
            name=f.name,
            kind=f.kind,
            reference=json.dumps(f.reference, ensure_ascii=False),
            requires=f.requires,
            title=f.title,
            position=position,
            module=f.name in modules,
        )
        for position, f in enumerate(study.factors)
    )
    session.add_all(
        MetricRow(
            study_id=study_id,
            name=m.name,
            title=m.title,
            unit=m.unit,
            direction=m.direction,
            display=m.display,
            digits=m.digits,
            position=position,
        )
        for position, m in enumerate(study.metrics)
    )
    session.flush()


def place(
    session: Session, study_id: int, study: Study, placements: Sequence[Placement], keep: Keep
) -> bool:
    """Put trials in their places; whether anything changed.

    Of the places that are not named, those of `keep` stay; a place named with another trial gets
    that one. Completed trials that are new to the study get their finals.
    """
    connection = session.connection()
    keys = [p.trial.key for p in placements]
    trials = [p.trial for p in placements]
    ids = put_trials(connection, dict(zip(keys, trials, strict=True)))
    before = _places(connection, study_id)
    named = {
        (p.variant.name, int(p.trial.seed)): _Place(
            ids[key], p.variant.parent, p.variant.role, p.extra
        )
        for key, p in zip(keys, placements, strict=True)
    }
    left = {
        at: place
        for at, place in before.items()
        if keep is Keep.ALL or (keep is Keep.EXTRA and place.extra)
    }
    after = (
        {**left, **named}
        if keep is Keep.ALL
        else {**named, **{a: left[a] for a in left if a not in named}}
    )
    if list(after.items()) == list(before.items()):
        return False
    _write_places(connection, study_id, after)
    finals.write(session, study_id, study, _WITHOUT_FINALS, study_id)
    return True


@dataclass(frozen=True, slots=True)
class _Place:
    trial: int
    parent: str | None
    role: str
    extra: bool


def _places(connection: Connection, study_id: int) -> dict[tuple[str, int], _Place]:
    rows = connection.exec_driver_sql(
        "SELECT variant, seed, trial_id, parent, role, extra FROM placement"
        " WHERE study_id = ? ORDER BY position",
        (study_id,),
    )
    return {
        (variant, seed): _Place(trial, parent, role, bool(extra))
        for variant, seed, trial, parent, role, extra in rows
    }


def _write_places(
    connection: Connection, study_id: int, places: Mapping[tuple[str, int], _Place]
) -> None:
    connection.exec_driver_sql("DELETE FROM placement WHERE study_id = ?", (study_id,))
    if places:
        connection.exec_driver_sql(
            "INSERT INTO placement (study_id, variant, seed, trial_id, parent, role, position,"
            " extra) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (study_id, variant, seed, p.trial, p.parent, p.role, position, int(p.extra))
                for position, ((variant, seed), p) in enumerate(places.items())
            ],
        )
    connection.exec_driver_sql(
        "DELETE FROM final WHERE study_id = ? AND trial_id NOT IN"
        " (SELECT trial_id FROM placement WHERE study_id = ?)",
        (study_id, study_id),
    )


def put_trials(connection: Connection, trials: Mapping[str, Trial]) -> dict[str, int]:
    """Insert the trials that are new; key -> id of all."""
    if trials:
        connection.exec_driver_sql(
            "INSERT INTO trial (key, identity, system, revision, levels, changed, seed, data,"
            " start, stops, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (key) DO NOTHING",
            [(key, *_columns(trial)) for key, trial in trials.items()],
        )
    rows = connection.exec_driver_sql(
        "SELECT key, id FROM trial WHERE key IN (SELECT value FROM json_each(?))",
        (json.dumps(list(trials)),),
    )
    return {key: int(number) for key, number in rows}


def _columns(trial: Trial) -> tuple[object, ...]:
    return (
        IDENTITY,
        trial.system,
        trial.revision,
        values.levels(trial.levels),
        values.levels(trial.changed),
        int(trial.seed),
        trial.data,
        trial.start,
        json.dumps(list(trial.stops), ensure_ascii=False),
        State.PENDING,
    )
