"""A study's variants, and the trials they become."""

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ablate.design.check import check
from ablate.design.names import (
    BASELINE,
    FULL,
    PAIR,
    canonical,
    cell_name,
    levels_of,
    referenced,
    shown,
)
from ablate.errors import UsageError
from ablate.study import (
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


def count(study: Study) -> int:
    """The trials of a study, counted without making them.

    At most so many: cells that turn out to be the same are counted once only where a sweep passes
    through the variant it goes around.
    """
    cells = _grid_size(study.modules) + len(referenced(study)) + len(study.arms)
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


def _variant(
    study: Study, name: str, role: Role, parent: str | None, start: Start | None = None
) -> Variant:
    levels = settled(levels_of(study, name), study.factors)
    return Variant(name, levels, role, None if parent == name else parent, start)


def _cells(study: Study) -> list[Variant]:
    modules = study.modules
    grid = [cell_name(study, on) for on in _grid(modules)] if modules else []
    grid += referenced(study)
    root = BASELINE if BASELINE in grid else FULL if FULL in grid else None
    cells = [_variant(study, name, "grid", root) for name in grid]
    for arm in study.arms:
        parent = canonical(study, arm.parent) if arm.parent else None
        start = replace(arm.start, arm=canonical(study, arm.start.arm)) if arm.start else None
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
        "pairs": range(min(len(names), PAIR) + 1),
        "leave-one-out": range(len(names), len(names) - 2, -1),
    }[modules.design]
    for size in sizes:
        yield from itertools.combinations(names, size)


def _grid_size(modules: Modules | None) -> int:
    if modules is None:
        return 0
    k = len(modules.factors)
    sizes: dict[str, int] = {"full": 1 << k, "pairs": 1 + k + math.comb(k, PAIR)}
    return sizes.get(modules.design, k + 1)


def _moved(study: Study, sweep: Sweep) -> int:
    own = levels_of(study, sweep.around, ("sweep",)).get(sweep.factor)
    return sum(level != own for level in sweep.levels)


def _sweep(study: Study, sweep: Sweep, centres: Sequence[Variant]) -> Iterator[Variant]:
    around = canonical(study, sweep.around)
    centre = next(c for c in centres if c.name == around)
    for level in sweep.levels:
        if level != centre.levels[sweep.factor]:
            levels = settled(dict(centre.levels) | {sweep.factor: level}, study.factors)
            name = f"{around} {sweep.factor}={shown(level)}"
            yield replace(centre, name=name, levels=levels, role="sweep", parent=around)


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
