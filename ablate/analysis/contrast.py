"""Contrasts of cell means with their t intervals: the one engine behind every printed interval.

The unit of replication is one training run. `welch`, `pooled` and `blocked` take leading axes, so
that a simulation goes through the same lines as a report.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import frexp
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array: TypeAlias = NDArray[np.float64]
Sample: TypeAlias = Sequence[tuple[int, float]]
"""One cell's runs of one metric: (seed, finite score)."""
Method: TypeAlias = Literal["welch", "pooled", "blocked", "none"]

PAIR = 2
"""Runs that a spread needs."""
WELCH = 3
"""Runs of every used cell from which Welch's interval keeps its error rate."""
ROUNDING = 1e-12
"""Standard errors of a smaller share of the values are those of floating point, not of runs."""
LARGE = 1e50


@dataclass(frozen=True, slots=True)
class Rules:
    """How intervals and verdicts are made; `margin` is in stored units, None gives no TOST.

    `paired` blocks by seed, which only the study may declare; `pool` takes one variance for all
    cells even where Welch could be used.
    """

    alpha: float = 0.05
    margin: float | None = None
    paired: bool = False
    pool: bool = False


DEFAULT = Rules()


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval in stored units."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """High minus low."""
        return self.high - self.low

    @property
    def excludes_zero(self) -> bool:
        """Whether both ends lie on one side of zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Effect:
    """An estimated contrast over `runs` runs; without replicates it has no interval.

    `p` is two-sided, of one contrast by itself.
    """

    estimate: float
    runs: int
    method: Method = "none"
    se: float | None = None
    df: float | None = None
    interval: Interval | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True)
class Noise:
    """The standard deviation of one run, pooled over replicated cells: `df` degrees of freedom."""

    sd: float
    df: int
    interval: Interval

    def least_difference(self, a: int, b: int, alpha: float = 0.05) -> float:
        """Two cells' least significant difference at `a` and `b` runs: t s sqrt(1/a + 1/b)."""
        return float(quantile(self.df, alpha) * self.sd * (1 / a + 1 / b) ** 0.5)


def quantile(df: float, alpha: float) -> float:
    """The two-sided t quantile: a share `alpha` lies beyond it, on either side half of that."""
    return -float(special.stdtrit(df, alpha / 2))


def p_value(t: Array, df: Array) -> Array:
    """Two-sided p values of t statistics."""
    return np.asarray(2 * special.stdtr(df, -np.abs(t)))


def welch(load: Array, variances: Array, free: Array) -> tuple[Array, Array]:
    """Standard errors and Welch-Satterthwaite degrees of freedom of contrasts.

    `load` is (terms, cells), w_c^2 / n_c; `variances` is (..., cells), those of one run; `free` is
    (cells,), n_c - 1. Both results are (..., terms): with v_c = load_c s_c^2, se^2 = sum v_c and
    df = se^4 / sum(v_c^2 / (n_c - 1)). A cell of one run must have load 0. Where nothing varies,
    se and df are 0. Welch (1947), Biometrika 34; Satterthwaite (1946), Biometrics Bulletin 2.
    """
    square = variances @ load.T
    parts = (variances**2 / np.maximum(free, 1)) @ (load**2).T
    df = np.divide(square**2, parts, out=np.zeros_like(square), where=parts > 0)
    return np.sqrt(square), df


def pooled(load: Array, variances: Array, free: Array) -> tuple[Array, Array]:
    """Standard errors of contrasts by one variance, that of every cell with two runs or more.

    Shapes as in `welch`; se^2 = s_p^2 sum load_c, df = sum(n_c - 1).
    """
    df = float(free.sum())
    common = (variances * free).sum(-1) / df
    se = np.sqrt(common[..., None] * load.sum(-1))
    return se, np.full_like(se, df)


