"""TOML read with suspicion: capped in size and depth, plain values only, errors in one line."""

import math
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

from ablate.errors import SpecError

SIZE = 2**20
DEPTH = 8
INT_LIMIT = 2**63
_DOTTED = re.compile(r"""(?<![\w-])(?:["']?+[\w-]++["']?+[ \t]*+\.[ \t]*+){32}""")
_HEADER = re.compile(r"^\s*\[+([^\[\]]+)\]+\s*$")
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

Keys = tuple[str | int, ...]


def load(path: Path) -> tuple[str, dict[str, object]]:
    """The text and the tables of a TOML file; raises SpecError in one line for anything else."""
    text = _text(path)
    try:
        tables = parse(text)
    except SpecError as wrong:
        raise located(wrong, path, text) from None
    return text, tables


def parse(text: str) -> dict[str, object]:
    """The tables of TOML text, with nothing in them but texts, switches, finite numbers, lists.

    Raises SpecError with the keys at fault.
    """
    if _DOTTED.search(text):
        raise SpecError("nested too deep")
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        where = _AT_LINE.search(str(wrong))
        sentence = _one_line(_AT_LINE.sub("", str(wrong)))
        line = int(where[1]) if where else 0
        raise SpecError(f"not TOML: {sentence}", (line,) if line else ()) from None
    except RecursionError:
        raise SpecError("nested too deep") from None
    except ValueError as wrong:
        raise SpecError(f"not TOML: {_one_line(str(wrong))}") from None
    for keys, value in _leaves(tables, ()):
        if problem := _refused(value):
            raise SpecError(problem, keys)
    return tables


def located(wrong: SpecError, path: Path, text: str) -> SpecError:
    """`wrong` with the file, the line where its key is found just once, and the key before it."""
    keys = wrong.keys
    if len(keys) == 1 and isinstance(keys[0], int):
        return SpecError(f"{_printable(str(path))}:{keys[0]}: {wrong}")
    line = line_of(keys, str(wrong), text)
    place = _printable(str(path)) + (f":{line}" if line else "")
    name = dotted(keys)
    return SpecError(f"{place}: {name}: {wrong}" if name else f"{place}: {wrong}")


def line_of(keys: Keys, sentence: str, text: str) -> int | None:
    """The line that holds what `sentence` quotes, or else the last key, if just one line does.

    The tables that the keys lie in are searched where they have headers, else the whole text.
    """
    lines = [(i, line.split(" #", 1)[0]) for i, line in enumerate(text.split("\n"), 1)]
    inside, headers = _section(keys, lines)
    quoted = re.search(r"'([^']+)'", sentence)
    last = [k for k in keys if isinstance(k, str)][-1:]
    patterns = [rf"""["']{re.escape(quoted[1])}["']"""] if quoted else []
    patterns += [_assigned(name) for name in (*last, *(quoted.groups() if quoted else ()))]
    for pattern in patterns:
        found = [i for i, line in inside if re.search(pattern, line)]
        if len(found) == 1:
            return found[0]
    return headers[0] if len(headers) == 1 else None


def _section(keys: Keys, lines: list[tuple[int, str]]) -> tuple[list[tuple[int, str]], list[int]]:
    """The lines below the headers of the table that `keys` lie in, and where those headers are."""
    every = [(i, m[1].split(".")[0].strip(" \t\"'")) for i, x in lines if (m := _HEADER.match(x))]
    headers = [i for i, name in every if keys and name == keys[0]]
    if len(keys) > 1 and isinstance(keys[1], int):
        headers = headers[keys[1] : keys[1] + 1]
    starts = [i for i, _ in every]
    inside: list[tuple[int, str]] = []
    for i in headers:
        end = next((s for s in starts if s > i), len(lines) + 1)
        inside += lines[i : end - 1]
    return (inside, headers) if headers else (lines, [])


def _assigned(name: str) -> str:
    return rf"""(?:^|[{{,.\s"']){re.escape(name)}["']?\s*(?:=|\.[\w.]*\s*=)"""


def dotted(keys: Keys) -> str:
    """Keys as a reader finds them: `study.seeds`, `sweep 2.factor`."""
    name = ""
    for key in keys:
        if isinstance(key, int):
            name += f" {key + 1}"
        else:
            name += ("." if name else "") + _printable(key)
    return name


def _text(path: Path) -> str:
    shown = _printable(str(path))
    try:
        if not path.is_file():
            what = "is not a file" if path.exists() else "there is no such file"
            raise SpecError(f"{shown}: {what}")
        with path.open("rb") as file:
            data = file.read(SIZE + 1)
    except OSError as wrong:
        raise SpecError(f"{shown}: cannot be read: {wrong.strerror}") from None
    except ValueError:
        raise SpecError(f"{shown}: is not a file name") from None
    if len(data) > SIZE:
        raise SpecError(f"{shown}: larger than 1 MiB: a study file holds settings, not data")
    try:
        return data.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as wrong:
        line = data[: wrong.start].count(b"\n") + 1
        raise SpecError(f"{shown}:{line}: not UTF-8 (byte {wrong.start})") from None


def _leaves(value: object, keys: Keys) -> Iterator[tuple[Keys, object]]:
    if len(keys) > DEPTH:
        raise SpecError("nested too deep", keys[:1])
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield (*keys, key), key
            yield from _leaves(inner, (*keys, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _leaves(inner, (*keys, i))
    else:
        yield keys, value


def _refused(value: object) -> str | None:
    if isinstance(value, str):
        bad = next((c for c in value if unicodedata.category(c) == "Cc" or c in _BIDI), None)
        return f"holds the control character U+{ord(bad):04X}" if bad else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return None if -INT_LIMIT <= value < INT_LIMIT else "the number does not fit into 64 bits"
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{value} is not a finite number"
    return f"{value} is a date or a time, which no setting takes"


def _one_line(text: str) -> str:
    return _printable(" ".join(text.split()))[:160]


def _printable(text: str) -> str:
    return text if text.isprintable() else repr(text)[1:-1]
