"""A study file meets its system: names are checked, levels made canonical, the data found."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from ablate import design
from ablate.errors import SpecError, not_one_of
from ablate.selection import Selection
from ablate.spec import data as sources
from ablate.spec import overrides
from ablate.spec.document import Document
from ablate.spec.schema import StudyFile
from ablate.spec.toml import Keys, located
from ablate.study import (
    Arm,
    Check,
    Claims,
    Factor,
    Level,
    Modules,
    Resources,
    Start,
    Study,
    Sweep,
)
from ablate.system import System

_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) ?(s|min|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says about a study.

    `data_root` is the project's data folder; `data` another folder that takes the place of the
    file's [data] root; `seeds` is like `0-4`; `overrides` are like `lr=1e-3` and `lr=1e-3,1e-4`.
    """

    data_root: Path = field(default_factory=Path)
    data: Path | None = None
    scale: str | None = None
    seeds: str = ""
    overrides: Sequence[str] = ()


def bind(document: Document, system: System, options: Options) -> Study:
    """The Study that a document asks of `system`; raises SpecError with file, line and key."""
    try:
        study = _study(document, system, options)
        design.check(study)
    except SpecError as wrong:
        raise located(wrong, document.path, document.text) if wrong.keys else wrong from None
    seeds = overrides.seeds(options.seeds) if options.seeds else study.seeds
    return replace(study, seeds=seeds, axes=overrides.axes(options.overrides, system.factors))


def _study(document: Document, system: System, options: Options) -> Study:
    file, factors = document.file, system.factors
    source = _source(file, system, options)
    scale = sources.scale(options.scale, file.scale, small=source.standin)
    fixed = _settings(file.fixed, factors, ("fixed",))
    scales = {n: _settings(s.set, factors, ("scale", n, "set")) for n, s in file.scale.items()}
    modules = _modules(file, factors)
    for keys, names in (("fixed", fixed), *(("scale", s) for s in scales.values())):
        both = next((n for n in names if modules and n in modules.factors), None)
        if both:
            raise SpecError(f"factor {both!r} is one of [modules]: it cannot be fixed", (keys,))
    return Study(
        name=file.study.name,
        title=file.study.title or file.study.name,
        note=file.study.note,
        system=system.name,
        revision=system.revision,
        factors=factors,
        metrics=system.metrics,
        primary=_metric(file.study.primary, system),
        selection=_selection(file.study.select, system),
        seeds=_distinct(file.study.seeds, ("study", "seeds")),
        fixed=fixed | scales.get(scale, {}),
        modules=modules,
        sweeps=tuple(_sweep(file, i, factors) for i in range(len(file.sweep))),
        arms=tuple(_arm(file, i, factors) for i in range(len(file.arm))),
        checks=tuple(_checks(file)),
        groups={n: {k: tuple(v) for k, v in g.items()} for n, g in file.groups.items()},
        tiers=dict(file.tiers),
        limits=dict(file.limits),
        claims=_claims(file, system),
        resources=_resources(file),
        scale=scale,
        data_root=source.root,
        data=source.identity,
        standin=source.standin,
        text=document.text,
    )


def _source(file: StudyFile, system: System, options: Options) -> sources.Source:
    if options.data is not None:
        if not options.data.is_dir():
            raise SpecError(f"--data {str(options.data)!r:.80}: there is no such folder")
        return sources.source(system, str(options.data.resolve()), options.data_root)
    root = sources.inside(file.data.root) if file.data else None
    return sources.source(system, root, options.data_root, options.scale)


def _claims(file: StudyFile, system: System) -> Claims:
    given = file.claims
    margins: dict[str, float] = {}
    for name, margin in given.margins.items():
        try:
            metric = _metric(name, system)
        except SpecError as wrong:
            raise SpecError(str(wrong), ("claims", "margins", name)) from None
        if metric in margins:
            raise SpecError(f"metric {metric!r} has a margin twice", ("claims", "margins", name))
        margins[metric] = margin
    return Claims(given.alpha, given.margin, given.paired, margins)


def _metric(name: str, system: System) -> str:
    found = next((m.name for m in system.metrics if m.name.lower() == name.lower()), None)
    if found is None:
        known = [m.name for m in system.metrics]
        raise SpecError(not_one_of("metric", name, known), ("study", "primary"))
    return found


