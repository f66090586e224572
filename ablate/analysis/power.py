"""What a design can see: the noncentral t distribution of its contrasts."""

import math
from functools import lru_cache

from scipy import special

from ablate.analysis.contrast import quantile

POWER = 0.8
"""The chance that a smallest effect is seen, unless another is asked for."""


def power(effect: float, se: float, df: float, alpha: float = 0.05) -> float:
    """The chance that a two-sided t test at `alpha` finds `effect`, on the right side of zero."""
    return float(1 - special.nctdtr(df, abs(effect) / se, quantile(df, alpha)))


@lru_cache(maxsize=4096)
def detectable(df: float, alpha: float = 0.05, power: float = POWER) -> float:
    """The effect, in standard errors, that a two-sided t test at `alpha` finds with this power.

    Infinite where it is out of reach of the distribution's tables.
    """
    shift = float(special.nctdtrinc(df, 1 - power, quantile(df, alpha)))
    return shift if math.isfinite(shift) else math.inf
