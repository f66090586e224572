"""A delimited text file as rows with their line numbers."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from ablate.errors import UsageError

LARGEST = 64 * 2**20
INDEX = "(index)"
"""What a first column without a name is called that counts the rows, as pandas writes one."""
NUMBER = re.compile(
    r"[+\-−]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+\-−]?(nan|inf|infinity)", re.IGNORECASE
)
SPREAD = re.compile(
    r"([+\-−]?\d+\.?\d*|[+\-−]?\.\d+)\s*%?\s*(?:(?:±|\+/?-)\s*[\d.]+|\(\s*[\d.]+\s*\))\s*%?"
)
DURATION = re.compile(r"(?:(\d+) days?,? \+?)?(\d+):(\d\d):(\d\d(?:\.\d+)?)")
_COMMA = re.compile(r"[+\-−]?\d+,\d+([eE][+-]?\d+)?\s*%?")
_POINT = re.compile(r"[+\-−]?\d*\.\d+([eE][+-]?\d+)?\s*%?")
_THOUSANDS = re.compile(r"[+\-−]?[1-9]\d{0,2},\d{3}")


@dataclass(frozen=True, slots=True)
class Row:
    """One record of the file: its line, and its cells by column."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A file's columns, in order, and its rows."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def wrong(self, line: int, message: str) -> UsageError:
        """An error at a line of this file."""
        return UsageError(f"{self.path}:{line}: {message}")

    def texts(self, column: str) -> list[str]:
        """A column's cells, empty ones included."""
        return [row.cells[column] for row in self.rows]


def read_table(path: Path) -> Table:
    """Read a file with a header; raises UsageError with the line that is wrong."""
    return parsed(path, read_text(path))


def parsed(path: Path, text: str) -> Table:
    """The table that `text`, of the file `path`, holds; raises UsageError as `read_table` does."""
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        lines.extend((reader.line_num, [c.strip() for c in cells]) for cells in reader)
    except csv.Error as wrong:
        raise UsageError(f"{path}:{reader.line_num}: {wrong}") from None
    filled = [(n, cells) for n, cells in lines if any(cells)]
    if not filled:
        raise UsageError(f"{path}: it is empty")
    (line, header), body = filled[0], filled[1:]
    if not header[0] and body and all(c[0] == str(i) for i, (_, c) in enumerate(body)):
        header = [INDEX, *header[1:]]
    _check_header(path, line, header)
    if not body:
        raise UsageError(f"{path}:{line}: there is a header and no row")
    if delimiter != ",":
        body = _with_points(path, body)
    return Table(path, tuple(header), tuple(_row(path, n, header, cells) for n, cells in body))


def _with_points(path: Path, body: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Decimal commas as points; raises UsageError where a comma may also part thousands."""
    commas = [(n, c) for n, cells in body for c in cells if _COMMA.fullmatch(c)]
    if not commas:
        return body
    points = next(((n, c) for n, cells in body for c in cells if _POINT.fullmatch(c)), None)
    if points is not None:
        (n, comma), (m, point) = commas[0], points
        raise UsageError(
            f"{path}:{max(n, m)}: {comma!r} (line {n}) has a decimal comma and {point!r} (line"
            f" {m}) a point; write all numbers one way"
        )
    if all(_THOUSANDS.fullmatch(c) for _, c in commas):
        n, comma = commas[0]
        raise UsageError(
            f"{path}:{n}: {comma!r} is a thousand or a decimal; write it with a point or without"
        )
    return [
        (n, [c.replace(",", ".") if _COMMA.fullmatch(c) else c for c in cells]) for n, cells in body
    ]


def is_number(text: str) -> bool:
    """Whether a cell is a plain number (`nan` and `inf` count); no thousands separators."""
    return NUMBER.fullmatch(text) is not None


def number(text: str) -> float:
    """The value of a cell for which `is_number` holds; a true minus sign is one."""
    return float(text.replace("−", "-"))


def plain(text: str, *, seconds: bool = False) -> str:
    """The number in a cell: without its % sign or its spread; a duration in seconds."""
    spread = SPREAD.fullmatch(text)
    bare_text = spread[1] if spread else text.removesuffix("%").rstrip()
    duration = DURATION.fullmatch(text) if seconds else None
    if duration is None:
        return bare_text
    days, hours, minutes = (int(part or 0) for part in duration.groups()[:3])
    return str((days * 24 + hours) * 3600 + minutes * 60 + Decimal(duration[4]))


def read_text(path: Path) -> str:
    """The text of a file; raises UsageError with the line that is no text."""
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path}: over {LARGEST >> 20} MiB; split it")
        data = path.read_bytes()
    except OSError as wrong:
        raise UsageError(f"{path}: {wrong.strerror or wrong}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = data.count(b"\n", 0, wrong.start) + 1
        raise UsageError(f"{path}:{line}: not UTF-8; save it as UTF-8") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UsageError(f"{path}:{line}: holds a NUL character: not a text file")
    return text


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=first.count)


def _check_header(path: Path, line: int, header: list[str]) -> None:
    numbers = [c for c in header if is_number(c)]
    if numbers:
        raise UsageError(
            f"{path}:{line}: a header is needed; {numbers[0]!r} is a number, not a name"
        )
    check_columns(path, line, header)


def check_columns(path: Path, line: int, header: Sequence[str]) -> None:
    """Raise UsageError unless every column has a name of its own, whatever its case."""
    seen: set[str] = set()
    for i, column in enumerate(header):
        if not column:
            raise UsageError(f"{path}:{line}: column {i + 1} has no name")
        if column.lower() in seen:
            raise UsageError(f"{path}:{line}: there are two columns {column!r}")
        seen.add(column.lower())


def _row(path: Path, line: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        raise UsageError(
            f"{path}:{line}: {len(cells)} cells under {len(header)} columns; quote a cell that"
            " holds the delimiter"
        )
    return Row(line, dict(zip(header, cells, strict=True)))
