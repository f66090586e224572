"""Parameters that no score can depend on, or that nothing which trains the score reaches."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from ablate.record import Cost, Finding, Record

Shares: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Cost]]]
"""Variant -> factor -> name -> what the factor's own parameters and modules spend."""

COMMAND = "ablate plan STUDY --probe"
UNREAD = (
    "no path to the scored output in {} ({} trainable parameters that no score can depend on);"
    " with the same shared weights these configurations score as they would without {}"
)
UNTAUGHT = (
    "no gradient from the losses that train the score in {} ({} trainable parameters that reach"
    " the scored output as they were made, or as another loss makes them)"
)


def liveness(shares: Shares) -> list[Finding]:
    """W204: a factor's parameters reach no score; E205: no loss of the score reaches them.

    One finding per factor, with the variants where all of its parameters are so; one that has not
    been measured raises none.
    """
    factors = dict.fromkeys(f for of in shares.values() for f in of)
    found = []
    for factor in factors:
        own = {variant: of[factor] for variant, of in shares.items() if factor in of}
        unread = {v: _count(of, "params") for v, of in own.items() if _dead(of, "live_params")}
        untaught = {
            v: _count(of, "params")
            for v, of in own.items()
            if v not in unread and _dead(of, "trained_params")
        }
        if unread:
            fact = UNREAD.format(*_where(unread), factor)
            found.append(Finding("W204", "warning", f"{factor}: {fact}", COMMAND))
        if untaught:
            fact = UNTAUGHT.format(*_where(untaught))
            found.append(Finding("E205", "error", f"{factor}: {fact}", COMMAND))
    return found


def recorded(records: Iterable[Record]) -> Shares:
    """The shares of each variant's first record that has any."""
    found: dict[str, Mapping[str, Mapping[str, Cost]]] = {}
    for record in records:
        if record.shares:
            found.setdefault(record.variant, record.shares)
    return found


def measured(costs: Mapping[str, Sequence[Cost]]) -> Shares:
    """The shares among the costs of each variant."""
    found: dict[str, dict[str, dict[str, Cost]]] = {}
    for variant, of in costs.items():
        for cost in of:
            if cost.factor:
                own = found.setdefault(variant, {}).setdefault(cost.factor, {})
                own[cost.name] = cost
    return found


def _dead(of: Mapping[str, Cost], name: str) -> bool:
    return _count(of, "params") > 0 and name in of and of[name].value == 0


def _count(of: Mapping[str, Cost], name: str) -> int:
    return int(of[name].value) if name in of else 0


def _where(counts: Mapping[str, int]) -> tuple[str, str]:
    numbers = sorted(set(counts.values()))
    shown = f"{numbers[0]:,}"
    if len(numbers) > 1:
        shown += f" to {numbers[-1]:,}"
    return ", ".join(counts), shown
