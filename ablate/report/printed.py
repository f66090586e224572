"""How numbers are printed: scores with their spread, effects with their interval, costs."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ablate.design import shown
from ablate.metric import LARGE, MINUS, PLUS_MINUS, Metric, plain, rounded, signed
from ablate.report.layout import NONE
from ablate.study import Level

_SIZES: dict[str, tuple[tuple[float, float, str], ...]] = {
    "params": ((1e6, 1e6, "Params (M)"), (1e5, 1e3, "Params (k)"), (0, 1, "Params")),
    "live_params": ((1e6, 1e6, "Live (M)"), (1e5, 1e3, "Live (k)"), (0, 1, "Live")),
    "trained_params": ((1e6, 1e6, "Trained (M)"), (1e5, 1e3, "Trained (k)"), (0, 1, "Trained")),
    "live_macs": ((1e8, 1e9, "GFLOPs"), (1e5, 1e6, "MFLOPs"), (0, 1, "FLOPs")),
    "macs": ((1e8, 1e9, "GFLOPs"), (1e5, 1e6, "MFLOPs"), (0, 1, "FLOPs")),
    "ops": ((1e8, 1e9, "GOps"), (1e5, 1e6, "MOps"), (0, 1, "Ops")),
    "step": ((1, 1, "Step (s)"), (0, 1e-3, "Step (ms)")),
    "seconds": ((0, 1, "Seconds"),),
    "cpu": ((0, 1, "CPU seconds"),),
    "memory": ((2**30, 2**30, "Memory (GiB)"), (2**17, 2**20, "Memory (MiB)"), (0, 1, "Bytes")),
}
COST_DIGITS = 2
TIMES = ("seconds", "cpu", "step", "memory")
OPERATIONS = ("live_macs", "macs")
SIZE = ("params", *OPERATIONS)
EVERYTHING = (*SIZE, "live_params", "trained_params", "ops", *TIMES)


def metric_of(document: Mapping[str, Any]) -> Metric:
    """The Metric that a document declares."""
    return Metric(
        document["name"],
        document["title"],
        document["direction"],
        document["display"],
        document["digits"],
    )


def heading(metric: Metric) -> str:
    """A metric's column: its title, unit, and which way is better."""
    unit = " (%)" if metric.display == "percent" else ""
    return f"{metric.label}{unit} {metric.arrow}"


def score(metric: Metric, scores: Mapping[str, Any]) -> str:
    """The mean, with SD where there is one; NaN and infinite runs are told."""
    lost = f" ({scores['lost']} not finite)" if scores["lost"] else ""
    if scores["mean"] is None:
        return f"{NONE}{lost}"
    spread = ""
    if scores["sd"] is not None:
        spread = f" {PLUS_MINUS} {plain(metric.shown(scores['sd']), metric.digits)}"
    return f"{metric.text(scores['mean'])}{spread}{lost}"


def in_points(metrics: Sequence[Metric]) -> str:
    """How a sentence about differences ends: points are of percent scores only."""
    percent = [m.display == "percent" for m in metrics]
    if not any(percent):
        return ""
    return ", in points" if all(percent) else "; differences of percent scores in points"


def estimate(metric: Metric, effect: Mapping[str, Any] | None) -> str:
    """An effect in display units, signed."""
    return NONE if effect is None else metric.difference(effect["estimate"])


def interval(metric: Metric, effect: Mapping[str, Any] | None) -> str:
    """An effect's interval in display units."""
    if effect is None or effect["low"] is None:
        return NONE
    return f"[{bound(metric, effect['low'])}, {bound(metric, effect['high'])}]"


def bound(metric: Metric, value: float) -> str:
    """One end of an interval; what rounds to zero keeps its sign, which says where zero lies."""
    text = metric.difference(value)
    if value and text.startswith(PLUS_MINUS):
        return text.replace(PLUS_MINUS, "+" if value > 0 else MINUS)
    return text


