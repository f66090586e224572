"""What a probe must say, so that what it measures can be believed."""

from collections.abc import Mapping
from pathlib import Path

import torch

from ablate.errors import not_one_of
from ablate.measure import Measured, measure
from ablate.study import Factor, Level
from ablate.system import Job, Part, Probe, System
from ablate.testing.variants import SEED, levels_with, switches


def check_probe(
    system: System, folder: Path, shorten: Mapping[str, Level] | None = None
) -> tuple[str, ...]:
    """Raise AssertionError unless the probe tells the truth about parts and losses.

    Every part belongs to nobody or to a factor that is on, no parameter to two factors, and a
    part's module has its parameters; losses are single numbers, the task's are there and finite.
    Returned are notes on what is allowed but may surprise: a probe that cannot run on meta, a
    switch whose own parameters nothing that counts depends on. A system without a probe passes.
    """
    if system.probe is None:
        return ()
    everything = {f.name: True for f in switches(system)}
    variants: dict[str, Mapping[str, Level]] = {"the reference": {}}
    variants |= {f"{name} on": {name: True} for name in everything}
    variants["everything on"] = everything
    notes: dict[str, None] = {}
    for name, on in variants.items():
        job = Job(levels_with(system, on, shorten), SEED, folder)
        probe = system.probe(job)
        _check_parts(system, job, probe)
        _check_losses(name, probe, complete=name == "everything on")
        measured = measure(system, job)
        notes |= dict.fromkeys(_surprises(measured, list(on) if len(on) == 1 else []))
    return tuple(notes)


def _check_parts(system: System, job: Job, probe: Probe) -> None:
    if not any(p.requires_grad for part in probe.parts.values() for p in part.parameters.values()):
        raise AssertionError("the probe's parts own no trainable parameter")
    factors = {f.name: f for f in system.factors}
    owners: dict[int, tuple[str, str | None]] = {}
    for name, part in probe.parts.items():
        _check_owner(name, part, factors, job)
        _check_module(name, part)
        for parameter in part.parameters.values():
            other, factor = owners.setdefault(id(parameter), (name, part.factor))
            if factor != part.factor:
                raise AssertionError(f"parts {other!r} and {name!r} own one parameter: choose one")


def _check_owner(name: str, part: Part, factors: Mapping[str, Factor], job: Job) -> None:
    if part.factor is None:
        return
    if part.factor not in factors:
        raise AssertionError(f"part {name!r}: " + not_one_of("factor", part.factor, factors))
    off = _off(factors, job, part.factor)
    if off is not None:
        raise AssertionError(
            f"part {name!r} belongs to {part.factor!r}, but is there while {off!r} is off"
        )


def _check_module(name: str, part: Part) -> None:
    if part.module is None:
        return
    held = {id(p) for p in part.module.parameters()}
    if not all(id(p) in held for p in part.parameters.values()):
        raise AssertionError(f"part {name!r} has parameters that its module has not")


def _off(factors: Mapping[str, Factor], job: Job, name: str) -> str | None:
    """The switch that is off among a factor and what it requires, or None."""
    wanted: str | None = name
    while wanted is not None:
        if job.levels[wanted] is False:
            return wanted
        wanted = factors[wanted].requires
    return None


def _check_losses(variant: str, probe: Probe, *, complete: bool) -> None:
    losses = probe.losses()
    for name, loss in losses.items():
        if not isinstance(loss, torch.Tensor) or loss.numel() != 1:
            raise AssertionError(f"with {variant}, loss {name!r} is not a tensor of one number")
    missing = sorted(probe.task - set(losses)) if complete else []
    if missing:
        raise AssertionError("task: " + not_one_of("loss", missing[0], losses))
    task = [name for name in losses if not probe.task or name in probe.task]
    if not task:
        raise AssertionError(f"with {variant}, the probe computes no loss that trains the score")
    for name in task:
        if not losses[name].isfinite():
            raise AssertionError(f"with {variant}, loss {name!r} is {losses[name].item()}")


def _surprises(measured: Measured, switched_on: list[str]) -> list[str]:
    found = []
    if measured.off_meta:
        found.append(f"probe: counted on the CPU, as it cannot run on meta: {measured.off_meta}")
    if measured.reason:
        found.append(f"probe: {measured.reason}")
    trained = {c.factor: c.value for c in measured.costs if c.name == "trained_params"}
    found += [
        f"probe: switch {name!r} owns parameters that neither the scored output nor a loss that"
        " trains the score depends on"
        for name in switched_on
        if name in measured.inert and not trained.get(name, 1)
    ]
    return found
