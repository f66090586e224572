"""What a design can see: the noncentral t distribution of its contrasts."""

import math
from functools import lru_cache

from scipy import special

from ablate.analysis.contrast import quantile

POWER = 0.8
"""The chance that a smallest effect is seen, unless another is asked for."""
FAR = 1000.0
"""Standard errors from which the normal part of a noncentral t is nothing beside its shift.

There the statistic is shift / sqrt(chi-square / df), and the series for the exact one is slow.
"""


def power(effect: float, se: float, df: float, alpha: float = 0.05) -> float:
    """The chance that a two-sided t test at `alpha` finds `effect`, on the right side of zero.

    `se` and `df` are above 0.
    """
    shift, critical = abs(effect) / se, quantile(df, alpha)
    if shift > FAR:
        return float(special.gammainc(df / 2, df / 2 * (shift / critical) ** 2))
    return float(1 - special.nctdtr(df, shift, critical))


@lru_cache(maxsize=4096)
def detectable(df: float, alpha: float = 0.05, power: float = POWER) -> float:
    """The effect, in standard errors, that a two-sided t test at `alpha` finds with this power.

    Infinite where it is out of reach of the distribution's tables.
    """
    critical = quantile(df, alpha)
    if critical > FAR:
        return critical * math.sqrt(float(special.gammaincinv(df / 2, power)) * 2 / df)
    shift = float(special.nctdtrinc(df, 1 - power, critical))
    return shift if math.isfinite(shift) else math.inf
