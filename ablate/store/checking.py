"""Whether the database holds together: every promise that SQL and arithmetic can settle."""

import json
from collections.abc import Iterator

from sqlmodel import Session, select

from ablate.store import finals, values
from ablate.store.schema import StudyRow
from ablate.study import IDENTITY, Trial

_BROKEN_STATES = (
    "SELECT t.key, t.state, a.number, a.state FROM trial AS t JOIN attempt AS a"
    " ON a.trial_id = t.id AND a.number ="
    " (SELECT max(number) FROM attempt WHERE trial_id = t.id) WHERE a.state <> t.state"
)
_NEVER_TRIED = (
    "SELECT key, state FROM trial WHERE state <> 'pending'"
    " AND NOT EXISTS (SELECT 1 FROM attempt WHERE trial_id = trial.id)"
)
_WITHOUT_STUDY = (
    "SELECT key FROM trial WHERE NOT EXISTS (SELECT 1 FROM placement WHERE trial_id = trial.id)"
)


def problems(session: Session) -> Iterator[str]:
    """What is wrong, a line each; nothing where all is well."""
    connection = session.connection()
    said = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
    if said != ["ok"]:
        yield from (f"integrity: {line}" for line in said)
        return
    for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"{table}: row {row} refers to no {parent}"
    for key, state, number, other in connection.exec_driver_sql(_BROKEN_STATES):
        yield f"trial {key} is {state}, its last attempt {number} is {other}"
    for key, state in connection.exec_driver_sql(_NEVER_TRIED):
        yield f"trial {key} is {state} and has no attempt"
    yield from _keys(session)
    for study in session.exec(select(StudyRow)).all():
        yield from _finals(session, study)


def unplaced(session: Session) -> list[str]:
    """The trials that stand in no study."""
    return list(session.connection().exec_driver_sql(_WITHOUT_STUDY).scalars())


def _keys(session: Session) -> Iterator[str]:
    rows = session.connection().exec_driver_sql(
        "SELECT key, identity, system, revision, levels, changed, seed, data, start, stops"
        " FROM trial"
    )
    for key, identity, system, revision, levels, changed, seed, data, start, stops in rows:
        trial = Trial(
            system,
            revision,
            json.loads(levels),
            json.loads(changed),
            seed,
            data,
            start,
            tuple(json.loads(stops)),
        )
        if identity == IDENTITY and trial.key != key:
            yield f"trial {key} is not what its key says: that would be {trial.key}"


def _finals(session: Session, row: StudyRow) -> Iterator[str]:
    """Finals that are not what the study's rule makes of the curves."""
    assert row.id is not None
    study = values.Document.model_validate_json(row.document).study
    rows = session.connection().exec_driver_sql(
        "SELECT t.key, t.id, f.metric, f.value, f.nonfinite, f.step, f.split, f.selection"
        " FROM final AS f JOIN trial AS t ON t.id = f.trial_id WHERE f.study_id = ?",
        (row.id,),
    )
    stored: dict[tuple[int, str], tuple[object, ...]] = {}
    keys: dict[int, str] = {}
    for key, trial, metric, *rest in rows:
        keys[trial] = key
        stored[trial, metric] = tuple(rest)
    made = {
        (trial, s.metric): (*values.split(s.value), s.step, s.split, s.selection)
        for trial, scores in finals.compute(
            session, finals.COMPLETED, (row.id,), study.selection, study.directions
        )
        for s in scores.values()
    }
    for at in sorted(stored.keys() | made.keys()):
        if stored.get(at) != made.get(at):
            trial, metric = at
            yield (
                f"study {row.name!r}: the final {metric} of {keys.get(trial, trial)} is not what"
                f" {study.selection} makes of its curves"
            )
