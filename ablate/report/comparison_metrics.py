"""One pair's metrics as numbers: differences and what stands beside them, verdicts, NDS split."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from ablate.analysis.cells import Cell, trained_apart
from ablate.analysis.comparison import (
    ERRORS,
    ERRORS_WEIGHT,
    MAP_WEIGHT,
    Against,
    against,
    correlated,
    detection_score,
    shared_only,
    verdicts,
)
from ablate.analysis.contrast import PAIR, Effect, Sample, noise
from ablate.analysis.verdict import Judgement, rules_of
from ablate.metric import Metric
from ablate.report.contributions import effect_document
from ablate.report.document import scores_document
from ablate.study import Study

SAME = 1e-12
"""Differences up to this share of the means are those of the last digits of floats."""
MADE = 5e-3
"""How far a score made again of rounded parts may be from the stored one."""


Functions: TypeAlias = Mapping[str, Hashable]
"""Variant -> what it computes; configurations of one function are replicates of each other."""


def pair_metrics(  # noqa: PLR0913, PLR0917 - parts of one call
    study: Study,
    a: Cell,
    b: Cell,
    others: Sequence[Cell],
    metrics: Sequence[Metric],
    functions: Functions,
) -> list[dict[str, Any]]:
    """One entry per metric that either side has a score of; the verdicts are of this family.

    `others` are the study's further cells; their spread stands in where a side has no replicate.
    """
    others = [c for c in trained_apart([a, b, *others]) if c is not a and c is not b]
    groups = _groups([a, b, *others], functions)
    shown = [m for m in metrics if a.scores(m.name) or b.scores(m.name)]
    rules = [rules_of(study.claims, m) for m in shown]
    signs = [1 if m.direction == "up" else -1 for m in shown]
    compared = [
        against(*used(study, a.runs(m.name), b.runs(m.name)), _runs(others, m), r, sign, groups)
        for m, r, sign in zip(shown, rules, signs, strict=True)
    ]
    counts = [_counts(groups, [a, b, *others], m) for m in shown]
    runs = [max(of[group] for group in groups[:2]) for of in counts]
    judged = verdicts(
        [_replicated(c, n) for c, n in zip(compared, runs, strict=True)], rules, signs
    )
    return [
        _entry(study, a, b, m) | _spread(study, a, b, others, m, functions) | _told(c, j)
        for m, c, j in zip(shown, compared, judged, strict=True)
    ]


def used(study: Study, a: Sample, b: Sample) -> tuple[Sample, Sample]:
    """The runs that are compared: of the shared seeds where the study pairs and two are shared."""
    x, y = shared_only(a, b)
    return (x, y) if study.claims.paired and len(x) >= PAIR else (a, b)


def _runs(cells: Sequence[Cell], metric: Metric) -> list[Sample]:
    return [c.runs(metric.name) for c in cells]


def _groups(cells: Sequence[Cell], functions: Functions) -> list[Hashable]:
    return [functions.get(c.variant, c.variant) for c in cells]


def one_function(cells: Sequence[Cell], functions: Functions) -> list[list[str]]:
    """The variants with runs that compute the same, of every function that several do."""
    found: dict[Hashable, list[str]] = {}
    done = [c for c in cells if c.completed]
    for group, cell in zip(_groups(done, functions), done, strict=True):
        found.setdefault(group, []).append(cell.variant)
    return [of for of in found.values() if len(of) > 1]


def _counts(groups: Sequence[Hashable], cells: Sequence[Cell], metric: Metric) -> Counter[Hashable]:
    """The runs of every function."""
    return Counter(g for g, c in zip(groups, cells, strict=True) for _ in c.runs(metric.name))


def _replicated(found: Against | None, runs: int) -> Effect | None:
    """The effect that a verdict may be given of: where a side's function has two runs or more."""
    return found.difference if found is not None and runs >= PAIR else None


def _entry(study: Study, a: Cell, b: Cell, metric: Metric) -> dict[str, Any]:
    """The scores of both sides, of the runs that are compared."""
    runs = used(study, a.runs(metric.name), b.runs(metric.name))
    sides = {
        side: scores_document(_of_seeds(cell, [s for s, _ in of]), metric.name)
        | {"lost": cell.summary(metric.name).lost}
        for side, cell, of in zip(("a", "b"), (a, b), runs, strict=True)
    }
    lacking = [c.variant for c in (a, b) if not c.scores(metric.name)]
    return {"metric": metric.name, **sides, "lacking": lacking}


def _of_seeds(cell: Cell, seeds: Sequence[int]) -> Cell:
    return replace(cell, records=tuple(r for r in cell.records if r.seed in seeds))


