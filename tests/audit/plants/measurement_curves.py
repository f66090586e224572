"""Curves that hold no number, that still rise, that start apart; times that cannot be."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from ablate.audit.evidence import Evidence
from ablate.record import Record
from ablate.selection import Curves
from tests.audit.clean import EPOCHS, ITERATIONS
from tests.audit.plants.measurement_choice import scored


def with_curve(
    evidence: Evidence, name: str, of: Callable[[str, Mapping[int, float]], Mapping[int, float]]
) -> Evidence:
    """The same evidence with another curve of the training in every run."""
    curves: dict[str, Curves] = {
        key: {**own, ("train", name): of(key, own.get(("train", name), {}))}
        for key, own in evidence.curves.items()
    }
    return replace(evidence, curves=curves)


def not_a_number(evidence: Evidence) -> Evidence:
    """The loss of the first run is NaN at one step and infinite at another."""
    first = evidence.completed[0].key
    return with_curve(
        evidence,
        "loss",
        lambda key, of: {**of, 3: math.nan, 7: math.inf} if key == first else of,
    )


def a_lost_score(evidence: Evidence) -> Evidence:
    """The primary score of the first run is NaN, as its curve is at that step."""
    first, primary = evidence.completed[0], evidence.study.primary
    score = replace(first.scores[primary], value=math.nan)
    lost = replace(first, scores={**first.scores, primary: score})
    records = [lost if r.key == first.key else r for r in evidence.records]
    return replace(evidence, records=records)


def an_overflow(evidence: Evidence) -> Evidence:
    """The gradients of the first run overflow at its first step."""
    first = evidence.completed[0].key
    at = ("train", "grad_norm")
    curves = {
        key: {**of, at: {1: math.inf if key == first else 1.0, 2: 1.0}}
        for key, of in evidence.curves.items()
    }
    return replace(evidence, curves=curves)


def still_rising(evidence: Evidence) -> Evidence:
    """The primary metric of every run improves in equal steps to the end, beside its wobble."""
    study = evidence.study
    metric = study.metric(study.primary)
    pull = 0.4 if metric.direction == "down" else -0.4

    def drawn_out(name: str, of: Mapping[int, float]) -> Mapping[int, float]:
        if name != metric.name:
            return of
        return {s: v + pull * (EPOCHS - s) / EPOCHS for s, v in of.items()}

    curves: dict[str, Curves] = {
        key: {at: drawn_out(at[1], of) for at, of in own.items()}
        for key, own in evidence.curves.items()
    }
    return scored(evidence, study.selection, curves)


def shocked_starts(evidence: Evidence) -> Evidence:
    """All begin from one checkpoint; the last configuration starts at a loss a third higher."""
    last = evidence.cells[-1].variant
    shocked = {r.key for r in evidence.records if r.variant == last}
    settings = {
        r.key: {**evidence.settings.get(r.key, {}), "load_from": "ckpts/epoch_20.pth"}
        for r in evidence.records
    }
    planted = with_curve(
        evidence,
        "loss",
        lambda key, of: {
            s: 10.0 + (3.3 * math.exp(-s / 5) if key in shocked else 0.0) + 0.01 * (v % 1)
            for s, v in of.items()
        },
    )
    return replace(planted, settings=settings)


def too_short(evidence: Evidence) -> Evidence:
    """The first run took half the time that its iterations take."""
    planted = with_curve(
        evidence, "acc", lambda _key, _of: {ITERATIONS * e: 0.5 for e in range(1, EPOCHS + 1)}
    )

    def hurried(record: Record) -> Record:
        cost = record.costs["seconds"]
        costs = {**record.costs, "seconds": replace(cost, value=cost.value / 2)}
        return replace(record, costs=costs)

    records = [hurried(r) if r.position == 0 else r for r in planted.records]
    return replace(planted, records=records)


PLANTS: dict[str, Callable[[Evidence], Evidence | None]] = {
    "E152": a_lost_score,
    "W152": not_a_number,
    "N152": an_overflow,
    "W153": still_rising,
    "W154": shocked_starts,
    "W230": too_short,
}
