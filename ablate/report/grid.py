"""A study's on/off grid as numbers: what its modules contribute and how they act together."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import islice
from math import hypot, isfinite
from typing import Any

import numpy as np

from ablate.analysis.cells import Cell
from ablate.analysis.contrast import Effect, Rules, Sample
from ablate.analysis.effects import BASE, Answer, Corner, Grid, corners, subsets
from ablate.analysis.lenth import lenth, walsh_effects
from ablate.analysis.verdict import Judgement, judge, rules_of
from ablate.design.names import cell_name, levels_of
from ablate.metric import Metric
from ablate.report.contributions import costs_of, effect_document
from ablate.report.grid_costs import NAMES, grid_costs, idle
from ablate.report.grid_disagreements import disagreements
from ablate.report.grid_questions import ZERO, Asked, Contexts, by_order
from ablate.report.grid_seeds import seeds_document
from ablate.study import Level, Study, settled

SCHEMA = "ablate.synergy/1"
SPELLED = 4
"""Modules up to which the full combination's departure is spelled out term by term."""
HINTED = 6
"""Modules up to which a grid of single runs gets Lenth's margin."""
LISTED = 12
"""Missing cells that are named."""

Document = dict[str, Any]


def grid_document(
    study: Study, placed: Mapping[Corner, Cell], inert: Mapping[str, frozenset[str]] | None = None
) -> Document | None:
    """All numbers of the grid by metric, the primary first, in stored units; None without a grid.

    `placed` are its cells (`grid_cells`); `inert` tells by variant which modules are known not to
    be in the output.
    """
    if not placed:
        return None
    order = sorted(study.metrics, key=lambda m: m.name != study.metric(study.primary).name)
    scored = [m for m in order if any(c.scores(m.name) for c in placed.values())] or order[:1]
    numbers = _Numbers(study, placed, inert or {})
    by_metric = {m.name: numbers.metric(m) for m in scored}
    return {
        "schema": SCHEMA,
        "modules": [{"module": m, "level": level} for m, level in study.on.items()],
        "needed": 1 << len(study.on),
        "repeated": [
            {"factor": a.factor, "shown": a.levels[0], "levels": list(a.levels)}
            for a in study.axes
            if len(a.levels) > 1
        ],
        "rules": {
            "alpha": study.claims.alpha,
            "paired": study.claims.paired,
            "family": "Holm, by metric: main effects; averaged interactions",
        },
        "cells": [numbers.cell(corner, cell) for corner, cell in placed.items()],
        "missing": numbers.missing(order[0]),
        "metrics": list(by_metric),
        "by_metric": by_metric,
        "disagreements": disagreements(scored, by_metric),
        "costs": grid_costs(tuple(study.on), numbers.costs),
        "idle": numbers.idle(scored),
    }


def grid_cells(study: Study, found: Sequence[Cell]) -> dict[Corner, Cell]:
    """The cells of the study's grid by the modules that are on; empty where it has no module."""
    if not study.on:
        return {}
    axes = {a.factor: a.levels[0] for a in study.axes}

    def levels(corner: Corner) -> Mapping[str, Level]:
        name = cell_name(study, [m for m in study.on if m in corner])
        return settled({**levels_of(study, name), **axes}, study.factors)

    arms = [replace(c, levels=settled(c.levels, study.factors)) for c in found if c.role == "arm"]
    return corners([*(c for c in found if c.role == "grid"), *arms], study.on, levels)


