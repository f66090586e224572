"""Differences: how a printed one agrees with two stored values, and what is said if it does not."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from ablate.audit.check import Text
from ablate.lint.ledger import Kind, Verdict
from ablate.lint.numbers import Number, exact, fit
from ablate.lint.world import Quantity, World, fit_scaled
from ablate.metric import signed

Accusation: TypeAlias = tuple[Verdict, Kind, Text]


class Difference(NamedTuple):
    """A printed difference: of what, between which configurations, and what is printed of both.

    `size`: it has no sign, and says by how much.
    `sure`: it can be nothing else, so that it is wrong where it agrees with nothing.
    """

    number: Number
    quantity: Quantity
    unit: str
    reference: str
    variant: str
    relative: bool
    absolute: bool
    size: bool
    sure: bool
    printed: tuple[Number, Number] | None


def judged(asked: Difference, world: World) -> Iterator[Accusation | None]:
    """What is wrong with a printed difference, or None; nothing where it cannot be said."""
    number, quantity = asked.number, asked.quantity
    a, b = world.mean(asked.reference, quantity), world.mean(asked.variant, quantity)
    if a is None or b is None:
        return
    unit = "" if number.unit == "%" else asked.unit
    answer = compare(number, quantity, (a, b), unit=unit, size=asked.size)
    right = answer.relative if asked.relative else answer.points
    if right == "rounded" or _by_print(asked):
        named = not asked.relative and number.unit == "%" and quantity.percent
        told = asked.absolute or answer.relative == "rounded"
        yield points_as_percent(number) if named and not told else None
    elif answer.relative == "rounded" and number.unit == "%":
        yield None
    elif (other := _by_another_rule(asked, world, (a, b))) is not None:
        yield other
    elif asked.sure and not any(world.floor(v, quantity) for v in (asked.reference, asked.variant)):
        yield _wrong_difference(number, quantity, answer, asked.variant, asked.reference)


def _by_print(asked: Difference) -> bool:
    """Whether it is the difference of the two rounded numbers that the report itself prints."""
    if asked.printed is None:
        return False
    a, b = asked.printed
    if asked.relative:
        value = change(a, b)[0] if a.value else Decimal("NaN")
        return (
            value.is_finite() and fit(asked.number.value, asked.number.decimals, value) == "rounded"
        )
    return b.value - a.value == asked.number.value


def _by_another_rule(asked: Difference, world: World, ab: tuple[float, float]) -> Accusation | None:
    """Whether it fits where one side is scored by another rule of selection."""
    number, quantity, (a, b) = asked.number, asked.quantity, ab
    sides = [(asked.reference, v, b) for v in world.elsewhere(asked.reference, quantity).items()]
    others = [(asked.variant, v, a) for v in world.elsewhere(asked.variant, quantity).items()]
    for name, (rule, value), kept in [*sides, *others]:
        pair = (value, kept) if name == asked.reference else (kept, value)
        answer = compare(number, quantity, pair)
        if (answer.relative if asked.relative else answer.points) == "rounded":
            chinese = {"last": "最后一步", "best over steps": "全程最佳"}[rule]
            own = compare(number, quantity, ab).said(number)
            score = quantity.metric.text(value) if quantity.metric else str(value)
            return (
                "mislabelled",
                "rule",
                Text(
                    f"{quantity.label} of {asked.variant} minus {asked.reference} is {own.en};"
                    f" {number.text} takes {name} by another rule ({rule}: {score})",
                    f"{asked.variant} 与 {asked.reference} 的 {quantity.label} 之差为 {own.zh}；"
                    f"{number.text} 对 {name} 用了另一规则（{chinese}：{score}）",
                ),
            )
    return None


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
    number: Number, quantity: Quantity, answer: "Compared", variant: str, reference: str
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
            f"{quantity.label} of {variant} minus {reference} is {said.en}; {ending.en}",
            f"{variant} 与 {reference} 的 {quantity.label} 之差为 {said.zh}；{ending.zh}",
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


def cut_off(number: Number, value: str) -> Text:
    """A number that is its value without the last digits."""
    return Text(
        f"{value}: {number.text} is cut off, not rounded",
        f"{value}：{number.text} 是截断而非四舍五入",
    )


def change(a: Number, b: Number) -> tuple[Decimal, Decimal]:
    """The relative change in percent, and how far the rounding of both sides may move it."""
    base = abs(a.value)
    value = 100 * (b.value - a.value) / base
    ends = [
        100 * (b.value + y * b.half - a.value - x * a.half) / abs(a.value + x * a.half)
        for x in (-1, 1)
        for y in (-1, 1)
        if a.value + x * a.half
    ]
    return value, max(abs(e - value) for e in ends)
