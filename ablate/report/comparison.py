"""Two configurations or more side by side, as numbers; the first is the reference."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ablate.analysis.cells import Cell
from ablate.metric import Metric
from ablate.record import Finding, Item, Note
from ablate.report.comparison_curves import curves_document
from ablate.report.comparison_items import pair_items
from ablate.report.comparison_metrics import (
    Functions,
    agreeing,
    one_function,
    pair_metrics,
    score_split,
    tally,
)
from ablate.report.comparison_settings import differing, mixed, moved, path, provenance, settings
from ablate.report.document import (
    by_hand,
    costs_of,
    findings_document,
    metric_document,
    notes_of,
    trial_document,
)
from ablate.selection import Curves
from ablate.study import Study, settled

SCHEMA = "ablate.compare/3"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What trials left behind beside their scores, by key: curves, items, resolved settings."""

    curves: Mapping[str, Curves] = field(default_factory=dict)
    items: Mapping[str, Sequence[Item]] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader asked for: steps of curves, metrics (all if none), how items cluster."""

    at: Sequence[int] = ()
    metrics: Sequence[str] = ()
    cluster: re.Pattern[str] | None = None


NOTHING, ALL = Evidence(), Asked()


def comparison_document(  # noqa: PLR0913 - each has its name at the call
    study: Study,
    chosen: Sequence[Cell],
    others: Sequence[Cell] = (),
    *,
    evidence: Evidence = NOTHING,
    asked: Asked = ALL,
    findings: Sequence[Finding] = (),
    notes: Sequence[Note] = (),
    functions: Functions | None = None,
) -> dict[str, Any]:
    """All numbers of a comparison, in stored units; every difference is to the first of `chosen`.

    Runs are taken by seed: the order of records changes no digit. `others` are the study's
    further cells: they lend their spread and may stand between two. `findings` are the doubts
    about those chosen, `notes` what people have written about them. `functions` tells what each
    variant computes, as `audit.liveness.functions` does; without it each is a function of its own.
    """
    chosen = [replace(c, records=tuple(sorted(c.records, key=lambda r: r.seed))) for c in chosen]
    records = [r for c in chosen for r in c.records]
    primary = study.metric(study.primary).name
    metrics = _metrics(study, asked)
    functions = functions or {}
    return {
        "schema": SCHEMA,
        "study": {
            "name": study.name,
            "standin": study.standin,
            "data": study.data,
            "primary": primary,
            "alpha": study.claims.alpha,
            "level": 1 - study.claims.alpha,
            "paired": study.claims.paired,
            "tiers": dict(study.tiers),
            "fixed": dict(study.fixed),
            "selection": sorted({s.selection for r in records for s in r.scores.values()}),
            "own_selection": str(study.selection),
        },
        "findings": findings_document(findings, notes),
        "notes": notes_of([r for c in chosen for r in c.completed]),
        "by_hand": by_hand(records, notes),
        "externals": [trial_document(r) for r in records if r.externals],
        "metrics": [metric_document(m) for m in metrics],
        "sides": [_side(study, c) for c in chosen],
        "differs": _levels(study, chosen),
        "one_function": one_function([*chosen, *others], functions),
        "pairs": [_pair(study, chosen, b, others, evidence, asked, functions) for b in chosen[1:]],
        **curves_document(metrics[0], chosen, evidence.curves, asked.at),
    }


def _metrics(study: Study, asked: Asked) -> list[Metric]:
    """The metrics to compare, the primary one first."""
    primary = study.metric(study.primary).name
    wanted = [m for m in study.metrics if not asked.metrics or m.name in asked.metrics]
    return sorted(wanted, key=lambda m: m.name != primary)


def _levels(study: Study, chosen: Sequence[Cell]) -> dict[str, dict[str, Any]]:
    """The factors whose levels are not the same in all, with each one's level."""
    levels = {c.variant: settled(c.levels, study.factors) for c in chosen}
    found = {f.name: {v: of[f.name] for v, of in levels.items()} for f in study.factors}
    return {name: of for name, of in found.items() if len({repr(v) for v in of.values()}) > 1}


def _side(study: Study, cell: Cell) -> dict[str, Any]:
    splits = {s.split: None for r in cell.completed for s in r.scores.values()}
    return {
        "variant": cell.variant,
        "runs": len(cell.completed),
        "placed": len(cell.records),
        "states": sorted({str(r.state) for r in cell.records}),
        "seeds": sorted(r.seed for r in cell.completed),
        "trials": [r.key for r in sorted(cell.completed, key=lambda r: r.seed)],
        "splits": list(splits),
        "levels": settled(cell.levels, study.factors),
        "mixed": mixed(study, cell),
        "costs": [costs_of(costs) for costs in cell.costs().values()],
    }


def _pair(  # noqa: PLR0913, PLR0917 - parts of one call
    study: Study,
    chosen: Sequence[Cell],
    b: Cell,
    others: Sequence[Cell],
    evidence: Evidence,
    asked: Asked,
    functions: Functions,
) -> dict[str, Any]:
    a, rest = chosen[0], [*(c for c in chosen[1:] if c is not b), *others]
    metrics = _metrics(study, asked)
    entries = pair_metrics(study, a, b, rest, metrics, functions)
    seeds = [{r.seed for r in c.completed} for c in (a, b)]
    return {
        "a": a.variant,
        "b": b.variant,
        "one_function": bool(one_function([a, b], functions)),
        "differs": differing(study, a, b),
        "moved": moved(study, a, b),
        "path": path(study, a, b, rest),
        "settings": settings(a, b, evidence.settings),
        "provenance": provenance(a, b),
        "shared_seeds": sorted(seeds[0] & seeds[1]),
        "agreeing_seeds": agreeing(a, b),
        "metrics": entries,
        "tally": tally(entries, study.metrics),
        "score_split": score_split(study, a, b, metrics),
        "items": pair_items(study, a, b, evidence.items, asked.cluster),
    }
