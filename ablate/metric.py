"""Metrics: what a score is called, its unit, its direction and how it is displayed."""

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

MINUS = "\N{MINUS SIGN}"
PLUS_MINUS = "\N{PLUS-MINUS SIGN}"
LARGE = 1e15
"""From here on a number is printed with an exponent: a float holds no decimals there."""


def rounded(value: float, digits: int) -> Decimal:
    """`value` rounded half up to `digits` decimals; float noise below 1e-9 does not decide."""
    return Decimal(repr(round(value, 9))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def plain(value: float, digits: int) -> str:
    """`value` with `digits` decimals and a true minus sign; `nan` and `inf` are named."""
    if not math.isfinite(value):
        return str(value).replace("-", MINUS)
    if abs(value) >= LARGE:
        return f"{value:g}".replace("-", MINUS)
    number = rounded(value, digits)
    return f"{abs(number) if number == 0 else number}".replace("-", MINUS)


def signed(value: float, digits: int) -> str:
    """`value` always with a sign: `+1.3`, a true minus sign, or a plus-minus sign at zero."""
    if not math.isfinite(value):
        return plain(value, digits)
    if abs(value) >= LARGE:
        return f"{value:+g}".replace("-", MINUS)
    number = rounded(value, digits)
    if number == 0:
        return f"{PLUS_MINUS}{abs(number)}"
    return f"+{number}" if number > 0 else f"{MINUS}{-number}"


@dataclass(frozen=True, slots=True)
class Metric:
    """A score: stored as it is measured, shown in display units.

    A metric displayed as percent is stored as a fraction; its differences are points.
    """

    name: str
    title: str = ""
    direction: Literal["up", "down"] = "up"
    display: Literal["percent", "number"] = "percent"
    digits: int = 1

    @property
    def label(self) -> str:
        """The heading of its column."""
        return self.title or self.name

    @property
    def arrow(self) -> str:
        """Which way is better."""
        return "\N{UPWARDS ARROW}" if self.direction == "up" else "\N{DOWNWARDS ARROW}"

    @property
    def unit(self) -> str:
        """The unit of a displayed difference: `points` for percent, else nothing."""
        return "points" if self.display == "percent" else ""

    def shown(self, value: float) -> float:
        """`value` in display units."""
        return value * 100 if self.display == "percent" else value

    def text(self, value: float) -> str:
        """A score as printed."""
        return plain(self.shown(value), self.digits)

    def difference(self, delta: float) -> str:
        """A difference of two scores as printed, with its sign."""
        return signed(self.shown(delta), self.digits)

    def better(self, a: float, b: float) -> bool:
        """Whether `a` beats `b`; a NaN never does."""
        return a > b if self.direction == "up" else a < b
