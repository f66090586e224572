"""Fronts of score against cost: which configurations no other one beats at its price."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from scipy import special

from ablate.analysis.contrast import Array
from ablate.analysis.effects import Corner, Term

Index: TypeAlias = int
PAIR = 2


def dominators(costs: Array, scores: Array) -> list[Index | None]:
    """For each point the one that dominates it, None for those on the front.

    `costs` and `scores` are (points,), finite; less cost and more score are wanted. One point
    dominates another that it equals or betters in both, and betters in one; points alike in both
    do not dominate each other. Of several dominators it is the one of the highest score, then the
    cheapest, then the first: a point of the front. O(n log n): by rising cost, only the best point
    so far can dominate the next. Kung, Luccio and Preparata (1975), Journal of the ACM 22.
    """
    order = np.lexsort((np.arange(costs.size), -scores, costs))
    found: list[Index | None] = [None] * costs.size
    best: Index | None = None
    for i in map(int, order):
        if best is None or scores[i] > scores[best]:
            best = i
        elif scores[i] < scores[best] or costs[i] > costs[best]:
            found[i] = best
    return found


def exact(term: Term, costs: Mapping[Corner, float]) -> float | None:
    """A term of the costs of a grid's corners; None where one that it uses has no cost.

    In rational arithmetic, so that costs that are whole numbers add up to the last digit.
    """
    if not term.weights or not all(c in costs for c in term.weights):
        return None
    return float(sum(Fraction(w) * Fraction(costs[c]) for c, w in term.weights.items()))


def per_unit(gain: float, spent: float, unit: float) -> float | None:
    """What is gained for each `unit` more that is spent, sign kept; None where none is."""
    return gain * unit / spent if spent else None


def apart(runs: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """The pooled SD of one run's cost, and the p value of the costs' means being all alike.

    `runs` holds the costs of each configuration's runs. One-way analysis of variance: F is the mean
    square between configurations over that within. Fisher (1925), Statistical Methods for Research
    Workers. None where no configuration has two runs, or none varies: then costs differ or do not.
    """
    values = [np.asarray(of, dtype=float) for of in runs if len(of)]
    inside = sum(v.size - 1 for v in values)
    square = sum(float(((v - v.mean()) ** 2).sum()) for v in values)
    if len(values) < PAIR or not inside or not square:
        return None
    centre = np.concatenate(values).mean()
    between = sum(v.size * float(v.mean() - centre) ** 2 for v in values) / (len(values) - 1)
    within = square / inside
    return within**0.5, float(special.fdtrc(len(values) - 1, inside, between / within))
