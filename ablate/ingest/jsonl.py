"""JSON lines: one object per line, each a row of a table."""

import json
from collections.abc import Iterable
from pathlib import Path

from ablate.errors import UsageError
from ablate.ingest.settings import flat
from ablate.ingest.table import Row, Table, check_columns, read_text


def read_rows(path: Path) -> Table:
    """A file with one object per line as a table; raises UsageError with the line that is wrong.

    Inner objects become dotted columns; numbers stay as they are written; a key that a line lacks
    is an empty cell.
    """
    rows: list[tuple[int, dict[str, str]]] = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            rows.append((number, flat_object(path, number, line)))
    if not rows:
        raise UsageError(f"{path}: it is empty")
    columns = tuple(dict.fromkeys(key for _, cells in rows for key in cells))
    check_columns(path, rows[0][0], columns)
    return Table(
        path, columns, tuple(Row(n, {c: cells.get(c, "") for c in columns}) for n, cells in rows)
    )


def flat_object(path: Path, number: int, line: str) -> dict[str, str]:
    """The dotted keys and texts of one line; raises UsageError naming it."""
    try:
        found = parse(line)
    except (ValueError, RecursionError) as wrong:
        raise UsageError(f"{path}:{number}: not a line of JSON: {wrong}") from None
    if not isinstance(found, dict):
        raise UsageError(f"{path}:{number}: a {_kind(found)}, where each line must be an object")
    try:
        return {key: text.strip() for key, text in flat(found).items()}
    except ValueError as wrong:
        raise UsageError(f"{path}:{number}: {wrong}") from None


def parse(text: str) -> object:
    """JSON with its numbers and constants as written; raises ValueError, also for a key twice."""
    return json.loads(
        text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_once
    )


def _once(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} stands there twice")
        found[key] = str(value).lower() if isinstance(value, bool) else value
    return found


def _kind(found: object) -> str:
    return {list: "list", str: "text or number", type(None): "null"}.get(type(found), "constant")
