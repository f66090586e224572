"""What the columns of a table hold: labels, scores, differences, sums."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ablate.lint import lexicon
from ablate.lint.document import Table
from ablate.lint.names import Names
from ablate.lint.numbers import numbers
from ablate.lint.world import Quantity

Role: TypeAlias = Literal["value", "difference", "relative", "pairs", "expected", "residual"]
_IN_UNIT = re.compile(r"[(（]\s*(%|[A-Za-z]+)\s*[)）]")
_LONG = 20
_FLOPS = re.compile(r"(?<![A-Za-z])([GM])(?:FLOPs|MACs)", re.IGNORECASE)
_SCORED = re.compile(r"(?<![A-Za-z])(?:AP|loss|score)(?![A-Za-z])|损失", re.IGNORECASE)
_UNITS = {"%": "%", "m": "M", "k": "k", "g": "G", "s": "s", "min": "min", "h": "h"}
_BYTES = {"gib": "GiB", "gb": "GB", "mib": "MiB", "mb": "MB"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of numbers: its role, its metric or cost, its unit, and its reference.

    `unsigned`: it says by how much, and nowhere in which direction.
    """

    index: int
    role: Role
    quantity: Quantity | None
    unit: str = ""
    reference: str | None = None
    alone: bool = False
    absolute: bool = False
    unsigned: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """A table whose rows are configurations.

    `modules`: its labels are modules, so that a number may be a share and not a score.
    """

    label: int
    variants: Sequence[str | None]
    columns: Sequence[Column]
    seeds: Sequence[int | None]
    modules: bool


def layout(table: Table, names: Names) -> Layout | None:
    """Read a table with one configuration a row; None where it is none, or not surely one."""
    labelled = _labels(table, names)
    if labelled is None:
        return None
    label, variants = labelled
    modules = lexicon.MODULE.match(table.header[label].strip()) is not None
    columns = _columns(table, names, label, variants)
    return Layout(label, variants, columns, _seeds(table), modules)


def unit_of(header: str) -> str:
    """The unit that a heading names; what it names and nobody knows is not empty."""
    if match := _FLOPS.search(header):
        return match[1].upper()
    match = _IN_UNIT.search(header)
    return "" if match is None else (_UNITS | _BYTES).get(match[1].lower(), match[1])


def _labels(table: Table, names: Names) -> tuple[int, list[str | None]] | None:
    found: dict[int, list[str | None]] = {}
    for index, header in enumerate(table.header):
        cells = table.column(index)
        levels = names.swept(header, table.heading)
        if levels is not None:
            found[index] = [names.level(c, levels) for c in cells]
        else:
            found[index] = [names.label(c) for c in cells]
    counts = {i: sum(v is not None for v in of) for i, of in found.items() if any(of)}
    named = [i for i in counts if lexicon.CONFIGURATION.search(table.header[i])]
    chosen = named[:1] or list(counts)
    if len(chosen) != 1 or (not named and 2 * counts[chosen[0]] < len(table.rows)):
        return None
    return chosen[0], found[chosen[0]]


def _seeds(table: Table) -> list[int | None]:
    index = next((i for i, h in enumerate(table.header) if lexicon.SEED.match(h.strip())), None)
    cells = [] if index is None else table.column(index)
    return [int(c) if c.isdecimal() and len(c) < _LONG else None for c in cells] or [None] * len(
        table.rows
    )


def _columns(
    table: Table, names: Names, label: int, variants: Sequence[str | None]
) -> list[Column]:
    found: list[Column] = []
    for index, header in enumerate(table.header):
        if index == label:
            continue
        before = found[-1] if found and found[-1].index == index - 1 else None
        column = _column(index, header, names, found, before)
        if column is not None:
            known = column.reference or _empty_row(table.column(index), variants)
            found.append(
                replace(
                    column,
                    reference=known,
                    absolute=lexicon.ABSOLUTE.search(header) is not None,
                    unsigned=not any(n.signed for c in table.column(index) for n in numbers(c)),
                )
            )
    return found


def _column(
    index: int, header: str, names: Names, found: Sequence[Column], before: Column | None
) -> Column | None:
    values = [c for c in found if c.role == "value"]
    summed = _sums(index, header, values)
    if summed is not None:
        return summed
    quantity = names.quantity(header, lexicon.PLAIN)
    if quantity is not None and not lexicon.DELTA.search(header):
        return Column(index, "value", quantity, unit_of(header))
    reference, rest = _against(header, names)
    role: Role = "relative" if lexicon.RELATIVE.search(header) else "difference"
    rest = lexicon.RELATIVE.sub("", rest)
    quantity = names.quantity(rest, lexicon.DELTA_PLAIN)
    if quantity is not None:
        named = next((c.unit for c in values if c.quantity == quantity), "")
        alone = lexicon.ALONE.search(header) is not None
        return Column(index, role, quantity, unit_of(header) or named, reference, alone)
    silent = not lexicon.DELTA_PLAIN.sub("", rest).strip()
    if silent and reference is not None and values:
        return Column(index, "pairs", None, reference=reference)
    if silent and before is not None and before.role == "value" and header.strip():
        return Column(index, role, before.quantity, before.unit)
    return None


def _sums(index: int, header: str, values: Sequence[Column]) -> Column | None:
    """A column of sums, in a table of one score: of what is expected, or of what departs."""
    if len(values) != 1:
        return None
    if lexicon.EXPECTED.search(header):
        return Column(index, "expected", values[0].quantity)
    return (
        Column(index, "residual", values[0].quantity) if lexicon.RESIDUAL.search(header) else None
    )


def _against(header: str, names: Names) -> tuple[str | None, str]:
    """The configuration that a heading compares with, and the heading without it."""
    match = lexicon.AGAINST.search(header)
    if match is None:
        return None, header
    named = [m for m in names.configurations(header) if m.start >= match.end()]
    if not named or named[0].start != match.end():
        return None, header
    return named[0].variant, header[: match.start()] + header[named[0].end :]


def _empty_row(cells: Sequence[str], variants: Sequence[str | None]) -> str | None:
    """The one configuration whose difference is left out: it is the reference."""
    empty = [v for c, v in zip(cells, variants, strict=True) if c.strip() in lexicon.EMPTY]
    return empty[0] if len(empty) == 1 else None


def sides(table: Table, names: Names) -> Mapping[int, str]:
    """Column -> configuration, of a table whose columns are configurations; else empty."""
    found: dict[int, str] = {}
    for index, header in enumerate(table.header):
        rest = _SCORED.sub("", header)
        variant = names.label(rest) if index else None
        if variant is not None:
            found[index] = variant
    return found if len(set(found.values())) == len(found) > 1 else {}
