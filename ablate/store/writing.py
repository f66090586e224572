"""What changes the database. Every function runs inside one write transaction of its caller."""

import socket
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite

from sqlalchemy import Connection
from sqlmodel import Session, select

from ablate.record import RERUN, Attempt, Cost, Ending, Item, Scalar, State
from ablate.store import finals, reading, values
from ablate.store.schema import AttemptRow, TrialRow

MEASURED = ("scalar", "item", "cost", "setting", "final")
"""The tables that hold what a trial's newest attempt left behind."""


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
    touch(session, studies_of(session.connection(), trial.id))
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
    """Put an ending's curves, items, costs, settings and finals in the place of earlier ones."""
    connection = session.connection()
    for table in MEASURED:
        connection.exec_driver_sql(f"DELETE FROM {table} WHERE trial_id = ?", (trial,))  # noqa: S608 - our own names
    write_scalars(connection, trial, ending.scalars)
    write_items(connection, trial, ending.items)
    write_costs(connection, trial, ending.costs)
    write_settings(connection, trial, ending.settings)
    if ending.state is State.COMPLETED:
        for study_id in studies_of(connection, trial):
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


def write_items(connection: Connection, trial: int, items: Sequence[Item]) -> None:
    """Insert the scores of items; a later one of the same item replaces."""
    latest = {(i.split, i.item, i.name): i.value for i in items}
    if latest:
        connection.exec_driver_sql(
            "INSERT INTO item VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (trial, n, split, values.text(item), name, *values.split(value))
                for n, ((split, item, name), value) in enumerate(latest.items())
            ],
        )


def write_costs(connection: Connection, trial: int, costs: Sequence[Cost]) -> None:
    """Insert what a variant spends; a later one of a name replaces."""
    if costs:
        connection.exec_driver_sql(
            "INSERT OR REPLACE INTO cost VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(trial, c.factor, c.name, c.counter, c.unit, *values.split(c.value)) for c in costs],
        )


def write_settings(connection: Connection, trial: int, settings: Mapping[str, str]) -> None:
    """Insert the resolved configuration."""
    if settings:
        connection.exec_driver_sql(
            "INSERT INTO setting VALUES (?, ?, ?)",
            [(trial, values.text(k), values.text(v)) for k, v in settings.items()],
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


def studies_of(connection: Connection, trial: int) -> list[int]:
    """The studies in which a trial has a place."""
    rows = connection.exec_driver_sql(
        "SELECT DISTINCT study_id FROM placement WHERE trial_id = ? ORDER BY study_id", (trial,)
    )
    return [int(study) for (study,) in rows]
