"""What the records of one study say: its quantities and their values by configuration."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from ablate.analysis.cells import Cell, cells
from ablate.lint.lexicon import OPERATIONS
from ablate.lint.numbers import Fit, Number, exact, fit
from ablate.metric import Metric, plain
from ablate.record import STAMPED, Item, Record
from ablate.selection import LAST, Curves, Selection
from ablate.study import Factor, Kind, Level, Study, changed

_UNITS: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "params": {"M": (1e6,), "k": (1e3,), "": (1.0,)},
    "ops": {"G": (1e9,), "M": (1e6,), "": (1.0,)},
    "seconds": {"s": (1.0,), "min": (60.0,), "h": (3600.0,)},
    "memory": {
        "GiB": (2**30,),
        "MiB": (2**20,),
        "GB": (10**9, 2**30, 1000 * 2**20),
        "MB": (10**6, 2**20),
    },
    "step": {"s": (1.0,)},
}
"""Cost -> unit -> how much it may be: programs print GB of GiB, too, and of a thousand MiB."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A metric or a cost of the study; `name` is the metric's own or that of a family of costs."""

    name: str
    metric: Metric | None = None

    @property
    def label(self) -> str:
        """What sentences call it."""
        if self.metric is None:
            return {"params": "Params", "ops": "FLOPs"}.get(self.name, self.name)
        return self.metric.label

    @property
    def percent(self) -> bool:
        """Whether it is a score shown in percent, so that its differences are points."""
        return self.metric is not None and self.metric.display == "percent"

    def scales(self, unit: str) -> tuple[float, ...]:
        """By what a stored value may have been multiplied when it was printed with `unit`."""
        if self.metric is None:
            known = _UNITS.get(self.name, {"": (1.0,)})
            return tuple(1 / v for u, of in known.items() if unit in {u, ""} for v in of)
        if self.metric.display == "percent":
            return (100.0,) if unit in {"%", "points"} else (100.0, 1.0)
        return (100.0,) if unit in {"%", "points"} else (1.0, 100.0)


def _no_items(_key: str) -> Sequence[Item]:
    return ()


