"""Runs that agree to the last digit."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

from ablate.audit.evidence import Evidence
from ablate.record import Record

ENOUGH = 3
"""Different values that cannot agree by chance: one score of 0 or 1, or a rounded pair, can."""


def fingerprint(evidence: Evidence, record: Record) -> Hashable:
    """The curves of scores and losses of one run, exactly; None where they could agree by chance.

    Left out are learning rates, which are equal by design, and times.
    """
    measured = [
        (at, tuple((step, repr(value)) for step, value in sorted(curve.items())))
        for at, curve in sorted(_measured(evidence, record))
    ]
    values = {value for _, curve in measured for _, value in curve}
    return tuple(measured) if len(values) >= ENOUGH else None


def alike(evidence: Evidence, records: Iterable[Record]) -> list[list[Record]]:
    """The groups of completed runs whose scores and curves are equal to the last digit."""
    groups = [list(records)]
    for look in (_scores, _ends, fingerprint):  # each dearer than the one before
        groups = [same for of in groups for same in _split(evidence, of, look)]
    return groups


def _split(
    evidence: Evidence, records: Sequence[Record], look: Callable[[Evidence, Record], Hashable]
) -> list[list[Record]]:
    found: dict[Hashable, list[Record]] = {}
    for record in records:
        own = look(evidence, record)
        if own:
            found.setdefault(own, []).append(record)
    return [same for same in found.values() if len(same) > 1]


def _scores(_: Evidence, record: Record) -> Hashable:
    return tuple((name, repr(score.value)) for name, score in sorted(record.scores.items()))


def _ends(evidence: Evidence, record: Record) -> Hashable:
    """The length and the last value of every curve."""
    return frozenset(
        (at, len(curve), repr(curve[max(curve)]))
        for at, curve in _measured(evidence, record)
        if curve
    )


def _measured(
    evidence: Evidence, record: Record
) -> Iterator[tuple[tuple[str, str], Mapping[int, float]]]:
    names = {name.lower() for name in evidence.study.directions}
    for at, curve in evidence.curves.get(record.key, {}).items():
        if at[1].lower() in names or "loss" in at[1].lower():
            yield at, curve
