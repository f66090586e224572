"""Every contrast of one metric over a study's sweeps, each with its verdict in its family."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from ablate.analysis.cells import Cell
from ablate.analysis.contrast import PAIR, ROUNDING, Array, Effect, Rules, contrasts, noise
from ablate.analysis.sensitivity import TREND, curvature, positions, scale_of, slope, twist
from ablate.analysis.verdict import Judgement, judge, rules_of
from ablate.metric import Metric
from ablate.report.contributions import effect_document
from ablate.report.sweeps import Crossed, Swept
from ablate.study import Level, Study

Weights: TypeAlias = Mapping[str, float]
"""A contrast: the weight of each variant that it uses."""


def numbers(levels: Sequence[Level]) -> list[float] | None:
    """The levels as numbers; None where one is a switch or a text, which has no trend."""
    found = [float(v) for v in levels if not isinstance(v, str | bool)]
    return found if len(found) == len(levels) else None


class Trends:
    """The means, differences, trends and interactions of one metric.

    Families of verdicts, by Holm: the differences of one sweep from its default; all straight
    lines; all curvatures; all interactions of two factors. A contrast of single runs only is in no
    family. The study's margin is one of differences: a slope is never negligible, as it depends on
    the unit of its factor.
    """

    def __init__(
        self,
        study: Study,
        metric: Metric,
        found: Sequence[Cell],
        swept: Sequence[Swept],
        tables: Sequence[Crossed],
    ) -> None:
        self.metric = metric
        self.sign = 1 if metric.direction == "up" else -1
        self._rules = rules_of(study.claims, metric)
        self._runs = {c.variant: c.runs(metric.name) for c in found}
        self._noise = noise(list(self._runs.values()))
        own = {c.variant: None for s in swept for _, c in s.rows}
        own |= {c.variant: None for t in tables for c in t.places.values()}
        differences = [_differences(i, s) for i, s in enumerate(swept)]
        trends: list[dict[Hashable, Weights]] = [
            {("linear", i): self._trend(s, slope) for i, s in enumerate(swept)},
            {("quadratic", i): self._trend(s, curvature) for i, s in enumerate(swept)},
            {("twist", i): self._twist(t) for i, t in enumerate(tables)},
        ]
        asked: dict[Hashable, Weights] = {("mean", v): {v: 1.0} for v in own}
        for family in (*differences, *trends):
            asked |= family
        self._effects = self._answers(asked)
        self._judged: dict[Hashable, Judgement] = {}
        for family in differences:
            self._judge(family, self._rules)
        for family in trends:
            self._judge(family, replace(self._rules, margin=None))

    def used(self, sweep: Swept) -> list[tuple[Level, Cell]]:
        """The rows that have a finite run."""
        return [(level, c) for level, c in sweep.rows if self._runs[c.variant]]

    def missing(self, table: Crossed) -> list[tuple[Level, Level]]:
        """The places of a table that have no finite run."""
        first, second = table.levels
        return [
            (a, b)
            for a in first
            for b in second
            if (a, b) not in table.places or not self._runs[table.places[a, b].variant]
        ]

    def effect(self, *key: Hashable) -> Effect | None:
        """An asked contrast; None where it cannot be formed."""
        return self._effects.get(key)

    def verdict(self, *key: Hashable) -> Judgement:
        """The verdict of an asked contrast."""
        return self._judged.get(key, Judgement())

    def document(self, *key: Hashable) -> dict[str, Any] | None:
        """An asked contrast with its verdict, in stored units."""
        effect, judged = self.effect(*key), self.verdict(*key)
        told = effect_document(effect)
        if effect is None or told is None:
            return None
        return told | {
            "p": effect.p,
            "p_holm": judged.p_holm,
            "verdict": judged.verdict and str(judged.verdict),
            "smallest": judged.smallest,
        }

    def least(self, a: Cell, b: Cell) -> float | None:
        """The least significant difference of two cells by the study's noise."""
        runs = [len(self._runs[c.variant]) for c in (a, b)]
        if self._noise is None or not all(runs):
            return None
        return self._noise.least_difference(runs[0], runs[1], self._rules.alpha)

    def error(self, of: Sequence[Cell]) -> float | None:
        """The typical standard error of these cells' means by the study's noise."""
        shares = [1 / len(self._runs[c.variant]) for c in of]
        if self._noise is None or not shares:
            return None
        return self._noise.sd * math.sqrt(sum(shares) / len(shares))

    def noise_document(self) -> dict[str, Any] | None:
        """The standard deviation of one run, and the cells whose replicates tell it."""
        if self._noise is None:
            return None
        return {
            "sd": self._noise.sd,
            "df": self._noise.df,
            "low": self._noise.interval.low,
            "high": self._noise.interval.high,
            "cells": [v for v, runs in self._runs.items() if len(runs) >= PAIR],
        }

    def _judge(self, family: Mapping[Hashable, Weights], by: Rules) -> None:
        claimed = [self._effects.get(k) if self._repeated(w) else None for k, w in family.items()]
        self._judged |= zip(family, judge(claimed, by, self.sign), strict=True)

    def _trend(self, sweep: Swept, weigh: Callable[[Array], Array]) -> Weights:
        rows = self.used(sweep)
        levels = numbers([level for level, _ in rows])
        if levels is None or len(set(levels)) < TREND:
            return {}
        weights = map(float, weigh(positions(levels, scale_of(levels))))
        return dict(zip((c.variant for _, c in rows), weights, strict=True))

    def _twist(self, table: Crossed) -> Weights:
        first, second = map(numbers, table.levels)
        if first is None or second is None or self.missing(table):
            return {}
        x, y = (positions(of, scale_of(of)) for of in (first, second))
        places = [table.places[a, b].variant for a in table.levels[0] for b in table.levels[1]]
        return dict(zip(places, map(float, twist(x, y).ravel()), strict=True))

    def _answers(self, asked: Mapping[Hashable, Weights]) -> dict[Hashable, Effect]:
        place = {v: i for i, v in enumerate(self._runs)}
        there = {k: w for k, w in asked.items() if w and all(map(self._runs.get, w))}
        rows = [[0.0] * len(place) for _ in there]
        for row, weights in zip(rows, there.values(), strict=True):
            for variant, weight in weights.items():
                row[place[variant]] = weight
        effects = contrasts(rows, list(self._runs.values()), self._rules)
        return {k: self._cleared(w, e) for (k, w), e in zip(there.items(), effects, strict=True)}

    def _cleared(self, weights: Weights, effect: Effect) -> Effect:
        """An effect that is 0 where nothing but rounding keeps it from that."""
        largest = sum(abs(w) * max(abs(y) for _, y in self._runs[v]) for v, w in weights.items())
        return (
            replace(effect, estimate=0.0) if abs(effect.estimate) <= ROUNDING * largest else effect
        )

    def _repeated(self, weights: Weights) -> bool:
        """Whether any cell of a contrast has two runs: of single runs nothing is claimed."""
        return any(w and len(self._runs[v]) >= PAIR for v, w in weights.items())


def _differences(i: int, sweep: Swept) -> dict[Hashable, Weights]:
    around = sweep.around.variant
    return {
        ("difference", i, c.variant): {c.variant: 1.0, around: -1.0}
        for _, c in sweep.rows
        if c is not sweep.around
    }