class _Numbers:
    """The numbers of one study's grid."""

    def __init__(
        self, study: Study, placed: Mapping[Corner, Cell], inert: Mapping[str, frozenset[str]]
    ) -> None:
        self.study, self.placed = study, placed
        self.modules = tuple(study.on)
        self.inert = {
            corner: own
            for corner, cell in placed.items()
            if (own := inert.get(cell.variant, BASE) & corner)
        }
        self.costs = {corner: cell.costs() for corner, cell in placed.items()}
        self.completed = {corner: cell.completed for corner, cell in placed.items()}
        self._asked: dict[tuple[Corner, ...], Asked] = {}
        self._scores: dict[str, dict[Corner, dict[int, float]]] = {}

    def name(self, corner: Corner) -> str:
        """What the grid's design calls the cell of these modules."""
        cell = self.placed.get(corner)
        return cell.variant if cell else cell_name(self.study, self._ordered(corner))

    def _ordered(self, corner: Corner) -> list[str]:
        return [m for m in self.modules if m in corner]

    def cell(self, corner: Corner, cell: Cell) -> Document:
        """What a cell is, whatever the metric."""
        own = self.inert.get(corner, BASE)
        return {
            "variant": cell.variant,
            "on": self._ordered(corner),
            "placed": len(cell.records),
            "runs": len(cell.completed),
            "inert": self._ordered(own),
            "same_as": self.name(corner - own) if own else None,
            "costs": [costs_of(c) for (name, _), c in self.costs[corner].items() if name in NAMES],
        }

    def grid(self, metric: Metric) -> Grid:
        """The grid's finite runs of one metric."""
        samples = {
            corner: tuple(r for r in sorted(scores.items()) if isfinite(r[1]))
            for corner, scores in self.scores(metric).items()
        }
        return Grid(self.modules, samples, self.inert)

    def scores(self, metric: Metric) -> dict[Corner, dict[int, float]]:
        """Each cell's scores of one metric by seed, finite or not."""
        name = metric.name
        if name not in self._scores:
            self._scores[name] = {
                corner: {r.seed: r.scores[name].value for r in records if name in r.scores}
                for corner, records in self.completed.items()
            }
        return self._scores[name]

    def asked(self, grid: Grid) -> Asked:
        """The questions, made once for all metrics of which the same cells have runs."""
        if grid.present not in self._asked:
            self._asked[grid.present] = Asked.of(grid)
        return self._asked[grid.present]

    def metric(self, metric: Metric) -> Document:
        """Everything about one metric."""
        rules, grid = rules_of(self.study.claims, metric), self.grid(metric)
        sign = 1 if metric.direction == "up" else -1
        asked = self.asked(grid)
        means = grid.means(rules)
        contexts = Contexts.of(asked, {c: e.estimate for c, e in means.items()}, sign, self.inert)
        further = contexts.terms()
        rows = np.vstack([asked.rows, grid.rows(further)])
        answers = grid.answers([*asked.terms(), *further], rules, rows)
        of = asked.cut(answers)
        mains, pairs = (self._judged(of[name], rules, sign) for name in ("main", "averaged"))
        scores = self.scores(metric)
        scored = (r.scores.get(metric.name) for of in self.completed.values() for r in of)
        splits = {score.split for score in scored if score}
        told = contexts.told(list(map(self._pair, answers[len(asked.terms()) :])))
        counts = [len(grid.samples[c]) for c in grid.present]
        return {
            "margin": rules.margin,
            "splits": sorted(splits),
            "present": len(grid.present),
            "fewest": min(counts, default=0),
            "most": max(counts, default=0),
            "aligned": not rules.paired or _aligned(grid),
            "noise": _noise(grid, min(counts, default=0), rules.alpha),
            "methods": sorted(
                {a.effect.method for a in answers if a.effect} | {e.method for e in means.values()}
            ),
            "cells": [
                _cell(cell.variant, scores[c], grid.samples[c], means.get(c))
                for c, cell in self.placed.items()
            ],
            "modules": [
                {
                    "module": module,
                    "main": mains[i],
                    **{k: self._answer(of[k][i]) for k in ("shapley", "alone", "last")},
                    "contexts": told[i],
                }
                for i, module in enumerate(self.modules)
            ],
            "pairs": [
                {
                    "modules": list(term.modules),
                    "averaged": pairs[i],
                    "off": self._answer(of["off"][i]),
                    "on": self._answer(of["on"][i]),
                    **_addition(term.modules, means),
                }
                for i, term in enumerate(asked.averaged)
            ],
            "terms": [self._answer(a) for a in (*of["off"], *of["higher"])],
            "lenth": _hint(grid, rules.alpha, max(counts, default=0)),
            "departure": self._departure(of, grid, means),
            "seeds": seeds_document(
                grid,
                (of["main"], of["averaged"]),
                rules,
                (scores.get(BASE, {}), scores.get(frozenset(self.modules), {})),
                asked.judged_rows(),
            ),
        }

    def _answer(self, answer: Answer, judged: Judgement | None = None) -> Document:
        found: Document = {
            "modules": list(answer.term.modules),
            "others_on": self._ordered(answer.term.others),
            "effect": effect_document(answer.effect),
            "missing": [self.name(c) for c in answer.missing],
            "missing_count": answer.count,
            "inert": list(answer.inert),
        }
        if judged is not None:
            found |= {
                "verdict": str(judged.verdict) if judged.verdict else None,
                "p_holm": judged.p_holm,
                "smallest": judged.smallest,
            }
        return found

    def _pair(self, answer: Answer) -> Document:
        """A context of a module, which is known."""
        return {
            "others_on": self._ordered(answer.term.others),
            "effect": effect_document(answer.effect),
            "inert": list(answer.inert),
        }

    def _judged(self, family: Sequence[Answer], rules: Rules, sign: int) -> list[Document]:
        judged = judge([a.effect for a in family], rules, sign)
        return [self._answer(a, j) for a, j in zip(family, judged, strict=True)]

    def _departure(
        self, of: Mapping[str, Sequence[Answer]], grid: Grid, means: Mapping[Corner, Effect]
    ) -> Document | None:
        """The full combination's departure from additivity, with the terms it is the sum of."""
        if not of["whole"]:
            return None
        sums = by_order(self.modules, means) if grid.complete else {}
        spelled = grid.complete and len(self.modules) <= SPELLED
        parts = subsets(self.modules, 2) if spelled else ()
        return {
            **self._answer(of["whole"][0]),
            "orders": [
                {"order": order, "terms": len(values), "sum": sum(values.values())}
                for order, values in sums.items()
            ],
            "parts": [{"modules": self._ordered(t), "estimate": sums[len(t)][t]} for t in parts],
        }

    def idle(self, metrics: Sequence[Metric]) -> Document | None:
        """The cells that seem to repeat others, and the noise that they would then show.

        Those where modules add parameters and no operations, unless more is known of modules.
        """
        own = {} if self.inert else idle(self.costs)
        if not own:
            return None
        noise = {m.name: replace(self.grid(m), inert=own).noise() for m in metrics}
        return {
            "cells": [
                {
                    "variant": self.name(corner),
                    "modules": self._ordered(modules),
                    "same_as": self.name(corner - modules),
                }
                for corner, modules in own.items()
            ],
            "noise": {name: {"sd": n.sd, "df": n.df} for name, n in noise.items() if n},
        }

    def missing(self, metric: Metric) -> Document:
        """The cells without a finite run of a metric, and the questions that each leaves open."""
        grid = self.grid(metric)
        asked = self.asked(grid)
        absent = islice(grid.missing(subsets(self.modules)), LISTED)
        own = [*asked.alone, *asked.last, *asked.off, *asked.on, *asked.higher, *asked.whole]
        return {
            "metric": metric.name,
            "count": (1 << len(self.modules)) - len(grid.present),
            "cells": [
                {
                    "variant": self.name(c),
                    "on": self._ordered(c),
                    "placed": c in self.placed,
                    "completed": len(self.placed[c].completed) if c in self.placed else 0,
                    "for": [
                        {"kind": t.kind, "modules": list(t.modules)} for t in own if c in t.weights
                    ],
                }
                for c in absent
            ],
        }


