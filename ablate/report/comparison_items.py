"""One pair's scores of single items (classes, queries, images) as numbers."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ablate.analysis.cells import Cell
from ablate.analysis.contrast import Rules
from ablate.analysis.items import (
    RESAMPLES,
    Screened,
    Table,
    clusters,
    group_means,
    resampled,
    sampled,
    screened,
    table,
)
from ablate.metric import Metric
from ablate.record import Item
from ablate.report.contributions import effect_document
from ablate.study import Study

Items: TypeAlias = Mapping[str, Sequence[Item]]
"""A trial's key -> its items' scores."""
EXACT = 9
"""Decimals to which a difference is compared with a tier: float noise does not decide."""
CLASSES, ITEMS = "classes", "items"
"""The tables of `[groups]` that group classes, and that gather items into clusters."""


@dataclass(frozen=True, slots=True)
class Clustered:
    """How items are gathered: each item's cluster, and what told it."""

    of: Sequence[str]
    by: str


def pair_items(
    study: Study, a: Cell, b: Cell, of: Items, pattern: re.Pattern[str] | None = None
) -> list[dict[str, Any]]:
    """One entry per split and score that runs of both sides have of the same items.

    `pattern` tells an item's cluster by its first group.
    """
    x, y = (_by_name(c, of) for c in (a, b))
    found = []
    for split, name in x:
        if (split, name) not in y:
            continue
        both = table(x[split, name], y[split, name], paired=study.claims.paired)
        if both is not None:
            keys = [r.key for r in (*a.completed, *b.completed)]
            found.append(_entry(study, (split, name), both, pattern, keys))
    return found


def _by_name(cell: Cell, of: Items) -> dict[tuple[str, str], dict[int, dict[str, float]]]:
    """(split, score) -> seed -> item -> value."""
    found: dict[tuple[str, str], dict[int, dict[str, float]]] = {}
    for record in cell.completed:
        for item in of.get(record.key, ()):
            runs = found.setdefault((item.split, item.name), {})
            runs.setdefault(record.seed, {})[item.item] = item.value
    return found


def _entry(
    study: Study,
    name: tuple[str, str],
    of: Table,
    pattern: re.Pattern[str] | None,
    keys: Sequence[str],
) -> dict[str, Any]:
    metric = linked(study.metrics, name[1])
    gathered = _gathered(study, of, pattern)
    rules = Rules(study.claims.alpha, None, study.claims.paired)
    gaps = of.differences
    entry: dict[str, Any] = {
        "split": name[0],
        "name": name[1],
        "metric": metric.name if metric else None,
        "count": len(of.items),
        "left_out": list(of.lost),
        "seeds": [list(s) for s in of.seeds],
        "a": float(of.a.mean()),
        "b": float(of.b.mean()),
        "difference": float(gaps.mean()),
        "higher": int((gaps > 0).sum()),
        "lower": int((gaps < 0).sum()),
        "resampled": None,
        "rows": [],
        "groups": [],
    }
    if gathered is not None:
        return entry | {"resampled": _resampled(study, name, of, gathered, keys)}
    groups = group_means(of, study.groups.get(CLASSES, {}))
    return entry | {
        "rows": [_row(study, r, metric) for r in screened(of, rules)],
        "groups": [
            {"group": g, "a": x, "b": y, "count": n, "tier": tier(study, metric, y - x)}
            for g, (x, y, n) in groups.items()
        ],
    }


def _row(study: Study, row: Screened, metric: Metric | None) -> dict[str, Any]:
    return {
        "item": row.item,
        "a": row.a,
        "b": row.b,
        "difference": effect_document(row.effect),
        "p_adjusted": row.p_adjusted,
        "tier": tier(study, metric, row.effect.estimate),
    }


def linked(metrics: Sequence[Metric], name: str) -> Metric | None:
    """The metric whose value is the mean of an item score: of its name, or that after an `m`."""
    wanted = (name.lower(), f"m{name.lower()}")
    return next((m for w in wanted for m in metrics if m.name.lower() == w), None)


def tier(study: Study, metric: Metric | None, difference: float) -> str:
    """The study's own word for a difference of this size, in the display units of its metric.

    Empty where it has none, or where no metric tells the units.
    """
    size = round(abs(metric.shown(difference)), EXACT) if metric else 0.0
    reached = [(least, word) for word, least in study.tiers.items() if size >= least]
    return max(reached)[1] if reached else ""


def _gathered(study: Study, of: Table, pattern: re.Pattern[str] | None) -> Clustered | None:
    """The clusters of items that are a sample; None where they are classes.

    By `pattern`, else by the study's `[groups.items]`, else by what the names say, else each item
    by itself.
    """
    declared = {i: g for g, members in study.groups.get(ITEMS, {}).items() for i in members}
    told = clusters(of.items, pattern) if pattern is not None else None
    if told is not None:
        return Clustered(told, "--cluster")
    if declared and all(i in declared for i in of.items):
        return Clustered([declared[i] for i in of.items], "[groups.items]")
    if not sampled(of.items):
        return None
    named = clusters(of.items)
    return Clustered(named, "names") if named else Clustered(of.items, "")


def _resampled(
    study: Study, name: tuple[str, str], of: Table, gathered: Clustered, keys: Sequence[str]
) -> dict[str, Any]:
    """The two-way bootstrap; the same trials give the same draws, so the same digits."""
    text = "\n".join([*sorted(keys), *name])
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    claims = study.claims
    found = resampled(
        of,
        gathered.of,
        np.random.default_rng(seed),
        paired=claims.paired,
        alpha=claims.alpha,
    )
    return {
        "low": found.interval.low,
        "high": found.interval.high,
        "runs": found.runs,
        "clusters": found.clusters,
        "by": gathered.by,
        "resamples": RESAMPLES,
    }
