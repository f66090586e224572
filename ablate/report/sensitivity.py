"""What moving one factor does, as numbers: levels, trends, the best of them, pairs of factors."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from ablate.analysis.cells import Cell, cells
from ablate.analysis.sensitivity import edge_of, expected_best, opposed, scale_of
from ablate.analysis.verdict import Verdict
from ablate.errors import UsageError
from ablate.record import Finding, Note, Record
from ablate.report.contributions import effect_document
from ablate.report.document import (
    notes_of,
    part_head,
    scores_document,
)
from ablate.report.sweeps import Crossed, Swept, crossed, every
from ablate.report.trends import Trends, numbers
from ablate.study import Level, Study, settled

SCHEMA = "ablate.sensitivity/1"
Told: TypeAlias = Mapping[str, Trends]
"""Metric -> its contrasts."""


def sensitivity_document(
    study: Study,
    records: Sequence[Record],
    findings: Sequence[Finding] = (),
    notes: Sequence[Note] = (),
) -> dict[str, Any]:
    """All numbers of a study's sweeps, in stored units, ready for JSON.

    `findings` are the doubts that the store holds about the study, `notes` what people have
    written about it. Raises UsageError where no factor is moved around a variant.
    """
    records = [replace(r, levels=settled(r.levels, study.factors)) for r in records]
    found = cells(records)
    swept = every(study, found)
    if not swept:
        raise UsageError(
            f"study {study.name} has no sweep: no factor is moved around a variant"
            " ([[sweep]] in its file)"
        )
    tables = list(crossed(swept, found))
    told = {m.name: Trends(study, m, found, swept, tables) for m in study.metrics}
    shown = {c.variant: c for s in swept for _, c in s.rows}
    shown |= {c.variant: c for t in tables for c in t.places.values()}
    return {
        **part_head(SCHEMA, study, records, findings, notes),
        "notes": notes_of([r for c in shown.values() for r in c.records]),
        "paired": study.claims.paired,
        "noise": {name: of.noise_document() for name, of in told.items()},
        "cells": [_cell(c, told) for c in shown.values()],
        "sweeps": [_sweep(study, i, s, told) for i, s in enumerate(swept)],
        "tables": [_table(study, i, t, told) for i, t in enumerate(tables)],
    }


def _cell(cell: Cell, told: Told) -> dict[str, Any]:
    return {
        "variant": cell.variant,
        "role": cell.role,
        "runs": len(cell.completed),
        "placed": len(cell.records),
        "scores": {name: scores_document(cell, name) for name in told},
        "means": {
            name: effect_document(of.effect("mean", cell.variant)) for name, of in told.items()
        },
    }


def _scale(levels: Sequence[Level]) -> str | None:
    """The scale of a trend over these levels; None where they are no numbers."""
    found = numbers(levels)
    return None if found is None else scale_of(found)


def _sweep(study: Study, i: int, sweep: Swept, told: Told) -> dict[str, Any]:
    return {
        "factor": sweep.factor,
        "title": study.factor(sweep.factor).label,
        "around": sweep.around.variant,
        "default": sweep.default,
        "scale": _scale([level for level, _ in sweep.rows]),
        "levels": [
            {
                "level": level,
                "variant": cell.variant,
                "differences": {
                    name: of.document("difference", i, cell.variant) for name, of in told.items()
                },
            }
            for level, cell in sweep.rows
        ],
        "trends": {name: _trends(i, sweep, of) for name, of in told.items()},
        "best": {name: _best(i, sweep, of) for name, of in told.items()},
        "smallest": {name: _smallest(i, sweep, of) for name, of in told.items()},
        "disagreements": _disagreements(study, sweep, told),
    }


def _trends(i: int, sweep: Swept, told: Trends) -> dict[str, Any]:
    used = [level for level, _ in told.used(sweep)]
    return {
        "levels": used,
        "scale": _scale(used),
        "linear": told.document("linear", i),
        "quadratic": told.document("quadratic", i),
    }


def _smallest(i: int, sweep: Swept, told: Trends) -> dict[str, float | None]:
    """The smallest effects that the sweep can see, of its differences the largest and the least."""
    seen = [told.verdict("difference", i, cell.variant).smallest for _, cell in sweep.rows]
    known = [s for s in seen if s is not None]
    return {
        "difference": max(known, default=None),
        "difference_least": min(known, default=None),
        "linear": told.verdict("linear", i).smallest,
    }


def _ranked(sweep: Swept, told: Trends) -> list[tuple[Level, Cell, float]]:
    """The levels that lost no run to NaN or infinity, with their mean; up is better."""
    return [
        (level, cell, told.sign * mean.estimate)
        for level, cell in told.used(sweep)
        for mean in (told.effect("mean", cell.variant),)
        if mean is not None and not cell.summary(told.metric.name).lost
    ]


def _best(i: int, sweep: Swept, told: Trends) -> dict[str, Any] | None:
    """The best level, where in the range it lies, and what its lead is worth; None without two."""
    ranked = _ranked(sweep, told)
    if len(ranked) < 2:  # noqa: PLR2004 - of one level none is the best
        return None
    top, low = max(ranked, key=lambda r: r[2]), min(ranked, key=lambda r: r[2])
    best = [r for r in ranked if r[2] == top[2]]
    levels = numbers([level for level, _ in sweep.rows])
    ahead = numbers([r[0] for r in best])
    default = any(cell is sweep.around for _, cell, _ in best)
    lead = None if default else told.effect("difference", i, top[1].variant)
    least = None if default else told.least(top[1], sweep.around)
    proven = told.verdict("difference", i, top[1].variant).verdict is Verdict.POSITIVE
    error = told.error([cell for _, cell, _ in ranked])
    return {
        "levels": [r[0] for r in best],
        "variants": [r[1].variant for r in best],
        "of": len(ranked),
        "default": default,
        "edge": edge_of(levels, ahead) if levels is not None and ahead is not None else None,
        "span": top[2] - low[2],
        "span_least": told.least(top[1], low[1]),
        "lead": None if lead is None else lead.estimate,
        "lead_least": least,
        "within_noise": None
        if lead is None or least is None
        else abs(lead.estimate) <= least and not proven,
        "optimism": None if error is None else expected_best(len(ranked)) * error,
    }


def _disagreements(study: Study, sweep: Swept, told: Told) -> list[dict[str, Any]]:
    """The metrics that have another best level than the primary one, or mostly another order."""
    primary = study.metric(study.primary).name
    found = []
    for name, of in told.items():
        own = {cell.variant: (level, mean) for level, cell, mean in _ranked(sweep, told[primary])}
        other = {cell.variant: (level, mean) for level, cell, mean in _ranked(sweep, of)}
        both = [v for v in own if v in other]
        if name == primary or len(both) < 2:  # noqa: PLR2004 - two levels have an order
            continue
        scores = [[ranked[v][1] for v in both] for ranked in (own, other)]
        against, pairs = opposed(*scores)
        best = [{v for v, s in zip(both, of, strict=True) if s == max(of)} for of in scores]
        if best[0].isdisjoint(best[1]) or 2 * against > pairs:
            found.append(
                {
                    "metric": name,
                    "best": [own[v][0] for v in both if v in best[0]],
                    "others_best": [own[v][0] for v in both if v in best[1]],
                    "opposed": against,
                    "pairs": pairs,
                }
            )
    return found


def _table(study: Study, i: int, table: Crossed, told: Told) -> dict[str, Any]:
    sides = {"rows": (table.rows, table.levels[0]), "columns": (table.columns, table.levels[1])}
    return {
        "around": table.rows.around.variant,
        **{
            side: {
                "factor": of.factor,
                "title": study.factor(of.factor).label,
                "default": of.default,
                "levels": list(levels),
                "scale": _scale(levels),
            }
            for side, (of, levels) in sides.items()
        },
        "variants": [
            [
                table.places[a, b].variant if (a, b) in table.places else None
                for b in table.levels[1]
            ]
            for a in table.levels[0]
        ],
        "missing": {name: [list(p) for p in of.missing(table)] for name, of in told.items()},
        "interactions": {name: of.document("twist", i) for name, of in told.items()},
    }
