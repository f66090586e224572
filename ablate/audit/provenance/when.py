"""When the runs of a study began, as their own clocks or names say."""

import re
from collections.abc import Iterable
from datetime import datetime

from ablate.record import Record

_STAMP = re.compile(
    r"(?<!\d)(20\d\d)[-_]?(\d\d)[-_]?(\d\d)[-_T]?(\d\d)[-_:]?(\d\d)[-_:]?(\d\d)(?!\d)"
)


def beginnings(records: Iterable[Record]) -> dict[str, datetime]:
    """Trial key -> when it began; a trial whose time is unknown is left out.

    Clocks with a zone and clocks without one are not compared: those of the rarer kind are out.
    """
    found = {r.key: at for r in records if (at := _began(r)) is not None}
    zoned = {key: at for key, at in found.items() if at.tzinfo is not None}
    local = {key: at for key, at in found.items() if at.tzinfo is None}
    return zoned if len(zoned) >= len(local) else local


def _began(record: Record) -> datetime | None:
    attempt = record.attempt
    if attempt is None:
        return None
    facts = attempt.provenance
    for said in (attempt.started, facts.get("started", "")):
        try:
            return datetime.fromisoformat(said)
        except ValueError:
            continue
    stamp = _STAMP.search(facts.get("run", ""))
    try:
        return datetime.fromisoformat("{}-{}-{}T{}:{}:{}".format(*stamp.groups()) if stamp else "")
    except ValueError:
        return None


def minute(at: datetime) -> str:
    """A time as sentences have it."""
    return f"{at:%Y-%m-%d %H:%M}"
