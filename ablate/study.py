"""The nouns of a study: factors and their levels, variants, trials, and the study itself."""

import hashlib
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NoReturn, TypeAlias

from ablate.metric import Metric
from ablate.selection import LAST, Selection

Level: TypeAlias = bool | int | float | str
Role: TypeAlias = Literal["grid", "sweep", "arm"]

SEED_LIMIT = 2**32
INT_LIMIT = 2**63
IDENTITY = "v1"


class Kind(StrEnum):
    """What a factor's levels are; decides their one canonical form."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    STR = "str"


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing a study may change, with its kind and its reference level.

    `requires` names the switch that must be on for this factor to mean anything: where it is off,
    the factor stands at its reference level and never enters a trial's identity.
    """

    name: str
    kind: Kind
    reference: Level
    requires: str | None = None
    choices: tuple[Level, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    title: str = ""

    @property
    def label(self) -> str:
        """What reports call it."""
        return self.title or self.name

    @property
    def sides(self) -> tuple[Level, Level] | None:
        """What off and on are in a grid: a switch's levels, or a choice's reference and the other.

        None for a factor that has not two levels.
        """
        if self.kind is Kind.BOOL:
            return False, True
        others = [c for c in self.choices if c != self.reference]
        return (self.reference, others[0]) if len(others) == 1 else None

    def level(self, value: object) -> Level:
        """The canonical form of `value`: `1` is `1.0` for a float factor and wrong for a switch.

        Raises ValueError, saying what would have been accepted.
        """
        level = self._typed(value)
        if self.choices and level not in self.choices:
            raise ValueError(f"{level!r} is not one of {', '.join(map(str, self.choices))}")
        if isinstance(level, int | float) and not self.low <= level <= self.high:
            raise ValueError(f"{level!r} is outside [{self.low:g}, {self.high:g}]")
        return level

    def _typed(self, value: object) -> Level:
        if self.kind is Kind.BOOL and isinstance(value, bool):
            return value
        if self.kind is Kind.STR and isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            if self.kind is Kind.INT and abs(value) < INT_LIMIT and value == int(value):
                return int(value)
            if self.kind is Kind.FLOAT and abs(value) <= sys.float_info.max:
                return float(value) + 0.0
        raise ValueError(f"{value!r} is not a {_NAMES[self.kind]}")


_NAMES = {
    Kind.BOOL: "switch (true or false)",
    Kind.INT: "whole number",
    Kind.FLOAT: "finite number",
    Kind.STR: "text",
}


def switch(name: str, *, requires: str | None = None, title: str = "") -> Factor:
    """A module or option that is off in the reference."""
    return Factor(name, Kind.BOOL, reference=False, requires=requires, title=title)


def whole(
    name: str, reference: int, *, requires: str | None = None, low: int = 0, title: str = ""
) -> Factor:
    """A factor whose levels are whole numbers, at least `low`."""
    return Factor(name, Kind.INT, reference, requires, low=low, title=title)


def real(  # noqa: PLR0913 - a declaration: every field has its name at the call
    name: str,
    reference: float,
    *,
    requires: str | None = None,
    low: float = -math.inf,
    high: float = math.inf,
    title: str = "",
) -> Factor:
    """A factor whose levels are finite numbers in [low, high]."""
    return Factor(name, Kind.FLOAT, float(reference), requires, low=low, high=high, title=title)


def choice(
    name: str, reference: str, *others: str, requires: str | None = None, title: str = ""
) -> Factor:
    """A factor whose levels are names; the first is the reference. Raises TypeError for another."""
    for level in (reference, *others):
        if not isinstance(level, str):
            raise TypeError(f"choice {name!r}: {level!r} is no text; name its levels one by one")
    return Factor(name, Kind.STR, reference, requires, choices=(reference, *others), title=title)


@dataclass(frozen=True, slots=True)
class Start:
    """A trial begins from another variant's checkpoint, at the same seed or at one shared seed."""

    arm: str
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """One level for every factor. `parent` is the variant it is read against."""

    name: str
    levels: Mapping[str, Level]
    role: Role
    parent: str | None = None
    start: Start | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One variant at one seed, on one data identity: what is executed, once, wherever it runs."""

    system: str
    revision: str
    levels: Mapping[str, Level]
    changed: Mapping[str, Level]
    seed: int
    data: str
    start: str | None = None
    stops: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """16 hex digits of the sha256 of the canonical, typed JSON of all that decides the result.

        Levels at their reference are not part of it, so that a new factor orphans no result; a
        reference that changes must therefore raise the system's revision.
        """
        identity: dict[str, object] = {
            "identity": IDENTITY,
            "system": self.system,
            "revision": self.revision,
            "levels": {n: [type(v).__name__, v] for n, v in sorted(self.changed.items())},
            "seed": self.seed,
            "data": self.data,
        }
        if self.start is not None:
            identity["start"] = self.start
        if self.stops:
            identity["stops"] = list(self.stops)
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Placement:
    """One trial's place in a study: the variant and seed it stands for there.

    `extra` marks one asked for on the command line and not by the study file.
    """

    variant: Variant
    trial: Trial
    extra: bool = False


@dataclass(frozen=True, slots=True)
class Modules:
    """The on/off grid: switches, and which of their combinations are run."""

    factors: tuple[str, ...]
    design: Literal["full", "add-one", "leave-one-out", "pairs", "ladder"] = "full"


@dataclass(frozen=True, slots=True)
class Sweep:
    """One factor moved through its levels around a named variant."""

    around: str
    factor: str
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Arm:
    """A named variant; `set` is what it changes in its parent (or in the reference)."""

    name: str
    set: Mapping[str, Level]
    parent: str | None = None
    start: Start | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """An expectation of a curve at a step; broken, it becomes a finding, or ends the trial."""

    metric: str
    step: int
    min: float | None = None
    max: float | None = None
    stop: bool = False


@dataclass(frozen=True, slots=True)
class Claims:
    """What a report may say: error rate, and the margin (display units) that counts as nothing.

    `margin` is of scores shown in percent, in points; `margins` names other metrics' own.
    """

    alpha: float = 0.05
    margin: float = 0.5
    paired: bool = False
    margins: Mapping[str, float] = field(default_factory=dict)

    def margin_of(self, metric: Metric) -> float | None:
        """The margin of `metric` in stored units; None where nothing is known to be nothing."""
        own = next((v for n, v in self.margins.items() if n.lower() == metric.name.lower()), None)
        if own is None:
            own = self.margin if metric.display == "percent" else None
        return None if own is None else own / metric.shown(1.0)


@dataclass(frozen=True, slots=True)
class Resources:
    """A trial's share: CPU cores, devices (0.5 = half of one), and its deadline in seconds."""

    cpus: int = 1
    gpus: float = 0.0
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """A factor given on the command line: one level fixes it, several multiply the design."""

    factor: str
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A question to one system. It knows nothing of results.

    `note` is its author's, printed as such at the top of every report.
    """

    name: str
    title: str
    system: str
    revision: str
    factors: tuple[Factor, ...]
    metrics: tuple[Metric, ...]
    primary: str
    selection: Selection = LAST
    seeds: tuple[int, ...] = (0,)
    fixed: Mapping[str, Level] = field(default_factory=dict)
    modules: Modules | None = None
    sweeps: tuple[Sweep, ...] = ()
    arms: tuple[Arm, ...] = ()
    axes: tuple[Axis, ...] = ()
    checks: tuple[Check, ...] = ()
    groups: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    tiers: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    claims: Claims = Claims()
    resources: Resources = Resources()
    scale: str = "paper"
    data_root: str | None = None
    data: str = ""
    standin: bool = False
    note: str = ""
    text: str = ""

    def factor(self, name: str) -> Factor:
        """The factor called `name`; raises KeyError."""
        return next((f for f in self.factors if f.name == name), None) or _missing(name)

    def metric(self, name: str) -> Metric:
        """The metric called `name`, or the only one titled so, in any case; raises KeyError."""
        known = name.lower()
        called = [m for m in self.metrics if m.name.lower() == known]
        titled = [m for m in self.metrics if m.label.lower() == known]
        if called or len(titled) == 1:
            return (called or titled)[0]
        return _missing(name)

    @property
    def on(self) -> dict[str, Level]:
        """The grid's modules, each with the level that counts as on."""
        modules = map(self.factor, self.modules.factors if self.modules else ())
        return {f.name: f.sides[1] for f in modules if f.sides}

    @property
    def directions(self) -> dict[str, str]:
        """Metric -> `up` or `down`, in the system's order."""
        return {m.name: m.direction for m in self.metrics}


def _missing(name: str) -> NoReturn:
    raise KeyError(name)


def settled(levels: Mapping[str, Level], factors: Sequence[Factor]) -> dict[str, Level]:
    """One level for every factor: those whose switch is off stand at their reference."""
    meant = meaning(levels, factors)
    return {f.name: levels.get(f.name, f.reference) if f in meant else f.reference for f in factors}


def meaning(levels: Mapping[str, Level], factors: Sequence[Factor]) -> list[Factor]:
    """The factors that mean something at these levels: what they require is on."""
    by_name = {f.name: f for f in factors}

    def means_something(factor: Factor) -> bool:
        needed = by_name.get(factor.requires or "")
        if needed is None:
            return True
        return bool(levels.get(needed.name, needed.reference)) and means_something(needed)

    return [f for f in factors if means_something(f)]


def changed(levels: Mapping[str, Level], factors: Sequence[Factor]) -> dict[str, Level]:
    """The levels that differ from the reference, in the system's order."""
    return {f.name: levels[f.name] for f in factors if levels[f.name] != f.reference}
