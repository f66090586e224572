"""The seeds' elementwise operations, by hand: fvcore's rules with the list of the seeds' source."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from toys import SIZE, costs, job, one_module, system, two_layers

from ablate import Part, Probe
from ablate.measure import measure

N = 3 * SIZE
"""Elements of the example, three rows."""


def operations(use: Callable[[Tensor], Tensor]) -> int:
    """What `use` adds to a product that keeps its example connected."""

    def probe(_: object) -> Probe:
        layer, x = nn.Linear(SIZE, SIZE), torch.ones(3, SIZE)
        part = Part(dict(layer.named_parameters()))
        return Probe({"all": part}, lambda: use(layer(x)), lambda: {"sum": layer(x).sum()})

    found = costs(measure(system(probe), job(), ops="seed"))
    return int(found["ops"] - found["live_macs"])


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (lambda x: x + x, N),
        (lambda x: x.mul_(2.0), N),
        (torch.sigmoid, N),
        (functional.gelu, N),
        (functional.silu, N),
        (functional.relu, N),
        (lambda x: functional.relu(x, inplace=True), 0),
        (lambda x: torch.softmax(x, dim=-1), 2 * N),
        (lambda x: functional.layer_norm(x, (SIZE,)), 4 * N),
        (lambda x: x.mean(dim=0), N),
        (lambda x: x.sum(), N),
        (lambda x: x.sort(dim=-1).values, 2 * N),
        (lambda x: x.topk(4, dim=-1).values, N + 3 * 4),
        (lambda x: x.view(-1, 3).t(), 0),
        (lambda x: x * torch.sigmoid(1.702 * x), 3 * N),
    ],
)
def test_an_operation_counts_what_the_list_gives_it(
    use: Callable[[Tensor], Tensor], expected: int
) -> None:
    assert operations(use) == expected


@pytest.mark.parametrize(
    ("build", "each"), [(lambda: nn.LayerNorm(SIZE), 5), (lambda: nn.BatchNorm1d(SIZE), 2)]
)
def test_a_norm_with_weights_counts_five_and_a_batch_norm_at_rest_two(
    build: Callable[[], nn.Module], each: int
) -> None:
    assert costs(measure(one_module(build, 3, SIZE), job(), ops="seed"))["ops"] == each * N


def test_fused_attention_counts_its_softmax_twice_and_its_scaling_once() -> None:
    def attention(x: Tensor) -> Tensor:
        heads = x.view(1, 3, 2, SIZE // 2).transpose(1, 2)
        return functional.scaled_dot_product_attention(heads, heads, heads)

    assert operations(attention) == N + 2 * (2 * 3 * 3)


def test_only_live_operations_count_and_only_when_asked_for() -> None:
    wasteful = two_layers(lambda a, b, x: (a(x), torch.softmax(b(x), dim=-1))[0])
    found = measure(wasteful, job(), ops="seed")
    assert costs(found)["ops"] == costs(found)["live_macs"]
    assert costs(found, "b")["ops"] == 0
    assert "ops" not in costs(measure(wasteful, job()))
    (counter,) = {cost.counter for cost in found.costs if cost.name == "ops"}
    assert counter == "seed: live MACs and one operation per element on meta"
