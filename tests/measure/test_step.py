import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from toys import SIZE, Use, job, system, two_layers

from ablate import Job, Part, Probe, System
from ablate.measure import Reached, Switched, step
from ablate.train import init_stream


def gated(use: Use, *, own_loss: bool = False) -> System:
    """Layer a always, layer b where its switch is on; the weights are all ones."""

    def probe(job: Job) -> Probe:
        a, b = (nn.Linear(2, 2, bias=False) for _ in "ab")
        for layer in (a, b):
            nn.init.ones_(layer.weight)
        x = torch.tensor([[1.0, 2.0]])
        output = (lambda: use(a, b, x)) if job.on("b") else (lambda: a(x))
        parts = {"a": Part(dict(a.named_parameters()))}
        if job.on("b"):
            parts["b"] = Part(dict(b.named_parameters()), "b")

        def losses() -> dict[str, Tensor]:
            own = {"own": b(x).sum()} if own_loss and job.on("b") else {}
            return {"task": output().sum()} | own

        return Probe(parts, output, losses, task=frozenset({"task"}))

    return system(probe)


def switched(use: Use, *, own_loss: bool = False) -> Switched:
    return step(gated(use, own_loss=own_loss), job(), {"b": job(b=False)}).switched["b"]


def test_each_part_is_told_what_it_gets_from_each_loss() -> None:
    found = step(gated(lambda a, b, x: a(x) + b(x).detach(), own_loss=True), job(), {})
    # the gradient of a sum of both outputs in each weight is its input, 1 or 2, in two rows
    norm = math.sqrt(2 * (1 + 4))
    assert found.reached == (
        Reached("a", None, "task", 1, 1, norm),
        Reached("b", "b", "task", 0, 1, 0.0),
        Reached("a", None, "own", 0, 1, 0.0),
        Reached("b", "b", "own", 1, 1, norm),
    )
    assert (found.switched, found.reason) == ({}, "")


def test_a_gradient_that_is_no_number_is_told_as_such() -> None:
    found = step(gated(lambda a, b, x: a(x) * 0.0 / b(x).mul(0.0)), job(), {})
    assert [math.isnan(r.norm) for r in found.reached] == [True, True]


def test_a_switch_that_changes_what_is_scored_changes_everything() -> None:
    assert switched(lambda a, b, x: a(x) * b(x)) == Switched(
        output=True, losses=True, gradients=True
    )


def test_a_module_behind_a_gate_of_exactly_zero_changes_nothing() -> None:
    # no data flow shows this: only the numbers do
    assert switched(lambda a, b, x: a(x) + 0.0 * b(x)) == Switched(
        output=False, losses=False, gradients=False
    )


def test_a_module_with_a_loss_of_its_own_alone_changes_nothing_that_both_have() -> None:
    assert switched(lambda a, _, x: a(x), own_loss=True) == Switched(
        output=False, losses=False, gradients=False
    )


@pytest.mark.parametrize(
    ("use", "cut"),
    [
        (lambda a, _, x: a(x).detach() + 0.0 * a(x), []),  # a gradient of zero
        (lambda a, b, x: a(x).detach() + 0.0 * b(x), [("a", "task")]),  # none
    ],
)
def test_a_switch_may_change_gradients_and_no_number(use: Use, cut: list[tuple[str, str]]) -> None:
    found = switched(use)
    assert (found.output, found.losses, found.gradients) == (False, False, True)
    assert [(r.part, r.loss) for r in found.cut] == cut


def drawn(_: Job) -> Probe:
    """A network and inputs from torch's global generator, and dropout in its step."""
    layer, x = nn.Sequential(nn.Linear(SIZE, SIZE), nn.Dropout()), torch.rand(4, SIZE)
    part = Part(dict(layer.named_parameters()))
    return Probe({"all": part}, lambda: layer.eval()(x), lambda: {"s": layer.train()(x).sum()})


def test_a_step_is_the_same_whenever_it_is_taken_and_draws_from_nobody() -> None:
    state = torch.get_rng_state()
    first = step(system(drawn), job(), {"b": job(b=False)})
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(7)
    assert step(system(drawn), job(), {"b": job(b=False)}) == first
    assert first.switched == {"b": Switched(output=False, losses=False, gradients=False)}
    assert step(system(drawn), job(seed=1), {}).reached != first.reached


def test_a_step_that_cannot_be_made_says_why() -> None:
    assert step(system(None), job(), {}).reason == "system 'toy' has no probe"
    wrong = two_layers(lambda a, _, x: a(x[:, 1:]))
    assert step(wrong, job(), {}).reason.startswith("RuntimeError: mat1 and mat2 shapes")


def test_a_step_is_made_by_one_thread_and_leaves_their_number_as_it_was() -> None:
    seen = []

    def looking(a: nn.Module, _: nn.Module, x: Tensor) -> Tensor:
        seen.append(torch.get_num_threads())
        return a(x)

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        step(gated(looking), job(), {})
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert set(seen) == {1}


def test_weights_that_only_one_variant_has_are_not_compared() -> None:
    def probe(job: Job) -> Probe:
        with init_stream(job, "init.a"):
            a = nn.Linear(2, 3 if job.on("b") else 2)
        part = Part(dict(a.named_parameters()))
        x = torch.ones(1, 2)
        return Probe({"a": part}, lambda: a(x)[:, :1], lambda: {"sum": a(x)[:, :1].sum()})

    found = step(replace(system(None), probe=probe), job(), {"b": job(b=False)})
    assert not found.switched["b"].gradients
