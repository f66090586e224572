"""The questions to an on/off grid, as weights of its cells: effects of modules and interactions.

A corner is the set of modules that are on. Every term is a contrast sum w(corner) y(corner).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, combinations, islice
from math import comb
from typing import Literal, TypeAlias

import numpy as np

from ablate.analysis.cells import Cell
from ablate.analysis.contrast import (
    Array,
    Effect,
    Noise,
    Rules,
    Sample,
    contrasts,
    means,
    noise,
    twins,
)
from ablate.study import Level

Corner: TypeAlias = frozenset[str]
"""The modules that are on."""
Kind: TypeAlias = Literal[
    "alone", "last", "context", "main", "shapley", "averaged", "off", "on", "moebius", "departure"
]
BASE: Corner = frozenset()
NAMED = 12
"""So many missing cells are named."""


@dataclass(frozen=True, slots=True)
class Term:
    """One question: its kind, the modules it is about, and the weight of each corner it uses.

    `others` are the modules that stay on in it, where it is of one background.
    """

    kind: Kind
    modules: tuple[str, ...]
    weights: Mapping[Corner, float]
    others: Corner = BASE


@dataclass(frozen=True, slots=True)
class Answer:
    """A term with its estimate; None where cells are missing, `count` in all, some named.

    `inert` are modules of the term that are not in the output of a cell that it uses: the estimate
    is then the difference of runs of one function, and has no interval.
    """

    term: Term
    effect: Effect | None
    missing: tuple[Corner, ...] = ()
    count: int = 0
    inert: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grid:
    """The runs of one metric by corner.

    `inert` tells by corner which of its modules are known not to be in the output: such a corner
    is the same function as the one without them, and its runs are replicates of that one's.
    """

    modules: tuple[str, ...]
    samples: Mapping[Corner, Sample]
    inert: Mapping[Corner, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def every(self) -> tuple[Corner, ...]:
        """All combinations of the modules, small ones first; there are 2^k."""
        return tuple(subsets(self.modules))

    @cached_property
    def present(self) -> tuple[Corner, ...]:
        """The corners that have a finite run."""
        return tuple(c for c, sample in self.samples.items() if sample)

    @property
    def complete(self) -> bool:
        """Whether every combination of the modules has a finite run."""
        return len(self.present) == 1 << len(self.modules)

    def missing(self, corners: Iterable[Corner]) -> Iterator[Corner]:
        """Those of `corners` that have no finite run."""
        return (c for c in corners if not self.samples.get(c))

    def function(self, corner: Corner) -> Corner:
        """The corner of the same function that has no inert module."""
        return corner - self.inert.get(corner, BASE)

    def noise(self, level: float = 0.95) -> Noise | None:
        """The standard deviation of one run, pooled over all functions."""
        return noise([self.samples[c] for c in self.present], level, self._groups)

    @property
    def replicated(self) -> int:
        """How many cells' runs the noise is pooled over: those of functions of two runs or more."""
        return sum(len(of) for of in self._by_function().values() if sum(map(len, of)) > 1)

    def distinct(self) -> list[Sample]:
        """The runs of every cell that is not the twin of an earlier one of its function."""
        return [s for of in self._by_function().values() for s in of]

    def _by_function(self) -> dict[Corner, list[Sample]]:
        """The runs of the distinct cells of every function."""
        kept: dict[Corner, list[Sample]] = {}
        for corner, group in zip(self.present, self._groups, strict=True):
            of = kept.setdefault(group, [])
            if not any(twins(other, self.samples[corner]) for other in of):
                of.append(self.samples[corner])
        return kept

    def means(self, rules: Rules) -> dict[Corner, Effect]:
        """The mean of every corner that has a run, with its interval; never blocked."""
        found = means([self.samples[c] for c in self.present], rules, self._groups)
        return dict(zip(self.present, found, strict=True))

    def answers(
        self, terms: Sequence[Term], rules: Rules, rows: Array | None = None
    ) -> list[Answer]:
        """The estimate of every term whose cells are there; of the others, the missing cells.

        `rows` are those of `terms`, where they have been made for a grid of the same cells.
        """
        made = self.rows(terms) if rows is None else rows
        asked = np.flatnonzero(made.any(1)).tolist()
        samples = [self.samples[c] for c in self.present]
        found = dict(zip(asked, contrasts(made[asked], samples, rules, self._groups), strict=True))
        return [self._answer(term, found.get(i)) for i, term in enumerate(terms)]

    def rows(self, terms: Sequence[Term]) -> Array:
        """The weights of terms, (terms, present corners); zero where a cell is missing."""
        place = {corner: i for i, corner in enumerate(self.present)}
        made = np.zeros((len(terms), len(place)))
        for row, term in zip(made, terms, strict=True):
            at = [place.get(c, -1) for c in term.weights]
            if -1 not in at:
                row[at] = list(term.weights.values())
        return made

    @cached_property
    def _groups(self) -> list[Corner]:
        """The function of every present corner."""
        return [self.function(c) for c in self.present]

    def _answer(self, term: Term, effect: Effect | None) -> Answer:
        if not term.weights:
            every = self.missing(subsets(self.modules))
            count = (1 << len(self.modules)) - len(self.present)
            return Answer(term, None, tuple(islice(every, NAMED)), count)
        missing = () if effect else tuple(self.missing(term.weights))
        if missing:
            return Answer(term, None, missing[:NAMED], len(missing))
        inert: tuple[str, ...] = ()
        if self.inert:
            on = frozenset().union(*(self.inert.get(c, BASE) for c in term.weights))
            inert = tuple(m for m in term.modules if m in on)
        if inert and effect:
            effect = Effect(effect.estimate, effect.runs)
        return Answer(term, effect, inert=inert)


