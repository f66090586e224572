"""Elementwise operations, counted as the seeds' counter counted them: one per element.

The rules are fvcore 0.1.5's with the operator list that the seeds' source gives it (from VMamba's
`flops.py`), here for the operators that torch dispatches. Names are exact: what the list leaves
out, such as `relu_`, counts nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Rule:
    """Operations per element of the first input and of the first output.

    `affine` is added per element of the input where the operator has a weight (its argument
    number `weight`).
    """

    read: float = 0.0
    written: float = 0.0
    affine: float = 0.0
    weight: int = -1


def _all(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


ONE_EACH = """
add add_ sub sub_ rsub mul mul_ div div_ neg abs exp pow cumsum sigmoid tanh relu gelu silu silu_
ne le where argmax flip repeat upsample_nearest2d
"""
RULES: Mapping[str, Rule] = {
    **_all(ONE_EACH, Rule(written=1)),
    **_all("_softmax _log_softmax _safe_softmax", Rule(written=2)),
    **_all("sum mean _adaptive_avg_pool2d adaptive_max_pool2d", Rule(read=1)),
    **_all("topk sort scatter gather", Rule(read=1, written=1)),
    **_all("upsample_bilinear2d grid_sampler_2d", Rule(written=4)),
    # fvcore's own: five per element with weights and four without, of a batch norm at rest 2 and 1
    "native_layer_norm": Rule(read=4, affine=1, weight=2),
    "native_group_norm": Rule(read=4, affine=1, weight=1),
    **_all(
        "native_batch_norm _native_batch_norm_legit_no_training",
        Rule(read=1, affine=1, weight=1),
    ),
}
# attention in its plain form scales q and k by a root each, where the seeds' scaled q alone
SCALING = {"mul.Scalar": Rule(written=0.5)}


def elementwise(func: torch._ops.OpOverload, args: Sequence[object], out: object) -> int:
    """The elementwise operations of one call; 0 where the list has no rule for it.

    The list has no `relu_`, no pooling by windows and no minima, so neither has this. A linear
    layer's bias counts where torch adds it in a call of its own, which depends on the input's
    strides (one part in a million of a transformer).
    """
    name = func._overloadpacket.__name__  # noqa: SLF001 - the operator's only name
    rule = SCALING.get(f"{name}.{func._overloadname}", RULES.get(name))  # noqa: SLF001 - likewise
    if rule is None:
        return 0
    has_weight = 0 <= rule.weight < len(args) and args[rule.weight] is not None
    per_input = rule.read + (rule.affine if has_weight else 0.0)
    return int(per_input * _size(args) + rule.written * _size(out))


def _size(value: object) -> int:
    first = value
    while isinstance(first, tuple | list) and first:
        first = first[0]
    return math.prod(first.shape) if isinstance(first, torch.Tensor) else 0
