"""Which parameters a loss trains: a walk from the loss along autograd's graph."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.autograd.graph import get_gradient_edge

from ablate.system import Probe

REENTRANT = "CheckpointFunctionBackward"
"""The node that stands in autograd's graph for all that a re-entrant checkpoint ran."""

Key = tuple[str, str]
"""A parameter's part and its name there."""


def parameters(probe: Probe) -> dict[Key, Tensor]:
    """The trainable parameters of a probe; a shared one under each of its names."""
    return {
        (part, name): parameter
        for part, owner in probe.parts.items()
        for name, parameter in owner.parameters.items()
        if parameter.requires_grad
    }


def leaves(loss: Tensor) -> frozenset[int]:
    """Identities of the tensors that would get a gradient from `loss`; computes none.

    Raises ValueError where a re-entrant checkpoint hides what it ran: that is not in the graph.
    """
    if not loss.requires_grad:
        return frozenset()
    waiting, seen, found = [get_gradient_edge(loss).node], set(), set()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.name() == REENTRANT:
            raise ValueError("a checkpoint with use_reentrant=True hides who learns inside it")
        if hasattr(node, "variable"):
            found.add(id(node.variable))
        waiting += [after for after, _ in node.next_functions if after is not None]
    return frozenset(found)


def task_losses(probe: Probe) -> dict[str, Tensor]:
    """One training step's losses that train the score: all, where the probe names none.

    Raises ValueError where there is none.
    """
    with torch.enable_grad():
        every: Mapping[str, Tensor] = probe.losses()
    found = {name: loss for name, loss in every.items() if not probe.task or name in probe.task}
    if not found:
        raise ValueError("the probe computes no loss that trains the score")
    return found


def trained(probe: Probe) -> frozenset[Key]:
    """The trainable parameters that some loss which trains the score reaches, in train mode."""
    found = frozenset().union(*(leaves(loss) for loss in task_losses(probe).values()))
    return frozenset(key for key, parameter in parameters(probe).items() if id(parameter) in found)
