"""Tables with one configuration a row: scores, differences and sums against the records."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ablate.audit.check import Text
from ablate.lint.columns import Column, Layout
from ablate.lint.differences import Accusation, Difference, judged, points_as_percent
from ablate.lint.document import Row, Table
from ablate.lint.ledger import Ledger, Place
from ablate.lint.names import Names
from ablate.lint.numbers import Number, numbers
from ablate.lint.sums import summed
from ablate.lint.world import Quantity, World

_TRUST = 0.5
"""The share of a column that must agree with the records before the rest of it is accused."""


@dataclass(frozen=True, slots=True)
class _Judged:
    column: int
    place: Place
    accusation: Accusation | None
    trusted: bool = False


def check_rows(table: Table, found: Layout, names: Names, ledger: Ledger) -> None:
    """Trace a table's numbers; accuse only in columns of which half or more agree."""
    answers = list(_judged(table, found, names.world))
    for column in {j.column for j in answers}:
        of = [j for j in answers if j.column == column]
        agree = sum(j.accusation is None or j.accusation[0] != "wrong" for j in of)
        believed = agree >= _TRUST * len(of) if len(of) > 1 else _agreeing(answers, column)
        for one in of:
            if one.accusation is None:
                ledger.trace(one.place)
            elif believed or one.accusation[0] != "wrong":
                ledger.accuse(one.place, *one.accusation)
            if one.accusation is not None and one.accusation[1] in {"points", "rounding"}:
                ledger.trace(one.place)


def _agreeing(answers: Sequence[_Judged], column: int) -> bool:
    """Whether the other columns of a table with one row agree, so that it is that run's row."""
    others = [j for j in answers if j.column != column]
    return bool(others) and all(j.accusation is None for j in others)


def _judged(table: Table, found: Layout, world: World) -> Iterator[_Judged]:
    printed = _printed(table, found)
    for row, variant, seed in zip(table.rows, found.variants, found.seeds, strict=True):
        if variant is None:
            continue
        for column in found.columns:
            cell = row.cells[column.index] if column.index < len(row.cells) else ""
            if column.role == "value":
                yield from _value(row, cell, column, _Of(world, found, variant, seed, printed))
            elif column.role in {"difference", "relative", "pairs"}:
                yield from _differences(
                    row, cell, column, _Of(world, found, variant, seed, printed)
                )
            else:
                yield from _summed(row, cell, column, _Of(world, found, variant, seed, printed))


def _printed(table: Table, found: Layout) -> dict[tuple[str, Quantity], Number]:
    """What the table itself prints of each configuration, once each."""
    known: dict[tuple[str, Quantity], Number] = {}
    for row, variant in zip(table.rows, found.variants, strict=True):
        for column in found.columns:
            cell = row.cells[column.index] if column.index < len(row.cells) else ""
            number = next(iter(numbers(cell)), None)
            if column.role == "value" and variant and column.quantity and number:
                known.setdefault((variant, column.quantity), number)
    return known


@dataclass(frozen=True, slots=True)
class _Of:
    world: World
    found: Layout
    variant: str
    seed: int | None
    printed: Mapping[tuple[str, Quantity], Number]


def _value(row: Row, cell: str, column: Column, of: _Of) -> Iterator[_Judged]:
    printed, quantity = numbers(cell), column.quantity
    if quantity is None or not printed or (printed[0].signed and quantity.metric is not None):
        return
    number, world = printed[0], of.world
    unit = number.unit or column.unit
    place = Place(row.number, column.index, number.start)
    known = world.runs(of.variant, quantity, of.seed) if of.seed is not None else []
    known = known or world.means(of.variant, quantity)
    if not known or not quantity.scales(unit):
        return
    fits = {world.fit(number, v, quantity, unit) for v in known}
    singles = world.runs(of.variant, quantity) if of.seed is None else []
    if "rounded" in fits or any(world.fit(number, v, quantity, unit) == "rounded" for v in singles):
        yield _Judged(column.index, place, None)
    elif not of.found.modules and not number.loose and not world.floor(of.variant, quantity):
        yield _Judged(
            column.index, place, _unlike(number, known[0], quantity, of, cut="truncated" in fits)
        )
    if len(printed) > 1 and "\u00b1" in cell:
        spread = _spread(of, quantity)
        if spread is not None and world.fit(printed[1], spread, quantity, unit) == "rounded":
            yield _Judged(column.index, Place(row.number, column.index, printed[1].start), None)


