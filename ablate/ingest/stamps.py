"""What the time stamps of a log and its last traceback say about how a run went."""

import re
from datetime import datetime

from ablate.ingest.run import Draft
from ablate.ingest.text import without_places
from ablate.record import STAMPED

STAMP = r"\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{3,6})?"
"""A time stamp as loggers print it; a match of nothing else."""
COUNTER = STAMPED


class Clock:
    """Adds up the time between stamps; what lies before a step back is not lost."""

    def __init__(self) -> None:
        """A clock that has seen no stamp."""
        self.started = ""
        self.seconds = 0.0
        self.back = ""
        """The stamp at which time first went back."""
        self._last: datetime | None = None

    def see(self, stamp: str) -> None:
        """Take the next stamp; one that is no date of the calendar is passed over."""
        try:
            now = datetime.fromisoformat(stamp.replace("/", "-"))
        except ValueError:
            return
        if self._last is None:
            self.started = now.isoformat(timespec="seconds")
        else:
            passed = (now - self._last).total_seconds()
            self.seconds += max(passed, 0.0)
            if passed < -1.0:
                self.back = self.back or stamp
        self._last = now

    def settle(self, draft: Draft) -> None:
        """Write start and wall time into a draft, and the doubt where time went back."""
        if self._last is None:
            return
        draft.started = self.started
        draft.cost("seconds", round(self.seconds, 3), "s", COUNTER)
        if self.back:
            draft.remark(f"the log's clock goes back at {self.back}: the wall time leaves that out")


class Fault:
    """The error that a program printed last, if nothing of its training came after it."""

    def __init__(self) -> None:
        """No error yet."""
        self.text = ""
        self._open = False

    def see(self, text: str) -> bool:
        """Whether a line belongs to a traceback or is a system's word on a killed program."""
        if "Traceback (most recent call last)" in text:
            self._open, self.text = True, "a traceback without an end"
            return True
        if self._open:
            bare = _RANK.sub("", text)
            if bare.strip() and not bare[0].isspace():
                self._open, self.text = False, without_places(bare.strip())[:300]
            return True
        if _KILLED.fullmatch(text):
            self.text = text.strip()
            return True
        return False

    def clear(self) -> None:
        """The program went on."""
        self.text, self._open = "", False

    @property
    def interrupted(self) -> bool:
        """Whether somebody stopped it, rather than an error."""
        return self.text.startswith(("KeyboardInterrupt", "Terminated"))


_RANK = re.compile(r"^(?:\[?rank ?\d+\]?:|\[\d+\]:) ?")
_KILLED = re.compile(
    r"(?:\S+: line \d+: +\d+ )?(?:Killed|Terminated|Aborted|Segmentation fault)\b.{0,200}"
)
