"""Designs: which variants a study asks for, what each is called, and the trials they become."""

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ablate.errors import SpecError, UsageError, not_one_of
from ablate.study import (
    Arm,
    Factor,
    Level,
    Modules,
    Placement,
    Role,
    Start,
    Study,
    Sweep,
    Trial,
    Variant,
    changed,
    settled,
)

LIMIT = 10_000
"""Trials that a study may make without being asked for twice."""

BASELINE = "baseline"
FULL = "full"
_PAIR = 2


def count(study: Study) -> int:
    """The trials of a study, counted without making them.

    At most so many: cells that turn out to be the same are counted once only where a sweep passes
    through the variant it goes around.
    """
    cells = _grid_size(study.modules) + len(_referenced(study)) + len(study.arms)
    cells += sum(_moved(study, sweep) for sweep in study.sweeps)
    return cells * math.prod(len(a.levels) for a in study.axes) * len(study.seeds)


def variants(study: Study, *, limit: int | None = LIMIT) -> list[Variant]:
    """The variants of a study, each cell once: the grid, then arms, then sweeps.

    Of two names for the same levels the first stays. Raises UsageError over `limit` trials
    (None: however many), SpecError when a name or a sweep makes no sense.
    """
    trials = count(study)
    if limit is not None and trials > limit:
        raise UsageError(
            f"study {study.name!r} makes {trials:,} trials, more than {limit:,}:"
            " make it smaller, or say --yes"
        )
    check(study)
    cells = _cells(study)
    kept: dict[object, Variant] = {}
    for combination in itertools.product(*(a.levels for a in study.axes)):
        fixed = dict(zip((a.factor for a in study.axes), combination, strict=True))
        for variant in _shared([_moved_to(v, fixed, study) for v in cells]):
            kept.setdefault(_cell(variant, study), variant)
    return list(kept.values())


def placements(study: Study, *, limit: int | None = LIMIT) -> Iterator[Placement]:
    """Every variant at every seed, with the trial that stands for it.

    A variant that others start from at a seed of its own gets that seed too.
    """
    found = {v.name: v for v in variants(study, limit=limit)}
    started: dict[str, set[int]] = {}
    for variant in found.values():
        if variant.start and variant.start.seed is not None:
            started.setdefault(variant.start.arm, set()).add(variant.start.seed)
    for variant in found.values():
        shared = started.get(variant.name, set()) - set(study.seeds)
        for seed in (*study.seeds, *sorted(shared)):
            yield Placement(variant, _trial(study, found, variant, seed))


def beside(study: Study, asked: Iterable[Placement]) -> list[Placement]:
    """The study file's own placements, then those asked for on the command line, marked extra.

    So that `--seeds 3` or `lr=1e-3` adds to what a study holds and takes nothing away.
    """
    own = list(placements(study, limit=None))
    places = {(p.variant.name, p.trial.key) for p in own}
    extra = [p for p in asked if (p.variant.name, p.trial.key) not in places]
    return own + [replace(p, extra=True) for p in extra]


def variant_name(
    levels: Mapping[str, Level],
    factors: Sequence[Factor],
    modules: Sequence[str] = (),
    fixed: Mapping[str, Level] | None = None,
) -> str:
    """The name of a variant in a study of `modules`: `baseline`, `full lif.beta=0.2`, ...

    Levels that are neither `fixed` nor the reference follow as `factor=level`.
    """
    usual = {f.name: f.reference for f in factors} | dict(fixed or {})
    rest = [
        f"{name}={shown(level)}"
        for name, level in levels.items()
        if name not in modules and level != usual.get(name)
    ]
    return " ".join([_grid_name([m for m in modules if levels.get(m) is True], modules), *rest])


def shown(level: Level) -> str:
    """A level as names and tables print it: `true`, `0.2`, `focal`, and `1` for 1.0."""
    if isinstance(level, bool):
        return str(level).lower()
    return repr(level).removesuffix(".0") if isinstance(level, float) else str(level)


def check(study: Study) -> None:
    """Raise SpecError (with the keys at fault) unless every name and every sweep makes sense."""
    names = set[str]()
    for i, arm in enumerate(study.arms):
        keys = ("arm", i, "name")
        if arm.name in names:
            raise SpecError(f"there are two arms called {arm.name!r}", keys)
        if _members(study, arm.name) is not None and _makes(study.modules, arm.name):
            raise SpecError(f"arm {arm.name!r} has the name of a cell of [modules]", keys)
        names.add(arm.name)
    for i, arm in enumerate(study.arms):
        _lineage(study, arm.name, ("arm", i, "parent"))
        _follow_starts(study, arm, ("arm", i, "start"))
    for i, sweep in enumerate(study.sweeps):
        _check_sweep(study, sweep, ("sweep", i))