def _aligned(grid: Grid) -> bool:
    """Whether all cells have runs of the same seeds."""
    return len({tuple(seed for seed, _ in grid.samples[c]) for c in grid.present}) < 2  # noqa: PLR2004


def _noise(grid: Grid, runs: int, alpha: float) -> Document | None:
    found = grid.noise(1 - alpha)
    if found is None:
        return None
    return {
        "sd": found.sd,
        "df": found.df,
        "low": found.interval.low,
        "high": found.interval.high,
        "runs": runs,
        "cells": grid.replicated,
        "least_difference": found.least_difference(runs, runs, alpha),
    }


def _hint(grid: Grid, alpha: float, most: int) -> Document | None:
    """Lenth's margin of a main effect, for a small grid of single runs none of which is a twin."""
    if most != 1 or grid.inert or not 1 < len(grid.modules) <= HINTED:
        return None
    effects = walsh_effects(grid)
    hint = lenth(list(effects.values()), alpha) if effects else None
    return asdict(hint) if hint and hint.margin > ZERO else None


def _cell(
    variant: str, scores: Mapping[int, float], sample: Sample, mean: Effect | None
) -> Document:
    """A cell's finite runs of one metric, their mean with its interval, and how many were lost."""
    effect = effect_document(mean)
    spread = None
    if mean is not None and len(sample) > 1:
        centre = sum(v for _, v in sample) / len(sample)
        spread = hypot(*(v - centre for _, v in sample)) / (len(sample) - 1) ** 0.5
    return {
        "variant": variant,
        "n": len(sample),
        "lost": len(scores) - len(sample),
        "mean": mean.estimate if mean else None,
        "sd": spread,
        "low": effect["low"] if effect else None,
        "high": effect["high"] if effect else None,
        "method": effect["method"] if effect else None,
    }


def _addition(of: Sequence[str], means: Mapping[Corner, Effect]) -> Document:
    """What two modules alone add up to, and the score of both, the others off."""
    a, b = (frozenset({m}) for m in of)
    there = {c: means[c].estimate for c in (BASE, a, b, a | b) if c in means}
    expected = there[a] + there[b] - there[BASE] if {BASE, a, b} <= there.keys() else None
    return {"expected": expected, "observed": there.get(a | b)}
