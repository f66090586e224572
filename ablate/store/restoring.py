"""Filling a new database from what lies beside the old one, or from the old one itself."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from sqlmodel import Session, select

from ablate.errors import StoreError
from ablate.record import Attempt, Ending, External, Note
from ablate.store import by_hand, values, writing
from ablate.store.schema import AttemptRow, StudyRow, TrialRow

_IMPORTED = (
    "SELECT t.id, t.key FROM trial AS t WHERE EXISTS"
    " (SELECT 1 FROM attempt WHERE trial_id = t.id AND owner = 'import') ORDER BY t.id"
)
_TABLES = ("attempt", "scalar", "item", "cost", "setting")


def restore(session: Session, attempt: Attempt, ending: Ending, *, source: str) -> None:
    """Add an attempt as it was, its number and times too; its results become the trial's."""
    trial = session.exec(select(TrialRow).where(TrialRow.key == attempt.key)).one()
    assert trial.id is not None
    row = AttemptRow(
        trial_id=trial.id,
        number=attempt.number,
        state=ending.state,
        owner=values.text(attempt.owner),
        folder=attempt.folder,
        source=source,
        host=values.text(attempt.host),
        device="",
        started=values.text(attempt.started),
        ended="",
        error_type="",
        error="",
        provenance="{}",
        scores="{}",
        digest="",
    )
    session.add(row)
    session.flush()
    writing.end(session, row, trial, ending)


def restore_by_hand(session: Session, file: Path) -> list[str]:
    """Add the external scores and notes of a file; those whose trial or study is gone, in words.

    Raises StoreError where the file cannot be read.
    """
    try:
        document = json.loads(file.read_text("utf-8"))
        scores = [(e.pop("key"), External(**e)) for e in document["externals"]]
        notes = [Note(**n) for n in document["notes"]]
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise StoreError(f"{file} cannot be read ({wrong}); correct it or move it away") from None
    trials = set(session.exec(select(TrialRow.key)).all())
    studies = set(session.exec(select(StudyRow.name)).all())
    lost = [f"{s.metric} = {s.value!r} of {k} ({s.source})" for k, s in scores if k not in trials]
    for key, score in scores:
        if key in trials:
            by_hand.record(session, key, score, replace=False)
    for note in notes:
        if note.key in trials or note.study in studies:
            by_hand.put_note(session, note)
        else:
            lost.append(f"the note of {note.author}: {note.text}")
    return lost


def imported(
    old: Path, keys: Collection[str] | None = None
) -> dict[str, dict[str, list[tuple[object, ...]]]]:
    """Key -> table -> rows of every imported trial that the database `old` holds, or of `keys`.

    Rows lack their id and trial_id. Raises sqlite3.DatabaseError where it cannot be read.
    """
    # Not `mode=ro`: such a connection leaves the files of its log behind.
    with closing(sqlite3.connect(old.absolute().as_uri() + "?mode=rw", uri=True)) as raw:
        return {
            key: {table: _rows(raw, table, trial) for table in ("trial", *_TABLES)}
            for trial, key in raw.execute(_IMPORTED).fetchall()
            if keys is None or key in keys
        }


def _rows(raw: sqlite3.Connection, table: str, trial: int) -> list[tuple[object, ...]]:
    names = ", ".join(_columns(raw, table))
    owner = "id" if table == "trial" else "trial_id"
    query = f"SELECT {names} FROM {table} WHERE {owner} = ?"  # noqa: S608 - names of our own tables
    if table == "attempt":
        query += " AND owner = 'import' ORDER BY id"
    return raw.execute(query, (trial,)).fetchall()


def _columns(raw: sqlite3.Connection, table: str) -> list[str]:
    rows = raw.execute(f"PRAGMA table_info({table})").fetchall()
    return [name for _, name, *_ in rows if name not in {"id", "trial_id"}]


def put_imported(
    session: Session, key: str, tables: Mapping[str, Sequence[tuple[object, ...]]]
) -> None:
    """Add an imported trial as `imported` gave it; one that has other attempts keeps its own."""
    connection = session.connection()
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    found = connection.exec_driver_sql("SELECT id FROM trial WHERE key = ?", (key,)).scalar()
    if found is None:
        _insert(raw, "trial", tables["trial"], None)
        found = connection.exec_driver_sql("SELECT id FROM trial WHERE key = ?", (key,)).scalar()
    trial = int(str(found))
    ran = connection.exec_driver_sql(
        "SELECT coalesce(max(number), 0) FROM attempt WHERE trial_id = ?", (trial,)
    ).scalar_one()
    _insert(raw, "attempt", tables["attempt"], trial)
    names = _columns(raw, "attempt")
    newest = max(int(str(row[names.index("number")])) for row in tables["attempt"])
    if ran > newest:
        return
    for table in _TABLES[1:]:
        connection.exec_driver_sql(f"DELETE FROM {table} WHERE trial_id = ?", (trial,))  # noqa: S608 - names above
        _insert(raw, table, tables[table], trial)
    state = tables["trial"][0][_columns(raw, "trial").index("state")]
    connection.exec_driver_sql("UPDATE trial SET state = ? WHERE id = ?", (state, trial))


def _insert(
    raw: sqlite3.Connection, table: str, rows: Sequence[tuple[object, ...]], trial: int | None
) -> None:
    names = _columns(raw, table)
    values_ = [row if trial is None else (trial, *row) for row in rows]
    names = names if trial is None else ["trial_id", *names]
    marks = ", ".join("?" * len(names))
    raw.executemany(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",  # noqa: S608 - names of our own tables
        values_,
    )
