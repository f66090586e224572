"""What takes results away. Every function runs inside one write transaction of its caller."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from ablate.errors import LockedError
from ablate.store import reading

_GIVEN = "SELECT value FROM json_each(?)"


@dataclass(frozen=True, slots=True)
class Place:
    """A variant at a seed of a study, and the key of the trial there."""

    study: str
    variant: str
    seed: int
    key: str


def remove(session: Session, places: Sequence[Place], studies: Sequence[str]) -> list[str]:
    """Remove places and whole studies; the keys of the trials that went with them.

    A trial goes where no place of it is left. Raises LockedError where one of them is being run.
    """
    connection = session.connection()
    rows = {name: reading.row_of(session, name).id for name in {p.study for p in places}}
    running = connection.exec_driver_sql(
        f"SELECT key FROM trial WHERE state = 'running' AND key IN ({_GIVEN})",  # noqa: S608 - our own text
        (json.dumps([p.key for p in places]),),
    ).scalars()
    if found := list(running):
        raise LockedError(f"trial {found[0]} is being run; stop the run or wait for its end")
    if places:
        connection.exec_driver_sql(
            "DELETE FROM placement WHERE study_id = ? AND variant = ? AND seed = ?",
            [(rows[p.study], p.variant, p.seed) for p in places],
        )
    for name in studies:
        connection.exec_driver_sql("DELETE FROM study WHERE name = ?", (name,))
    keys = json.dumps([p.key for p in places])
    left = (
        f"SELECT id FROM trial WHERE key IN ({_GIVEN})"  # noqa: S608 - our own text
        " AND id NOT IN (SELECT trial_id FROM placement)"
    )
    gone = connection.exec_driver_sql(
        f"SELECT key FROM trial WHERE id IN ({left}) ORDER BY id",  # noqa: S608 - our own text
        (keys,),
    )
    removed = [str(key) for key in gone.scalars()]
    connection.exec_driver_sql(f"DELETE FROM trial WHERE id IN ({left})", (keys,))  # noqa: S608 - our own text
    connection.exec_driver_sql(
        "DELETE FROM final WHERE NOT EXISTS (SELECT 1 FROM placement AS p"
        " WHERE p.study_id = final.study_id AND p.trial_id = final.trial_id)"
    )
    return removed