def blocked(per_seed: Array, there: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """Estimate, standard error and df (n - 1) of contrasts formed within each seed.

    `per_seed` is (..., terms, seeds), the contrast of each seed; `there` is (terms, seeds), true
    where every used cell has that seed.
    """
    n = there.sum(-1)
    few = np.maximum(n, 1)
    estimate = np.where(there, per_seed, 0).sum(-1) / few
    squares = np.where(there, per_seed - estimate[..., None], 0) ** 2
    df = np.maximum(n - 1, 1)
    se = np.sqrt(squares.sum(-1) / df / few)
    return estimate, se, np.broadcast_to(np.asarray(n - 1, dtype=float), se.shape)


def contrasts(
    weights: Sequence[Sequence[float]] | Array,
    samples: Sequence[Sample],
    rules: Rules = DEFAULT,
    groups: Sequence[Hashable] | None = None,
) -> list[Effect]:
    """The weighted sums of cell means, sum w_c mean_c, one per row of `weights` (terms, cells).

    Each term by the first of these that it allows: blocked where the rules say paired and all its
    cells share two seeds; Welch where all its cells have three runs (and the rules do not pool);
    pooled over every replicated cell of `samples`, used by the term or not, where there is one; no
    interval otherwise, nor where nothing varies. Cells of one group, by default each its own, are
    the same function: their runs are replicates, of one mean and one variance, and those of
    `twins` are one run. Raises ValueError when a used cell is empty.
    """
    if not len(weights):
        return []
    w = np.asarray(weights, dtype=float)
    used = w != 0
    runs = np.array([len(s) for s in samples], dtype=float)
    if not used.any(1).all() or (used & (runs == 0)).any():
        raise ValueError("a contrast needs at least one run in every cell it uses")
    largest = np.array([max(map(abs, [v for _, v in s]), default=0.0) for s in samples])
    unit = _unit(float(largest.max()))
    if unit != 1:
        samples = [[(seed, v / unit) for seed, v in s] for s in samples]
    pieces = _pieces(samples, groups)
    estimate = w @ np.array([_mean(s) for s in samples])
    touched = (pieces.of(used.astype(float)) > 0).astype(float)
    counts = touched @ np.array([len(r) for r in pieces.runs])
    method, se, df = _errors(pieces.of(w / np.maximum(runs, 1)), pieces, rules)
    if rules.paired:
        per_seed, there, count, column = _by_seed(w, samples)
        tally = count if pieces.inside is None else _table(pieces.runs, column)[1]
        own, found = ((touched @ tally) * there).sum(1), blocked(per_seed, there)
        for i in map(int, np.flatnonzero(there.sum(1) >= PAIR)):
            method[i], counts[i] = "blocked", own[i]
            estimate[i], se[i], df[i] = (of[i] for of in found)
    se[se * unit <= ROUNDING * (np.abs(w) @ largest)] = 0
    return _effects(estimate * unit, counts, method, se * unit, df, rules)


def _unit(largest: float) -> float:
    """A power of two that very large and very small values are divided by: squares overflow."""
    return 1.0 if 1 / LARGE < largest < LARGE or not largest else 2.0 ** (frexp(largest)[1] - 1)


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The distinct runs, by the cells that have them.

    `inside` is (cells, pieces), 1 where the cell has the piece's runs; None where each cell is one
    piece. `groups` is the group of each piece.
    """

    runs: Sequence[Sample]
    groups: NDArray[np.intp]
    inside: Array | None = None

    def of(self, by_cell: Array) -> Array:
        """(terms, cells) summed to (terms, pieces)."""
        return by_cell if self.inside is None else by_cell @ self.inside


def _pieces(samples: Sequence[Sample], groups: Sequence[Hashable] | None) -> _Pieces:
    """The distinct runs of cells of these functions; None: each its own."""
    if groups is None or len(set(groups)) == len(groups):
        return _Pieces(samples, np.arange(len(samples)))
    places: dict[Hashable, int] = {}
    group = [places.setdefault(g, len(places)) for g in groups]
    held = _held(samples, group)
    found: dict[tuple[int, ...], list[tuple[int, float]]] = {}
    for i, sample in enumerate(samples):
        for seed, value in sample:
            if held[i][seed][0] == i:
                found.setdefault(tuple(held[i][seed]), []).append((seed, value))
    inside = np.zeros((len(samples), len(found)))
    for column, cells in enumerate(found):
        inside[list(cells), column] = 1
    return _Pieces(
        list(found.values()), np.array([group[cells[0]] for cells in found], dtype=np.intp), inside
    )


def _held(samples: Sequence[Sample], group: Sequence[int]) -> list[dict[int, list[int]]]:
    """Of each cell, seed -> the cells whose run it is: itself, and its twins of one group."""
    held: list[dict[int, list[int]]] = [{seed: [i] for seed, _ in s} for i, s in enumerate(samples)]
    before: dict[int, list[int]] = {}
    for i, sample in enumerate(samples):
        others = before.setdefault(group[i], [])
        for j in (j for j in others if twins(samples[j], sample)):
            for seed in held[i].keys() & held[j].keys():
                if held[i][seed][0] == i:
                    held[j][seed].append(i)
                    held[i][seed] = held[j][seed]
        others.append(i)
    return held


def twins(a: Sample, b: Sample) -> bool:
    """Whether runs of one seed agree to the last digit wherever two cells share a seed.

    In cells of one function that is what shared random streams make: the same training, done twice.
    """
    own = dict(a)
    shared = [(own[seed], value) for seed, value in b if seed in own]
    return bool(shared) and all(x == y for x, y in shared)


def _errors(share: Array, pieces: _Pieces, rules: Rules) -> tuple[list[Method], Array, Array]:
    """Each term's method, standard error and degrees of freedom, unpaired.

    `share` is (terms, pieces), the weight of one run of the piece.
    """
    count = np.array([len(r) for r in pieces.runs])
    variances, free = _variances(pieces.runs, pieces.groups)
    load = share**2 * count
    if len(free) < len(count):
        apart, load = load, np.zeros((len(share), len(free)))
        np.add.at(load.T, pieces.groups, apart.T)
    if not free.any():
        return ["none"] * len(share), np.zeros(len(share)), np.zeros(len(share))
    se, df = pooled(load, variances, free)
    method: list[Method] = ["pooled"] * len(share)
    fewest = np.where(load > ROUNDING**2 * load.max(1, keepdims=True), free + 1, np.inf).min(1)
    if not rules.pool:
        found = welch(load, variances, free)
        for i in map(int, np.flatnonzero(fewest >= WELCH)):
            method[i], se[i], df[i] = "welch", found[0][i], found[1][i]
    return method, se, df


def _mean(sample: Sample) -> float:
    return sum(v for _, v in sample) / len(sample) if sample else 0.0


def _by_seed(
    w: Array, samples: Sequence[Sample]
) -> tuple[Array, NDArray[np.bool_], Array, dict[int, int]]:
    """Each term's contrast within each seed, whether the seed has all its cells, and the runs.

    Those are (cells, seeds), with the column of each seed.
    """
    seeds = sorted({seed for s in samples for seed, _ in s})
    column = {seed: i for i, seed in enumerate(seeds)}
    total, count = _table(samples, column)
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    there = ((w != 0).astype(float) @ (count == 0).astype(float)) == 0
    return w @ mean, there, count, column


def means(samples: Sequence[Sample], rules: Rules, groups: Sequence[Hashable]) -> list[Effect]:
    """The mean of every cell with its unpaired interval: `contrasts` of one cell each.

    Where no two cells are one function, no matrix of all cells by all is made.
    """
    if not samples:
        return []
    largest = np.array([max(map(abs, [v for _, v in s]), default=0.0) for s in samples])
    if len(set(groups)) < len(groups) or _unit(float(largest.max())) != 1:
        return contrasts(np.eye(len(samples)), samples, replace(rules, paired=False), groups)
    n = np.array([len(s) for s in samples], dtype=float)
    variances, free = _variances(samples, np.arange(len(samples)))
    total = float(free.sum())
    own = (n >= WELCH) & (not rules.pool)
    common = float(variances @ free) / max(total, 1)
    se = np.sqrt(np.where(own, variances, common) / n)
    se[se <= ROUNDING * largest] = 0
    method: list[Method] = ["welch" if w else "pooled" for w in own.tolist()]
    df = np.where(own, free, total)
    return _effects(np.array([_mean(s) for s in samples]), n, method, se, df, rules)


def _variances(samples: Sequence[Sample], groups: NDArray[np.intp]) -> tuple[Array, Array]:
    """The variance of one run and its degrees of freedom (0: of no use), by group."""
    count = np.array([len(s) for s in samples])
    size = int(groups.max()) + 1
    values = np.array([v for s in samples for _, v in s])
    own = np.repeat(groups, count)
    first = np.zeros(size)
    first[own[::-1]] = values[::-1]
    values -= first[own]  # runs that are equal then have a variance of exactly zero
    runs = np.bincount(own, minlength=size).astype(float)
    centre = np.bincount(own, values, size) / np.maximum(runs, 1)
    squares = np.bincount(own, (values - centre[own]) ** 2, size)
    free = np.maximum(runs - 1, 0)
    return squares / np.maximum(free, 1), free


def _table(samples: Sequence[Sample], column: Mapping[int, int]) -> tuple[Array, Array]:
    """The sums and counts of runs, (samples, seeds)."""
    size = (len(samples), len(column))
    at = [i * size[1] + column[seed] for i, sample in enumerate(samples) for seed, _ in sample]
    values = [value for sample in samples for _, value in sample]
    flat = [np.bincount(at, weights, size[0] * size[1]) for weights in (values, None)]
    total, count = (np.asarray(of, dtype=float).reshape(size) for of in flat)
    return total, count


def _effects(  # noqa: PLR0913, PLR0917 - one per field
    estimate: Array, runs: Array, method: Sequence[Method], se: Array, df: Array, rules: Rules
) -> list[Effect]:
    known = (se > 0) & (df > 0)
    free = np.where(known, df, 1)
    half = -special.stdtrit(free, rules.alpha / 2) * se
    p = p_value(np.divide(estimate, se, out=np.zeros_like(se), where=known), free)
    return [
        Effect(e, n, how, s, d, Interval(e - h, e + h), own)
        if told and how != "none"
        else Effect(e, n)
        for e, n, how, s, d, h, own, told in zip(
            estimate.tolist(),
            runs.astype(int).tolist(),
            method,
            se.tolist(),
            df.tolist(),
            half.tolist(),
            p.tolist(),
            known.tolist(),
            strict=True,
        )
    ]


def difference(a: Sample, b: Sample, rules: Rules = DEFAULT) -> Effect | None:
    """Mean of `b` minus mean of `a`; None where either has no finite run."""
    return contrasts([[-1.0, 1.0]], [a, b], rules)[0] if a and b else None


def noise(
    samples: Sequence[Sample], level: float = 0.95, groups: Sequence[Hashable] | None = None
) -> Noise | None:
    """The pooled standard deviation of one run with its chi-square interval.

    Cells of one group are the same function, as in `contrasts`. None where no group has two runs
    or where no run differs from another of its group.
    """
    pieces = _pieces(samples, groups)
    if not any(pieces.runs):
        return None
    unit = _unit(max(abs(v) for s in pieces.runs for _, v in s))
    scaled = pieces.runs
    if unit != 1:
        scaled = [[(seed, v / unit) for seed, v in s] for s in pieces.runs]
    variances, free = _variances(scaled, pieces.groups)
    df, squares = int(free.sum()), float(variances @ free)
    used = (free[pieces.groups] > 0).tolist()
    told = [s for s, is_used in zip(scaled, used, strict=True) if is_used]
    largest = max((abs(v) for s in told for _, v in s), default=0.0)
    if not df or squares <= (largest * ROUNDING) ** 2:
        return None
    tail = (1 - level) / 2
    low, high = (squares / float(special.chdtri(df, p)) for p in (tail, 1 - tail))
    return Noise(unit * (squares / df) ** 0.5, df, Interval(unit * low**0.5, unit * high**0.5))
