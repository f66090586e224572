"""Contrasts of cell means with their intervals (Welch-Satterthwaite; pooled at two runs)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval in stored units."""

    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether both ends lie on one side of zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Effect:
    """An estimated contrast over `runs` runs; without replicates it has no interval."""

    estimate: float
    runs: int
    method: Literal["welch", "pooled", "none"] = "none"
    se: float | None = None
    df: float | None = None
    interval: Interval | None = None


def contrast(
    weights: Sequence[float], samples: Sequence[Sequence[float]], level: float = 0.95
) -> Effect:
    """The weighted sum of cell means, est = sum w_c mean_c, with its t interval.

    Welch: se^2 = sum w_c^2 s_c^2 / n_c, df = se^4 / sum((w_c^2 s_c^2 / n_c)^2 / (n_c - 1)), where
    every used cell has three runs or more. Pooled: se^2 = s_p^2 sum w_c^2 / n_c, df = sum(n_c - 1),
    where the smallest has two. No interval where one has a single run or where nothing varies.
    Raises ValueError when a used cell is empty.
    """
    used = [(w, np.asarray(s, dtype=float)) for w, s in zip(weights, samples, strict=True) if w]
    if not used or any(s.size == 0 for _, s in used):
        raise ValueError("a contrast needs at least one run in every cell it uses")
    w = np.array([weight for weight, _ in used])
    n = np.array([s.size for _, s in used])
    estimate = float(sum(weight * s.mean() for weight, s in used))
    runs = int(n.sum())
    if n.min() < 2:  # noqa: PLR2004 - a spread needs two values
        return Effect(estimate, runs)
    variances = np.array([s.var(ddof=1) for _, s in used])
    welch = bool(n.min() >= 3)  # noqa: PLR2004 - where Welch keeps its error rate
    se, df = _welch(w, n, variances) if welch else _pooled(w, n, variances)
    if se == 0:
        return Effect(estimate, runs)
    half = float(stats.t.ppf(0.5 + level / 2, df)) * se
    method: Literal["welch", "pooled"] = "welch" if welch else "pooled"
    return Effect(estimate, runs, method, se, df, Interval(estimate - half, estimate + half))


def _welch(
    w: NDArray[np.float64],
    n: NDArray[np.int64],
    variances: NDArray[np.float64],
) -> tuple[float, float]:
    parts = w**2 * variances / n
    total = float(parts.sum())
    if total == 0:
        return 0.0, 0.0
    return total**0.5, total**2 / float((parts**2 / (n - 1)).sum())


def _pooled(
    w: NDArray[np.float64],
    n: NDArray[np.int64],
    variances: NDArray[np.float64],
) -> tuple[float, float]:
    df = float((n - 1).sum())
    pooled = float(((n - 1) * variances).sum()) / df
    return (pooled * float((w**2 / n).sum())) ** 0.5, df
