"""Every question that a report asks of a grid, and the matched pairs of each module."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from ablate.analysis.contrast import Array, Effect
from ablate.analysis.effects import (
    Answer,
    Corner,
    Grid,
    Term,
    alone,
    averaged,
    context,
    departure,
    last,
    main,
    moebius,
    others_off,
    others_on,
    shapley,
    subsets,
)

ORDERS = 3
"""Terms of so many modules have intervals of their own; more are summed by their order."""
CONTEXTS = 256
"""Grids of so many matched pairs (six modules: 192) have all in the document, others the ends."""
ZERO = 1e-12
"""Below this an effect has no sign: what is left of equal scores."""
FAMILIES = ("main", "shapley", "alone", "last", "averaged", "off", "on", "higher", "whole")

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """Every question to one grid, by where it stands in the document.

    `partners` are each module's matched pairs: a corner without it and the one with it; `rows` the
    weights of `terms`, which all metrics of which the same cells have runs share.
    """

    modules: tuple[str, ...]
    main: list[Term]
    shapley: list[Term]
    alone: list[Term]
    last: list[Term]
    averaged: list[Term]
    off: list[Term]
    on: list[Term]
    higher: list[Term]
    whole: list[Term]
    partners: list[list[tuple[Corner, Corner]]]
    rows: Array

    @classmethod
    def of(cls, grid: Grid) -> "Asked":
        """The questions to a grid; those to all of it have no weights where it is incomplete."""
        modules, there = grid.modules, set(grid.present)
        pairs = list(combinations(modules, 2))
        terms = {
            "main": [main(m, grid) for m in modules],
            "shapley": [shapley(m, grid) for m in modules],
            "alone": [alone(m) for m in modules],
            "last": [last(m, modules) for m in modules],
            "averaged": [averaged(p, grid) for p in pairs],
            "off": [others_off(p) for p in pairs],
            "on": [others_on(p, modules) for p in pairs],
            "higher": [
                moebius(of)
                for size in range(3, min(ORDERS, len(modules)) + 1)
                for of in combinations(modules, size)
                if there.issuperset(subsets(of))
            ],
            "whole": [departure(modules)] if pairs else [],
        }
        return cls(
            modules=modules,
            rows=grid.rows([t for name in FAMILIES for t in terms[name]]),
            **terms,
            partners=[
                [(c, c | {m}) for c in grid.present if m not in c and c | {m} in there]
                for m in modules
            ],
        )

    def terms(self) -> list[Term]:
        """All questions in the order of `FAMILIES`."""
        return [term for name in FAMILIES for term in getattr(self, name)]

    def judged_rows(self) -> Array:
        """The rows of the main effects and of the averaged interactions."""
        sizes = [len(getattr(self, name)) for name in FAMILIES]
        start = sum(sizes[: FAMILIES.index("averaged")])
        pairs = self.rows[start : start + len(self.averaged)]
        return np.vstack([self.rows[: len(self.main)], pairs])

    def cut(self, answers: Sequence[Answer]) -> dict[str, list[Answer]]:
        """The answers to `terms`, by family."""
        left = iter(answers)
        return {name: [next(left) for _ in getattr(self, name)] for name in FAMILIES}


@dataclass(frozen=True, slots=True)
class Contexts:
    """Every module's matched pairs on one metric, in the grid's order and from worst to best.

    Those of one function, where the module is inert, are not ranked: their order is noise.
    """

    modules: tuple[str, ...]
    pairs: list[dict[Corner, float]]
    ranked: list[list[tuple[Corner, float]]]

    @classmethod
    def of(
        cls,
        asked: Asked,
        mean: Mapping[Corner, float],
        sign: int,
        inert: Mapping[Corner, frozenset[str]],
    ) -> "Contexts":
        """The differences of the pairs; `sign` is -1 where lower is better."""
        pairs = [{off: mean[on] - mean[off] for off, on in of} for of in asked.partners]
        ranked = [
            sorted(
                (
                    (off, sign * v)
                    for off, v in of.items()
                    if not inert or module not in inert.get(off | {module}, ())
                ),
                key=lambda pair: pair[1],
            )
            for module, of in zip(asked.modules, pairs, strict=True)
        ]
        return cls(asked.modules, pairs, ranked)

    @property
    def complete(self) -> bool:
        """Whether all pairs are listed, and not the ends alone."""
        return sum(map(len, self.pairs)) <= CONTEXTS

    def _listed(self) -> list[list[Corner]]:
        if self.complete:
            return [list(of) for of in self.pairs]
        return [[c for c, _ in (*of[:1], *of[1:][-1:])] for of in self.ranked]

    def terms(self) -> list[Term]:
        """The questions to the listed pairs."""
        listed = zip(self.modules, self._listed(), strict=True)
        return [context(m, c) for m, of in listed for c in of]

    def told(self, answers: Sequence[Document]) -> list[Document]:
        """Each module's pairs: how many, on which side, and the answers to those listed."""
        left = iter(answers)
        return [
            {
                "pairs": len(pairs),
                "inert": len(pairs) - len(ranked),
                "possible": 1 << (len(self.modules) - 1),
                "better": sum(v > ZERO for _, v in ranked),
                "worse": sum(v < -ZERO for _, v in ranked),
                "worst": pairs[ranked[0][0]] if ranked else None,
                "best": pairs[ranked[-1][0]] if ranked else None,
                "complete": self.complete,
                "listed": [next(left) for _ in listed],
            }
            for pairs, ranked, listed in zip(self.pairs, self.ranked, self._listed(), strict=True)
        ]


def by_order(
    modules: Sequence[str], means: Mapping[Corner, Effect]
) -> dict[int, dict[Corner, float]]:
    """The Moebius terms of two modules and more of a complete grid, by how many they are of."""
    value = {corner: means[corner].estimate for corner in subsets(modules)}
    for module in modules:
        value = {c: v - value[c - {module}] if module in c else v for c, v in value.items()}
    found: dict[int, dict[Corner, float]] = {}
    for corner, v in value.items():
        if len(corner) > 1:
            found.setdefault(len(corner), {})[corner] = v
    return found
