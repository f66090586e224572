"""How the bytes that a program prints become lines, in bounded memory."""

import codecs
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import PurePosixPath

LONGEST = 2**20
"""Characters of one line that are kept."""

_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)|[ -/]*[0-Z\\^-~])"
)
_COLUMN = re.compile(r"\x1b\[[01]?G|\x08+")
_COLOUR = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BAD = re.compile("[\udc80-\udcff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_MEASURED = re.compile(r"[A-Za-z][\d_]{0,4}%?\s?[:=]\s?[-+]?(?:\d|\.\d|nan|inf)")
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_PLACE = re.compile(
    r"""(?<![\w.:/\\-])
    (?:[A-Za-z][\w+.-]*://|~?/(?=[\w.~])|[A-Za-z]:[\\/]|\\\\)
    [^\s'"`,;()\[\]{}<>|=]*""",
    re.VERBOSE,
)


class LineSplitter:
    r"""Chunks of bytes as lines: from a file or from a pipe whose program still runs.

    Text is UTF-8, or UTF-16 where it begins with its mark; bytes that are neither are replaced and
    counted. Colours, cursor codes and NULs are dropped. What a carriage return, or a run of
    backspaces, overwrites is a progress bar: its last state is the line. An overwritten state that
    holds `name: number` or `name=number` is a line of its own before it, for a measurement may
    stand nowhere else; of such states a reader keeps the last value of each step by itself.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        """A splitter that has seen nothing; what a line has beyond `longest` characters is cut."""
        self.torn = False
        """Whether the last line had no end."""
        self.replaced = self.cut = self.nul = 0
        self._longest = longest
        self._decoder: codecs.IncrementalDecoder | None = None
        self._encoding = "utf-8"
        self._head = b""
        self._rest = ""
        self._over = 0
        self._state = ""

    def feed(self, data: bytes) -> Iterator[str]:
        """The lines that these bytes complete."""
        if self._decoder is None:
            self._head += data
            if len(self._head) < len(codecs.BOM_UTF8):
                return
            data = self._begin()
        assert self._decoder is not None
        yield from self._split(self._decoder.decode(data))

    def close(self) -> Iterator[str]:
        """What is left when no more bytes come; `torn` says whether it lacks its end."""
        data = b"" if self._decoder else self._begin()
        assert self._decoder is not None
        yield from self._split(self._decoder.decode(data, final=True))
        rest, self._rest = self._rest, ""
        if rest.strip("\r") or self._over:
            self.torn = not rest.endswith("\r")
            yield from self._line(rest.rstrip("\r"))
        elif self._state:
            yield from self._line("")

    def remarks(self) -> Iterator[str]:
        """What had to be changed to make lines of it."""
        if self.replaced:
            noun = "byte is" if self.replaced == 1 else "bytes are"
            yield f"{self.replaced} {noun} not {self._encoding.upper()[:6].rstrip('-')}: replaced"
        if self.nul:
            yield f"{self.nul} NUL characters are dropped"
        if self.cut:
            noun = "line is" if self.cut == 1 else "lines are"
            yield f"{self.cut} {noun} longer than {self._longest} characters: cut"

    def _begin(self) -> bytes:
        mark = next((m for m in _MARKS if self._head.startswith(m)), b"")
        self._encoding = _MARKS.get(mark, "utf-8")
        errors = "surrogateescape" if self._encoding == "utf-8" else "replace"
        self._decoder = codecs.getincrementaldecoder(self._encoding)(errors)
        data, self._head = self._head[len(mark) :], b""
        return data

    def _split(self, text: str) -> Iterator[str]:
        text = self._repaired(text)
        if "\r" not in text and "\r" not in self._rest:
            *whole, rest = text.split("\n")
            for part in whole:
                yield from self._line(self._take(part))
            self._keep(rest)
            return
        text, self._rest = self._rest + text, ""
        *lines, rest = text.split("\n")
        for line in lines:
            *states, last = line.rstrip("\r").split("\r")
            yield from self._bar(states)
            yield from self._line(self._take(last))
        waits = rest.endswith("\r")
        *states, last = rest.removesuffix("\r").split("\r")
        yield from self._bar(states)
        self._keep(last + "\r" if waits else last)

    def _bar(self, states: list[str]) -> Iterator[str]:
        """States of a bar: where none holds a measurement, only the last that shows counts."""
        whole = "\r".join(states[1:])
        bare = _COLOUR.sub("", whole)
        if len(whole) <= self._longest and not (_HIDDEN.search(bare) or _MEASURED.search(bare)):
            shown = (s for s in reversed(states[2:]) if self._states(s)[-1].strip())
            states = [*states[:2], *islice(shown, 1)]
        for state in states:
            yield from self._overwritten(self._take(state))

    def _repaired(self, text: str) -> str:
        if text.isascii():
            bad = 0
        elif self._encoding == "utf-8":
            text, bad = _BAD.subn("\N{REPLACEMENT CHARACTER}", text)
        else:
            bad = 2 * text.count("\N{REPLACEMENT CHARACTER}")
        self.replaced += bad
        if "\0" in text:
            self.nul += text.count("\0")
            text = text.replace("\0", "")
        return text

    def _take(self, part: str) -> str:
        whole, self._rest = self._rest + part if self._rest else part, ""
        if len(whole) > self._longest or self._over:
            self.cut, self._over = self.cut + 1, 0
        return whole[: self._longest]

    def _keep(self, rest: str) -> None:
        """Hold an unfinished line; a carriage return at its end waits for what follows."""
        if self._over and not rest.endswith("\r"):
            return
        held = self._rest + rest if self._rest else rest
        returned = held.endswith("\r") and len(held) > self._longest
        self._over = self._over or int(len(held) > self._longest)
        self._rest = held[: self._longest] + ("\r" if returned else "")

    def _overwritten(self, part: str) -> Iterator[str]:
        """A state of a bar: held until it is known whether it is the last."""
        *earlier, last = self._states(part)
        for state in (self._state, *earlier):
            if _MEASURED.search(state) and state != last:
                yield state
        self._state = last if last.strip() or _MEASURED.search(self._state) else self._state

    def _line(self, part: str) -> Iterator[str]:
        if not self._state and part.isprintable():
            yield part
            return
        *earlier, last = self._states(part)
        for state in (self._state, *earlier):
            if last.strip() and state != last and _MEASURED.search(state):
                yield state
        before = next((s for s in reversed((self._state, *earlier)) if s.strip()), "")
        self._state = ""
        yield last if last.strip() else before

    @staticmethod
    def _states(part: str) -> list[str]:
        """What a terminal would show, one text for each return to the line's beginning."""
        if part.isprintable():
            return [part]
        return [_CONTROL.sub("", _ESCAPE.sub("", s)) for s in _COLUMN.split(part)]


def without_places(text: str) -> str:
    """A text in which every absolute path and address is its last part: where it was stays unsaid.

    `/home/me/w.pth` is `w.pth`; `tcp://10.0.0.1:2950` is dropped; relative paths stay.
    """
    if "/" not in text and "\\" not in text:
        return text
    return _PLACE.sub(_last_part, text)


def _last_part(found: re.Match[str]) -> str:
    place = found[0].replace("\\", "/")
    scheme, separator, rest = place.partition("://")
    path = PurePosixPath(rest.partition("/")[2] if separator else scheme)
    return "" if path.name in {"", "."} else path.name
