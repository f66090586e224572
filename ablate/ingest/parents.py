"""A column of a table that names the row which each row is read against."""

from collections.abc import Sequence
from dataclasses import replace

from ablate.ingest.names import NAMES, bare
from ablate.ingest.table import Table
from ablate.study import Variant

_CALLED = "parent"


def is_parents(table: Table, header: str) -> bool:
    """Whether a column names rows: those of the column that names each."""
    texts = {t for t in table.texts(header) if t}
    names = _names(table)
    return bare(header) == _CALLED and bool(texts) and texts <= set(names)


def led(table: Table, found: Sequence[Variant]) -> list[Variant]:
    """The variants, each with the one that its row is read against, where a column says which.

    Raises UsageError where two rows of one configuration are read against different ones.
    """
    header = next((c for c in table.columns if is_parents(table, c)), None)
    if header is None:
        return list(found)
    named = dict(zip(_names(table), (v.name for v in found), strict=True))
    parents: dict[str, str | None] = {}
    for row, variant in zip(table.rows, found, strict=True):
        said = named.get(row.cells[header])
        parent = said if said != variant.name else None
        if parents.setdefault(variant.name, parent) != parent:
            raise table.wrong(
                row.line,
                f"{header}: {variant.name} is read against {parent or 'nothing'} here, and against"
                f" {parents[variant.name] or 'nothing'} above",
            )
    return [replace(v, parent=parents[v.name]) for v in found]


def _names(table: Table) -> list[str]:
    header = next((c for c in table.columns if bare(c) in NAMES), None)
    return table.texts(header) if header is not None else []
