"""Sweeps: the trend over a factor's levels, and what choosing the best of them flatters."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np
from scipy import special

from ablate.analysis.contrast import Array

Scale: TypeAlias = Literal["linear", "log10"]
UNEVEN = 2.0
"""Gaps that differ by more than this may be those of a factor that is moved by ratios."""
WIDE = 8.0
"""So may those of a range whose ends differ by this factor or more."""
CLEARLY = 0.75
"""The logarithms of levels moved by ratios are at most this share as uneven as the levels."""
TREND = 3
"""Levels from which a trend is told from a difference."""
ROUNDING = 1e-12
NEARLY = 1e-9
"""Decimals such as 8e-4 / 1e-4 are a ratio of whole numbers but for rounding."""
_POINTS, _WIDEST = 4001, 10.0


def scale_of(levels: Sequence[float]) -> Scale:
    """`log10` where the levels' logarithms are clearly the more evenly spaced, else `linear`.

    Unevenness is the largest gap over the smallest. That of the logarithms must be at most three
    quarters of the levels' own, all must be positive, and either the gaps differ by more than
    twice or the largest level is eight times the smallest or more: 3e-4, 1e-3, 3e-3 are moved by
    ratios; 0.5, 0.7, 0.8 and 1, 2, 4 are not.
    """
    if min(levels) <= 0:
        return "linear"
    plain = _unevenness(np.asarray(levels, dtype=float))
    wide = plain > UNEVEN * (1 + NEARLY) or max(levels) >= WIDE * min(levels) * (1 - NEARLY)
    even = _unevenness(np.log10(levels)) <= CLEARLY * plain
    return "log10" if wide and even else "linear"


def _unevenness(x: Array) -> float:
    gaps = np.diff(np.unique(x))
    return float(gaps.max() / gaps.min()) if gaps.size else 1.0


def positions(levels: Sequence[float], scale: Scale) -> Array:
    """Where the levels stand on their scale: themselves, or their decimal logarithms."""
    x = np.asarray(levels, dtype=float)
    return np.log10(x) if scale == "log10" else x


def slope(x: Array) -> Array:
    """The weights whose contrast is the straight line's slope: (x - m) / sum (x - m)^2.

    `x` is (levels,), two of them different; m is their mean, each level counting once whatever its
    runs. Per unit of `x`.
    """
    away = _cleared(x - x.mean())
    return np.asarray(away / (away**2).sum())


def curvature(x: Array) -> Array:
    """The weights whose contrast is the coefficient of x^2 in the parabola: q / sum q^2.

    q is the second orthogonal polynomial of `x`, (levels,), three of them different: x^2 less its
    projection on 1 and x, so that equal gaps are not needed. Per squared unit of `x`.
    Robson (1959), Biometrics 15.
    """
    away = x - x.mean()
    size = np.abs(away).max()
    u = away / size
    square = u**2 - (u**2).mean()
    q = _cleared(square - (square @ u) / (u @ u) * u)
    return np.asarray(q / (q @ q) / size**2)


def _cleared(weights: Array) -> Array:
    """Weights of which those that are nothing but rounding are 0: their levels are not used."""
    return np.where(np.abs(weights) < ROUNDING * np.abs(weights).max(), 0.0, weights)


def twist(x: Array, y: Array) -> Array:
    """The weights, (levels of x, levels of y), of the linear-by-linear interaction.

    How much the slope along `x` changes per unit of `y`: the coefficient of x y over the whole
    table of levels.
    """
    return np.outer(slope(x), slope(y))


@lru_cache(maxsize=256)
def expected_best(k: int) -> float:
    """The expected largest of `k` independent standard normal values.

    The integral of x k phi(x) Phi(x)^(k - 1): how many standard errors the best of `k` equal levels
    is flattered by having been chosen.
    """
    x = np.linspace(-_WIDEST, _WIDEST, _POINTS)
    density = k * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) * special.ndtr(x) ** (k - 1)
    return float(np.trapezoid(x * density, x))


def opposed(a: Sequence[float], b: Sequence[float]) -> tuple[int, int]:
    """Of the pairs of places that both rank, how many they rank oppositely, and how many there are.

    The counts behind Kendall's tau; ties in either are no pair.
    """
    signs = [np.sign(a[j] - a[i]) * np.sign(b[j] - b[i]) for i, j in combinations(range(len(a)), 2)]
    return sum(bool(s < 0) for s in signs), sum(bool(s != 0) for s in signs)


def edge_of(
    levels: Sequence[float], best: Sequence[float]
) -> Literal["smallest", "largest"] | None:
    """The end of the range at which the best level lies.

    `levels` are all that belong to the sweep, whether they have scores or not. None where they are
    fewer than three, or where several are the best.
    """
    if len(set(levels)) < TREND or len(best) != 1:
        return None
    if best[0] == max(levels):
        return "largest"
    return "smallest" if best[0] == min(levels) else None
