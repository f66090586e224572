"""Numbers whose size nobody knows beforehand: three significant digits, p values."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ablate.metric import MINUS, PLUS_MINUS, Metric, plain, signed
from ablate.report.layout import NONE

FIGURES = 3
SMALL = 0.001
TINY = 1e-4
"""Sizes below it are printed with an exponent."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """An estimate and its interval with the decimals that suit both."""

    estimate: str
    interval: str


def amount(value: float | None) -> str:
    """A signed number of three significant digits."""
    return NONE if value is None else _signed(value, abs(value))


def significant(value: float) -> str:
    """A size of three significant digits."""
    return _signed(value, value).lstrip(f"+{PLUS_MINUS}")


def amounts(metric: Metric, effect: Mapping[str, Any]) -> Amounts:
    """An effect per unit of something, in display units."""
    known = [effect[k] for k in ("estimate", "low", "high") if effect[k] is not None]
    shown = [metric.shown(v) for v in known]
    largest = max(map(abs, shown))
    texts = [_signed(v, largest, metric.digits if 0 < abs(shown[0]) < 1 else 0) for v in shown]
    return Amounts(texts[0], f"[{texts[1]}, {texts[2]}]" if len(texts) > 1 else NONE)


def _signed(value: float, largest: float, least: int = 0) -> str:
    """With the decimals that give `largest` three significant digits, or with an exponent."""
    if 0 < largest < TINY:
        return f"{value:+.{FIGURES - 1}e}".replace("-", MINUS) if value else signed(0, 0)
    counted = FIGURES - 1 - math.floor(math.log10(largest)) if 0 < largest < math.inf else 0
    return signed(value, max(least, counted))


def probability(p: float | None) -> str:
    """A p value."""
    if p is None:
        return NONE
    return f"<{SMALL}" if p < SMALL else plain(p, FIGURES)


def size(metric: Metric, value: float | None) -> str:
    """A size of differences, which has no sign."""
    return NONE if value is None else plain(metric.shown(value), metric.digits)
