"""A log that a flood cannot fill: its beginning and its end are kept."""

from collections import deque
from pathlib import Path
from typing import BinaryIO

HEAD = 4 * 2**20
TAIL = 2**20


class CappedLog:
    """Writes the first `HEAD` bytes through, then keeps the last `TAIL` for the end.

    A full disk loses log lines, never the trial.
    """

    def __init__(self, path: Path) -> None:
        """Begin an empty log."""
        self._file: BinaryIO = path.open("wb", buffering=0)
        self._room = HEAD
        self._tail: deque[bytes] = deque()
        self._kept = 0
        self._dropped = 0

    def write(self, data: bytes) -> None:
        """Add some bytes."""
        head, rest = data[: self._room], data[self._room :]
        self._put(head)
        self._room -= len(head)
        if rest:
            rest = rest[-TAIL:]
            self._tail.append(rest)
            self._kept += len(rest)
            self._dropped += len(data) - len(head) - len(rest)
        while self._kept - len(self._tail[0] if self._tail else b"") > TAIL:
            gone = self._tail.popleft()
            self._kept -= len(gone)
            self._dropped += len(gone)

    def close(self) -> None:
        """Write what was kept of the end, and how much is missing before it."""
        if self._tail:
            self._put(b"\n[... %d bytes left out ...]\n" % self._dropped + b"".join(self._tail))
        self._file.close()

    def _put(self, data: bytes) -> None:
        try:
            while data:
                data = data[self._file.write(data) or 0 :]
        except OSError:
            self._room = 0
