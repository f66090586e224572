"""Whether costs add up over a grid: the same terms of parameters and operations, without error."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, TypeAlias

from ablate.analysis.effects import BASE, Corner, subsets
from ablate.record import Cost

Spent: TypeAlias = Mapping[tuple[str, str], Sequence[Cost]]
"""(cost name, counter) -> what each completed run of one cell spent."""
Counts: TypeAlias = Mapping[tuple[str, str, str], float]
"""(cost name, counter, unit) -> the mean over one cell's completed runs."""
NAMES = ("params", "live_macs", "macs", "ops")
"""What a module may add to; times are measured, not counted."""
DIFFERENCES = ("alone", "last")
OPERATIONS = ("live_macs", "macs", "ops")
ORDERS = 3
ROUND = 1e-9
"""A term below this share of the largest cost is what floats leave of nothing."""


def grid_costs(modules: Sequence[str], placed: Mapping[Corner, Spent]) -> list[dict[str, Any]]:
    """Each counted cost by counter: what a module adds alone and last, and the Moebius terms.

    `placed` has what the runs of each corner spent.

    They are counts: they have no intervals. A term that lacks a cell is left out, and a cost of
    which no difference is known.
    """
    by_cell = {corner: _counted(spent) for corner, spent in placed.items()}
    keys = dict.fromkeys(k for of in by_cell.values() for k in of)
    order = [k for name in NAMES for k in keys if k[0] == name]
    found = []
    for key in order:
        values = {corner: of[key] for corner, of in by_cell.items() if key in of}
        found.append(_cost(modules, *key, values))
    return [c for c in found if any(m[k] is not None for m in c["modules"] for k in DIFFERENCES)]


def idle(placed: Mapping[Corner, Spent]) -> dict[Corner, frozenset[str]]:
    """The modules of each corner that add parameters to it and no operations, where there are any.

    Either the counter misses such a module, or it is not run there: counts cannot tell which.
    """
    by_cell = {corner: _counted(spent) for corner, spent in placed.items()}
    found = {}
    for corner, costs in by_cell.items():
        own = frozenset(m for m in corner if _idle(by_cell.get(corner - {m}, {}), costs))
        if own:
            found[corner] = own
    return found


def _idle(without: Counts, costs: Counts) -> bool:
    ran = grown = False
    for key, count in costs.items():
        if key not in without:
            continue
        if key[0] == "params":
            grown = grown or count > without[key]
        elif key[0] in OPERATIONS:
            if abs(count - without[key]) > ROUND * count:
                return False
            ran = True
    return grown and ran


def _counted(spent: Spent) -> Counts:
    """(name, counter, unit) -> the mean over the cell's completed runs."""
    return {
        (name, counter, costs[0].unit): sum(c.value for c in costs) / len(costs)
        for (name, counter), costs in spent.items()
        if name in NAMES
    }


def _cost(
    modules: Sequence[str], name: str, counter: str, unit: str, values: Mapping[Corner, float]
) -> dict[str, Any]:
    full = frozenset(modules)
    tiny = ROUND * max(map(abs, values.values()))
    terms = []
    for size in range(2, min(ORDERS, len(modules)) + 1):
        for of in combinations(modules, size):
            value = _moebius(of, values)
            if value is not None:
                terms.append({"modules": list(of), "value": 0.0 if abs(value) < tiny else value})
    return {
        "name": name,
        "counter": counter,
        "unit": unit,
        "additive": all(t["value"] == 0 for t in terms) if terms else None,
        "modules": [
            {
                "module": m,
                "alone": _difference(values, frozenset({m}), BASE),
                "last": _difference(values, full, full - {m}),
            }
            for m in modules
        ],
        "terms": terms,
    }


def _difference(values: Mapping[Corner, float], a: Corner, b: Corner) -> float | None:
    return values[a] - values[b] if a in values and b in values else None


def _moebius(of: Sequence[str], values: Mapping[Corner, float]) -> float | None:
    corners = list(subsets(of))
    if not all(c in values for c in corners):
        return None
    return float(sum((-1.0) ** (len(of) - len(c)) * values[c] for c in corners))
