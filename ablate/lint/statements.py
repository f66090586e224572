"""The statements of a report: its lines and the text cells of its tables, with what they name."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ablate.lint import lexicon
from ablate.lint.columns import Layout
from ablate.lint.document import Document, Kind, Table
from ablate.lint.ledger import Place
from ablate.lint.names import Mention, Named, Names
from ablate.lint.numbers import Number, numbers
from ablate.lint.world import Quantity

_RANK = re.compile(r"^\s*(?:#?\d+[.)])\s+")
_WORD = re.compile(r"[A-Za-z\u4e00-\u9fff]{2,}")
_NEAR = 3
"""How many statements above may say what a statement is about."""
LONGEST = 20_000
"""From how many characters on a line is no statement: what it names would be about too much."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One line or one cell of text, and what it names.

    `own`: the configurations that it or its row names; `about`: these, and those of its heading
    and of the statements above it.
    `scores`: the metrics that it names itself.
    `metrics`: these, else those of the nearest statement above, else of its heading.
    """

    line: int
    cell: int
    text: str
    kind: Kind
    heading: str
    mentions: tuple[Mention, ...]
    named: tuple[Named, ...]
    numbers: tuple[Number, ...]
    own: tuple[str, ...]
    about: tuple[str, ...]
    metrics: tuple[Quantity, ...]
    scores: tuple[Quantity, ...]
    above: "Statement | None" = None

    def place(self, start: int = 0) -> Place:
        """The place of a character of it."""
        return Place(self.line, self.cell, start)

    def strong(self) -> list[str]:
        """The configurations that it surely names itself."""
        return list(dict.fromkeys(m.variant for m in self.mentions if not m.weak))


def statements(
    document: Document, names: Names, layouts: Sequence[tuple[Table, Layout | None]]
) -> list[Statement]:
    """The statements of a report in the order of its lines."""
    found: list[Statement] = []
    above: Statement | None = None
    block = -1
    for line in document.lines:
        text = _RANK.sub(lambda m: " " * len(m[0]), line.text)
        if line.kind == "heading":
            above = None
        if line.block != block and above is not None and above.kind == "code":
            above = None
        block = line.block
        one = _statement((line.number, -1, text, line.kind, line.heading), names, above, ())
        above = one if line.kind != "heading" else None
        found.append(one)
    for table, layout in layouts:
        found += _cells(table, layout, names)
    return sorted(found, key=lambda s: (s.line, s.cell))


def _cells(table: Table, layout: Layout | None, names: Names) -> Iterator[Statement]:
    for index, row in enumerate(table.rows):
        variant = layout.variants[index] if layout else None
        for cell, text in enumerate(row.cells):
            label = layout is not None and cell == layout.label
            if not label and (layout is None or _WORD.search(text)):
                row_names = (variant,) if variant else ()
                kind: Kind = "item"
                place = (row.number, cell, text, kind, table.heading)
                yield _statement(place, names, None, row_names, row.cells[0])


def _statement(
    of: tuple[int, int, str, Kind, str],
    names: Names,
    above: Statement | None,
    row: Sequence[str],
    label: str = "",
) -> Statement:
    line, cell, text, kind, heading = of
    read = text if len(text) <= LONGEST else ""
    mentions, named = tuple(names.configurations(read)), tuple(names.quantities(read))
    if label and not named:
        named = tuple(Named(0, 0, n.quantity) for n in names.quantities(label))
    masked = text
    for start, end in [(m.start, m.end) for m in mentions] + [(n.start, n.end) for n in named]:
        masked = masked[:start] + "\x00" * (end - start) + masked[end:]
    own_names = tuple(dict.fromkeys([*(m.variant for m in mentions), *row]))
    about = list(own_names)
    higher, steps = above, 0
    while higher is not None and steps < _NEAR:
        about += [m.variant for m in higher.mentions]
        higher, steps = higher.above, steps + 1
    about += [m.variant for m in names.configurations(heading)]
    own = _metrics(named)
    metrics = own or (above.metrics if above is not None else _metrics(names.quantities(heading)))
    unique = tuple(dict.fromkeys(about))
    found = tuple(numbers(masked))
    return Statement(
        line,
        cell,
        text,
        kind,
        heading,
        mentions,
        named,
        found,
        own_names,
        unique,
        metrics,
        own,
        above,
    )


def _metrics(named: Sequence[Named]) -> tuple[Quantity, ...]:
    found = [n.quantity for n in named if n.quantity is not None]
    return tuple(dict.fromkeys(q for q in found if q.metric is not None))


def measured(statement: Statement) -> bool:
    """Whether a statement says what was measured here: not hoped, supposed or quoted."""
    aside = lexicon.UNMEASURED.search(statement.text) or lexicon.ELSEWHERE.search(statement.text)
    return statement.kind != "quote" and not aside