@dataclass(frozen=True, slots=True)
class Spent:
    """One column of costs: a cost by one counter, with the unit that suits the column."""

    name: str
    counter: str
    title: str
    scale: float
    digits: int

    def of(self, costs: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """The column's entry among a cell's costs."""
        return next(
            (c for c in costs if (c["name"], c["counter"]) == (self.name, self.counter)), None
        )

    def text(self, costs: Sequence[Mapping[str, Any]]) -> str:
        """The mean of a cell, with SD where its runs differ."""
        found = self.of(costs)
        if found is None:
            return NONE
        spread = f" {PLUS_MINUS} {self._plain(found['sd'])}" if found["sd"] else ""
        return f"{self._plain(found['mean'])}{spread}"

    def difference(
        self, costs: Sequence[Mapping[str, Any]], reference: Sequence[Mapping[str, Any]]
    ) -> str:
        """The difference to a reference that the same counter measured."""
        a, b = self.of(reference), self.of(costs)
        if a is None or b is None:
            return NONE
        return signed((b["mean"] - a["mean"]) / self.scale, self.digits)

    def signed(self, value: float | None) -> str:
        """A difference with its sign."""
        return NONE if value is None else signed(value / self.scale, self.digits)

    def _plain(self, value: float) -> str:
        return plain(value / self.scale, self.digits)


def spent_columns(
    cells: Sequence[Mapping[str, Any]], names: Sequence[str], *, others: bool = False
) -> list[Spent]:
    """The cost columns of a table: one per cost and counter, never two counters in one.

    Executed operations beside live ones of the same counter are a column only where they differ.
    """
    keys = {(c["name"], c["counter"]): None for cell in cells for c in cell["costs"]}
    order = [k for name in names for k in keys if k[0] == name]
    if others:
        order += [k for k in keys if k[0] not in _SIZES]
    order = [k for k in order if not (k[0] == "macs" and _all_live(cells, k[1]))]
    return [_spent(name, counter, cells, order) for name, counter in order]


def _all_live(cells: Sequence[Mapping[str, Any]], counter: str) -> bool:
    """Whether every cell's executed operations are live, as the same counter says."""
    counted = [
        {c["name"]: c["mean"] for c in cell["costs"] if c["counter"] == counter} for cell in cells
    ]
    return all(of["macs"] == of.get("live_macs") for of in counted if "macs" in of)


def _spent(
    name: str, counter: str, cells: Sequence[Mapping[str, Any]], order: Sequence[tuple[str, str]]
) -> Spent:
    values = [
        c["mean"]
        for cell in cells
        for c in cell["costs"]
        if (c["name"], c["counter"]) == (name, counter)
    ]
    unit = next(c["unit"] for cell in cells for c in cell["costs"] if c["name"] == name)
    plain_size = (0.0, 1.0, f"{name} ({unit})" if unit else name)
    sizes = _SIZES.get(name, (plain_size,))
    largest = max(map(abs, values), default=0)
    _, scale, title = next((s for s in sizes if largest >= s[0]), sizes[-1])
    if name == "macs" and ("live_macs", counter) in order:
        title = f"executed {title}"
    alike = OPERATIONS if name in OPERATIONS else (name,)
    if len({c for n, c in order if n in alike}) > 1:
        title = f"{title} [{counter}]"
    return Spent(name, counter, title, scale, _digits([v / scale for v in values]))


def counted_columns(
    costs: Sequence[Mapping[str, Any]],
) -> list[tuple[str, Callable[[float | None], str]]]:
    """A grid's costs as columns: the title with its unit, and how a difference of it is printed."""
    keys = [(c["name"], c["counter"]) for c in costs]
    found: list[tuple[str, Callable[[float | None], str]]] = []
    for cost in costs:
        values = [m[k] for m in cost["modules"] for k in ("alone", "last")]
        values += [t["value"] for t in cost["terms"]]
        known = [{"costs": [{**cost, "mean": v}]} for v in values if v is not None]
        column = _spent(cost["name"], cost["counter"], known, keys)
        found.append((column.title, column.signed))
    return found


def _digits(values: Sequence[float]) -> int:
    """The decimals that print the column, at most two: never more than the source gave."""
    small = [v for v in values if abs(v) < LARGE]
    for digits in range(COST_DIGITS):
        if all(abs(float(rounded(v, digits)) - v) < 1e-9 * max(1.0, abs(v)) for v in small):
            return digits
    return COST_DIGITS


def bar(share: float, width: int) -> str:
    """A bar that fills `share` of `width`; none where scores are too large for a share."""
    return "█" * round(share * width) if math.isfinite(share) else ""


def level_text(level: Level) -> str:
    """A level as tables print it."""
    text = shown(level)
    return text if isinstance(level, str) else text.replace("-", MINUS, 1)
