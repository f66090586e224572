"""Runs that agree to the last digit."""

from collections.abc import Hashable, Iterable

from ablate.audit.evidence import Evidence
from ablate.record import Record

ENOUGH = 3
"""Different values that cannot agree by chance: one score of 0 or 1, or a rounded pair, can."""


def fingerprint(evidence: Evidence, record: Record) -> Hashable:
    """The curves of scores and losses of one run, exactly; None where they could agree by chance.

    Left out are learning rates, which are equal by design, and times.
    """
    names = {name.lower() for name in evidence.study.directions}
    measured = [
        (at, tuple((step, repr(value)) for step, value in sorted(curve.items())))
        for at, curve in sorted(evidence.curves.get(record.key, {}).items())
        if at[1].lower() in names or "loss" in at[1].lower()
    ]
    values = {value for _, curve in measured for _, value in curve}
    return tuple(measured) if len(values) >= ENOUGH else None


def alike(evidence: Evidence, records: Iterable[Record]) -> list[list[Record]]:
    """The groups of completed runs whose scores and curves are equal to the last digit."""
    by_scores: dict[Hashable, list[Record]] = {}
    for record in records:
        scores = tuple((name, repr(s.value)) for name, s in sorted(record.scores.items()))
        if scores:
            by_scores.setdefault(scores, []).append(record)
    found: dict[Hashable, list[Record]] = {}
    for at, of in by_scores.items():
        for record in of if len(of) > 1 else ():
            own = fingerprint(evidence, record)
            if own is not None:
                found.setdefault((at, own), []).append(record)
    return [of for of in found.values() if len(of) > 1]
