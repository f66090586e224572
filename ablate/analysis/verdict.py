"""Verdicts: what may be said of a family of contrasts, and what a design cannot see."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ablate.analysis.contrast import Array, Effect, Rules
from ablate.analysis.power import detectable
from ablate.metric import Metric
from ablate.study import Claims


class Verdict(StrEnum):
    """What an interval allows to be said; `positive` is an improvement, whatever the direction."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    NEGLIGIBLE = "negligible"
    UNDECIDED = "undecided"


ORDER = (Verdict.UNDECIDED, Verdict.NEGLIGIBLE, Verdict.POSITIVE, Verdict.NEGATIVE)
"""The verdicts as `decide` numbers them."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict in its family: Holm's p, and the smallest effect that the design can see.

    Where there is no interval there is no verdict: all is None. `smallest` is in stored units, at
    the rules' alpha before Holm and a power of 80 %; None where it is out of reach.
    """

    verdict: Verdict | None = None
    p_holm: float | None = None
    smallest: float | None = None


def rules_of(claims: Claims, metric: Metric) -> Rules:
    """The rules for one metric that a study's claims ask for."""
    return Rules(claims.alpha, claims.margin_of(metric), claims.paired)


def holm(p: Array) -> Array:
    """Holm's adjusted p values of families along the last axis: max over i' <= i of (m - i') p_i'.

    Holm (1979), Scandinavian Journal of Statistics 6.
    """
    order = np.argsort(p, axis=-1)
    steps = np.arange(p.shape[-1], 0, -1) * np.take_along_axis(p, order, axis=-1)
    adjusted = np.minimum(np.maximum.accumulate(steps, axis=-1), 1)
    result = np.empty_like(adjusted)
    np.put_along_axis(result, order, adjusted, axis=-1)
    return result


def decide(
    estimate: Array, se: Array, df: Array, p_holm: Array, rules: Rules
) -> NDArray[np.integer]:
    """The verdict of each contrast as its place in `ORDER`; `estimate` is oriented: up is better.

    Positive or negative where Holm's p is below alpha; else negligible where the 1 - 2 alpha
    interval lies within the margin (two one-sided tests at alpha); else undecided.
    """
    clear = p_holm < rules.alpha
    within = np.zeros(np.shape(estimate), dtype=bool)
    if rules.margin is not None:
        half = np.maximum(-special.stdtrit(df, rules.alpha), 0) * se
        within = np.abs(estimate) + half < rules.margin
    return np.where(clear, np.where(estimate > 0, 2, 3), np.where(within, 1, 0))


def judge(family: Sequence[Effect | None], rules: Rules, sign: int = 1) -> list[Judgement]:
    """The verdicts of one printed family; `sign` is -1 where lower is better.

    The family is those that have an interval: nothing is claimed of the others.
    """
    told = [e for e in family if e is not None and e.p is not None]
    if not told:
        return [Judgement()] * len(family)
    estimate, se, df, p = (
        np.array([getattr(e, name) for e in told], dtype=float)
        for name in ("estimate", "se", "df", "p")
    )
    adjusted = holm(p)
    codes = decide(sign * estimate, se, df, adjusted, rules)
    smallest = [detectable(float(d), rules.alpha) * float(s) for d, s in zip(df, se, strict=True)]
    judged = iter(
        Judgement(ORDER[code], float(of), least if isfinite(least) else None)
        for code, of, least in zip(codes, adjusted, smallest, strict=True)
    )
    return [next(judged) if e is not None and e.p is not None else Judgement() for e in family]
