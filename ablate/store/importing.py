"""Results that exist already, brought in many at once."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlmodel import Session

from ablate.errors import LockedError
from ablate.record import HEADS, LEFT_OUT, Cost, Ending, State
from ablate.store import finals, reading, values, writing
from ablate.study import Placement

AUDITED = (HEADS, LEFT_OUT)
"""Provenance of an import that the audit reads: a result that gains it is another."""
_GIVEN = "SELECT value FROM json_each(?)"
_PLACED = f"SELECT trial_id FROM placement WHERE study_id = ? AND trial_id IN ({_GIVEN})"  # noqa: S608 - our own text
_NEWEST = (
    "SELECT t.key, t.id, t.state, coalesce(a.number, 0), a.digest FROM trial AS t"
    " LEFT JOIN attempt AS a ON a.trial_id = t.id AND a.number ="
    " (SELECT max(number) FROM attempt WHERE trial_id = t.id)"
    " WHERE t.key IN (SELECT value FROM json_each(?))"
)


@dataclass(frozen=True, slots=True)
class Newest:
    """A trial, with the number and digest of its newest attempt."""

    trial: int
    state: str
    number: int
    digest: str | None


def bring_in(session: Session, results: Sequence[tuple[Placement, Ending]], *, source: str) -> bool:
    """Store imported results; whether anything changed: where they come from counts for nothing.

    Raises LockedError where one of the trials is being run.
    """
    connection = session.connection()
    known = newest(connection, [placement.trial.key for placement, _ in results])
    fresh: dict[str, tuple[Ending, str]] = {}
    for placement, ending in results:
        key, made = placement.trial.key, digest(ending)
        there = known[key]
        if there.number and there.digest == made:
            continue
        if there.state == State.RUNNING:
            raise LockedError(f"trial {key} is being run; import its results when it has ended")
        fresh[key] = ending, made
    if not fresh:
        return False
    _clear(connection, [known[key].trial for key in fresh])
    _write_attempts(connection, known, fresh, source)
    for key, (ending, _) in fresh.items():
        _write_measured(connection, known[key].trial, ending)
    write_finals(session, list(fresh))
    return True


def newest(connection: Connection, keys: Sequence[str]) -> dict[str, Newest]:
    """Those of these trials that the database knows, by key."""
    rows = connection.exec_driver_sql(_NEWEST, (json.dumps(keys),))
    return {key: Newest(*rest) for key, *rest in rows}


def _clear(connection: Connection, trials: Sequence[int]) -> None:
    for table in writing.MEASURED:
        connection.exec_driver_sql(
            f"DELETE FROM {table} WHERE trial_id IN ({_GIVEN})",  # noqa: S608 - our own names
            (json.dumps(trials),),
        )


def _write_attempts(
    connection: Connection,
    known: dict[str, Newest],
    fresh: dict[str, tuple[Ending, str]],
    source: str,
) -> None:
    connection.exec_driver_sql(
        "INSERT INTO attempt (trial_id, number, state, owner, folder, source, host, device,"
        " started, ended, seconds, exit_code, error_type, error, provenance, scores, digest)"
        " VALUES (?, ?, ?, 'import', ?, ?, '', ?, '', ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                known[key].trial,
                known[key].number + 1,
                end.state,
                f"{key}/{known[key].number + 1}",
                source,
                values.text(end.device),
                values.text(end.ended),
                float(end.seconds),
                end.exit_code,
                values.text(end.error_type),
                values.text(end.error),
                values.strings(end.provenance),
                values.scores(end.scores),
                made,
            )
            for key, (end, made) in fresh.items()
        ],
    )
    connection.exec_driver_sql(
        "UPDATE trial SET state = ? WHERE id = ?",
        [(end.state, known[key].trial) for key, (end, _) in fresh.items()],
    )


def _write_measured(connection: Connection, trial: int, ending: Ending) -> None:
    writing.write_scalars(connection, trial, ending.scalars)
    writing.write_items(connection, trial, ending.items)
    writing.write_costs(connection, trial, ending.costs)
    writing.write_settings(connection, trial, ending.settings)


def write_finals(session: Session, keys: Sequence[str]) -> None:
    """Make the finals of those of these trials that are completed, in every study that has one."""
    connection = session.connection()
    done = connection.exec_driver_sql(
        f"SELECT id FROM trial WHERE state = 'completed' AND key IN ({_GIVEN})",  # noqa: S608 - our own text
        (json.dumps(keys),),
    )
    given = json.dumps(list(done.scalars()))
    studies = connection.exec_driver_sql(
        f"SELECT DISTINCT study_id FROM placement WHERE trial_id IN ({_GIVEN})",  # noqa: S608 - our own text
        (given,),
    )
    for study_id in studies.scalars().all():
        study = reading.document(session, study_id)
        finals.write(session, study_id, study, _PLACED, study_id, given)


def _cost(cost: Cost) -> tuple[object, ...]:
    whole = (cost.name, cost.counter, cost.unit, float(cost.value))
    return (*whole, cost.factor) if cost.factor else whole


def digest(ending: Ending) -> str:
    """A digest of what was measured and doubted: not of when, nor by which process."""
    measured: tuple[object, ...] = (
        str(ending.state),
        ending.seconds,
        ending.error_type,
        ending.error,
        values.scores(ending.scores),
        [(s.step, s.split, s.name, float(s.value)) for s in ending.scalars],
        [(i.split, i.item, i.name, float(i.value)) for i in ending.items],
        [_cost(c) for c in ending.costs],
    )
    doubts = ending.provenance.get("notes", "")
    said = [ending.provenance[name] for name in AUDITED if name in ending.provenance]
    # Digests of results without them stay what they were.
    if ending.settings or doubts:
        measured = (*measured, sorted(ending.settings.items()), doubts)
    if said:
        measured = (*measured, said)
    return hashlib.sha256(repr(measured).encode("utf-8", "backslashreplace")).hexdigest()
