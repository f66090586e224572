"""Scores against costs, as numbers: fronts, points per unit of cost, whether costs add up."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from ablate.analysis.cells import Cell, cells
from ablate.analysis.contrast import PAIR, Effect, contrasts
from ablate.analysis.effects import BASE, Corner, corners, departure, parts, subsets
from ablate.analysis.pareto import apart, dominators, exact, per_unit
from ablate.analysis.verdict import Verdict, judge, rules_of
from ablate.errors import UsageError
from ablate.metric import Metric
from ablate.record import Finding, Note, Record
from ablate.report.contributions import effect_document
from ablate.report.document import (
    baseline_of,
    costs_of,
    limits_of,
    part_head,
    scores_document,
)
from ablate.report.printed import OPERATIONS
from ablate.study import Study, settled

SCHEMA = "ablate.pareto/1"
COUNTED = ("params", *OPERATIONS, "ops")
MEASURED = ("seconds", "step", "memory")
PER = {"params": 1e6, "live_macs": 1e9, "macs": 1e9, "ops": 1e9}
"""The unit of a gain per cost: a million parameters, a billion operations."""
UNSHOWN = frozenset({"cpu", "live_params", "trained_params"})
Key: TypeAlias = tuple[str, str]
"""A cost by its name and counter."""
NOTHING = 1e-9
"""The share of a cost below which a departure is nothing but rounding."""


def pareto_document(
    study: Study,
    records: Sequence[Record],
    findings: Sequence[Finding] = (),
    notes: Sequence[Note] = (),
    metrics: Sequence[str] = (),
) -> dict[str, Any]:
    """All numbers of scores against costs, in stored units, ready for JSON.

    `metrics` names those that fronts are made for, by default the primary one. Raises UsageError
    where no completed trial recorded a cost, KeyError where there is no such metric.
    """
    records = [replace(r, levels=settled(r.levels, study.factors)) for r in records]
    found = cells(records)
    keys = _keys(found)
    if not keys:
        raise UsageError(
            f"study {study.name} has no costs: no completed trial recorded parameters, operations,"
            " time or memory"
        )
    asked = [study.metric(name) for name in metrics or (study.primary,)]
    baseline = baseline_of(found)
    return {
        **part_head(SCHEMA, study, records, findings, notes),
        "baseline": baseline.variant if baseline else None,
        "paired": study.claims.paired,
        "cells": [_cell(study, c) for c in found],
        "fronts": [_front(study, m, found, key) for m in asked for key in keys],
        "gains": [g for key in keys if key[0] in PER for g in _gains(study, found, baseline, key)],
        "sums": [s for key in keys if key[0] in COUNTED for s in _sums(study, found, key)],
        "limits": limits_of(study, found),
    }


def _cell(study: Study, cell: Cell) -> dict[str, Any]:
    return {
        "variant": cell.variant,
        "role": cell.role,
        "runs": len(cell.completed),
        "placed": len(cell.records),
        "scores": {m.name: scores_document(cell, m.name) for m in study.metrics},
        "costs": [costs_of(c) for c in cell.costs().values()],
    }


def _keys(found: Sequence[Cell]) -> list[Key]:
    """The costs that a front is made of: executed operations only where no live ones are told."""
    known = dict.fromkeys(key for cell in found for key in cell.costs())
    named = (*COUNTED, *MEASURED)
    order = [k for name in named for k in known if k[0] == name]
    order += [k for k in known if k[0] not in named and k[0] not in UNSHOWN]
    return [k for k in order if not (k[0] == "macs" and ("live_macs", k[1]) in known)]


def _mean_costs(found: Sequence[Cell], key: Key) -> dict[str, float]:
    return {
        c.variant: float(costs_of(of)["mean"])
        for c in found
        for of in (c.costs().get(key),)
        if of is not None
    }


def _front(study: Study, metric: Metric, found: Sequence[Cell], key: Key) -> dict[str, Any]:
    """Who is on the front of one metric against one cost, and who is dominated by whom."""
    spent = _mean_costs(found, key)
    there = [
        c
        for c in found
        if c.variant in spent and c.runs(metric.name) and not c.summary(metric.name).lost
    ]
    sign = 1 if metric.direction == "up" else -1
    means = {c.variant: c.summary(metric.name).mean for c in there}
    there.sort(key=lambda c: (spent[c.variant], -sign * means[c.variant]))
    by = dominators(
        np.array([spent[c.variant] for c in there]),
        np.array([sign * means[c.variant] for c in there]),
    )
    over = {c.variant: there[i] for c, i in zip(there, by, strict=True) if i is not None}
    behind = _behind(
        study, metric, found, [(c, over[c.variant]) for c in there if c.variant in over]
    )
    return {
        "metric": metric.name,
        "cost": key[0],
        "counter": key[1],
        "points": [
            {
                "variant": c.variant,
                "cost": spent[c.variant],
                "score": means[c.variant],
                "dominated_by": over[c.variant].variant if c.variant in over else None,
                **behind.get(c.variant, {"difference": None, "p_holm": None, "clear": None}),
            }
            for c in there
        ],
        "left_out": [c.variant for c in found if c.variant not in means],
        "spread": _spread(there, key, study.claims.alpha),
        "hardware": _hardware(there) if key[0] in MEASURED else [],
    }


def _spread(found: Sequence[Cell], key: Key, alpha: float) -> dict[str, Any] | None:
    """Whether a cost's means are told apart by its runs; None where no run of it varies."""
    told = apart([[c.value for c in cell.costs()[key]] for cell in found])
    return told and {"sd": told[0], "p": told[1], "noise": told[1] >= alpha}


