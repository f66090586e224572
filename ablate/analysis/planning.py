"""What a design can see before it is run: its questions, their errors, the seeds that they need.

For cells of n runs each the standard error of a contrast is sigma sqrt(sum w_c^2 / n), and the runs
of all cells of the design give its variance: cells x (n - 1) degrees of freedom.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from scipy import special

from ablate.analysis.contrast import Array
from ablate.analysis.effects import (
    Corner,
    Grid,
    Term,
    alone,
    averaged,
    context,
    last,
    main,
    moebius,
    others_off,
    others_on,
    shapley,
)
from ablate.analysis.power import POWER, detectable, power
from ablate.analysis.sensitivity import TREND, positions, scale_of, slope
from ablate.study import Level

Asks: TypeAlias = Literal[
    "main", "shapley", "averaged", "alone", "last", "context", "off", "on", "moebius",
    "level", "linear", "arm", "difference",
]  # fmt: skip
PAIR, TRIPLE = 2, 3
MOST = 100_000
"""Seeds beyond which no number is given."""
NODES, TAIL = 200, 1e-15


@dataclass(frozen=True, slots=True)
class Question:
    """A contrast that a design can answer, by its weights alone.

    `spread` is sum w_c^2: its variance is sigma^2 spread / n. `fourth` is sum w_c^4, `cells` those
    whose runs give the variance, `about` the modules or factors asked about; none is all of them.
    """

    asks: Asks
    spread: float
    fourth: float
    cells: int
    about: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a plan takes for granted, in stored units.

    `blocked` is the correlation over the seeds where contrasts are blocked by seed, None where
    they are not.
    """

    sigma: float
    alpha: float = 0.05
    margin: float | None = None
    blocked: float | None = None
    power: float = POWER


def error(question: Question, n: int, assumed: Assumed) -> tuple[float, float]:
    """Standard error and degrees of freedom with `n` runs of every cell.

    Blocking multiplies the one by sqrt(1 - r) and leaves n - 1 of the other.
    """
    se = assumed.sigma * math.sqrt(question.spread / n)
    if assumed.blocked is None:
        return se, question.cells * (n - 1)
    return se * math.sqrt(1 - assumed.blocked), n - 1


def smallest(question: Question, n: int, assumed: Assumed) -> float | None:
    """The effect that is seen with the power assumed; None without replicates or out of reach."""
    se, df = error(question, n, assumed)
    return _reach(se, df, assumed) if df else None


def smallest_by_welch(question: Question, n: int, assumed: Assumed) -> float | None:
    """The same with the variances of the contrast's own cells: df = (sum w^2)^2 / sum w^4 (n - 1).

    That is Satterthwaite's at equal sample variances; unequal ones leave less. None where contrasts
    are blocked.
    """
    if n < PAIR or assumed.blocked is not None:
        return None
    df = question.spread**2 / question.fourth * (n - 1)
    return _reach(error(question, n, assumed)[0], df, assumed)


def _reach(se: float, df: float, assumed: Assumed) -> float | None:
    found = se * detectable(df, assumed.alpha, assumed.power)
    return found if math.isfinite(found) else None


def seeds_for(question: Question, effect: float, assumed: Assumed) -> int | None:
    """The fewest runs of every cell that see `effect`; None where they are more than `MOST`."""

    def enough(n: int) -> bool:
        return power(effect, *error(question, n, assumed), assumed.alpha) >= assumed.power

    return _fewest(enough)


def negligible(question: Question, n: int, assumed: Assumed) -> float | None:
    """The chance that an effect of 0 is shown to lie within the margin.

    None without a margin or without replicates.
    """
    se, df = error(question, n, assumed)
    return equivalence(assumed.margin, se, df, assumed.alpha) if assumed.margin and df else None


def seeds_for_negligible(question: Question, assumed: Assumed) -> int | None:
    """The fewest runs of every cell that show 0 to be within the margin; as in `seeds_for`."""

    def enough(n: int) -> bool:
        return (negligible(question, n, assumed) or 0) >= assumed.power

    return _fewest(enough) if assumed.margin else None


def _fewest(enough: Callable[[int], bool]) -> int | None:
    low, high = PAIR - 1, PAIR
    while not enough(high):
        if high >= MOST:
            return None
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def equivalence(
    margin: float, se: float, df: float, alpha: float = 0.05, effect: float = 0.0
) -> float:
    """The chance that two one-sided t tests at `alpha` place `effect` within +-`margin`.

    With u^2 = s^2 / sigma^2, a chi-square over its df, and t the one-sided quantile, both reject
    where |estimate| < margin - t se u; so it is the integral over u of
    Phi((margin - effect) / se - t u) - Phi(t u - (margin + effect) / se) times the density of u,
    from 0 to margin / (t se), here by Gauss and Legendre. Phillips (1990), Journal of
    Pharmacokinetics and Biopharmaceutics 18; it equals the difference of two of Owen's Q functions.
    """
    t = float(special.stdtrit(df, 1 - alpha))
    low, high = (math.sqrt(float(special.chdtri(df, p)) / df) for p in (1 - TAIL, TAIL))
    if t > 0:
        high = min(high, margin / (t * se))
    if high <= low:
        return 0.0
    nodes, weights = _gauss()
    u = low + (high - low) * (nodes + 1) / 2
    log_density = (
        math.log(2)
        + df / 2 * math.log(df / 2)
        - float(special.gammaln(df / 2))
        + (df - 1) * np.log(u)
        - df * u**2 / 2
    )
    inside = special.ndtr((margin - effect) / se - t * u) - special.ndtr(
        t * u - (margin + effect) / se
    )
    return float((weights * inside * np.exp(log_density)).sum() * (high - low) / 2)


