"""A Markdown report as lines and tables that keep the numbers of their lines."""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token

Kind: TypeAlias = Literal["heading", "item", "prose", "code", "quote"]
_MARKS = re.compile(r"\*\*|__|`|\\(?=[*|_\\])|(?<!\w)[*_]|[*_](?!\w)")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_LINK = re.compile(r"\[([^\[\]]{1,200})\]\((?!https?:)[^()\s]{1,300}\)")
_PARSER = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text outside of tables, without its marks; `heading` stands over it.

    `block` is shared by the lines of one paragraph, one list or one block of code.
    """

    number: int
    text: str
    kind: Kind
    heading: str
    block: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its line and its cells, without marks."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `heading` stands over it."""

    number: int
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    heading: str

    def column(self, index: int) -> list[str]:
        """The cells of one column; empty where a row ends before it."""
        return [r.cells[index] if index < len(r.cells) else "" for r in self.rows]


@dataclass(frozen=True, slots=True)
class Document:
    """A report: its tables, its other lines, and all lines as they are written."""

    lines: tuple[Line, ...]
    tables: tuple[Table, ...]
    source: tuple[str, ...] = field(repr=False)

    def quote(self, number: int) -> str:
        """A line as it is written, without the space around it."""
        return self.source[number - 1].strip() if 0 < number <= len(self.source) else ""


def parse(text: str) -> Document:
    """Read Markdown (CommonMark with tables)."""
    tokens = _PARSER.parse(text)
    lines: list[Line] = []
    tables: list[Table] = []
    heading, block, index, quoted = "", 0, 0, 0
    while index < len(tokens):
        token = tokens[index]
        block += token.level == 0 and token.nesting >= 0
        quoted += token.nesting if token.type.startswith("blockquote") else 0
        if token.type == "table_open":
            end = next(i for i in range(index, len(tokens)) if tokens[i].type == "table_close")
            tables.append(_table(tokens[index:end], heading))
            index = end
        elif token.type == "inline" and token.map is not None:
            kind = "quote" if quoted else _kind(tokens, index)
            heading = unmarked(token.content) if kind == "heading" else heading
            lines += _lines(token.content.split("\n"), token.map[0] + 1, (kind, heading, block))
        elif token.type in {"fence", "code_block"} and token.map is not None:
            first = token.map[0] + 1 + (token.type == "fence")
            lines += _lines(token.content.split("\n"), first, ("code", heading, block))
        index += 1
    return Document(tuple(lines), tuple(tables), tuple(text.split("\n")))


def unmarked(text: str) -> str:
    """Text without emphasis, code marks, tags, character references and links within a project.

    A link to elsewhere stays: what it leads to may be another report.
    """
    return html.unescape(_MARKS.sub("", _LINK.sub(r"\1", _TAG.sub("", text)))).strip()


def _kind(tokens: Sequence[Token], index: int) -> Kind:
    opened = tokens[index - 1].type
    if opened == "heading_open":
        return "heading"
    return "item" if tokens[index].level > 1 else "prose"


def _lines(texts: Iterable[str], first: int, of: tuple[Kind, str, int]) -> Iterator[Line]:
    kind, heading, block = of
    for offset, text in enumerate(texts):
        plain = text.rstrip() if kind == "code" else unmarked(text)
        if plain:
            yield Line(first + offset, plain, kind, heading, block)


def _table(tokens: Sequence[Token], heading: str) -> Table:
    rows: list[Row] = []
    cells: list[str] = []
    at = 0
    for token in tokens:
        if token.type == "tr_open":
            cells, at = [], (token.map or [0])[0] + 1
        elif token.type == "inline":
            cells.append(unmarked(token.content))
        elif token.type == "tr_close":
            rows.append(Row(at, tuple(cells)))
    return Table(rows[0].number, rows[0].cells, tuple(rows[1:]), heading)
