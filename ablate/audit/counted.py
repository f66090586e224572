"""Modules that are not in a cell's output, by counts of the whole: parameters up, operations not.

For records that have no share of a factor's own: imported logs, printed tables.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from ablate.analysis.cells import Cell
from ablate.analysis.effects import Corner, corners
from ablate.study import Study

OPERATIONS = ("ops", "live_macs", "macs")
CLEAR = 10
"""So many of a counter's last printed digits must a module cost where it runs.

A module of fewer may be rounded away where it runs, too.
"""
_SAME = 1e-12
"""Counts that agree to this share are equal: floats leave more of a sum of whole numbers."""

Counts: TypeAlias = Mapping[tuple[str, str], float]
"""(cost name, counter) -> what every completed run of one cell spent."""


@dataclass(frozen=True, slots=True)
class Idle:
    """A module that adds parameters to cells and no operation there, by any counter.

    `params` are what it adds in each of `cells` (variants); `counter` is one that has seen it add
    `cost` operations in the variant `seen`, or, where no counter has, one that saw none in `cells`
    (`seen` is empty). `proven` cells are of the same function as those without it.
    """

    module: str
    cells: tuple[str, ...]
    params: tuple[float, ...]
    counter: str
    seen: str = ""
    cost: float = 0.0
    proven: frozenset[str] = frozenset()


def idle_modules(study: Study, cells: Iterable[Cell]) -> list[Idle]:
    """The modules of the grid that counts of some cells say are not in their output.

    Cells with shares of their factors are left out: those tell it better. A zero says so only of a
    module that the same counter sees elsewhere, at `CLEAR` times its last digit or more.
    """
    grid = {
        corner: cell
        for corner, cell in corners([c for c in cells if c.role == "grid"], study.on).items()
        if not any(r.shares for r in cell.records)
    }
    counts = {corner: _counts(cell) for corner, cell in grid.items()}
    printed: dict[tuple[str, str], list[float]] = {}
    for of in counts.values():
        for key, count in of.items():
            printed.setdefault(key, []).append(count)
    clear = {key: CLEAR * last_digit(values) for key, values in printed.items()}
    every = [_idle(m, grid, counts, clear) for m in study.on]
    found = [one for one in every if one]
    return [_with_proof(one, found, grid, counts) for one in found]


def inert_by_counts(study: Study, cells: Iterable[Cell]) -> dict[str, frozenset[str]]:
    """Variant -> the modules that are proven not to be in its output."""
    found: dict[str, set[str]] = {}
    for one in idle_modules(study, cells):
        for variant in one.proven:
            found.setdefault(variant, set()).add(one.module)
    return {variant: frozenset(modules) for variant, modules in found.items()}


def _idle(
    module: str, grid: Mapping[Corner, Cell], counts: Mapping[Corner, Counts], clear: Counts
) -> Idle | None:
    still: dict[str, float] = {}
    blind: dict[tuple[str, str], int] = {}
    seen: list[tuple[float, int, str, tuple[str, str]]] = []
    faint = False
    for corner, cell in grid.items():
        without = counts.get(corner - {module}) if module in corner else None
        if without is None:
            continue
        added = _added(without, counts[corner])
        moved = {k: d for k, d in added.items() if k[0] in OPERATIONS}
        faint = faint or any(moved.values())
        for key, more in moved.items():
            if more >= clear[key]:
                seen.append((-more, len(corner), cell.variant, key))
        grown = max((d for k, d in added.items() if k[0] == "params"), default=0.0)
        if grown > 0 and moved and not any(moved.values()):
            still[cell.variant] = grown
            blind |= {key: blind.get(key, 0) + 1 for key in moved}
    if not still:
        return None
    keys = [key for key, times in blind.items() if times == len(still)]
    told = min((s for s in seen if s[3] in keys), key=lambda s: (s[1], s[0]), default=None)
    names, params = tuple(still), tuple(still.values())
    if told is None and faint:
        return None  # too little to tell a zero from what rounding hides
    if told is None:
        return Idle(module, names, params, min(keys or blind)[1])
    return Idle(module, names, params, told[3][1], told[2], -told[0])


def _with_proof(
    one: Idle,
    every: Sequence[Idle],
    grid: Mapping[Corner, Cell],
    counts: Mapping[Corner, Counts],
) -> Idle:
    """The cells that without all of their idle modules at once cost the same, too."""
    if not one.seen:
        return one
    proven = set()
    for corner, cell in grid.items():
        own = {i.module for i in every if i.seen and cell.variant in i.cells}
        without = counts.get(corner - own) if one.module in own else None
        if without is not None:
            added = _added(without, counts[corner])
            if not any(d for k, d in added.items() if k[0] in OPERATIONS):
                proven.add(cell.variant)
    return Idle(
        one.module, one.cells, one.params, one.counter, one.seen, one.cost, frozenset(proven)
    )


def _counts(cell: Cell) -> dict[tuple[str, str], float]:
    """What all of a cell's runs spent alike; a count in which they differ is none."""
    return {
        key: spent[0].value
        for key, spent in cell.costs().items()
        if key[0] in {"params", *OPERATIONS} and all(_equal(c.value, spent[0].value) for c in spent)
    }


def _added(without: Counts, counts: Counts) -> dict[tuple[str, str], float]:
    """The differences of what both have counted; exactly nothing where they are equal."""
    return {
        key: 0.0 if _equal(count, without[key]) else count - without[key]
        for key, count in counts.items()
        if key in without
    }


def _equal(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=_SAME)


def last_digit(values: Iterable[float]) -> float:
    """The last digit that a counter's numbers were printed to: 1e7 of 34.28 G; at least one."""
    exponents = [_exponent(v) for v in values if v]
    return 10.0 ** max(0, min(exponents, default=0))


def _exponent(value: float) -> int:
    return int(Decimal(f"{value:.12g}").normalize().as_tuple().exponent)
