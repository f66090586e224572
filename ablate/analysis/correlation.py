"""What the seed makes two variants share."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

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
    return Correlation(len(seeds), float(np.corrcoef(x, y)[0, 1]))
