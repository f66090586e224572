"""Parameters that no score can depend on, or that nothing which trains the score reaches."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from ablate.analysis.cells import Cell
from ablate.analysis.effects import BASE
from ablate.audit.counted import inert_by_counts
from ablate.record import Cost, Record
from ablate.study import Level, Study, settled

Shares: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Cost]]]
"""Variant -> factor -> name -> what the factor's own parameters and modules spend."""

UNREAD = "none of its {} trainable parameters reaches the scored output in {}"
NOWHERE = ", and no loss that trains the score reaches them"
BESIDE = "; what they learn can act through shared weights only"
UNTAUGHT = (
    "no gradient from the losses that train the score in {1} ({0} trainable parameters that reach"
    " the scored output as they were made, or as another loss makes them)"
)


def kinds(shares: Shares) -> dict[str, dict[str, str]]:
    """Factor -> variant -> the fact that holds of it there, or nothing.

    Nothing is said of a variant whose live parameters were not counted; where only the trained ones
    were not, only that it is unread.
    """
    found: dict[str, dict[str, str]] = {}
    for variant, of in shares.items():
        for factor, own in of.items():
            found.setdefault(factor, {})[variant] = _kind(own)
    return found


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
    """Variant -> the modules of the grid that cannot move its output.

    By shares, those that W204 names in every run that counted them, and no loss that trains the
    score reaches them either, nor has the output any operation of theirs; where only the live
    parameters were counted, that is unknown of them. Without shares, those whose parameters came
    without an operation, by a counter that has seen theirs elsewhere (`counted`).
    """
    every = list(cells)
    found = inert_by_counts(study, every)
    modules = tuple(study.on)
    for cell in every:
        if not any(r.shares for r in cell.records):
            continue
        counted = [r.shares for r in cell.completed if r.shares]
        own = frozenset(
            m for m in modules if counted and all(_still(of.get(m, {})) for of in counted)
        )
        if own:
            found[cell.variant] = own
    return found


def functions(
    study: Study, cells: Iterable[Cell], inert: Mapping[str, frozenset[str]] | None = None
) -> dict[str, tuple[Level, ...]]:
    """Variant -> the levels of what it computes: its modules that are not in the output are off.

    Configurations of one function are replicates of each other. `inert` is what `inert_of` says,
    where somebody has asked it.
    """
    every = list(cells)
    known = inert_of(study, every) if inert is None else inert
    return {c.variant: _function(study, c, known.get(c.variant, BASE)) for c in every}


def _function(study: Study, cell: Cell, inert: frozenset[str]) -> tuple[Level, ...]:
    off = {f.name: f.reference for f in study.factors if f.name in inert}
    levels = settled({**cell.levels, **off}, study.factors) if inert else cell.levels
    return tuple(levels.get(f.name, f.reference) for f in study.factors)


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
