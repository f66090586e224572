"""Gradient norms by owner: which factor's parameters learn, and how fast."""

import math
from collections.abc import Mapping

from ablate.system import Part


def gradient_norms(parts: Mapping[str, Part]) -> dict[str, float]:
    """The L2 norm of the gradients of each factor's parameters, as `grad.<factor>`.

    Parts without a factor are summed as `grad.base`. A parameter without a gradient counts as
    zero, so an owner that learns nothing shows 0; NaN and infinities are passed on.
    """
    squares: dict[str, float] = {}
    for part in parts.values():
        owner = f"grad.{part.factor or 'base'}"
        gradients = [p.grad for p in part.parameters.values() if p.grad is not None]
        total = sum(float(g.detach().float().pow(2).sum()) for g in gradients)
        squares[owner] = squares.get(owner, 0.0) + total
    return {owner: math.sqrt(total) for owner, total in squares.items()}
