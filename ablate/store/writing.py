"""What changes the database. Every function runs inside one write transaction of its caller."""

import hashlib
import socket
from collections.abc import Iterable, Sequence
from math import isfinite

from sqlalchemy import Connection
from sqlmodel import Session, select

from ablate.errors import LockedError
from ablate.record import RERUN, Attempt, Cost, Ending, Finding, Item, Scalar, State
from ablate.store import finals, reading, values
from ablate.store.schema import AttemptRow, FindingRow, StudyRow, TrialRow
from ablate.study import Placement


def claim(session: Session, key: str, owner: str, *, again: State | None) -> Attempt | None:
    """Take a trial for one new attempt; None where it runs already, has ended or is unknown.

    A trial that has ended is taken while its state is still `again`.
    """
    trial = session.exec(select(TrialRow).where(TrialRow.key == key)).one_or_none()
    if trial is None or trial.id is None:
        return None
    state = State(trial.state)
    if state is State.RUNNING or not (state is again or state in RERUN):
        return None
    trial.state = State.RUNNING
    row = _attempt(session, trial.id, key, owner=values.text(owner), source="run")
    touch(session, _studies_of(session.connection(), trial.id))
    return reading.attempt(key, row)


def finish(session: Session, attempt: Attempt, ending: Ending) -> bool:
    """Store an attempt's ending; False, and nothing written, where it has been superseded."""
    row, trial = reading.current(session, attempt.key)
    if row is None or trial is None or row.number != attempt.number:
        return False
    if {row.state, trial.state} != {State.RUNNING}:
        return False
    end(session, row, trial, ending)
    return True


def end(session: Session, row: AttemptRow, trial: TrialRow, ending: Ending) -> None:
    """Write the attempt, its trial's state, and everything that was measured."""
    assert trial.id is not None
    row.state = trial.state = ending.state
    row.ended = values.text(ending.ended)
    row.seconds = float(ending.seconds)
    row.device = values.text(ending.device)
    row.exit_code = None if ending.exit_code is None else int(ending.exit_code)
    row.error_type = values.text(ending.error_type)
    row.error = values.text(ending.error)
    row.provenance = values.strings(ending.provenance)
    row.scores = values.scores(ending.scores)
    session.add_all([row, trial])
    session.flush()
    replace_results(session, trial.id, ending)


def replace_results(session: Session, trial: int, ending: Ending) -> None:
    """Put an ending's curves, items, costs and finals in the place of any earlier ones."""
    connection = session.connection()
    for table in ("scalar", "item", "cost", "final"):
        connection.exec_driver_sql(f"DELETE FROM {table} WHERE trial_id = ?", (trial,))  # noqa: S608 - the names above
    write_scalars(connection, trial, ending.scalars)
    _write_items(connection, trial, ending.items)
    _write_costs(connection, trial, ending.costs)
    if ending.state is State.COMPLETED:
        for study_id in _studies_of(connection, trial):
            study = reading.document(session, study_id)
            finals.write(session, study_id, study, "?", trial)


def write_scalars(connection: Connection, trial: int, scalars: Sequence[Scalar]) -> None:
    """Insert points of curves in one batch; a point logged twice keeps its later value."""
    if not scalars:
        return
    connection.exec_driver_sql(
        # A sixth faster on new rows than INSERT OR REPLACE.
        "INSERT INTO scalar VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
        " SET value = excluded.value, nonfinite = excluded.nonfinite",
        [
            (trial, int(s.step), s.split, s.name, value, None)
            if isfinite(value := float(s.value))
            else (trial, int(s.step), s.split, s.name, None, str(value))
            for s in scalars
        ],
    )


def _write_items(connection: Connection, trial: int, items: Sequence[Item]) -> None:
    latest = {(i.split, i.item, i.name): i.value for i in items}
    if latest:
        connection.exec_driver_sql(
            "INSERT INTO item VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (trial, n, split, values.text(item), name, *values.split(value))
                for n, ((split, item, name), value) in enumerate(latest.items())
            ],
        )