def _selection(rule: str, system: System) -> Selection:
    try:
        return Selection.parse(rule, [m.name for m in system.metrics])
    except ValueError as wrong:
        raise SpecError(str(wrong), ("study", "select")) from None


def _factor(name: str, factors: Sequence[Factor], keys: Keys) -> Factor:
    found = next((f for f in factors if f.name == name), None)
    if found is None:
        raise SpecError(not_one_of("factor", name, [f.name for f in factors]), keys)
    return found


def _level(factor: Factor, value: object, keys: Keys) -> Level:
    try:
        return factor.level(value)
    except ValueError as wrong:
        raise SpecError(f"factor {factor.name!r}: {wrong}", keys) from None


def _settings(
    tables: Mapping[str, object], factors: Sequence[Factor], keys: Keys
) -> dict[str, Level]:
    """The canonical levels of a table of settings, whose nested tables are dotted names."""
    found: dict[str, Level] = {}
    for path, value in _flat(tables, keys):
        name = ".".join(str(k) for k in path[len(keys) :])
        factor = _factor(name, factors, path)
        if name in found:
            raise SpecError(f"factor {name!r} is set twice", path)
        found[name] = _level(factor, value, path)
    return found


def _flat(tables: Mapping[str, object], keys: Keys) -> Iterator[tuple[Keys, object]]:
    for key, value in tables.items():
        if isinstance(value, Mapping):
            yield from _flat(value, (*keys, key))
        else:
            yield (*keys, key), value


T = TypeVar("T", bound=Level)


def _distinct(values: Sequence[T], keys: Keys) -> tuple[T, ...]:
    seen = set[Level]()
    for value in values:
        if value in seen:
            raise SpecError(f"{design.shown(value)} is there twice", keys)
        seen.add(value)
    return tuple(values)


def _modules(file: StudyFile, factors: Sequence[Factor]) -> Modules | None:
    if file.modules is None:
        return None
    keys = ("modules", "factors")
    for name in file.modules.factors:
        if _factor(name, factors, keys).sides is None:
            raise SpecError(
                f"factor {name!r} is not a switch, nor a choice of two: sweep it instead", keys
            )
    return Modules(_distinct(file.modules.factors, keys), file.modules.design)


def _sweep(file: StudyFile, i: int, factors: Sequence[Factor]) -> Sweep:
    table = file.sweep[i]
    factor = _factor(table.factor, factors, ("sweep", i, "factor"))
    keys = ("sweep", i, "levels")
    levels = [_level(factor, v, keys) for v in table.levels]
    return Sweep(table.around, factor.name, _distinct(levels, keys))


def _arm(file: StudyFile, i: int, factors: Sequence[Factor]) -> Arm:
    table = file.arm[i]
    if table.start is None and table.start_seed is not None:
        raise SpecError("means nothing without 'start'", ("arm", i, "start_seed"))
    start = None if table.start is None else Start(table.start, table.start_seed)
    return Arm(table.name, _settings(table.set, factors, ("arm", i, "set")), table.parent, start)


def _checks(file: StudyFile) -> Iterator[Check]:
    for i, c in enumerate(file.checks):
        if c.min is None and c.max is None:
            raise SpecError("a check needs 'min' or 'max'", ("checks", i))
        if c.min is not None and c.max is not None and c.min > c.max:
            raise SpecError("'min' is above 'max': nothing can pass", ("checks", i))
        yield Check(c.metric, c.step, c.min, c.max, c.stop)


def _resources(file: StudyFile) -> Resources:
    table = file.resources
    return Resources(table.cpus, float(table.gpus), _seconds(table.timeout))


def _seconds(given: str | float | None) -> float | None:
    """A duration in seconds: `2h`, `30m`, `90s`, or a number of seconds."""
    if given is None:
        return None
    seconds = 0.0
    if not isinstance(given, str):
        seconds = float(given)
    elif match := _DURATION.fullmatch(given):
        seconds = float(match[1]) * _SECONDS[match[2]]
    if seconds <= 0:
        raise SpecError(
            f"{given!r:.60} is not a duration: write '2h', '30m', '90s' or seconds",
            ("resources", "timeout"),
        )
    return seconds