@lru_cache(maxsize=1)
def _gauss() -> tuple[Array, Array]:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return nodes, weights


def of_grid(modules: tuple[str, ...], corners: Sequence[Corner]) -> list[Question]:
    """What an on/off grid can answer.

    A whole one answers every question for all its modules alike, so that one stands for them; of
    two questions that are the same contrast only the first is listed.
    """
    grid = Grid(modules, dict.fromkeys(corners, ((0, 0.0),)))
    found: list[Question] = []
    asked: list[object] = []
    for asks, terms in _whole(grid) if grid.complete else _partial(grid):
        first = next(terms, None)
        if first is None or first.weights in asked:
            continue
        asked.append(first.weights)
        about = dict.fromkeys([first.modules, *(t.modules for t in terms)])
        if grid.complete or len(about) == math.comb(len(modules), len(first.modules)):
            about = {}
        found.append(_question(asks, list(first.weights.values()), len(corners), tuple(about)))
    return found


def _question(
    asks: Asks, weights: Sequence[float], cells: int, about: tuple[tuple[str, ...], ...] = ()
) -> Question:
    return Question(asks, sum(w**2 for w in weights), sum(w**4 for w in weights), cells, about)


def _whole(grid: Grid) -> Iterator[tuple[Asks, Iterator[Term]]]:
    modules = grid.modules
    yield "alone" if len(modules) == 1 else "main", (main(m, grid) for m in modules[:1])
    yield "shapley", (shapley(m, grid) for m in modules[:1])
    if len(modules) >= PAIR:
        yield "averaged", iter([averaged(modules[:PAIR], grid)])
    yield "alone", iter([alone(modules[0])])
    yield "last", iter([last(modules[0], modules)])
    if len(modules) >= PAIR:
        yield "off", iter([others_off(modules[:PAIR])])
        yield "on", iter([others_on(modules[:PAIR], modules)])
    if len(modules) >= TRIPLE:
        yield "moebius", iter([moebius(modules[:TRIPLE])])


def _partial(grid: Grid) -> Iterator[tuple[Asks, Iterator[Term]]]:
    """The terms whose cells are there; a context is one that is neither alone nor last."""
    modules, there, full = grid.modules, set(grid.present), frozenset(grid.modules)
    on = [tuple(m for m in modules if m in c) for c in grid.present]
    off = [tuple(m for m in modules if m not in c) for c in grid.present]
    contexts = (
        context(m, corner - {m})
        for corner in grid.present
        for m in modules
        if m in corner and corner not in {frozenset({m}), full}
    )
    terms: list[tuple[Asks, Iterable[Term]]] = [
        ("alone", map(alone, modules)),
        ("last", (last(m, modules) for m in modules)),
        ("context", contexts),
        ("off", (others_off(of) for of in on if len(of) == PAIR)),
        ("on", (others_on(of, modules) for of in off if len(of) == PAIR)),
        ("moebius", (moebius(of) for of in on if len(of) == TRIPLE)),
    ]
    for asks, of in terms:
        yield asks, (t for t in of if t.weights.keys() <= there)


def of_sweep(factor: str, levels: Sequence[Level], cells: int) -> list[Question]:
    """What a sweep over `levels`, the default among them, can answer in a study of `cells` cells.

    A level against the default; and the line through all, where they are three numbers or more:
    its rise from the lowest to the highest. One variance is that of all cells of the study.
    """
    found = [_question("level", (1, -1), cells, ((factor,),))]
    numbers = [x for x in levels if isinstance(x, int | float) and not isinstance(x, bool)]
    if len(numbers) == len(levels) and len(set(numbers)) >= TREND:
        x = positions(numbers, scale_of(numbers))
        rise = [float(w) for w in slope(x) * np.ptp(x)]
        found.append(_question("linear", rise, cells, ((factor,),)))
    return found


def of_arm(name: str) -> Question:
    """What an arm can answer: itself against its parent."""
    return _question("arm", (1, -1), PAIR, ((name,),))


TWO = _question("difference", (1, -1), PAIR)
"""Two configurations that nothing but the reader brings together."""