def _spread(of: _Of, quantity: Quantity) -> float | None:
    cell = of.world.cells[of.variant]
    return cell.summary(quantity.name).sd if quantity.metric is not None else None


def _unlike(number: Number, value: float, quantity: Quantity, of: _Of, *, cut: bool) -> Accusation:
    world, label, name = of.world, quantity.label, of.variant
    stored = world.text(value, quantity, number)
    for rule, other in world.elsewhere(of.variant, quantity).items():
        if world.fit(number, other, quantity, number.unit) == "rounded":
            chinese = {"last": "最后一步", "best over steps": "全程最佳"}[rule]
            own = str(world.study.selection)
            return (
                "mislabelled",
                "rule",
                Text(
                    f"{number.text} is the {label} of {name} by another rule ({rule}); by {own} it"
                    f" is {stored}",
                    f"{number.text} 是 {name} 的 {label} 按另一规则（{chinese}）的值；按 {own} 为"
                    f" {stored}",
                ),
            )
    if cut:
        return (
            "mislabelled",
            "rounding",
            Text(
                f"{label} of {name} is {stored}: {number.text} is cut off, not rounded",
                f"{name} 的 {label} 为 {stored}：{number.text} 是截断而非四舍五入",
            ),
        )
    return (
        "wrong",
        "value",
        Text(
            f"{label} of {name} is {stored} by the records, not {number.text}",
            f"记录中 {name} 的 {label} 为 {stored}，不是 {number.text}",
        ),
    )


def _differences(row: Row, cell: str, column: Column, of: _Of) -> Iterator[_Judged]:
    """One difference a cell, or with `+1.3 / +1.7` one for each score of the table."""
    printed = numbers(cell)
    values = [c for c in of.found.columns if c.role == "value"]
    from_base = column.alone or of.found.modules
    reference = column.reference or (of.world.base if from_base else None)
    if reference is None or reference == of.variant:
        return
    if column.role == "pairs":
        if len(printed) != len(values) or cell.count("/") != len(values) - 1:
            return
        asked = [(n, c.quantity, c.unit) for n, c in zip(printed, values, strict=True)]
    else:
        asked = [(n, column.quantity, column.unit) for n in printed[:1]]
    for number, quantity, unit in asked:
        if quantity is None or number.loose:
            continue
        a, b = (of.printed.get((v, quantity)) for v in (reference, of.variant))
        difference = Difference(
            number,
            quantity,
            unit,
            reference,
            of.variant,
            relative=column.role == "relative",
            absolute=column.absolute,
            size=column.unsigned,
            sure=not of.found.modules or column.alone,
            printed=(a, b) if a is not None and b is not None else None,
        )
        place = Place(row.number, column.index, number.start)
        for said in judged(difference, of.world):
            yield _Judged(column.index, place, said)


def _summed(row: Row, cell: str, column: Column, of: _Of) -> Iterator[_Judged]:
    """The sum of what the modules of a combination add alone, and what it departs from it."""
    printed, quantity = numbers(cell), column.quantity
    if quantity is None or not printed:
        return
    number, expected = printed[0], column.role == "expected"
    place = Place(row.number, column.index, number.start)
    for said in summed(number, of.world, (of.variant, quantity), expected=expected):
        named = not expected and number.unit == "%" and quantity.percent
        wrong: Accusation | None = None if said is None else ("wrong", "sum", said)
        yield _Judged(column.index, place, wrong or (points_as_percent(number) if named else None))
