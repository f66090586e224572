"""Numbers whose size nobody knows beforehand: three significant digits, p values."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ablate.metric import Metric, plain, signed
from ablate.report.layout import NONE

FIGURES = 3
MOST = 6
"""Decimals at most."""
SMALL = 0.001


@dataclass(frozen=True, slots=True)
class Amounts:
    """An estimate and its interval with the decimals that suit both."""

    estimate: str
    interval: str


def decimals(*values: float, least: int = 0) -> int:
    """The decimals, `least` or more, that give the largest of `values` three significant digits."""
    largest = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    if largest == 0:
        return least
    return max(least, min(MOST, FIGURES - 1 - math.floor(math.log10(largest))))


def amount(value: float | None) -> str:
    """A signed number of three significant digits."""
    return NONE if value is None else signed(value, decimals(value))


def significant(value: float) -> str:
    """A size of three significant digits."""
    return plain(value, decimals(value))


def amounts(metric: Metric, effect: Mapping[str, Any]) -> Amounts:
    """An effect per unit of something, in display units."""
    known = [effect[k] for k in ("estimate", "low", "high") if effect[k] is not None]
    shown = [metric.shown(v) for v in known]
    digits = decimals(*shown, least=metric.digits if abs(shown[0]) < 1 else 0)
    texts = [signed(v, digits) for v in shown]
    return Amounts(texts[0], f"[{texts[1]}, {texts[2]}]" if len(texts) > 1 else NONE)


def probability(p: float | None) -> str:
    """A p value."""
    if p is None:
        return NONE
    return f"<{SMALL}" if p < SMALL else plain(p, FIGURES)


def size(metric: Metric, value: float | None) -> str:
    """A size of differences, which has no sign."""
    return NONE if value is None else plain(metric.shown(value), metric.digits)
