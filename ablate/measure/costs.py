"""Parameters and multiply-accumulates, counted on torch's meta device: exact, and free.

On the CPU the counter sees nothing of fused attention; on meta it agrees with hand counts.
"""

import dataclasses
from collections.abc import Callable, Iterable

import torch
from torch.utils.flop_counter import FlopCounterMode

from ablate.record import Cost
from ablate.system import Job, Part, System

COUNTER = "torch.FlopCounterMode/2 on meta"


def trainable(parts: Iterable[Part]) -> int:
    """The number of trainable parameters of some parts, shared ones once."""
    found = {id(p): p for part in parts for p in part.parameters.values() if p.requires_grad}
    return sum(p.numel() for p in found.values())


def executed(forward: Callable[[], torch.Tensor]) -> int:
    """Multiply-accumulates of the matrix products and convolutions that `forward` executes.

    torch's counter counts a multiply and an add as two; this is half of it.
    """
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        forward()
    return int(counter.get_total_flops()) // 2


def probe_costs(system: System, job: Job) -> tuple[Cost, ...]:
    """The costs of one variant: trainable parameters and executed MACs of one scored sample.

    Empty for a system without a probe. Raises what the probe raises: code that looks at tensor
    values cannot run on meta.
    """
    if system.probe is None:
        return ()
    with torch.device("meta"):
        probe = system.probe(dataclasses.replace(job, device="meta"))
        macs = executed(probe.forward)
    return (
        Cost("params", trainable(probe.parts.values()), "", "trainable"),
        Cost("macs", macs, "MAC", COUNTER),
    )
