"""Learning curves side by side: common steps, ranges, values that are not finite."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

Curve: TypeAlias = Mapping[int, float]
"""Step -> value of one run; it may hold NaN and infinities."""

SHOWN = 6


@dataclass(frozen=True, slots=True)
class Spread:
    """The finite values of some runs' curves, and the steps at which others stand.

    `low` and `high` are the 5th and 95th percentile, linearly interpolated; all None without a
    finite value.
    """

    n: int
    low: float | None
    high: float | None
    smallest: float | None
    largest: float | None
    nan: tuple[int, ...]
    inf: tuple[int, ...]


def common_steps(curves: Iterable[Curve]) -> list[int]:
    """The steps that every curve has, in order."""
    sets = [set(c) for c in curves]
    return sorted(set.intersection(*sets)) if sets else []


def spaced(steps: Sequence[int], count: int = SHOWN) -> list[int]:
    """At most `count` of the steps, about evenly spaced by logarithm, with the first and the last.

    A first step of 0 counts as one interval before the second.
    """
    if len(steps) <= count:
        return list(steps)
    first, unit = steps[0], steps[1] - steps[0]
    end = math.log1p((steps[-1] - first) / unit)
    return nearest(steps, [first + unit * math.expm1(end * i / (count - 1)) for i in range(count)])


def nearest(steps: Sequence[int], wanted: Sequence[float]) -> list[int]:
    """The steps nearest to those wanted, each once, in order; of two as near, the earlier."""
    return sorted({min(steps, key=lambda s: (abs(s - w), s)) for w in wanted}) if steps else []


def mean_at(curves: Sequence[Curve], step: int) -> float:
    """The mean over runs at one step; NaN where a run's value is NaN there."""
    return sum(c[step] for c in curves) / len(curves)


def mean_of(curves: Iterable[Curve]) -> float | None:
    """The mean over runs of each run's mean over its finite points; None where there is none."""
    runs = [[v for v in c.values() if math.isfinite(v)] for c in curves]
    means = [sum(r) / len(r) for r in runs if r]
    return sum(means) / len(means) if means else None


def spread(curves: Iterable[Curve]) -> Spread:
    """The range of the curves' finite values, all runs together, and where the others are."""
    points = sorted((step, v) for c in curves for step, v in c.items())
    finite = np.array([v for _, v in points if math.isfinite(v)])
    nan = tuple(s for s, v in points if math.isnan(v))
    inf = tuple(s for s, v in points if math.isinf(v))
    if not finite.size:
        return Spread(0, None, None, None, None, nan, inf)
    low, high = (float(v) for v in np.percentile(finite, [5, 95]))
    return Spread(finite.size, low, high, float(finite.min()), float(finite.max()), nan, inf)