def _hardware(found: Sequence[Cell]) -> list[str]:
    """The kinds of machine that the runs were on, where there were several."""
    kinds = {
        " ".join(v for v in (a.device, a.provenance.get("gpu"), a.provenance.get("cpu")) if v)
        for c in found
        for r in c.completed
        for a in (r.attempt,)
        if a is not None
    }
    named = sorted(kind for kind in kinds if kind)
    return named if len(named) > 1 else []


def _behind(
    study: Study, metric: Metric, found: Sequence[Cell], dominated: Sequence[tuple[Cell, Cell]]
) -> dict[str, dict[str, Any]]:
    """Each dominated cell minus its dominator, and whether it is clearly worse: Holm over all."""
    rules = rules_of(study.claims, metric)
    samples = [c.runs(metric.name) for c in found]
    place = {c.variant: i for i, c in enumerate(found)}
    rows = []
    for cell, over in dominated:
        row = [0.0] * len(samples)
        row[place[cell.variant]], row[place[over.variant]] = 1.0, -1.0
        rows.append(row)
    effects = contrasts(rows, samples, rules)
    claimed: list[Effect | None] = [
        e if max(len(samples[place[c.variant]]) for c in pair) >= PAIR else None
        for e, pair in zip(effects, dominated, strict=True)
    ]
    judged = judge(claimed, rules, 1 if metric.direction == "up" else -1)
    return {
        cell.variant: {
            "difference": effect_document(e),
            "p_holm": j.p_holm,
            "clear": None if j.verdict is None else j.verdict is Verdict.NEGATIVE,
        }
        for (cell, _), e, j in zip(dominated, effects, judged, strict=True)
    }


def _gains(
    study: Study, found: Sequence[Cell], baseline: Cell | None, key: Key
) -> list[dict[str, Any]]:
    """What every variant gains on the baseline for each unit of cost more, for every metric."""
    spent = _mean_costs(found, key)
    if baseline is None or baseline.variant not in spent:
        return []
    others = [c for c in found if c is not baseline and c.variant in spent]
    more = {c.variant: spent[c.variant] - spent[baseline.variant] for c in others}
    gained = {m.name: _gained(study, m, found, baseline) for m in study.metrics}
    rows = [
        {
            "variant": c.variant,
            "more": more[c.variant],
            "gains": {
                name: _per(of[c.variant], more[c.variant], PER[key[0]])
                for name, of in gained.items()
                if c.variant in of
            },
        }
        for c in others
    ]
    alone = {
        c.variant: next(iter(on)) for on, c in corners(found, study.on).items() if len(on) == 1
    }
    primary = study.metric(study.primary)
    ranked = [
        (name, gained[primary.name][variant], PER[key[0]] / more[variant])
        for variant, name in alone.items()
        if more.get(variant, 0) > 0 and variant in gained[primary.name]
    ]
    entry = {"cost": key[0], "counter": key[1], "unit": PER[key[0]], "rows": rows}
    return [entry | {"alone": _alone(ranked, 1 if primary.direction == "up" else -1)}]


