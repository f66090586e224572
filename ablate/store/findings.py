"""What the audit found of a study, and whether it is still of what the database holds."""

import hashlib
import json
from collections.abc import Iterable

from sqlmodel import Session

from ablate.record import Finding
from ablate.store import values
from ablate.store.schema import StudyRow

_EVERY = (
    "SELECT s.name, s.document, count(*), sum(a.state = 'completed'),"
    " max(CASE a.state WHEN 'completed' THEN a.id END),"
    " CASE s.id WHEN ? THEN count(a.id) || ' ' || max(a.id) END"
    " FROM study AS s LEFT JOIN placement AS p ON p.study_id = s.id"
    " LEFT JOIN attempt AS a ON a.trial_id = p.trial_id GROUP BY s.id ORDER BY s.name"
)
"""Of every study its document and which results it has, for a check may compare; of one study also
which attempts."""
_PLACED = (
    "SELECT group_concat(place, char(10)) FROM (SELECT p.variant || ' ' || p.seed || ' ' ||"
    " p.trial_id || ' ' || coalesce(p.parent, '-') || ' ' || p.role || p.extra || t.state AS place"
    " FROM placement AS p JOIN trial AS t ON t.id = p.trial_id WHERE p.study_id = ?"
    " ORDER BY p.position)"
)
"""Of one study every place, with where its trial stands."""
_EXTERNAL = (
    "SELECT trial_id, metric, split, source, date, value FROM external ORDER BY 1, 2, 3, 4, 5"
)


def state(session: Session, study: StudyRow) -> str:
    """A digest of all that findings of a study rest on; it changes whenever that does."""
    connection = session.connection()
    digest = hashlib.sha256()
    for query, parameters in ((_EVERY, (study.id,)), (_PLACED, (study.id,)), (_EXTERNAL, ())):
        for row in connection.exec_driver_sql(query, parameters):
            digest.update(repr(tuple(row)).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def stamp(session: Session, study: StudyRow) -> str:
    """With what `put` last stamped a study's findings; nothing where it never did."""
    rows = session.connection().exec_driver_sql(
        "SELECT stamp FROM audit WHERE study_id = ?", (study.id,)
    )
    return str(rows.scalar() or "")


def findings(session: Session, study: StudyRow) -> list[Finding]:
    """A study's findings, in the order they were put."""
    rows = session.connection().exec_driver_sql(
        "SELECT code, severity, sentence, command, subject, chinese, keys, remedy,"
        " family, chinese_command FROM finding WHERE study_id = ? ORDER BY position",
        (study.id,),
    )
    return [
        Finding(code, severity, sentence, command, subject, chinese, tuple(json.loads(keys)), *last)
        for code, severity, sentence, command, subject, chinese, keys, *last in rows
    ]


def put(session: Session, study: StudyRow, found: Iterable[Finding], stamped: str) -> None:
    """Replace a study's findings, and the stamp of what they are of."""
    connection = session.connection()
    for table in ("finding", "audit"):
        connection.exec_driver_sql(f"DELETE FROM {table} WHERE study_id = ?", (study.id,))  # noqa: S608 - the names above
    rows = [
        (
            study.id,
            position,
            f.code,
            f.severity,
            *map(values.text, (f.sentence, f.command, f.subject, f.chinese)),
            json.dumps(f.keys),
            *map(values.text, (f.remedy, f.family, f.chinese_command)),
        )
        for position, f in enumerate(found)
    ]
    if rows:
        connection.exec_driver_sql(
            "INSERT INTO finding (study_id, position, code, severity, sentence, command, subject,"
            " chinese, keys, remedy, family, chinese_command)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
    connection.exec_driver_sql(
        "INSERT INTO audit VALUES (?, ?, ?)", (study.id, stamped, values.now())
    )