def _spread(  # noqa: PLR0913, PLR0917 - parts of one call
    study: Study, a: Cell, b: Cell, others: Sequence[Cell], metric: Metric, functions: Functions
) -> dict[str, Any]:
    """What runs of the study vary by, and what that makes of a difference at these counts."""
    x, y = used(study, a.runs(metric.name), b.runs(metric.name))
    cells = [c for c in trained_apart([a, b, *others]) if c.runs(metric.name)]
    groups = _groups(cells, functions)
    own = noise(_runs(cells, metric), groups=groups)
    least = None
    if own is not None and x and y:
        least = own.least_difference(len(x), len(y), study.claims.alpha)
    return {
        "correlation": correlated(a.runs(metric.name), b.runs(metric.name)),
        "noise": {"sd": own.sd, "df": own.df, **_pooled(groups, cells, metric)} if own else None,
        "least_difference": least,
    }


def _pooled(groups: Sequence[Hashable], cells: Sequence[Cell], metric: Metric) -> dict[str, int]:
    """How many cells have a spread, by themselves or as one function, and of how many functions."""
    counts = _counts(groups, cells, metric)
    told = [group for group in groups if counts[group] >= PAIR]
    return {"cells": len(told), "functions": len(set(told))}


def _told(compared: Against | None, judged: Judgement) -> dict[str, Any]:
    effect = compared.difference if compared else None
    return {
        "difference": effect_document(effect),
        "relative": compared.relative if compared else None,
        "hedges_g": compared.g if compared else None,
        "better_share": compared.superior if compared else None,
        "verdict": judged.verdict,
        "p_holm": judged.p_holm,
        "smallest": judged.smallest,
    }


def agreeing(a: Cell, b: Cell) -> list[int]:
    """The shared seeds on which every score of both is the same to the last digit."""
    x, y = ({r.seed: r.scores for r in c.completed} for c in (a, b))
    return [
        seed
        for seed in sorted(x.keys() & y.keys())
        if x[seed]
        and x[seed].keys() == y[seed].keys()
        and all(repr(x[seed][n].value) == repr(y[seed][n].value) for n in x[seed])
    ]


def tally(entries: Sequence[dict[str, Any]], metrics: Sequence[Metric]) -> dict[str, int]:
    """On how many metrics the estimate is better, worse, the same, or cannot be compared."""
    by_name = {m.name: m for m in metrics}
    counts = {"better": 0, "worse": 0, "same": 0, "unknown": 0}
    for entry in entries:
        effect = entry["difference"]
        if effect is None:
            counts["unknown"] += 1
        elif abs(effect["estimate"]) <= SAME * max(abs(entry[s]["mean"]) for s in ("a", "b")):
            counts["same"] += 1
        else:
            better = by_name[entry["metric"]].better(effect["estimate"], 0.0)
            counts["better" if better else "worse"] += 1
    return counts


def score_split(study: Study, a: Cell, b: Cell, metrics: Sequence[Metric]) -> dict[str, Any] | None:
    """The nuScenes detection score of both, made again of its parts, and its difference split.

    0.5 of the mAP's difference, and -0.1 of the errors', each error at most 1; the mean of runs.
    None where a run compared lacks one of the seven metrics, or where the parts do not make up
    the stored score: it is then another score, or in other units.
    """
    names = {m.name.lower(): m.name for m in metrics}
    wanted = ("NDS", "mAP", *ERRORS)
    if any(w.lower() not in names for w in wanted):
        return None
    own = [names[w.lower()] for w in wanted]
    runs = used(study, a.runs(own[0]), b.runs(own[0]))
    sides = [_parts(c, own, of) for c, of in zip((a, b), runs, strict=True)]
    if not all(sides):
        return None
    means = [[sum(of) / len(of) for of in zip(*side, strict=True)] for side in sides]
    made = [sum(detection_score(r[1], r[2:]) for r in side) / len(side) for side in sides]
    if any(abs(m - of[0]) > MADE for m, of in zip(made, means, strict=True)):
        return None
    errors = [
        [sum(min(1.0, r[i]) for r in side) / len(side) for i in range(2, 7)] for side in sides
    ]
    lost = [-ERRORS_WEIGHT * (y - x) for x, y in zip(*errors, strict=True)]
    return {
        "a": {"printed": means[0][0], "recomputed": made[0]},
        "b": {"printed": means[1][0], "recomputed": made[1]},
        "difference": made[1] - made[0],
        "from_map": MAP_WEIGHT * (means[1][1] - means[0][1]),
        "from_errors": sum(lost),
        "of_errors": dict(zip(own[2:], lost, strict=True)),
    }


def _parts(cell: Cell, names: Sequence[str], runs: Sample) -> list[tuple[float, ...]]:
    """The scores of each of some runs, in the order of `names`; none where one is not finite."""
    by_seed = [dict(cell.runs(n)) for n in names]
    if any(seed not in of for seed, _ in runs for of in by_seed):
        return []
    return [tuple(of[seed] for of in by_seed) for seed, _ in runs]
