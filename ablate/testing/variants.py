"""The variants that a system is checked at: short ones around its reference."""

from collections.abc import Mapping

from ablate.study import Factor, Kind, Level, settled
from ablate.system import System

SEED, OTHER_SEED = 0, 1


def switches(system: System) -> list[Factor]:
    """The factors that are on or off."""
    return [f for f in system.factors if f.kind is Kind.BOOL]


def levels_with(
    system: System, on: Mapping[str, Level], shorten: Mapping[str, Level] | None
) -> dict[str, Level]:
    """The reference with `on` and what that requires, made short.

    Raises AssertionError where `shorten` names no factor.
    """
    levels: dict[str, Level] = {f.name: f.reference for f in system.factors} | dict(on)
    by_name = {f.name: f for f in system.factors}
    for name in on:
        needed = by_name[name].requires
        while needed is not None and not levels[needed]:
            levels[needed] = True
            needed = by_name[needed].requires
    for name, level in (shorten or {}).items():
        if name not in by_name:
            raise AssertionError(f"shorten names {name!r}, which the system does not declare")
        levels[name] = by_name[name].level(level)
    return settled(levels, system.factors)
