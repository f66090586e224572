"""Log files: found, opened whatever they are compressed with, and read once in bounded memory."""

import hashlib
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ablate.errors import UsageError
from ablate.ingest.run import Run
from ablate.ingest.text import LineSplitter
from ablate.record import State

LARGEST = 2**30
"""Bytes of text that one log may hold, unpacked."""
HEAD = 2**18
CUT_OFF = "the compressed file is cut off"
_CHUNK = 2**17
_GZIP = b"\x1f\x8b"
_NAMES = re.compile(r"\.(?:log|txt|out|err|json|jsonl)(?:\.\d+)?(?:\.gz)?$|\.gz$", re.IGNORECASE)
_STEM = re.compile(r"(?:\.(?:log|txt|out|err|json|jsonl|gz))+$", re.IGNORECASE)
_FILES = 1_000_000


class LogFile:
    """The whole lines of a log, once; afterwards its digest and what had to be said about it.

    A last line without its end is kept apart: its last number may be cut. Raises UsageError where
    it cannot be read, is damaged, or holds over LARGEST bytes of text.
    """

    def __init__(self, path: Path) -> None:
        """A log that is not opened yet."""
        self.path = path
        self.torn = False
        """Whether it ends in the middle of a line; `rest` is what there is of that line."""
        self.rest = ""
        self.splitter = LineSplitter()
        self._early = False
        self._digest = hashlib.sha256()

    def __iter__(self) -> Iterator[str]:
        for chunk in self._unpacked():
            yield from self.splitter.feed(chunk)
        left = list(self.splitter.close())
        self.torn = self.splitter.torn or self._early
        if self.splitter.torn:
            self.rest = left.pop()
        yield from left

    @property
    def files(self) -> dict[str, str]:
        """Its base name and the sha256 of its bytes as they lie on the disk."""
        return {self.path.name: self._digest.hexdigest()}

    def remarks(self) -> Iterator[str]:
        """Doubts about the file itself."""
        yield from self.splitter.remarks()
        if self._early:
            yield CUT_OFF

    def held(self, run: Run, *, last: bool = True) -> Run:
        """A run with the file that it was read from.

        The `last` of a compressed file that is cut off is no complete one: what it lacks is
        unknown.
        """
        run = replace(run, files=self.files, remarks=(*self.remarks(), *run.remarks))
        if self._early and last and run.state is State.COMPLETED:
            return replace(run, state=State.INCOMPLETE, reason=CUT_OFF)
        return run

    def _unpacked(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file:
                yield from self._capped(iter(lambda: file.read(_CHUNK), b""))
        except OSError as wrong:
            raise UsageError(f"{self.path}: {wrong.strerror or wrong}") from None
        except zlib.error as wrong:
            raise UsageError(f"{self.path}: the compressed file is damaged ({wrong})") from None

    def _capped(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        size = 0
        for chunk in self._plain(chunks):
            size += len(chunk)
            if size > LARGEST:
                raise UsageError(
                    f"{self.path}: over {LARGEST >> 20} MiB of text; cut it down to the lines that"
                    " count (grep) and read that"
                )
            yield chunk

    def _plain(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        first = next(chunks, b"")
        self._digest.update(first)
        unpack = _Members() if first.startswith(_GZIP) else None
        yield from unpack.unpacked(first) if unpack else (first,)
        for chunk in chunks:
            self._digest.update(chunk)
            yield from unpack.unpacked(chunk) if unpack else (chunk,)
        self._early = unpack is not None and unpack.open


class _Members:
    """The members of a gzip file, one after the other, a bounded piece at a time."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)
        self.open = True
        """Whether the member at hand is unfinished."""

    def unpacked(self, data: bytes) -> Iterator[bytes]:
        piece = b""
        while data or len(piece) == _CHUNK:
            if not self.open:
                if not data.startswith(_GZIP[:1]):
                    return
                self._stream, self.open = zlib.decompressobj(wbits=31), True
            piece = self._stream.decompress(data, _CHUNK)
            if piece:
                yield piece
            self.open = not self._stream.eof
            data = self._stream.unconsumed_tail or self._stream.unused_data


def head(path: Path, size: int = HEAD) -> str:
    """The first text of a file, empty where there is none to read."""
    with suppress(OSError, zlib.error), path.open("rb") as file:
        data = file.read(size)
        if data.startswith(_GZIP):
            data = zlib.decompressobj(wbits=31).decompress(data, size)
        splitter = LineSplitter()
        return "\n".join([*splitter.feed(data), *splitter.close()])
    return ""


def logs(path: Path, known: Callable[[str], bool]) -> Iterator[Path]:
    """The logs under a folder whose first text is `known`, sorted; a file is given as it is."""
    if not path.is_dir():
        yield path
        return
    yield from (file for file in sorted(_candidates(path)) if known(head(file)))


def stem(path: Path) -> str:
    """What a log is called without the endings of its kind."""
    return _STEM.sub("", path.name) or path.name


def _candidates(folder: Path) -> Iterator[Path]:
    seen = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        seen += len(names)
        if seen > _FILES:
            raise UsageError(f"{folder}: over {_FILES} files; name a folder of logs")
        for name in names:
            file = Path(place, name)
            if _NAMES.search(name) and not name.startswith(".") and file.is_file():
                yield file
