"""What one variant spends: parameters and multiply-accumulates, counted without training it."""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ablate.errors import UsageError
from ablate.measure.building import RAISED, aside, built, in_the_open, one_line
from ablate.measure.reach import Key, parameters, trained
from ablate.measure.tape import Op, record, storage
from ablate.record import Cost
from ablate.system import Job, Part, Probe, System

PLACES = {"meta": "on meta", "cpu": "on the CPU"}
COUNTERS = {device: f"torch formulas/2 {place}" for device, place in PLACES.items()}
SEED = "seed: live MACs and one operation per element {}"
TRAINABLE = "trainable"
LIVE = "reachable from the scored output"
TRAINED = "reached by a loss that trains the score"
ADRIFT = "live: the scored output is connected to no parameter"


@dataclass(frozen=True, slots=True)
class Measured:
    """What one variant spends, or why that is not known.

    `costs` are the whole's and, by factor, the shares of every factor that owns parts: `params`,
    `live_params`, `trained_params`, `macs` (executed) and `live_macs`; a factor with a part that
    names no module has no share of the MACs. `counter` says how MACs were counted: on meta, or on
    the CPU, where data-dependent code makes the number hold for the probe's example only. `inert`
    are the factors none of whose trainable parameters reaches the scored output. `uncounted` names
    operations whose work is in no number: products and decompositions without a formula, foreign
    kernels, and what else reads parameters and is neither elementwise nor a known reduction; what
    else reads activations alone is in no number either and is not named. `off_meta` says why the
    count was made on the CPU, where it was.
    """

    costs: tuple[Cost, ...] = ()
    counter: str = ""
    inert: tuple[str, ...] = ()
    reason: str = ""
    uncounted: tuple[str, ...] = ()
    off_meta: str = ""


@dataclass(frozen=True, slots=True)
class _Pass:
    """A probe as it stands on one device, and what its forward pass did.

    `reached` are the trainable parameters that the scored output depends on.
    """

    probe: Probe
    device: str
    ops: Sequence[Op]
    live: Sequence[Op]
    reached: frozenset[Key]
    uncounted: tuple[str, ...]
    off_meta: str


def owned(probe: Probe) -> dict[str, list[Part]]:
    """Each factor's parts; a factor whose parts own no trainable parameter is left out."""
    found: dict[str, list[Part]] = {}
    for part in probe.parts.values():
        if part.factor is not None:
            found.setdefault(part.factor, []).append(part)
    owners = {probe.parts[part].factor for part, _ in parameters(probe)}
    return {factor: parts for factor, parts in found.items() if factor in owners}


def measure(system: System, job: Job, ops: Literal["", "seed"] = "") -> Measured:
    """The costs of one variant, from one recorded pass over one scored sample.

    Built on torch's meta device; where the code looks at tensor values, on the CPU without the
    kernels that hide work from a counter; where that fails too, not measured, with the reason.
    Raises the UsageError with which the probe refuses its levels or data.
    `ops="seed"` adds the cost `ops`. Global random generators are left as they were.
    """
    if system.probe is None:
        return Measured(reason=f"system {system.name!r} has no probe")
    with aside(job.seed):
        done = _recorded(system.probe, job)
    if isinstance(done, str):
        return Measured(reason=done)
    with aside(job.seed):
        learnt, reason = _trained(system.probe, job, done)
    if not done.reached and parameters(done.probe):
        reason = f"{reason}; {ADRIFT}".removeprefix("; ")
    return Measured(
        costs=tuple(_costs(done, learnt, with_ops=ops == "seed")),
        counter=COUNTERS[done.device],
        inert=_inert(done),
        reason=reason,
        uncounted=done.uncounted,
        off_meta=done.off_meta,
    )


def _recorded(build: Callable[[Job], Probe], job: Job) -> _Pass | str:
    """The pass on the first device where it can be made, or why there is none."""
    reasons: dict[str, str] = {}
    for device in COUNTERS:
        try:
            return _pass(build, job, device, "; ".join(reasons))
        except UsageError:
            raise
        except RAISED as wrong:
            reasons.setdefault(one_line(wrong), device)
    return "; ".join(f"on {device}: {line}" for line, device in reasons.items())


def _pass(build: Callable[[Job], Probe], job: Job, device: str, off_meta: str) -> _Pass:
    probe = built(build, job, device)
    every = parameters(probe)
    modules = {factor: _modules(parts) for factor, parts in owned(probe).items()}
    with torch.device(device), in_the_open() if device == "cpu" else contextlib.nullcontext():
        recording = record(probe.forward, every.values(), modules)
    live, need = recording.live()
    reached = frozenset(key for key, parameter in every.items() if storage(parameter) in need)
    return _Pass(probe, device, recording.ops, live, reached, recording.uncounted, off_meta)


def _modules(parts: Iterable[Part]) -> list[nn.Module]:
    return [part.module for part in parts if part.module is not None]


def _trained(
    build: Callable[[Job], Probe], job: Job, done: _Pass
) -> tuple[frozenset[Key] | None, str]:
    """Parameters, by part and name, that a task loss reaches; None with the reason if unknown."""
    reason = ""
    for device in COUNTERS:
        try:
            probe = done.probe if device == done.device else built(build, job, device)
            with torch.device(device):
                return trained(probe), ""
        except RAISED as wrong:
            reason = one_line(wrong)
    return None, f"trained_params: {reason}"


def _costs(done: _Pass, learnt: Collection[Key] | None, *, with_ops: bool) -> Iterator[Cost]:
    every, factors = parameters(done.probe), owned(done.probe)
    for factor in ("", *factors):
        mine = {k: p for k, p in every.items() if factor in {"", done.probe.parts[k[0]].factor}}
        yield Cost("params", _size(mine, mine), "", TRAINABLE, factor)
        if done.reached:
            yield Cost("live_params", _size(mine, done.reached), "", LIVE, factor)
        if learnt is not None:
            yield Cost("trained_params", _size(mine, learnt), "", TRAINED, factor)
        if all(part.module is not None for part in factors.get(factor, [])):
            yield from _operations(done, factor, with_ops=with_ops)


def _operations(done: _Pass, factor: str, *, with_ops: bool) -> Iterator[Cost]:
    ops, live = (
        [op for op in found if not factor or factor in op.owners] for found in (done.ops, done.live)
    )
    yield Cost("macs", sum(op.macs for op in ops), "MAC", COUNTERS[done.device], factor)
    if done.reached:
        yield Cost("live_macs", sum(op.macs for op in live), "MAC", COUNTERS[done.device], factor)
    if done.reached and with_ops:
        spent = sum(op.macs + op.elements for op in live)
        yield Cost("ops", spent, "", SEED.format(PLACES[done.device]), factor)


def _inert(done: _Pass) -> tuple[str, ...]:
    alive = {done.probe.parts[part].factor for part, _ in done.reached}
    return tuple(factor for factor in owned(done.probe) if alive and factor not in alive)


def _size(mine: Mapping[Key, Tensor], among: Collection[Key]) -> int:
    """Elements of my parameters that are among some; shared ones once."""
    return sum(p.numel() for p in {id(p): p for key, p in mine.items() if key in among}.values())
