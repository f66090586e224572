"""Elementwise operations, counted as the seeds' counter counted them: one per element.

fvcore 0.1.5 with the operator list of the seeds' source. That counter saw a layer norm as one
operator; its own rule for an operator is given beside each line.
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


RULES: Mapping[str, Rule] = {
    # elementwise_flop_counter(0, 1)
    **_all("add sub rsub mul div neg abs exp pow cumsum", Rule(written=1)),
    **_all("sigmoid tanh relu gelu silu ne le where argmax flip repeat", Rule(written=1)),
    # elementwise_flop_counter(0, 2)
    **_all("_softmax _log_softmax _safe_softmax", Rule(written=2)),
    # elementwise_flop_counter(1, 0)
    **_all("sum mean", Rule(read=1)),
    **_all("_adaptive_avg_pool2d adaptive_max_pool2d", Rule(read=1)),
    # elementwise_flop_counter(1, 1)
    **_all("topk sort scatter gather", Rule(read=1, written=1)),
    # elementwise_flop_counter(0, 4), (0, 1)
    **_all("upsample_bilinear2d grid_sampler_2d", Rule(written=4)),
    "upsample_nearest2d": Rule(written=1),
    # norm_flop_counter: 5 with weights, 4 without; batchnorm_flop_jit in eval: 2 and 1
    "native_layer_norm": Rule(read=4, affine=1, weight=2),
    "native_group_norm": Rule(read=4, affine=1, weight=1),
    "native_batch_norm": Rule(read=1, affine=1, weight=1),
}
# attention in its plain form scales q and k by a root each, where the seeds' scaled q alone
SCALING = {"mul.Scalar": Rule(written=0.5)}


def elementwise(func: torch._ops.OpOverload, args: Sequence[object], out: object) -> int:
    """The elementwise operations of one call; 0 where the seeds' list has none.

    An in-place operator counts as the other. Matrix products, convolutions, pooling by windows and
    cosine similarity have no rule here.
    """
    packet = func._overloadpacket.__name__  # noqa: SLF001 - the operator's only name
    name = packet if packet in RULES else packet.removesuffix("_")
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
