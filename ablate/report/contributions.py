"""What each module contributes, over the grid and along training, as numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from ablate.analysis.cells import Cell
from ablate.analysis.contrast import Effect
from ablate.analysis.effects import Grid, alone, corners, main
from ablate.analysis.training import Course, course
from ablate.analysis.verdict import rules_of
from ablate.selection import Curves
from ablate.study import Study


def contributions(
    study: Study, found: Sequence[Cell], curves: Mapping[str, Curves]
) -> dict[str, Any]:
    """The sections `effects` (one per module and metric) and `courses` (on the primary metric).

    `corners` tells by metric how many finite runs each cell of the grid gave, and how many not.
    """
    modules = tuple(study.on)
    grid = corners(found, study.on)
    effects: list[dict[str, Any]] = []
    runs: dict[str, list[dict[str, Any]]] = {}
    for metric in study.metrics:
        runs[metric.name] = [_runs(cell, metric.name) for cell in grid.values()]
        of = Grid(modules, {corner: cell.runs(metric.name) for corner, cell in grid.items()})
        terms = [term for module in modules for term in (main(module, of), alone(module))]
        found_effects = of.answers(terms, rules_of(study.claims, metric))
        effects += [
            {
                "module": module,
                "metric": metric.name,
                "main": effect_document(mains.effect),
                "alone": effect_document(alones.effect),
            }
            for module, mains, alones in zip(
                modules, found_effects[::2], found_effects[1::2], strict=True
            )
        ]
    return {"effects": effects, "corners": runs, "courses": _courses(study, grid, curves)}


def _runs(cell: Cell, metric: str) -> dict[str, Any]:
    summary = cell.summary(metric)
    return {"variant": cell.variant, "n": summary.n, "lost": summary.lost}


def effect_document(effect: Effect | None) -> dict[str, Any] | None:
    """An effect in stored units, with how its interval was made."""
    if effect is None:
        return None
    return {
        "estimate": effect.estimate,
        "runs": effect.runs,
        "method": effect.method,
        "se": effect.se,
        "df": effect.df,
        "low": effect.interval.low if effect.interval else None,
        "high": effect.interval.high if effect.interval else None,
    }


def _courses(
    study: Study, grid: Mapping[frozenset[str], Cell], curves: Mapping[str, Curves]
) -> list[dict[str, Any]]:
    modules = tuple(study.on)
    primary = study.metric(study.primary)
    metric = primary.name
    runs = {
        corner: {r.seed: _scored(curves.get(r.key, {}), metric) for r in cell.completed}
        for corner, cell in grid.items()
    }
    rules = rules_of(study.claims, primary)
    found = [course(module, modules, runs, rules) for module in modules]
    return [_course(c, metric) for c in found if c is not None]


def _scored(curves: Curves, metric: str) -> Mapping[int, float]:
    """The curve on the split that is scored: `test` where it is logged, else `val`."""
    return next((curves[s, metric] for s in ("test", "val") if (s, metric) in curves), {})


def _course(found: Course, metric: str) -> dict[str, Any]:
    return {
        "module": found.module,
        "metric": metric,
        "fades": found.fades,
        "peak_step": found.peak_step,
        "last_step": found.last_step,
        "peak": effect_document(found.peak),
        "last": effect_document(found.last),
        "drop": effect_document(found.drop),
        "steps": {str(step): effect_document(e) for step, e in found.steps.items()},
    }