def corners(
    cells: Sequence[Cell],
    on: Mapping[str, Level],
    levels: Callable[[Corner], Mapping[str, Level]] | None = None,
) -> dict[Corner, Cell]:
    """The grid's cells by the modules that are on in them; `on` has the level that counts as that.

    Where an axis repeats the grid at other levels, its first repetition: designs list it whole
    before the next. With `levels`, those that a corner has, an arm of just these levels stands for
    a corner that the grid's design leaves out.
    """
    found: dict[Corner, Cell] = {}
    for cell in cells:
        if cell.role == "grid":
            corner = frozenset(m for m, level in on.items() if cell.levels.get(m) == level)
            found.setdefault(corner, cell)
    if levels is None:
        return found
    for cell in cells:
        corner = frozenset(m for m, level in on.items() if cell.levels.get(m) == level)
        if cell.role == "arm" and corner not in found and dict(cell.levels) == levels(corner):
            found[corner] = cell
    return found


def subsets(modules: Sequence[str], least: int = 0, most: int | None = None) -> Iterator[Corner]:
    """The sets of `least` to `most` modules, small ones first, in the modules' order."""
    sizes = range(least, (len(modules) if most is None else most) + 1)
    return (frozenset(c) for size in sizes for c in combinations(modules, size))


def alone(module: str) -> Term:
    """Add-one-in: the module by itself minus the baseline."""
    return Term("alone", (module,), {frozenset({module}): 1.0, BASE: -1.0})


def last(module: str, modules: Sequence[str]) -> Term:
    """Leave-one-out: all modules minus all but this one."""
    full = frozenset(modules)
    return Term("last", (module,), {full: 1.0, full - {module}: -1.0}, full - {module})


def context(module: str, others: Corner) -> Term:
    """The module's effect at one setting of the others: a matched pair."""
    return Term("context", (module,), {others | {module}: 1.0, others: -1.0}, others)


def main(module: str, grid: Grid) -> Term:
    """Mean with the module on minus mean with it off, over all settings of the others."""
    weight = 2.0 / 2 ** len(grid.modules)
    return Term("main", (module,), _whole(grid, lambda c: weight if module in c else -weight))


def shapley(module: str, grid: Grid) -> Term:
    """The Shapley value: sum over S without the module of s!(k-s-1)!/k! (y(S+module) - y(S)).

    Over all modules they add up to full minus baseline. Shapley (1953).
    """
    k = len(grid.modules)

    def weight(corner: Corner) -> float:
        before = len(corner - {module})
        share = 1 / (k * comb(k - 1, before))
        return share if module in corner else -share

    return Term("shapley", (module,), _whole(grid, weight))


def averaged(modules: Sequence[str], grid: Grid) -> Term:
    """The factorial-averaged interaction: the modules' difference of differences, averaged.

    Its weight is prod(x_i) / 2^(k - m) with x = +1 on and -1 off, over all settings of the others;
    for three modules in all the one of a pair is also the pairwise Shapley interaction index.
    """
    of, share = frozenset(modules), 1 / 2 ** (len(grid.modules) - len(modules))
    weights = _whole(grid, lambda c: share * (-1) ** len(of - c))
    return Term("averaged", tuple(modules), weights)


def _whole(grid: Grid, weight: Callable[[Corner], float]) -> dict[Corner, float]:
    """A weight for every corner; none where the grid is incomplete: the average would differ."""
    return {c: weight(c) for c in grid.every} if grid.complete else {}


def others_off(modules: Sequence[str]) -> Term:
    """The Moebius term: sum over U in T of (-1)^(|T|-|U|) y(U), with all other modules off."""
    return Term("off", tuple(modules), _differences(modules, BASE))


def moebius(modules: Sequence[str]) -> Term:
    """The k-way term by itself: what T adds to all that its subsets explain."""
    return Term("moebius", tuple(modules), _differences(modules, BASE))


def others_on(modules: Sequence[str], every: Sequence[str]) -> Term:
    """The difference of differences with all other modules on."""
    others = frozenset(every) - set(modules)
    return Term("on", tuple(modules), _differences(modules, others), others)


def _differences(modules: Sequence[str], others: Corner) -> dict[Corner, float]:
    return {others | c: float((-1) ** (len(modules) - len(c))) for c in subsets(modules)}


def departure(modules: Sequence[str]) -> Term:
    """y(T) minus what its modules alone add to the baseline: the sum of T's interactions."""
    weights = {frozenset(modules): 1.0, **{frozenset({m}): -1.0 for m in modules}}
    return Term("departure", tuple(modules), {**weights, BASE: len(modules) - 1.0})


def parts(modules: Sequence[str]) -> list[Term]:
    """The Moebius terms of two modules and more whose sum is the departure of `modules`."""
    ordered = chain.from_iterable(
        combinations(modules, size) for size in range(2, len(modules) + 1)
    )
    return [moebius(of) for of in ordered]
