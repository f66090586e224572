"""Effects and costs as a document has them, and how effects move along training."""

from collections.abc import Mapping, Sequence
from typing import Any

from ablate.analysis.cells import Cell
from ablate.analysis.contrast import Effect
from ablate.analysis.training import Course, course
from ablate.analysis.verdict import rules_of
from ablate.record import Cost
from ablate.selection import Curves
from ablate.study import Study


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
        "p": effect.p,
        "low": effect.interval.low if effect.interval else None,
        "high": effect.interval.high if effect.interval else None,
    }


def costs_of(costs: Sequence[Cost]) -> dict[str, Any]:
    """What several runs of one variant spent, by one counter."""
    values = [c.value for c in costs]
    mean = sum(values) / len(values)
    spread = sum((v - mean) ** 2 for v in values)
    return {
        "name": costs[0].name,
        "counter": costs[0].counter,
        "unit": costs[0].unit,
        "n": len(values),
        "mean": values[0] if len(set(values)) == 1 else mean,
        "sd": (spread / (len(values) - 1)) ** 0.5 if len(values) > 1 else None,
    }


def courses(
    study: Study,
    grid: Mapping[frozenset[str], Cell],
    curves: Mapping[str, Curves],
    inert: Mapping[str, frozenset[str]] | None = None,
) -> list[dict[str, Any]]:
    """How each module's main effect on the primary metric moves along training.

    `inert` tells by variant which modules are known not to be in the output.
    """
    modules = tuple(study.on)
    primary = study.metric(study.primary)
    metric = primary.name
    runs = {
        corner: {r.seed: _scored(curves.get(r.key, {}), metric) for r in cell.completed}
        for corner, cell in grid.items()
    }
    rules = rules_of(study.claims, primary)
    still = {
        corner: (inert or {}).get(cell.variant, frozenset()) & corner
        for corner, cell in grid.items()
    }
    found = [course(module, modules, runs, rules, still) for module in modules]
    noise = frozenset().union(*still.values())
    return [_course(c, metric, c.module in noise) for c in found if c is not None]


def _scored(curves: Curves, metric: str) -> Mapping[int, float]:
    """The curve on the split that is scored: `test` where it is logged, else `val`."""
    return next((curves[s, metric] for s in ("test", "val") if (s, metric) in curves), {})


def _course(found: Course, metric: str, inert: bool) -> dict[str, Any]:  # noqa: FBT001
    return {
        "module": found.module,
        "inert": inert,
        "metric": metric,
        "fades": found.fades,
        "peak_step": found.peak_step,
        "last_step": found.last_step,
        "peak": effect_document(found.peak),
        "last": effect_document(found.last),
        "drop": effect_document(found.drop),
        "steps": {str(step): effect_document(e) for step, e in found.steps.items()},
    }
