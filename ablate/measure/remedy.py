"""Which setting would put a module that nothing reads into the scored output."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from ablate.errors import UsageError
from ablate.measure.building import RAISED
from ablate.measure.costs import Measured, measure
from ablate.study import Factor, Kind, Level, meaning, settled
from ablate.system import Job, System

TRIES = 12
"""So many networks are built at most."""


def ways(
    system: System, job: Job, modules: Collection[str], varied: Collection[str] = ()
) -> dict[str, tuple[str, Level]]:
    """Of modules that are inert at a job's levels: the first setting found at which they are live.

    Tried are the other levels of every switch and choice that means something there, one at a time,
    those first that stand off their reference; not those of `varied`, which the study moves itself.
    A level at which no network can be built is passed over.
    """
    found: dict[str, tuple[str, Level]] = {}
    wanted = set(modules)
    for tried, (name, level) in enumerate(_others(system, job, {*modules, *varied})):
        if tried == TRIES or not wanted:
            break
        levels = settled({**job.levels, name: level}, system.factors)
        measured = _measured(system, replace(job, levels=levels))
        live = {c.factor for c in measured.costs if c.name == "live_params" and c.value > 0}
        opened = wanted & live
        found |= dict.fromkeys(sorted(opened), (name, level))
        wanted -= opened
    return found


def _measured(system: System, job: Job) -> Measured:
    try:
        return measure(system, job)
    except (UsageError, *RAISED):  # such a level is no way
        return Measured()


def _others(system: System, job: Job, out: Collection[str]) -> Iterator[tuple[str, Level]]:
    there = [f for f in meaning(job.levels, system.factors) if f.name not in out]
    for factor in sorted(there, key=lambda f: job.levels[f.name] == f.reference):
        levels = sorted(_levels(factor), key=lambda level: level != factor.reference)
        yield from ((factor.name, v) for v in levels if v != job.levels[factor.name])


def _levels(factor: Factor) -> tuple[Level, ...]:
    return (False, True) if factor.kind is Kind.BOOL else factor.choices