@dataclass(frozen=True)
class World:
    """A study with its records; `curves` are by trial key, empty where none are known.

    `items` reads the scores of single classes, images or queries of a trial when it is called.
    """

    study: Study
    records: Sequence[Record]
    curves: Mapping[str, Curves] = field(default_factory=dict)
    items: Callable[[str], Sequence[Item]] = _no_items

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """The configurations with a completed run, by name."""
        return {c.variant: c for c in cells(self.records) if c.completed}

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """The metrics with a score, and the costs that were measured."""
        scored = {m for r in self.records for m in r.scores}
        metrics = [Quantity(m.name, m) for m in self.study.metrics if m.name in scored]
        spent = {c.name for r in self.records for c in r.costs.values()}
        costs = [Quantity("ops")] if spent & set(OPERATIONS) else []
        others = sorted(spent - set(OPERATIONS))
        return (*metrics, *costs, *[Quantity(name) for name in others])

    @cached_property
    def base(self) -> str | None:
        """The configuration that changes nothing, where the study has one."""
        return next((n for n in self.cells if not self.moved(n)), None)

    def moved(self, variant: str) -> dict[str, Level]:
        """The levels of a configuration that differ from the reference."""
        return changed(self.cells[variant].levels, self.study.factors)

    def mean(self, variant: str, of: Quantity) -> float | None:
        """The mean over finite runs, stored; None where there is none, or counters differ."""
        means = self.means(variant, of)
        return means[0] if len(means) == 1 else None

    def means(self, variant: str, of: Quantity) -> list[float]:
        """The mean score, or the mean cost by every counter, without repetition."""
        if (variant, of) not in self._known:
            self._known[variant, of] = self._means(variant, of)
        return self._known[variant, of]

    @cached_property
    def _known(self) -> dict[tuple[str, Quantity], list[float]]:
        return {}

    def _means(self, variant: str, of: Quantity) -> list[float]:
        cell = self.cells.get(variant)
        if cell is None:
            return []
        if of.metric is not None:
            mean = cell.summary(of.name).mean
            return [] if math.isnan(mean) else [mean]
        names = OPERATIONS if of.name == "ops" else (of.name,)
        found = [
            sum(c.value for c in costs) / len(costs)
            for (name, _), costs in cell.costs().items()
            if name in names
        ]
        return list(dict.fromkeys(v for v in found if math.isfinite(v)))

    def floor(self, variant: str, of: Quantity) -> bool:
        """Whether a cost is known only to be no less: it is read off the time stamps of a log."""
        cell = self.cells.get(variant)
        if cell is None or of.metric is not None:
            return False
        return any(n == of.name and counter == STAMPED for n, counter in cell.costs())

    @cached_property
    def otherwise(self) -> "tuple[World, ...]":
        """The same records scored by other rules, where curves tell: their last, each one's best.

        A score without a curve is there under every rule.
        """
        metrics = [q.metric.name for q in self.quantities if q.metric is not None]
        rules = [LAST, *(Selection(m) for m in metrics)] if self.curves else []
        return tuple(self._under(rule) for rule in rules if rule != self.study.selection)

    def _under(self, rule: Selection) -> "World":
        scored = []
        for record in self.records:
            curves = self.curves.get(record.key, {}) if record.scores else {}
            scores = {**record.scores, **rule.apply(curves, self.study.directions)}
            scored.append(replace(record, scores=scores))
        return replace(self, study=replace(self.study, selection=rule), records=scored)

    def runs(self, variant: str, of: Quantity, seed: int | None = None) -> list[float]:
        """The values of single runs, of one seed where it is given."""
        cell = self.cells.get(variant)
        if cell is None:
            return []
        if of.metric is not None:
            return [v for s, v in cell.runs(of.name) if seed in {None, s}]
        names = OPERATIONS if of.name == "ops" else (of.name,)
        runs = [r for r in cell.completed if seed in {None, r.seed}]
        return [c.value for r in runs for c in r.costs.values() if c.name in names]

    def fit(self, number: Number, value: float, of: Quantity, unit: str) -> Fit:
        """How a stored value agrees with a printed number, in any scale that its unit allows."""
        found = {fit_scaled(number, value, s) for s in of.scales(unit)}
        return "rounded" if "rounded" in found else "truncated" if "truncated" in found else "no"

    def text(self, value: float, of: Quantity, like: Number) -> str:
        """A stored value in the scale and with at least the decimals of a printed number."""
        scales = of.scales(like.unit) or (1.0,)
        scale = min(scales, key=lambda s: _apart(abs(float(like.value)), abs(value * s)))
        digits = max(like.decimals, of.metric.digits) if of.percent and of.metric else like.decimals
        return plain(value * scale, digits)

    @cached_property
    def switches(self) -> dict[str, tuple[Factor, Level]]:
        """The modules of the study: factor name -> the factor and the level that is on."""
        grid = self.study.on
        found = {n: (self.study.factor(n), on) for n, on in grid.items()}
        if not found:
            bools = [f for f in self.study.factors if f.kind is Kind.BOOL]
            found = {f.name: (f, True) for f in bools}
        return found

    def combination(self, modules: Iterable[str]) -> str | None:
        """The configuration in which exactly these modules are on and all else is at reference."""
        return self._combinations.get(frozenset(modules))

    @cached_property
    def _combinations(self) -> dict[frozenset[str], str]:
        found: dict[frozenset[str], str] = {}
        for name, cell in self.cells.items():
            on = (n for n, (_, level) in self.switches.items() if cell.levels.get(n) == level)
            if not set(self.moved(name)) - set(self.switches):
                found.setdefault(frozenset(on), name)
        return found

    @cached_property
    def full(self) -> str | None:
        """The configuration with every module on."""
        return self.combination(self.switches) if len(self.switches) > 1 else None

    @cached_property
    def sweeps(self) -> tuple[tuple[str, dict[Level, str]], ...]:
        """Factor and level -> configuration, of those that only this factor tells apart."""
        found: dict[tuple[str, tuple[object, ...]], dict[Level, str]] = {}
        for name, cell in self.cells.items():
            for factor in cell.levels:
                rest = tuple(sorted((f, str(v)) for f, v in cell.levels.items() if f != factor))
                found.setdefault((factor, rest), {})[cell.levels[factor]] = name
        return tuple((factor, of) for (factor, _), of in found.items() if len(of) > 1)

    def holds(self, number: Number) -> bool:
        """Whether a number with decimals is the score or the cost of some configuration."""
        return bool(number.decimals) and any(
            self.fit(number, value, quantity, number.unit) == "rounded"
            for quantity in self.quantities
            for variant in self.cells
            for value in (*self.means(variant, quantity), *self.runs(variant, quantity))
        )

    def item(self, variant: str, name: str) -> list[float]:
        """The one kind of score that an item has, in each run of a configuration."""
        found = self._items(variant).get(bare(name), [])
        return [i.value for i in found] if len({i.name for i in found}) == 1 else []

    @cached_property
    def _read(self) -> dict[str, dict[str, list[Item]]]:
        return {}

    def _items(self, variant: str) -> dict[str, list[Item]]:
        if variant not in self._read:
            found: dict[str, list[Item]] = {}
            for record in self.cells[variant].completed:
                for item in self.items(record.key):
                    found.setdefault(bare(item.item), []).append(item)
            self._read[variant] = found
        return self._read[variant]

    def elsewhere(self, variant: str, of: Quantity) -> dict[str, float]:
        """The same score by other rules of its curve, of a single run: its best and its last."""
        cell = self.cells.get(variant)
        runs = cell.completed if cell and of.metric else ()
        if of.metric is None or len(runs) != 1 or of.name not in runs[0].scores:
            return {}
        split = runs[0].scores[of.name].split
        curve = self.curves.get(runs[0].key, {}).get((split, of.name), {})
        finite = {s: v for s, v in curve.items() if math.isfinite(v)}
        if not finite:
            return {}
        best = max if of.metric.direction == "up" else min
        return {"best over steps": best(finite.values()), "last": finite[max(finite)]}


def fit_scaled(number: Number, value: float, scale: float) -> Fit:
    """How a value agrees with a printed number after scaling."""
    if abs(value * scale - float(number.value)) > 2 * 10.0**-number.decimals:
        return "no"
    return fit(number.value, number.decimals, exact(value * scale))


def _apart(a: float, b: float) -> float:
    """How far apart two sizes are, by their ratio."""
    return abs(math.log(max(a, 1e-12) / max(b, 1e-12)))


def bare(name: str) -> str:
    """A name without case, marks and spaces."""
    return re.sub(r"[^0-9a-z\u4e00-\u9fff]", "", name.lower())