def _check_sweep(study: Study, sweep: Sweep, keys: tuple[str | int, ...]) -> None:
    levels = _levels(study, sweep.around, (*keys, "around"))
    for level in sweep.levels:
        if settled(levels | {sweep.factor: level}, study.factors)[sweep.factor] != level:
            needed = study.factor(sweep.factor).requires
            raise SpecError(
                f"factor {sweep.factor!r} requires {needed!r}, which is off in"
                f" {sweep.around!r}: sweep it around a variant where it is on",
                (*keys, "around"),
            )


# Names -------------------------------------------------------------------------------------------


def _grid_name(on: Sequence[str], modules: Sequence[str]) -> str:
    if not on:
        return BASELINE
    return FULL if len(on) == len(modules) else "+".join(on)


def _members(study: Study, name: str) -> tuple[str, ...] | None:
    """The modules that are on in the variant a grid would call `name`; None if it never would."""
    modules = study.modules.factors if study.modules else ()
    if name == BASELINE:
        return ()
    if name == FULL and modules:
        return modules
    on = name.split("+")
    if len(set(on)) != len(on) or not set(on) <= set(modules):
        return None
    return tuple(m for m in modules if m in on)


def _makes(modules: Modules | None, name: str) -> bool:
    """Whether the grid's design makes the cell called `name`."""
    if modules is None:
        return False
    k = len(modules.factors)
    on = () if name == BASELINE else modules.factors if name == FULL else tuple(name.split("+"))
    return {
        "full": True,
        "add-one": len(on) <= 1,
        "pairs": len(on) <= _PAIR,
        "leave-one-out": len(on) >= k - 1,
        "ladder": on == modules.factors[: len(on)],
    }[modules.design]


def _canonical(study: Study, name: str) -> str:
    """`name` with its modules in the study's order; an arm's own name first."""
    if any(a.name == name for a in study.arms):
        return name
    on = _members(study, name)
    modules = study.modules.factors if study.modules else ()
    return name if on is None else _grid_name(on, modules)


def _lineage(study: Study, name: str, keys: tuple[str | int, ...]) -> list[Arm]:
    """The arms from `name` up to the first that stands on a grid cell or on the reference."""
    arms = {a.name: a for a in study.arms}
    line: list[Arm] = []
    at: str | None = name
    while at in arms:
        if any(a.name == at for a in line):
            round_trip = " -> ".join([*(a.name for a in line[:8]), at])
            raise SpecError(f"arm {name!r} is its own ancestor: {round_trip}", keys)
        line.append(arms[at])
        at = arms[at].parent
    if at is not None and _members(study, at) is None:
        raise SpecError(not_one_of("variant", at, _known(study)), keys)
    return line


def _known(study: Study) -> list[str]:
    modules = study.modules.factors if study.modules else ()
    return [BASELINE, *([FULL] if modules else []), *modules, *(a.name for a in study.arms)]


def _follow_starts(study: Study, arm: Arm, keys: tuple[str | int, ...]) -> None:
    arms = {a.name: a for a in study.arms}
    seen = [arm.name]
    while arm.start is not None:
        name = arm.start.arm
        if name in seen:
            raise SpecError(f"arm {seen[0]!r} would start from itself", keys)
        if name not in arms:
            if _members(study, name) is None:
                raise SpecError(not_one_of("variant", name, _known(study)), keys)
            return
        seen.append(name)
        arm = arms[name]


def _referenced(study: Study) -> list[str]:
    """Names of grid cells that arms or sweeps stand on and that the design itself leaves out."""
    named = [s.around for s in study.sweeps]
    named += [a.parent for a in study.arms if a.parent]
    named += [a.start.arm for a in study.arms if a.start]
    arms = {a.name for a in study.arms}
    missing = dict.fromkeys(
        _canonical(study, n) for n in named if n not in arms and _members(study, n) is not None
    )
    left_out = [n for n in missing if not _makes(study.modules, n)]
    alone = study.modules is None and not study.arms and BASELINE not in left_out
    return [BASELINE, *left_out] if alone else left_out


# Cells -------------------------------------------------------------------------------------------


def _base(study: Study) -> dict[str, Level]:
    return {f.name: f.reference for f in study.factors} | dict(study.fixed)


def _levels(study: Study, name: str, keys: tuple[str | int, ...] = ()) -> dict[str, Level]:
    line = _lineage(study, name, keys)
    root = line[-1].parent if line else name
    levels = _base(study)
    on = _members(study, root) if root is not None else None
    if on is not None and study.modules is not None:
        levels |= {m: m in on for m in study.modules.factors}
    for arm in reversed(line):
        levels |= arm.set
    return levels


