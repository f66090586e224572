"""The steps from one configuration to another that a study is read by, and what changes in each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from ablate.analysis.cells import Cell
from ablate.audit.design.measured import elsewhere, key_of
from ablate.audit.evidence import Evidence
from ablate.audit.execution.resolved import unread
from ablate.spec.keys import owned, stem, unfit
from ablate.study import Factor, Kind, Level

Key: TypeAlias = tuple[Level, ...]
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
    """Which changes of factors are told apart by the configurations that a study has."""

    factors: Sequence[Factor]
    there: frozenset[Key]
    known: dict[tuple[Key, Key], bool] = field(default_factory=dict)

    def holds(self, step: Step) -> bool:
        """Whether single changes lead from one end to the other, or each was made alone."""
        before, after = (key_of(read(c), self.factors) for c in (step.before, step.after))
        groups = _groups(before, after, self.factors)
        alone = all(_moved(before, after, of) in self.there for of in groups)
        return alone or self._chained(before, after)

    def _chained(self, before: Key, after: Key) -> bool:
        at = before, after
        if at not in self.known:
            groups = _groups(before, after, self.factors)
            self.known[at] = len(groups) < 2 or any(  # noqa: PLR2004 - one change stands by itself
                (earlier := _moved(after, before, of)) in self.there
                and self._chained(before, earlier)
                for of in groups
            )
        return self.known[at]


def _groups(before: Key, after: Key, factors: Sequence[Factor]) -> list[list[int]]:
    """The places that change together, as in `changed`."""
    differ = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    if len(differ) < 2:  # noqa: PLR2004 - one place is one group
        return [differ] if differ else []
    found: dict[str, list[int]] = {}
    heads = _heads([factors[i] for i in differ], factors)
    for i, head in zip(differ, heads, strict=True):
        found.setdefault(head, []).append(i)
    return list(found.values())


def _moved(start: Key, end: Key, places: Sequence[int]) -> Key:
    """`start` with some places as in `end`."""
    made = list(start)
    for i in places:
        made[i] = end[i]
    return tuple(made)


def _heads(differ: Sequence[Factor], factors: Sequence[Factor]) -> list[str]:
    """Of each factor that differs the outermost switch it needs that differs, too; or itself."""
    if all(f.requires is None for f in differ):
        return [f.name for f in differ]
    names = {f.name for f in differ}
    by_name = {f.name: f for f in factors}
    heads = []
    for factor in differ:
        head, at = factor.name, factor
        while at.requires in by_name:
            at = by_name[at.requires]
            head = at.name if at.name in names else head
        heads.append(head)
    return heads


def read(cell: Cell) -> Mapping[str, Level]:
    """The levels of a configuration without those off their reference that no run of it read."""
    ignored = [set(unread(r)) for r in cell.completed]
    never = set.intersection(*ignored) if ignored else set()
    return {n: v for n, v in cell.levels.items() if n not in never} if never else cell.levels


def separations(evidence: Evidence) -> Separations:
    """Of the configurations that have results, or before there are any, of all."""
    done = bool(evidence.completed)
    factors = evidence.study.factors
    there = frozenset(key_of(read(c), factors) for c in evidence.cells if c.completed or not done)
    return Separations(factors, there)


def separations_of_all(evidence: Evidence) -> Separations:
    """Also of the configurations that have results in another study of the same program and data.

    Those that began from a checkpoint are left out there.
    """
    own, study = separations(evidence), evidence.study
    more = set(own.there)
    for other in evidence.others():
        of = other.study
        if (of.system, of.revision, of.data) == (study.system, study.revision, study.data):
            started = {arm.name for arm in of.arms if arm.start is not None}
            more |= {
                key_of(read(c), own.factors)
                for c in other.cells
                if c.completed and c.variant not in started
            }
    return Separations(own.factors, frozenset(more))


def steps(evidence: Evidence) -> list[Step]:
    """Every configuration against its parent; of results from elsewhere also the likely steps.

    Those are from the nearest earlier configuration by the number of changes, of equally near
    ones the latest.
    """
    done = bool(evidence.completed)
    cells = [c for c in evidence.cells if c.completed or not done]
    by_name = {c.variant: c for c in cells}
    found = [Step(by_name[c.parent], c) for c in cells if c.parent in by_name]
    return found + (list(_likely(evidence, cells)) if elsewhere(evidence) else [])


def changed(
    before: Mapping[str, Level], after: Mapping[str, Level], factors: Sequence[Factor]
) -> dict[str, tuple[str, ...]]:
    """What changes, each with all that changes with it: a switch and its own settings are one."""
    differ = [
        f for f in factors if before.get(f.name, f.reference) != after.get(f.name, f.reference)
    ]
    found: dict[str, list[str]] = {}
    for factor, head in zip(differ, _heads(differ, factors), strict=True):
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


def settings_apart(
    evidence: Evidence, step: Step, heads: Mapping[str, Sequence[str]]
) -> list[Setting]:
    """What differs in the resolved configurations beyond the factors that differ, `heads`.

    Labels, places, devices and seeds are left out, and what differs between the seeds of one
    configuration. A key that one side lacks counts in records from elsewhere only, where neither
    configuration is half printed, and not as a setting of a switch that is off there.
    """
    befores, afters = _configurations(evidence, step.before), _configurations(evidence, step.after)
    if not befores or not afters:
        return []
    before, after = befores[0], afters[0]
    whole = 2 * min(len(before), len(after)) >= max(len(before), len(after))
    differ = [key for key, text in before.items() if after.get(key) != text]
    differ += [key for key in after if key not in before]
    moved = frozenset(name for names in heads.values() for name in names)
    switches = tuple(f.name for f in evidence.study.factors if f.kind is Kind.BOOL)
    found = []
    for key in differ:
        a, b = before.get(key), after.get(key)
        lacking = a is None or b is None
        if (lacking and not (whole and elsewhere(evidence))) or _equal(a, b):
            continue
        of = _owned(key, switches)
        if _named(key, of) & moved or (of is not None and of[0] in heads):
            continue
        off = step.before if a is None else step.after
        if lacking and of is not None and not off.levels.get(of[0]):
            continue
        if not lacking and _tails(key) & {f.name for f in evidence.study.factors}:
            continue
        steady = all(c.get(key) == a for c in befores) and all(c.get(key) == b for c in afters)
        if steady and not unfit(key, [t for t in (a, b) if t is not None]):
            found.append(Setting(key, a, b))
    return found


def _configurations(evidence: Evidence, cell: Cell) -> list[Mapping[str, str]]:
    return [evidence.settings[r.key] for r in cell.completed if r.key in evidence.settings]


@lru_cache(maxsize=4096)
def _owned(key: str, switches: tuple[str, ...]) -> tuple[str, str] | None:
    return owned(key, switches)


@lru_cache(maxsize=4096)
def _named(key: str, of: tuple[str, str] | None) -> frozenset[str]:
    """What a factor of this key may be called."""
    return _tails(key) | {stem(key), key, *([f"{of[0]}.{of[1]}"] if of else [])}


def _tails(key: str) -> frozenset[str]:
    parts = key.lower().replace("/", ".").split(".")
    return frozenset(".".join(parts[-n:]) for n in range(1, len(parts) + 1))


def _equal(a: str | None, b: str | None) -> bool:
    """Whether two texts mean the same: `8e-4` and `0.0008` do."""
    if a is None or b is None:
        return False
    one, other = (t.strip().strip("'\"").lower() for t in (a, b))
    try:
        return one == other or float(one) == float(other)
    except ValueError:
        return False
