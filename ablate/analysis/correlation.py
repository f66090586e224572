"""What the seed makes two variants share."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from ablate.analysis.contrast import PAIR, Effect, Interval, Sample

FEWEST = 3


@dataclass(frozen=True, slots=True)
class Correlation:
    """Pearson's r over `n` shared seeds; None where it is not defined, with the reason."""

    n: int
    value: float | None
    reason: str = ""


def across_seeds(a: Mapping[int, float], b: Mapping[int, float]) -> Correlation:
    """The correlation of two variants' scores over the seeds that both have, matched by seed."""
    seeds = sorted(s for s in a.keys() & b.keys() if math.isfinite(a[s]) and math.isfinite(b[s]))
    if len(seeds) < FEWEST:
        return Correlation(len(seeds), None, f"fewer than {FEWEST} shared seeds")
    x, y = np.array([[of[s] for s in seeds] for of in (a, b)])
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return Correlation(len(seeds), None, "one of the two does not vary")
    x, y = x / np.abs(x).max(), y / np.abs(y).max()  # squares of very large values overflow
    return Correlation(len(seeds), float(np.corrcoef(x, y)[0, 1]))


@dataclass(frozen=True, slots=True)
class Shared:
    """The share of a run's variance that its seed brings to every cell; None with the reason.

    Of `seeds` seeds that each of `cells` cells has.
    """

    seeds: int
    cells: int
    value: float | None
    interval: Interval | None = None
    reason: str = ""


def intraclass(samples: Sequence[Sample], level: float = 0.95) -> Shared:
    """The correlation of runs of one seed in different cells, means of cells taken off.

    With the mean squares of the seeds x cells layout without repetition, over the seeds that all
    cells share: (MS_seed - MS_res) / (MS_seed + (C - 1) MS_res). The interval is that of the F
    ratio. ICC(3,1) of Shrout and Fleiss (1979), Psychological Bulletin 86.
    """
    own = [dict(s) for s in samples if s]
    seeds = sorted(set.intersection(*map(set, own))) if own else []
    n, c = len(seeds), len(own)
    if c < PAIR:
        return Shared(n, c, None, reason="fewer than two cells")
    if n < PAIR:
        return Shared(n, c, None, reason="fewer than two seeds that all cells share")
    table = np.array([[of[s] for of in own] for s in seeds])
    table = table - table[0]  # equal runs then differ by exactly zero
    table = table / (np.abs(table).max() or 1.0)
    table = table - table.mean(0)
    by_seed = table.mean(1)
    among = c * float((by_seed**2).sum()) / (n - 1)
    free = (n - 1) * (c - 1)
    rest = float(((table - by_seed[:, None]) ** 2).sum()) / free
    if among + (c - 1) * rest == 0:
        return Shared(n, c, None, reason="no run differs from another of its cell")
    value = (among - rest) / (among + (c - 1) * rest)
    if rest == 0:
        return Shared(n, c, value)
    tail = (1 - level) / 2
    low = among / rest / float(special.fdtri(n - 1, free, 1 - tail))
    high = among / rest * float(special.fdtri(free, n - 1, 1 - tail))
    ends = ((f - 1) / (f + c - 1) for f in (low, high))
    return Shared(n, c, value, Interval(*ends))


@dataclass(frozen=True, slots=True)
class Blocking:
    """What blocking by seed makes of the same contrasts: ratios to the unblocked ones.

    `se` is the ratio of root mean squared standard errors, `width` that of mean widths of
    intervals: few seeds leave few degrees of freedom, so that the width may grow where the
    standard error shrinks.
    """

    terms: int
    se: float
    width: float


def blocking(
    blocked: Sequence[Effect | None], unblocked: Sequence[Effect | None]
) -> Blocking | None:
    """The ratios over the contrasts that have an interval either way; None where none has."""
    known = [
        ((a.se, a.interval.width), (b.se, b.interval.width))
        for a, b in zip(blocked, unblocked, strict=True)
        if a is not None and a.method == "blocked" and a.se is not None and a.interval is not None
        if b is not None and b.se is not None and b.interval is not None
    ]
    if not known:
        return None
    sizes = np.array(known)
    (se, width), (own_se, own_width) = (sizes / sizes.max()).transpose(1, 2, 0)
    ratio = float(((se**2).sum() / (own_se**2).sum()) ** 0.5)
    return Blocking(len(known), ratio, float(width.sum() / own_width.sum()))
