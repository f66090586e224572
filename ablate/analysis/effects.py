"""What one module contributes: its main effect over a full grid, and its effect alone."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TypeAlias

from ablate.analysis.cells import Cell
from ablate.analysis.contrast import Effect, contrast
from ablate.study import Level

Corner: TypeAlias = frozenset[str]
"""The modules that are on."""


def corners(cells: Sequence[Cell], on: Mapping[str, Level]) -> dict[Corner, Cell]:
    """The grid's cells by the modules that are on in them; `on` has the level that counts as that.

    Where an axis repeats the grid at other levels, its first repetition: designs list it whole
    before the next.
    """
    found: dict[Corner, Cell] = {}
    for cell in cells:
        if cell.role == "grid":
            corner = frozenset(m for m, level in on.items() if cell.levels.get(m) == level)
            found.setdefault(corner, cell)
    return found


def main_effect(
    module: str,
    modules: Sequence[str],
    samples: Mapping[Corner, Sequence[float]],
    level: float = 0.95,
) -> Effect | None:
    """Mean with the module on minus mean with it off, over all settings of the others.

    None where a corner of the full grid has no finite run: the average would mean something else.
    """
    full = [
        frozenset(m for m, on in zip(modules, switches, strict=True) if on)
        for switches in product((False, True), repeat=len(modules))
    ]
    if not all(samples.get(corner) for corner in full):
        return None
    weight = 2.0 / len(full)
    weights = [weight if module in corner else -weight for corner in full]
    return contrast(weights, [samples[corner] for corner in full], level)


def alone(
    module: str, samples: Mapping[Corner, Sequence[float]], level: float = 0.95
) -> Effect | None:
    """The module by itself minus the baseline; None where either has no finite run."""
    off, on = samples.get(frozenset()), samples.get(frozenset({module}))
    return contrast([1.0, -1.0], [on, off], level) if off and on else None


def difference(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> Effect | None:
    """Mean of `b` minus mean of `a`; None where either is empty."""
    return contrast([-1.0, 1.0], [a, b], level) if a and b else None
