"""What the runs of one seed share over a grid, and what blocking by seed would make of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from ablate.analysis.contrast import Array, Rules
from ablate.analysis.correlation import Blocking, across_seeds, blocking, intraclass
from ablate.analysis.effects import Answer, Grid


def seeds_document(
    grid: Grid,
    answered: tuple[Sequence[Answer], Sequence[Answer]],
    rules: Rules,
    ends: tuple[Mapping[int, float], Mapping[int, float]],
    rows: Array | None = None,
) -> dict[str, Any]:
    """The across-seed correlation of one metric, and the ratios of blocked to unblocked intervals.

    `answered` are the main effects and the averaged interactions under `rules`; `ends` the scores
    by seed of the baseline and of the full combination; `rows` the weights of `answered`.
    """
    shared = intraclass(grid.distinct(), 1 - rules.alpha)
    r = across_seeds(*ends)
    mains, pairs = _ratios(grid, answered, rules, rows)
    return {
        "paired": rules.paired,
        "intraclass": {
            "seeds": shared.seeds,
            "cells": shared.cells,
            "value": shared.value,
            "low": shared.interval.low if shared.interval else None,
            "high": shared.interval.high if shared.interval else None,
            "reason": shared.reason,
        },
        "ends": {"n": r.n, "value": r.value, "reason": r.reason},
        "main": asdict(mains) if mains else None,
        "averaged": asdict(pairs) if pairs else None,
    }


def _ratios(
    grid: Grid, families: Sequence[Sequence[Answer]], rules: Rules, rows: Array | None
) -> list[Blocking | None]:
    terms = [a.term for answers in families for a in answers]
    either = iter(grid.answers(terms, replace(rules, paired=not rules.paired), rows))
    found = []
    for answers in families:
        own, other = [a.effect for a in answers], [next(either).effect for _ in answers]
        found.append(blocking(own, other) if rules.paired else blocking(other, own))
    return found
