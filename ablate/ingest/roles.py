"""Variants of runs that exist already: what each is called, and what it is read against."""

from collections.abc import Mapping, Sequence

from ablate.design import BASELINE, variant_name
from ablate.study import Factor, Level, Role, Trial, Variant, changed

IMPORTED = "imported"
"""The revision of systems that only results are known of."""
_LONGEST = 64


def variants(
    levels: Sequence[Mapping[str, Level]],
    factors: Sequence[Factor],
    switches: Sequence[str],
    names: Sequence[str] = (),
) -> list[Variant]:
    """One variant per set of levels: a cell of the grid, a step of a sweep, or an arm.

    Where `names` are given, those take the place of composed names that nobody could read.
    """
    made = [variant_name(of, factors, switches) for of in levels]
    chosen = _shorter(made, names) if names else made
    return [
        _variant(name, of, factors, switches, set(chosen))
        for name, of in zip(chosen, levels, strict=True)
    ]


def trial(variant: Variant, factors: Sequence[Factor], seed: int, system: str, data: str) -> Trial:
    """The trial of a variant of which only results are known.

    All levels that mean something enter its key: the reference may move with the next run.
    """
    known = {f.name: f for f in factors}
    levels = {
        name: level
        for name, level in variant.levels.items()
        if known[name].requires is None or variant.levels[known[name].requires or ""] is True
    }
    return Trial(system, IMPORTED, variant.levels, levels, seed, data)


def _shorter(made: Sequence[str], names: Sequence[str]) -> list[str]:
    """Composed names, each too long one replaced by that of its first run where that is free."""
    shorter: dict[str, str] = {}
    taken = set(made)
    for name, run in zip(made, names, strict=True):
        if len(name) > _LONGEST and name not in shorter and run not in taken:
            shorter[name] = run
            taken.add(run)
    return [shorter.get(name, name) for name in made]


def _variant(
    name: str,
    levels: Mapping[str, Level],
    factors: Sequence[Factor],
    switches: Sequence[str],
    present: set[str],
) -> Variant:
    moved = [n for n in changed(levels, factors) if n not in switches]
    roles: tuple[Role, ...] = ("grid", "sweep", "arm")
    at_reference = {f.name: levels[f.name] if f.name in switches else f.reference for f in factors}
    around = variant_name(at_reference, factors, switches)
    parent = around if moved else BASELINE
    return Variant(
        name, levels, roles[min(len(moved), 2)], parent if parent in present - {name} else None
    )
