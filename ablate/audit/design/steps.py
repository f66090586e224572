"""The steps from one configuration to another that a study is read by, and what changes in each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ablate.analysis.cells import Cell
from ablate.audit.design.measured import key_of
from ablate.audit.evidence import Evidence
from ablate.spec.keys import owned, stem, unfit
from ablate.study import Factor, Kind, Level, settled

SEARCH = 20
"""Configurations without a parent beyond which runs are a search and no chain of steps."""


@dataclass(frozen=True, slots=True)
class Step:
    """From one configuration to another; `inferred` where no record says that it is read so."""

    before: Cell
    after: Cell
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """A key of the resolved configuration that differs, with both texts; None where it is not."""

    key: str
    before: str | None
    after: str | None


@dataclass
class Separations:
    """Which changes of factors are separated by the configurations that a study has."""

    factors: Sequence[Factor]
    there: frozenset[tuple[Level, ...]]
    known: dict[tuple[str, tuple[Level, ...]], bool] = field(default_factory=dict)

    def holds(self, before: Cell, levels: Mapping[str, Level]) -> bool:
        """Whether a chain of configurations that are there leads to `levels`, one change a step."""
        at = (before.variant, key_of(levels, self.factors))
        if at not in self.known:
            self.known[at] = self._chained(before, levels)
        return self.known[at]

    def _chained(self, before: Cell, levels: Mapping[str, Level]) -> bool:
        changes = changed(before.levels, levels, self.factors)
        if len(changes) < 2:  # noqa: PLR2004 - one change is told from nothing else
            return True
        for names in changes.values():
            back = {n: before.levels.get(n, levels[n]) for n in names}
            earlier = settled(dict(levels) | back, self.factors)
            fewer = len(changed(before.levels, earlier, self.factors)) < len(changes)
            if (
                fewer
                and key_of(earlier, self.factors) in self.there
                and self.holds(before, earlier)
            ):
                return True
        return False


def separations(evidence: Evidence) -> Separations:
    """Of the configurations that have results, or before there are any, of all."""
    done = bool(evidence.completed)
    factors = evidence.study.factors
    there = frozenset(key_of(c.levels, factors) for c in evidence.cells if c.completed or not done)
    return Separations(factors, there)


def steps(evidence: Evidence) -> list[Step]:
    """Every configuration against its parent; of results from elsewhere also the likely steps.

    Those are from the nearest earlier configuration by the number of changes, of equally near
    ones the latest.
    """
    done = bool(evidence.completed)
    cells = [c for c in evidence.cells if c.completed or not done]
    by_name = {c.variant: c for c in cells}
    found = [Step(by_name[c.parent], c) for c in cells if c.parent in by_name]
    return found + (list(_likely(evidence, cells)) if evidence.imported else [])


def changed(
    before: Mapping[str, Level], after: Mapping[str, Level], factors: Sequence[Factor]
) -> dict[str, tuple[str, ...]]:
    """What changes, each with all that changes with it: a switch and its own settings are one."""
    differ = [
        f for f in factors if before.get(f.name, f.reference) != after.get(f.name, f.reference)
    ]
    names = {f.name for f in differ}
    by_name = {f.name: f for f in factors}
    found: dict[str, list[str]] = {}
    for factor in differ:
        head, at = factor.name, factor
        while at.requires in by_name:
            at = by_name[at.requires]
            head = at.name if at.name in names else head
        found.setdefault(head, []).append(factor.name)
    return {head: tuple(of) for head, of in found.items()}


def _likely(evidence: Evidence, cells: Sequence[Cell]) -> Iterator[Step]:
    parents = {c.parent for c in cells}
    alone = [c for c in cells if c.parent is None and (c.changed or c.role != "grid")]
    if len(alone) > SEARCH:
        return
    factors = evidence.study.factors
    order = sorted(cells if len(cells) <= SEARCH else alone, key=_when)
    for place, cell in enumerate(order):
        if cell.parent is None and cell.variant not in parents and place:
            near = min(
                reversed(order[:place]),
                key=lambda other: len(changed(other.levels, cell.levels, factors)),
            )
            yield Step(near, cell, inferred=True)


def _when(cell: Cell) -> tuple[str, int]:
    first = cell.records[0]
    started = first.attempt.provenance.get("started", "") if first.attempt else ""
    return started, first.position


def settings_apart(evidence: Evidence, step: Step) -> list[Setting]:
    """What differs in the resolved configurations beyond the factors that differ.

    Labels, places, devices and seeds are left out, and what differs between the seeds of one
    configuration. A key that one side lacks counts in records from elsewhere only, where neither
    configuration is half printed, and not as a setting of a switch that is off there.
    """
    befores, afters = _configurations(evidence, step.before), _configurations(evidence, step.after)
    if not befores or not afters:
        return []
    before, after = befores[0], afters[0]
    whole = 2 * min(len(before), len(after)) >= max(len(before), len(after))
    lacks = evidence.imported and whole
    found = []
    for key in dict.fromkeys((*before, *after)):
        a, b = before.get(key), after.get(key)
        if a == b or (not lacks and (a is None or b is None)):
            continue
        same = all(c.get(key) == a for c in befores) and all(c.get(key) == b for c in afters)
        if same and not _equal(a, b) and not _explained(evidence, step, key, a, b):
            found.append(Setting(key, a, b))
    return found


def _configurations(evidence: Evidence, cell: Cell) -> list[Mapping[str, str]]:
    return [evidence.settings[r.key] for r in cell.completed if r.key in evidence.settings]


def _explained(evidence: Evidence, step: Step, key: str, a: str | None, b: str | None) -> bool:
    """Whether a key is no setting of the model, a factor's own, or of a switch that changes."""
    factors = evidence.study.factors
    if unfit(key, [t for t in (a, b) if t is not None]):
        return True
    switches = [f.name for f in factors if f.kind is Kind.BOOL]
    of = owned(key, switches)
    own = stem(key)
    off = step.before if a is None else step.after
    if (a is None or b is None) and of is not None and not off.levels.get(of[0]):
        return True
    heads = changed(step.before.levels, step.after.levels, factors)
    moved = {name for names in heads.values() for name in names}
    called = {own, key, key.lower(), *([f"{of[0]}.{of[1]}"] if of else [])}
    if called & moved or (of is not None and of[0] in heads):
        return True
    known = {f.name for f in factors}
    tails = {".".join(key.lower().split(".")[-n:]) for n in range(1, 4)}
    return a is not None and b is not None and bool((called | tails) & known)


def _equal(a: str | None, b: str | None) -> bool:
    """Whether two texts mean the same: `8e-4` and `0.0008` do."""
    if a is None or b is None:
        return False
    one, other = (t.strip().strip("'\"").lower() for t in (a, b))
    try:
        return one == other or float(one) == float(other)
    except ValueError:
        return False