def _write_costs(connection: Connection, trial: int, costs: Sequence[Cost]) -> None:
    if costs:
        connection.exec_driver_sql(
            "INSERT OR REPLACE INTO cost VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(trial, c.factor, c.name, c.counter, c.unit, *values.split(c.value)) for c in costs],
        )


def bring_in(session: Session, results: Iterable[tuple[Placement, Ending]], *, source: str) -> bool:
    """Store imported results; whether anything changed.

    Raises LockedError where one of the trials is being run.
    """
    changed = False
    for placement, ending in results:
        key = placement.trial.key
        row, trial = reading.current(session, key)
        assert trial is not None
        assert trial.id is not None
        digest = _digest(ending)
        if row is not None and row.digest == digest and row.source == source:
            continue
        if State(trial.state) is State.RUNNING:
            raise LockedError(f"trial {key} is being run; import its results when it has ended")
        fresh = _attempt(session, trial.id, key, owner="import", source=source)
        fresh.digest = digest
        fresh.started = ""
        end(session, fresh, trial, ending)
        changed = True
    return changed


def put_findings(session: Session, study: StudyRow, findings: Iterable[Finding]) -> None:
    """Replace a study's findings."""
    assert study.id is not None
    session.connection().exec_driver_sql("DELETE FROM finding WHERE study_id = ?", (study.id,))
    session.add_all(
        FindingRow(
            study_id=study.id,
            position=position,
            code=f.code,
            severity=f.severity,
            sentence=values.text(f.sentence),
            command=values.text(f.command),
        )
        for position, f in enumerate(findings)
    )


def touch(session: Session, studies: Iterable[int]) -> None:
    """Count an activity: these studies become the most recent, in the order they had."""
    connection = session.connection()
    chosen = set(studies)
    rows = connection.exec_driver_sql("SELECT id, activity FROM study ORDER BY activity").all()
    latest = max((activity for _, activity in rows), default=0)
    for step, study in enumerate((s for s, _ in rows if s in chosen), start=1):
        connection.exec_driver_sql(
            "UPDATE study SET activity = ? WHERE id = ?", (latest + step, study)
        )


def _attempt(session: Session, trial: int, key: str, *, owner: str, source: str) -> AttemptRow:
    last = session.connection().exec_driver_sql(
        "SELECT coalesce(max(number), 0) FROM attempt WHERE trial_id = ?", (trial,)
    )
    number = int(last.scalar_one()) + 1
    row = AttemptRow(
        trial_id=trial,
        number=number,
        state=State.RUNNING,
        owner=owner,
        folder=f"{key}/{number}",
        source=source,
        host=socket.gethostname(),
        device="",
        started=values.now(),
        ended="",
        error_type="",
        error="",
        provenance="{}",
        scores="{}",
        digest="",
    )
    session.add(row)
    session.flush()
    return row


def _studies_of(connection: Connection, trial: int) -> list[int]:
    rows = connection.exec_driver_sql(
        "SELECT DISTINCT study_id FROM placement WHERE trial_id = ? ORDER BY study_id", (trial,)
    )
    return [int(study) for (study,) in rows]


def _cost(cost: Cost) -> tuple[object, ...]:
    whole = (cost.name, cost.counter, cost.unit, float(cost.value))
    return (*whole, cost.factor) if cost.factor else whole


def _digest(ending: Ending) -> str:
    """A digest of what was measured: not of when, nor by which process."""
    measured = (
        str(ending.state),
        ending.seconds,
        ending.error_type,
        ending.error,
        values.scores(ending.scores),
        [(s.step, s.split, s.name, float(s.value)) for s in ending.scalars],
        [(i.split, i.item, i.name, float(i.value)) for i in ending.items],
        [_cost(c) for c in ending.costs],
    )
    return hashlib.sha256(repr(measured).encode("utf-8", "backslashreplace")).hexdigest()
