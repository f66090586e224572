"""One report against one study, or several."""

from collections.abc import Iterable, Sequence
from functools import partial

from ablate.lint.columns import Layout, layout, sides
from ablate.lint.comparisons import check_comparisons
from ablate.lint.document import Document, Table
from ablate.lint.ledger import Ledger, Place, merged
from ablate.lint.names import Names
from ablate.lint.numbers import numbers
from ablate.lint.prose import check_prose
from ablate.lint.recommended import check_recommended
from ablate.lint.remarks import check_remarks
from ablate.lint.roadmaps import check_roadmaps
from ablate.lint.rows import check_rows
from ablate.lint.rules import by_its_rule
from ablate.lint.shares import check_shares
from ablate.lint.sides import check_sides
from ablate.lint.statements import statements
from ablate.lint.superlatives import SUPERLATIVE, check_superlatives
from ablate.lint.world import World


def lint(document: Document, worlds: Sequence[World]) -> Ledger:
    """Check a report against the studies that it is about."""
    return merged(_against(document, Names(world)) for world in worlds)


def _against(document: Document, names: Names) -> Ledger:
    ledger = Ledger()
    layouts: list[tuple[Table, Layout | None]] = []
    for table in document.tables:
        columns = sides(table, names)
        found = None if columns else layout(table, names)
        label = found.label if found else 0
        ledger.enter(_claims(table, {label}))
        if found is not None:
            by_its_rule(table, partial(_rows, table, found), names, ledger)
        elif columns:
            by_its_rule(table, partial(check_sides, table, columns), names, ledger)
        layouts.append((table, found))
    said = statements(document, names, layouts)
    check_prose(said, names, ledger)
    check_superlatives(said, names, ledger)
    check_comparisons(said, names, ledger)
    check_shares(said, names, ledger)
    check_roadmaps(said, names.world, ledger)
    check_recommended(said, names, ledger)
    ledger.vague |= {s.place() for s in said if SUPERLATIVE.search(s.text)}
    if ledger.unrelated:
        ledger.findings.clear()
    return ledger


def _rows(table: Table, found: Layout, names: Names, ledger: Ledger) -> None:
    check_rows(table, found, names, ledger)
    check_remarks(table, found, names, ledger)


def _claims(table: Table, labels: set[int]) -> Iterable[tuple[Place, str]]:
    """The numbers of a table, without those of its labels and of columns that only count."""
    for row in table.rows:
        for index, cell in enumerate(row.cells):
            if index in labels or _counts(table, index):
                continue
            for number in numbers(cell):
                yield Place(row.number, index, number.start), number.text


def _counts(table: Table, index: int) -> bool:
    header = table.header[index].strip().lower() if index < len(table.header) else ""
    return (
        header in {"#", "n", "id", "seed", "trial", "runs"}
        or "id" in header.split()
        or header.endswith("id")
    )
