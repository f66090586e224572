"""Parameters that no score can depend on, or that nothing which trains the score reaches."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from ablate.analysis.cells import Cell
from ablate.record import Cost, Finding, Record, Severity
from ablate.study import Study

Shares: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Cost]]]
"""Variant -> factor -> name -> what the factor's own parameters and modules spend."""

COMMAND = "ablate plan STUDY --probe"
UNREAD = "none of its {} trainable parameters reaches the scored output in {}"
NOWHERE = ", and no loss that trains the score reaches them"
BESIDE = "; what they learn can act through shared weights only"
UNTAUGHT = (
    "no gradient from the losses that train the score in {1} ({0} trainable parameters that reach"
    " the scored output as they were made, or as another loss makes them)"
)
KINDS: tuple[tuple[str, Severity, str], ...] = (
    ("W204", "warning", UNREAD + NOWHERE),
    ("W204", "warning", UNREAD),
    ("N204", "note", UNREAD + BESIDE),
    ("E205", "error", UNTAUGHT),
)


def liveness(shares: Shares) -> list[Finding]:
    """W204: a factor's parameters reach no score; N204: yet they learn; E205: live and untaught.

    One finding per factor and kind, with the variants where all of its parameters are so. Nothing
    is said of a variant whose live parameters were not counted; where only the trained ones were
    not, W204 says nothing of them.
    """
    factors = dict.fromkeys(f for of in shares.values() for f in of)
    return [one for factor in factors for one in _of(factor, shares)]


def _of(factor: str, shares: Shares) -> Iterator[Finding]:
    own = {variant: of[factor] for variant, of in shares.items() if factor in of}
    kinds = {variant: _kind(of) for variant, of in own.items()}
    for code, severity, fact in KINDS:
        found = {v: _count(own[v], "params") for v, kind in kinds.items() if kind == fact}
        if found:
            said = fact.format(_size(found), ", ".join(found))
            yield Finding(code, severity, f"{factor}: {said}", COMMAND)


def _kind(of: Mapping[str, Cost]) -> str:
    """The fact that holds of a factor in one variant, or nothing."""
    if not _count(of, "params") or "live_params" not in of:
        return ""
    trained = bool(_count(of, "trained_params"))
    if _count(of, "live_params"):
        return UNTAUGHT if "trained_params" in of and not trained else ""
    if "trained_params" not in of:
        return UNREAD
    return UNREAD + (BESIDE if trained else NOWHERE)


def inert_of(study: Study, cells: Iterable[Cell]) -> dict[str, frozenset[str]]:
    """Variant -> the modules of the grid none of whose own parameters can move its output.

    Those that W204 names in every run that counted them, and no loss that trains the score reaches
    them either, nor has the output any operation of theirs. Where only the live parameters were
    counted, that is unknown of them.
    """
    found: dict[str, frozenset[str]] = {}
    modules = tuple(study.on)
    for cell in cells:
        if not any(r.shares for r in cell.records):
            continue
        counted = [r.shares for r in cell.completed if r.shares]
        own = frozenset(
            m for m in modules if counted and all(_still(of.get(m, {})) for of in counted)
        )
        if own:
            found[cell.variant] = own
    return found


def _still(of: Mapping[str, Cost]) -> bool:
    return _kind(of) == UNREAD + NOWHERE and not _count(of, "live_macs")


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


def _count(of: Mapping[str, Cost], name: str) -> int:
    return int(of[name].value) if name in of else 0


def _size(counts: Mapping[str, int]) -> str:
    numbers = sorted(set(counts.values()))
    return " to ".join(f"{n:,}" for n in dict.fromkeys((numbers[0], numbers[-1])))
