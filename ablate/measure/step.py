"""One real training step on the CPU: who learns from which loss, and what a switch changes."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ablate.measure.building import RAISED, aside, built, one_line, one_thread
from ablate.measure.reach import Key, parameters
from ablate.system import Job, Probe, System


@dataclass(frozen=True, slots=True)
class Reached:
    """What one part gets from one loss: `tensors` of its `of` trainable tensors get a gradient.

    `norm` is the gradient's L2 norm over the part; NaN where it is not a number, 0 where none.
    """

    part: str
    factor: str | None
    loss: str
    tensors: int
    of: int
    norm: float


@dataclass(frozen=True, slots=True)
class Switched:
    """What turning a switch off changes, compared bit by bit.

    `output` is the scored output, `losses` any loss that both variants have, `gradients` the
    gradient of the sum of all losses in any parameter that both have. `cut` are the parts that a
    loss teaches only while the switch is off, with what they get then.
    """

    output: bool
    losses: bool
    gradients: bool
    cut: tuple[Reached, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One training step's findings; empty with the reason where it could not be made."""

    reached: tuple[Reached, ...] = ()
    switched: Mapping[str, Switched] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Taken:
    """One step as it was taken, in values that outlive the network."""

    output: Tensor
    losses: Mapping[str, Tensor]
    shapes: Mapping[Key, torch.Size]
    gradients: Mapping[Key, Tensor | None]
    reached: tuple[Reached, ...]


def step(system: System, job: Job, without: Mapping[str, Job]) -> Step:
    """One training step of `job`, and of the same job with each switch of `without` off.

    Uses the probe's own example, so that example should look like work: several labels, and
    reproducible random inputs (constant ones make gradients vanish and outputs agree that
    otherwise would not). Runs in the precision and at the levels of the jobs, which should be
    small ones; parameters are not changed and global random generators are left as they were.
    """
    if system.probe is None:
        return Step(reason=f"system {system.name!r} has no probe")
    try:
        taken = _take(system.probe, job)
        switched = {
            factor: _compare(taken, _take(system.probe, other)) for factor, other in without.items()
        }
    except RAISED as wrong:
        return Step(reason=one_line(wrong))
    return Step(taken.reached, switched)


def _take(build: Callable[[Job], Probe], job: Job) -> _Taken:
    with one_thread(), aside(job.seed), torch.device("cpu"), torch.enable_grad():
        probe = built(build, job, "cpu")
        with torch.no_grad():
            output = probe.forward().clone()
        losses = dict(probe.losses())
        every = parameters(probe)
        reached = tuple(_reached(probe, losses))
        total = torch.stack([torch.zeros(()), *losses.values()]).sum()
        gradients = dict(zip(every, _gradients(total, list(every.values())), strict=True))
    return _Taken(
        output=output,
        losses={name: loss.detach() for name, loss in losses.items()},
        shapes={key: parameter.shape for key, parameter in every.items()},
        gradients=gradients,
        reached=reached,
    )


def _gradients(loss: Tensor, of: list[Tensor]) -> list[Tensor | None]:
    if not of or not loss.requires_grad:
        return [None] * len(of)
    return list(torch.autograd.grad(loss, of, retain_graph=True, allow_unused=True))


def _reached(probe: Probe, losses: Mapping[str, Tensor]) -> Iterator[Reached]:
    every = parameters(probe)
    for name, loss in losses.items():
        found = dict(zip(every, _gradients(loss, list(every.values())), strict=True))
        for part, owner in probe.parts.items():
            mine = [gradient for key, gradient in found.items() if key[0] == part]
            got = [gradient.double() for gradient in mine if gradient is not None]
            norm = math.sqrt(sum(gradient.square().sum().item() for gradient in got))
            yield Reached(part, owner.factor, name, len(got), len(mine), norm)


def _compare(a: _Taken, b: _Taken) -> Switched:
    shared = [key for key, shape in a.shapes.items() if b.shapes.get(key) == shape]
    taught = {(r.part, r.loss): r.tensors for r in a.reached}
    return Switched(
        output=not _same(a.output, b.output),
        losses=any(not _same(v, b.losses[n]) for n, v in a.losses.items() if n in b.losses),
        gradients=any(not _same(a.gradients[key], b.gradients[key]) for key in shared),
        cut=tuple(r for r in b.reached if r.tensors and taught.get((r.part, r.loss)) == 0),
    )


def _same(a: Tensor | None, b: Tensor | None) -> bool:
    """Equal in every bit, so that NaN agrees with itself."""
    if a is None or b is None:
        return a is b
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    left, right = (x.detach().contiguous().reshape(-1).view(torch.uint8) for x in (a, b))
    return torch.equal(left, right)