def _gained(
    study: Study, metric: Metric, found: Sequence[Cell], baseline: Cell
) -> dict[str, Effect]:
    """Each cell minus the baseline, by the variances of all cells."""
    samples = [c.runs(metric.name) for c in found]
    at = next(i for i, c in enumerate(found) if c is baseline)
    if not samples[at]:
        return {}
    there = [i for i, runs in enumerate(samples) if runs and i != at]
    rows = np.zeros((len(there), len(found)))
    rows[:, at] = -1.0
    rows[range(len(there)), there] = 1.0
    effects = contrasts(rows, samples, rules_of(study.claims, metric))
    return {found[i].variant: e for i, e in zip(there, effects, strict=True)}


def _per(effect: Effect, more: float, unit: float) -> dict[str, float | None]:
    """A gain with its share per unit of cost; the interval is the gain's, on the same scale."""
    ends = (effect.interval.low, effect.interval.high) if effect.interval else ()
    scaled = sorted(v for end in ends for v in (per_unit(end, more, unit),) if v is not None)
    return {
        "gain": effect.estimate,
        "per_unit": per_unit(effect.estimate, more, unit),
        "low": scaled[0] if scaled else None,
        "high": scaled[1] if scaled else None,
    }


def _alone(ranked: Sequence[tuple[str, Effect, float]], sign: int) -> list[dict[str, Any]]:
    """The modules by what they gain for their cost, as multiples of the least where all gain.

    `ranked` holds a module, its gain, and by what that is multiplied to be per unit. Those that
    cost less than the baseline are in no order with them: a score lost for a cost saved is a
    positive ratio too. There are no multiples of a gain whose interval holds 0.
    """
    known = sorted(
        ((module, effect.estimate * scale, effect) for module, effect, scale in ranked),
        key=lambda of: sign * of[1],
        reverse=True,
    )
    least = known[-1] if known else None
    sure = least is not None and (least[2].interval is None or least[2].interval.excludes_zero)
    return [
        {
            "module": module,
            "per_unit": value,
            "times": value / least[1]
            if least and sure and sign * least[1] > 0 and module != least[0]
            else None,
        }
        for module, value, _ in known
    ]


def _sums(study: Study, found: Sequence[Cell], key: Key) -> Iterator[dict[str, Any]]:
    """For every combination of the grid the cost by addition, the measured one, the difference."""
    grid = corners(found, study.on)
    spent = _mean_costs(list(grid.values()), key)
    costs: dict[Corner, float] = {
        corner: spent[c.variant] for corner, c in grid.items() if c.variant in spent
    }
    rows = []
    for corner in subsets(tuple(study.on), PAIR):
        of = [m for m in study.on if m in corner]
        away = exact(departure(of), costs)
        if away is None:
            continue
        by_name = {" × ".join(t.modules): exact(t, costs) for t in parts(of)}
        terms = {name: value for name, value in by_name.items() if value is not None}
        least = NOTHING * abs(costs[corner])
        rows.append(
            {
                "variant": grid[corner].variant,
                "modules": of,
                "expected": costs[corner] - away,
                "measured": costs[corner],
                "departure": away,
                "adds_up": abs(away) <= least,
                "terms": terms,
                "unknown": [name for name in by_name if name not in terms],
                "nothing": [n for n, v in terms.items() if abs(v) <= least],
            }
        )
    if rows:
        yield {"cost": key[0], "counter": key[1], "baseline": costs[BASE], "rows": rows}