def _variant(
    study: Study, name: str, role: Role, parent: str | None, start: Start | None = None
) -> Variant:
    levels = settled(_levels(study, name), study.factors)
    return Variant(name, levels, role, None if parent == name else parent, start)


def _cells(study: Study) -> list[Variant]:
    modules = study.modules
    grid = [_grid_name(on, modules.factors) for on in _grid(modules)] if modules else []
    grid += _referenced(study)
    root = BASELINE if BASELINE in grid else FULL if FULL in grid else None
    cells = [_variant(study, name, "grid", root) for name in grid]
    for arm in study.arms:
        parent = _canonical(study, arm.parent) if arm.parent else None
        start = replace(arm.start, arm=_canonical(study, arm.start.arm)) if arm.start else None
        cells.append(_variant(study, arm.name, "arm", parent, start))
    return cells + [moved for sweep in study.sweeps for moved in _sweep(study, sweep, cells)]


def _grid(modules: Modules) -> Iterator[tuple[str, ...]]:
    names = modules.factors
    if modules.design == "ladder":
        yield from (names[:size] for size in range(len(names) + 1))
        return
    sizes = {
        "full": range(len(names) + 1),
        "add-one": range(2),
        "pairs": range(min(len(names), _PAIR) + 1),
        "leave-one-out": range(len(names), len(names) - 2, -1),
    }[modules.design]
    for size in sizes:
        yield from itertools.combinations(names, size)


def _grid_size(modules: Modules | None) -> int:
    if modules is None:
        return 0
    k = len(modules.factors)
    sizes: dict[str, int] = {"full": 1 << k, "pairs": 1 + k + math.comb(k, _PAIR)}
    return sizes.get(modules.design, k + 1)


def _moved(study: Study, sweep: Sweep) -> int:
    own = _levels(study, sweep.around, ("sweep",)).get(sweep.factor)
    return sum(level != own for level in sweep.levels)


def _sweep(study: Study, sweep: Sweep, centres: Sequence[Variant]) -> Iterator[Variant]:
    around = _canonical(study, sweep.around)
    centre = next(c for c in centres if c.name == around)
    for level in sweep.levels:
        if level != centre.levels[sweep.factor]:
            levels = settled(dict(centre.levels) | {sweep.factor: level}, study.factors)
            name = f"{around} {sweep.factor}={shown(level)}"
            yield replace(centre, name=name, levels=levels, role="sweep", parent=around)


# Axes and sharing --------------------------------------------------------------------------------


def _cell(variant: Variant, study: Study) -> object:
    return tuple(changed(variant.levels, study.factors).items()), variant.start


@dataclass(frozen=True, slots=True)
class _Renamed:
    """A variant under the levels of the command line, and what it was called before."""

    before: str
    variant: Variant


def _moved_to(variant: Variant, fixed: Mapping[str, Level], study: Study) -> _Renamed:
    levels = settled(dict(variant.levels) | dict(fixed), study.factors)
    suffix = [f"{n}={shown(levels[n])}" for n in fixed if levels[n] != variant.levels[n]]
    name = " ".join([variant.name, *suffix])
    return _Renamed(variant.name, replace(variant, name=name, levels=levels))


def _shared(cells: Sequence[_Renamed]) -> Iterator[Variant]:
    """Cells with parents and starts under their new names; of two that are the same, the first."""
    names: dict[str, str] = {}
    first: dict[object, str] = {}
    for cell in cells:
        start = cell.variant.start
        same = (tuple(cell.variant.levels.items()), start)
        names[cell.before] = first.setdefault(same, cell.variant.name)
    for cell in cells:
        variant = cell.variant
        if names[cell.before] == variant.name:
            parent = names[variant.parent] if variant.parent else None
            start = replace(variant.start, arm=names[variant.start.arm]) if variant.start else None
            yield replace(variant, parent=None if parent == variant.name else parent, start=start)


def _trial(study: Study, found: Mapping[str, Variant], variant: Variant, seed: int) -> Trial:
    chain = [(variant, seed)]
    while (start := chain[-1][0].start) is not None:
        chain.append((found[start.arm], chain[-1][1] if start.seed is None else start.seed))
    stops = tuple(sorted(_stop_texts(study)))
    trial: Trial | None = None
    for link, at in reversed(chain):
        trial = Trial(
            system=study.system,
            revision=study.revision,
            levels=link.levels,
            changed=changed(link.levels, study.factors),
            seed=at,
            data=study.data,
            start=trial.key if trial else None,
            stops=stops,
        )
    assert trial is not None
    return trial


def _stop_texts(study: Study) -> Iterator[str]:
    for c in study.checks:
        if c.stop:
            rule = {"metric": c.metric, "step": c.step, "min": c.min, "max": c.max}
            yield json.dumps(rule, sort_keys=True, separators=(",", ":"), allow_nan=False)
