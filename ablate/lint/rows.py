"""Tables with one configuration a row: scores, differences and sums against the records."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ablate.audit.check import Text
from ablate.lint.columns import Column, Layout
from ablate.lint.document import Row, Table
from ablate.lint.ledger import Kind, Ledger, Place, Verdict
from ablate.lint.names import Names
from ablate.lint.numbers import Number, exact, fit, numbers
from ablate.lint.sums import summed
from ablate.lint.world import Quantity, World, fit_scaled
from ablate.metric import signed

Accusation: TypeAlias = tuple[Verdict, Kind, Text]
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
    judged = list(_judged(table, found, names.world))
    for column in {j.column for j in judged}:
        of = [j for j in judged if j.column == column]
        agree = sum(j.accusation is None or j.accusation[0] != "wrong" for j in of)
        believed = agree >= _TRUST * len(of) if len(of) > 1 else _agreeing(judged, column)
        for one in of:
            if one.accusation is None:
                ledger.trace(one.place)
            elif believed or one.accusation[0] != "wrong":
                ledger.accuse(one.place, *one.accusation)
            if one.accusation is not None and one.accusation[1] in {"points", "rounding"}:
                ledger.trace(one.place)


def _agreeing(judged: Sequence[_Judged], column: int) -> bool:
    """Whether the other columns of a table with one row agree, so that it is that run's row."""
    others = [j for j in judged if j.column != column]
    return bool(others) and all(j.accusation is None for j in others)


def _judged(table: Table, found: Layout, world: World) -> Iterator[_Judged]:
    for row, variant, seed in zip(table.rows, found.variants, found.seeds, strict=True):
        if variant is None:
            continue
        for column in found.columns:
            cell = row.cells[column.index] if column.index < len(row.cells) else ""
            if column.role == "value":
                yield from _value(row, cell, column, _Of(world, found, variant, seed))
            elif column.role in {"difference", "relative", "pairs"}:
                yield from _differences(row, cell, column, _Of(world, found, variant, seed))
            else:
                yield from _summed(row, cell, column, _Of(world, found, variant, seed))


@dataclass(frozen=True, slots=True)
class _Of:
    world: World
    found: Layout
    variant: str
    seed: int | None


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
    elif not of.found.modules and not number.loose:
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
        if quantity is not None and not number.loose:
            yield from _difference(row, column, (number, quantity, unit, reference), of)


def _difference(
    row: Row, column: Column, asked: tuple[Number, Quantity, str, str], of: _Of
) -> Iterator[_Judged]:
    number, quantity, unit, reference = asked
    a, b = of.world.mean(reference, quantity), of.world.mean(of.variant, quantity)
    if a is None or b is None:
        return
    place = Place(row.number, column.index, number.start)
    relative = column.role == "relative"
    answer = compare(number, quantity, (a, b), unit="" if number.unit == "%" else unit)
    if (relative and answer.relative == "rounded") or (not relative and answer.points == "rounded"):
        named = not relative and number.unit == "%" and quantity.percent
        named = named and not column.absolute
        said = points_as_percent(number) if named and answer.relative != "rounded" else None
        yield _Judged(column.index, place, said)
        return
    if answer.relative == "rounded" and number.unit == "%":
        yield _Judged(column.index, place, None)
    elif not of.found.modules or column.alone:
        yield _Judged(
            column.index, place, _wrong_difference(number, quantity, answer, of, reference)
        )


def points_as_percent(number: Number) -> Accusation:
    """A difference of percentages that is written as a percentage."""
    bare = number.text.rstrip("%％ ")
    return (
        "mislabelled",
        "points",
        Text(
            f"{number.text} is a difference of percentages: {bare} points",
            f"{number.text} 是百分数之差，应写作 {bare} 个百分点",
        ),
    )


def _wrong_difference(
    number: Number, quantity: Quantity, answer: "Compared", of: _Of, reference: str
) -> Accusation:
    said = answer.said(number)
    cut = answer.points == "truncated"
    ending = (
        Text(f"{number.text} is cut off", f"{number.text} 是截断")
        if cut
        else Text(f"not {number.text}", f"不是 {number.text}")
    )
    return (
        "mislabelled" if cut else "wrong",
        "rounding" if cut else "difference",
        Text(
            f"{quantity.label} of {of.variant} minus {reference} is {said.en}; {ending.en}",
            f"{of.variant} 与 {reference} 的 {quantity.label} 之差为 {said.zh}；{ending.zh}",
        ),
    )


Agreement: TypeAlias = Literal["rounded", "truncated", "no"]


@dataclass(frozen=True, slots=True)
class Compared:
    """How a printed difference agrees with two stored values, as a difference and relatively."""

    points: Agreement
    relative: Agreement
    difference: float
    ratio: float | None
    percent: bool

    def said(self, number: Number) -> Text:
        """The difference in words, and the relative change."""
        digits = number.decimals
        apart = signed(self.difference, max(digits, 1) if self.percent else digits)
        rel = "" if self.ratio is None else signed(100 * self.ratio, max(digits, 2))
        en, zh = (" points", " 个百分点") if self.percent else ("", "")
        return Text(
            f"{apart}{en}" + (f" ({rel} % rel.)" if rel else ""),
            f"{apart}{zh}" + (f"（相对 {rel} %）" if rel else ""),
        )


def compare(
    number: Number,
    quantity: Quantity,
    ab: tuple[float, float],
    *,
    unit: str = "",
    size: bool = False,
) -> Compared:
    """Compare a printed difference with b minus a, stored; `size`: its sign is in words."""
    a, b = ab
    flip = -1 if size and b < a else 1
    scales = quantity.scales(unit) or (1.0,)
    fits = {s: fit_scaled(number, flip * (b - a), s) for s in scales}
    scale = next((s for s, f in fits.items() if f == "rounded"), None)
    if scale is None:
        scale = next((s for s, f in fits.items() if f == "truncated"), scales[0])
    ratio = (b - a) / abs(a) if a else None
    relative: Agreement = "no"
    if ratio is not None:
        relative = fit(number.value, number.decimals, exact(100 * flip * ratio))
    return Compared(
        fits[scale],
        relative,
        scale * (b - a),
        ratio,
        quantity.metric is not None and scale == 100,  # noqa: PLR2004
    )


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
