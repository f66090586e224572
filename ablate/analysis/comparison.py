"""Two cells beside each other: what stands next to the difference of their means."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ablate.analysis.contrast import PAIR, Array, Effect, Rules, Sample, contrasts
from ablate.analysis.correlation import across_seeds
from ablate.analysis.power import detectable
from ablate.analysis.verdict import ORDER, Judgement, decide, holm

ERRORS = ("mATE", "mASE", "mAOE", "mAVE", "mAAE")
"""The true-positive errors of the nuScenes detection score: lower is better, 1 is the worst."""
ERRORS_WEIGHT, MAP_WEIGHT = 0.1, 0.5
LEVELS_MOST = 6
"""Factors up to which every combination of them is looked for."""


@dataclass(frozen=True, slots=True)
class Against:
    """What is said of `b` against `a` on one metric, beside both means.

    `relative` is the difference over the mean of `a`; `g` Hedges' g; `superior` the share of pairs
    of runs in which the one of `b` is better.
    """

    difference: Effect
    relative: float | None
    g: float | None
    superior: float


def against(  # noqa: PLR0913, PLR0917 - as `contrasts`
    a: Sample,
    b: Sample,
    others: Sequence[Sample],
    rules: Rules,
    sign: int = 1,
    groups: Sequence[Hashable] | None = None,
) -> Against | None:
    """`b` compared with `a`; None where either has no finite run.

    `others` are further cells of the study: where the interval is pooled, their spread counts,
    their means do not. `sign` is -1 where lower is better. `groups` are the functions of all of
    these cells, as in `contrasts`; between two of one function there is no interval: what stands
    between them is noise.
    """
    if not a or not b:
        return None
    weights = [-1.0, 1.0, *(0.0 for _ in others)]
    effect = contrasts([weights], [a, b, *others], rules, groups)[0]
    if groups is not None and groups[0] == groups[1]:
        effect = Effect(effect.estimate, effect.runs)
    x, y = _values(a), _values(b)
    return Against(
        effect, relative(float(x.mean()), effect.estimate), hedges(x, y), chance(x, y, sign)
    )


def _values(sample: Sample) -> Array:
    return np.array([v for _, v in sample], dtype=float)


def relative(reference: float, difference: float) -> float | None:
    """The difference as a share of the reference's size; None where that is zero."""
    return difference / abs(reference) if reference else None


def hedges(a: Array, b: Array) -> float | None:
    """Hedges' g: (mean b - mean a) / s (1 - 3 / (4 df - 1)), df = n_a + n_b - 2.

    s is the standard deviation of one run, pooled over both sides. None where a side has one run
    or where nothing varies. Hedges (1981), Journal of Educational Statistics 6.
    """
    if min(a.size, b.size) < PAIR:
        return None
    df = a.size + b.size - 2
    s = math.sqrt((a.var(ddof=1) * (a.size - 1) + b.var(ddof=1) * (b.size - 1)) / df)
    return float((b.mean() - a.mean()) / s * (1 - 3 / (4 * df - 1))) if s else None


def chance(a: Array, b: Array, sign: int = 1) -> float:
    """The share of pairs (one run of each) in which `b` is better, ties as half: U / (n_a n_b)."""
    gaps = sign * (b[:, None] - a)
    return float((gaps > 0).mean() + (gaps == 0).mean() / 2)


def verdicts(
    family: Sequence[Effect | None], rules: Sequence[Rules], signs: Sequence[int]
) -> list[Judgement]:
    """The verdicts of one pair's metrics, Holm's p over those that have an interval.

    Each metric has its own margin and direction, so its own rules and sign.
    """
    told = {i: e for i, e in enumerate(family) if e is not None and e.p is not None}
    adjusted = holm(np.array([e.p for e in told.values()], dtype=float))
    found = [Judgement()] * len(family)
    for (i, effect), p in zip(told.items(), adjusted, strict=True):
        found[i] = _judged(effect, float(p), rules[i], signs[i])
    return found


def _judged(effect: Effect, p_holm: float, rules: Rules, sign: int) -> Judgement:
    se, df = effect.se or 0.0, effect.df or 0.0
    estimate, error, free, p = (
        np.array(v, dtype=float) for v in (sign * effect.estimate, se, df, p_holm)
    )
    code = int(decide(estimate, error, free, p, rules))
    smallest = detectable(df, rules.alpha) * se
    return Judgement(ORDER[code], p_holm, smallest if math.isfinite(smallest) else None)


def shared_only(a: Sample, b: Sample) -> tuple[Sample, Sample]:
    """The runs of the seeds that both have, by seed."""
    seeds = {s for s, _ in a} & {s for s, _ in b}
    x, y = ([r for r in sorted(of) if r[0] in seeds] for of in (a, b))
    return x, y


def correlated(a: Sample, b: Sample) -> float | None:
    """Pearson's r over shared seeds; None below three of them or where one side does not vary."""
    return across_seeds(dict(a), dict(b)).value


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """Adjusted p values that hold the false discovery rate: min over j >= i of p_(j) m / j.

    Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57.
    """
    values = np.asarray(p, dtype=float)
    if not values.size:
        return []
    order = np.argsort(values)[::-1]
    ranks = np.arange(values.size, 0, -1)
    adjusted = np.minimum.accumulate(values[order] * values.size / ranks)
    result = np.empty_like(values)
    result[order] = np.minimum(adjusted, 1)
    return [float(v) for v in result]


def detection_score(precision: float, errors: Sequence[float]) -> float:
    """The nuScenes detection score: (5 mAP + sum over five errors of 1 - min(1, error)) / 10.

    Caesar et al. (2020), nuScenes, CVPR, equation 3.
    """
    parts = sum(1 - min(1.0, e) for e in errors)
    return MAP_WEIGHT * precision + ERRORS_WEIGHT * parts


def between(differing: Sequence[str]) -> list[frozenset[str]]:
    """The proper, non-empty subsets of the differing factors, small ones first.

    None of them beyond `LEVELS_MOST` factors: there would be too many to name.
    """
    if len(differing) > LEVELS_MOST:
        return []
    sizes = range(1, len(differing))
    return [frozenset(c) for size in sizes for c in combinations(differing, size)]
