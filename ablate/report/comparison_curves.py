"""Several configurations' curves as numbers: common steps, loss terms, gradient norms, pace."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

from ablate.analysis.cells import Cell
from ablate.analysis.curves import Curve, common_steps, mean_at, mean_of, nearest, spaced, spread
from ablate.metric import Metric
from ablate.selection import Curves

CurvesOf: TypeAlias = Mapping[str, Curves]
"""A trial's key -> its curves."""
Name: TypeAlias = tuple[str, str]
"""Split and name of a curve."""
Sides: TypeAlias = Mapping[str, Mapping[Name, Sequence[Curve]]]
"""Variant -> curve -> that of each run that has it, by seed."""

TRAIN = "train"
_TOTAL = re.compile(r"(?:total|train|training|overall)?[_.-]?loss(?:[_.-]?total)?", re.IGNORECASE)
_GRADIENT = re.compile(r"grad(?:ient)?s?(?:[_.-]?norms?)?(?:[_./-].*)?", re.IGNORECASE)
_PACE = ("time", "iter_time", "batch_time", "step_time")
"""What programs call the seconds of one iteration."""


def curves_document(
    metric: Metric, chosen: Sequence[Cell], of: CurvesOf, at: Sequence[int] = ()
) -> dict[str, Any]:
    """The sections `curves`, `terms`, `gradients`, `one_sided` and `pace`, each over all sides.

    `metric` is the one whose curve is shown beside the losses, the first that is compared. `at`
    are the steps asked for; the nearest that every run has are shown.
    """
    sides: Sides = {c.variant: _curves(c, of) for c in chosen}
    with_curves = {v: own for v, own in sides.items() if own}
    shared = [n for n in _names(sides) if all(n in own for own in with_curves.values())]
    both = shared if len(with_curves) > 1 else []
    return {
        "without_curves": [v for v in sides if v not in with_curves],
        "curves": [
            shown
            for name in _main(metric.name, chosen, both)
            if (shown := _at_steps(name, with_curves, at)) is not None
        ],
        "terms": _terms(both, with_curves),
        "gradients": _gradients(sides),
        "one_sided": _one_sided(with_curves),
        "pace": {v: _pace(own) for v, own in sides.items()},
    }


def _curves(cell: Cell, of: CurvesOf) -> dict[Name, list[Curve]]:
    found: dict[Name, list[Curve]] = {}
    for record in sorted(cell.completed, key=lambda r: r.seed):
        for name, curve in of.get(record.key, {}).items():
            if curve:
                found.setdefault(name, []).append(curve)
    return found


def _names(sides: Sides) -> list[Name]:
    return list(dict.fromkeys(n for own in sides.values() for n in own))


def _main(metric: str, chosen: Sequence[Cell], shared: Sequence[Name]) -> list[Name]:
    """The curve of a metric where it is scored, and every total of a loss."""
    scored = [r.scores[metric].split for c in chosen for r in c.completed if metric in r.scores]
    splits = dict.fromkeys((*scored, "test", "val"))
    of_metric = [(s, metric) for s in splits if (s, metric) in shared][:1]
    totals = [n for n in shared if _TOTAL.fullmatch(n[1])]
    return list(dict.fromkeys([*of_metric, *totals]))


def _at_steps(name: Name, sides: Sides, at: Sequence[int]) -> dict[str, Any] | None:
    """One curve's means at common steps; None where it has fewer than two."""
    runs = {v: own[name] for v, own in sides.items() if name in own}
    common = common_steps(c for curves in runs.values() for c in curves)
    if len(common) < 2:  # noqa: PLR2004 - one step is no curve
        return None
    steps = nearest(common, at) if at else spaced(common)
    return {
        "split": name[0],
        "name": name[1],
        "common": len(common),
        "steps": steps,
        "asked_in_vain": [s for s in at if s not in steps],
        "sides": {
            v: {
                "runs": len(curves),
                "means": [mean_at(curves, s) for s in steps],
                "last_step": common[-1],
                "last": mean_at(curves, common[-1]),
                **_range(curves),
            }
            for v, curves in runs.items()
        },
    }


def _range(curves: Sequence[Curve]) -> dict[str, Any]:
    """The smallest and largest finite value of any run, and how many were not finite."""
    found = spread(curves)
    return {
        "smallest": found.smallest,
        "largest": found.largest,
        "nan": len(found.nan),
        "inf": len(found.inf),
    }


def _is_loss(name: Name) -> bool:
    return name[0] == TRAIN and "loss" in name[1].lower()


def _terms(shared: Sequence[Name], sides: Sides) -> dict[str, Any]:
    """Every training loss at the last step that all have, and the terms that one side lacks.

    A term is auxiliary where it is another's name behind a prefix: `d0.loss_cls` of `loss_cls`.
    """
    losses = [n for n in shared if _is_loss(n)]
    everyone = {v: [n[1] for n in own if _is_loss(n)] for v, own in sides.items()}
    known = set().union(*everyone.values()) if everyone else set()
    step = max(
        common_steps(c for own in sides.values() for n in losses for c in own[n]), default=None
    )
    return {
        "step": step,
        "rows": [
            {
                "name": name,
                "auxiliary": name.partition(".")[2] in known,
                "means": {v: mean_at(own[split, name], step) for v, own in sides.items()},
            }
            for split, name in losses
            if step is not None
        ],
        "lacking": {
            v: sorted(known - set(names)) for v, names in everyone.items() if known - set(names)
        },
    }


def _gradients(sides: Sides) -> list[dict[str, Any]]:
    """The spread of every gradient norm, a side's runs together, and where others stand."""
    names = [n for n in _names(sides) if _GRADIENT.fullmatch(n[1])]
    return [
        {
            "split": split,
            "name": name,
            "sides": {
                v: asdict(spread(own[split, name]))
                for v, own in sides.items()
                if (split, name) in own
            },
        }
        for split, name in names
    ]


def _one_sided(sides: Sides) -> list[dict[str, Any]]:
    """The curves that some side lacks, with those that have them."""
    return [
        {"split": n[0], "name": n[1], "in": having}
        for n in _names(sides)
        for having in ([v for v, own in sides.items() if n in own],)
        if len(having) < len(sides)
    ]


def _pace(own: Mapping[Name, Sequence[Curve]]) -> dict[str, Any] | None:
    """Seconds per iteration as the program logged them, and the iterations that it counted."""
    name = next(((TRAIN, n) for n in _PACE if (TRAIN, n) in own), None)
    if name is None:
        return None
    curves = own[name]
    return {
        "curve": name[1],
        "seconds": mean_of(curves),
        "points": sum(map(len, curves)),
        "iterations": sum(max(c) for c in curves) / len(curves),
    }
