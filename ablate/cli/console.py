"""What commands print: tables that fit the terminal, plain text in a pipe, JSON documents."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from ablate.report.layout import Page


_LISTS = (list, tuple)
GAP = 2
"""Cells between two columns of a printed table."""
NAME, WORD = 24, 10
"""Cells that the longest word of a printed table's first column keeps, and of other texts."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a printed table; those with the highest `drop` go first when space is short."""

    title: str
    right: bool = False
    drop: int = 0


def out() -> "Console":
    """The console of results: stdout, no markup, no highlighting."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False, soft_wrap=False)


def note(line: str) -> None:
    """One line for the reader that is no result: stderr."""
    import typer

    sys.stdout.flush()  # where both go to one file or pipe, what was said first stands first
    typer.echo(line, err=True)


def print_json(document: Mapping[str, object]) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json_text(document))


def json_text(document: Mapping[str, object]) -> str:
    """Strict JSON, indented: numbers that JSON lacks become the texts `nan`, `inf`, `-inf`.

    What `json.dumps` writes with an indent of 2, in a third of its time.
    """
    return _json(document, "\n") + "\n"


def _json(value: Any, line: str) -> str:  # noqa: ANN401 - whatever a document holds
    """`value` as JSON; `line` is the line break with the indent that it stands at."""
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is int or (kind is float and math.isfinite(value)):
        return repr(value)
    inner = f"{line}  "
    if kind is dict or isinstance(value, Mapping):
        rows = [f"{encode_basestring(str(k))}: {_json(v, inner)}" for k, v in value.items()]
        return f"{{{inner}{f',{inner}'.join(rows)}{line}}}" if rows else "{}"
    if isinstance(value, _LISTS):
        texts = [_json(v, inner) for v in value]
        return f"[{inner}{f',{inner}'.join(texts)}{line}]" if texts else "[]"
    if isinstance(value, float):
        return float.__repr__(value) if math.isfinite(value) else encode_basestring(str(value))
    return "null" if value is None else json.dumps(value, ensure_ascii=False)


def fitting(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int
) -> tuple[list[Column], list[list[str]]]:
    """The columns that fit in `width` cells, dropping those of the highest `drop` first.

    Before one is dropped, the titles of numbers break at their spaces, if that helps.
    """
    if _space(columns, rows) > width:
        columns = [replace(c, title=c.title.replace(" ", "\n")) if c.right else c for c in columns]
    kept = list(range(len(columns)))
    while _space([columns[i] for i in kept], _cut(rows, kept)) > width:
        expendable = [i for i in kept if columns[i].drop]
        if not expendable:
            break
        kept.remove(max(expendable, key=lambda i: (columns[i].drop, i)))
    return [columns[i] for i in kept], _cut(rows, kept)


def _cut(rows: Sequence[Sequence[str]], kept: Sequence[int]) -> list[list[str]]:
    return [[row[i] for i in kept] for row in rows]


def _space(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> int:
    return sum(size + GAP for size in _sizes(columns, rows))


def _sizes(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    """The cells that each column takes where nothing is folded."""
    from rich.cells import cell_len

    texts = [[c.title, *(row[i] for row in rows)] for i, c in enumerate(columns)]
    return [max(cell_len(line) for text in of for line in text.split("\n")) for of in texts]


def widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """The cells of each column: numbers whole, texts folded, the widest first, as far as needed.

    Words stay whole up to `NAME` cells in the first column and `WORD` in other texts; so in the
    end the table may be wider than `width`.
    """
    sizes = _sizes(columns, rows)
    words = _sizes(
        [replace(c, title=c.title.replace(" ", "\n")) for c in columns],
        [[text.replace(" ", "\n") for text in row] for row in rows],
    )
    least = [
        size if c.right else min(words[i], NAME if i == 0 else WORD)
        for i, (c, size) in enumerate(zip(columns, sizes, strict=True))
    ]
    for _ in range(sum(sizes) + GAP * len(sizes) - width):
        foldable = [i for i, size in enumerate(sizes) if size > least[i]]
        if not foldable:
            break
        sizes[max(foldable, key=lambda i: (sizes[i], i))] -= 1
    return sizes


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """A table as wide as the terminal allows; what did not fit is named on stderr."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = out()
    kept, cells = fitting(columns, rows, console.width)
    sizes = widths(kept, cells, console.width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for column, size in zip(kept, sizes, strict=True):
        table.add_column(
            Text(column.title),
            justify="right" if column.right else "left",
            no_wrap=column.right,
            overflow="fold",
            width=size,
        )
    for row in cells:
        table.add_row(*map(Text, row))
    # numbers are never cut: at worst the terminal wraps whole lines
    wide = max(console.width, sum(sizes) + GAP * len(sizes))
    Console(markup=False, highlight=False, emoji=False, width=wide).print(table, soft_wrap=False)
    shown = {c.title.replace("\n", " ") for c in kept}
    hidden = [c.title for c in columns if c.title not in shown]
    if hidden:
        note(f"not shown for lack of width: {', '.join(hidden)}")


def print_page(page: "Page") -> None:
    """A report's sections in the terminal; its stand-in banner and warnings first, on stderr.

    Sentences are folded at the terminal's width; fixed-width lines are not.
    """
    console = out()
    if page.standin:
        note(f"stand-in data: {page.standin}")
    for warning in page.warnings:
        note(f"warning: {warning}")
    for remark in page.remarks:
        note(f"note: {remark}")
    for section in page.sections:
        console.print(f"\n{section.title}", soft_wrap=True)
        for line in section.lead:
            console.print(line)
        for line in section.lines:
            console.print(line, soft_wrap=True)
        for table in section.tables:
            console.print(f"\n{table.title}" if table.title else "")
            columns = [Column(c.text, right=c.right, drop=c.drop) for c in table.columns]
            print_table(columns, [[cell.text for cell in row] for row in table.rows])
        for line in section.notes:
            console.print(line)
