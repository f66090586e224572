"""What people write: scores that were measured elsewhere, and notes."""

from sqlmodel import Session, col, select

from ablate.errors import UsageError
from ablate.record import External, Note
from ablate.store import values
from ablate.store.schema import NoteRow, StudyRow, TrialRow


def externals(
    session: Session, trials: str, *parameters: object
) -> dict[str, tuple[External, ...]]:
    """Key -> external scores, the oldest first, of every trial that the query `trials` names."""
    rows = session.connection().exec_driver_sql(
        "SELECT trial.key, e.metric, e.value, e.source, e.date, e.split"  # noqa: S608 - `trials` is our own text
        " FROM external AS e JOIN trial ON trial.id = e.trial_id"
        f" WHERE e.trial_id IN ({trials}) ORDER BY e.trial_id, e.date, e.rowid",
        tuple(parameters),
    )
    found: dict[str, tuple[External, ...]] = {}
    for key, *rest in rows:
        found[key] = (*found.get(key, ()), External(*rest))
    return found


def record(session: Session, key: str, score: External, *, replace: bool) -> bool:
    """Add an external score to a trial; whether anything changed.

    Raises UsageError where its source said another value on the same day, unless it is to
    `replace` all that the source has said of this metric on this split.
    """
    connection = session.connection()
    trial = connection.exec_driver_sql("SELECT id FROM trial WHERE key = ?", (key,)).scalar_one()
    said = (trial, values.text(score.metric), score.split, values.text(score.source))
    rows = connection.exec_driver_sql(
        "SELECT date, value FROM external WHERE trial_id = ? AND metric = ? AND split = ?"
        " AND source = ?",
        said,
    )
    known: dict[str, float] = {date: value for date, value in rows}  # noqa: C416 - rows are no pairs to mypy
    before = known.get(score.date)
    if before == score.value and (len(known) == 1 or not replace):
        return False
    if before is not None and before != score.value and not replace:
        raise UsageError(
            f"{score.source!r} said {score.metric} = {before!r} of {key} on {score.date};"
            " give the date of the new value, or --replace"
        )
    if replace:
        connection.exec_driver_sql(
            "DELETE FROM external WHERE trial_id = ? AND metric = ? AND split = ? AND source = ?",
            said,
        )
    connection.exec_driver_sql(
        "INSERT INTO external (trial_id, metric, split, source, date, value, recorded)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*said, score.date, float(score.value), values.now()),
    )
    return True


def put_note(session: Session, note: Note) -> bool:
    """Add a note to its study, variant or trial; whether it was not there already."""
    connection = session.connection()
    table, name, ref = ("trial", "key", note.key) if note.key else ("study", "name", note.study)
    owner = connection.exec_driver_sql(
        f"SELECT id FROM {table} WHERE {name} = ?",  # noqa: S608 - the names above
        (ref,),
    ).scalar_one()
    row = NoteRow(
        study_id=None if note.key else owner,
        variant=note.variant,
        trial_id=owner if note.key else None,
        text=values.text(note.text),
        author=values.text(note.author),
        date=note.date,
        finding=values.text(note.finding),
    )
    if note in notes(session):
        return False
    session.add(row)
    session.flush()
    return True


def notes(session: Session) -> list[Note]:
    """Every note, in the order of writing."""
    rows = session.exec(
        select(NoteRow, StudyRow.name, TrialRow.key)
        .join(StudyRow, isouter=True)
        .join(TrialRow, isouter=True)
        .order_by(col(NoteRow.id))
    )
    return [
        Note(row.text, row.author, row.date, study or "", row.variant, key or "", row.finding)
        for row, study, key in rows
    ]
