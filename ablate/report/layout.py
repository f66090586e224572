"""The parts of a printed report: sections of sentences and tables, in no markup yet."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Text:
    """What stands in one place of a table; `bold` marks the best of its column."""

    text: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column; numbers stand to the right.

    Where a terminal is too narrow, columns of the highest `drop` go first; 0 stays.
    """

    text: str
    right: bool = True
    drop: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and rows of texts, all of one width."""

    columns: tuple[Heading, ...]
    rows: tuple[tuple[Text, ...], ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part: sentences, tables, lines in a fixed-width font, and notes below them."""

    title: str
    lead: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report: what must be read first stands before its sections."""

    title: str
    standin: str = ""
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = field(default=())


NONE = "–"


def table(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str | Text]], texts: int = 1
) -> Table:
    """A table whose first `texts` columns are text and whose others are numbers."""
    columns = tuple(Heading(h, right=i >= texts) for i, h in enumerate(headings))
    cells = tuple(tuple(c if isinstance(c, Text) else Text(c) for c in row) for row in rows)
    return Table(columns, cells, title)
