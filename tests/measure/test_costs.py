import copy
import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
import torch
from counted import MODULES, Nested
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode
from toys import MACS, SIZE, Use, costs, job, liveness, one_module, system, two_layers

from ablate import Job, Part, Probe
from ablate.audit import measured
from ablate.measure import measure
from ablate.measure.building import in_the_open

ROOT = Path(__file__).parents[2]


def plus_in_place(a: nn.Module, b: nn.Module, x: Tensor) -> Tensor:
    y = a(x)
    y += b(x)
    return y


def plus_in_a_list(a: nn.Module, b: nn.Module, x: Tensor) -> Tensor:
    y = a(x)
    torch._foreach_add_([y], [b(x)])
    return y


def one_buffer(a: nn.Module, b: nn.Module, x: Tensor) -> Tensor:
    buffer = x.new_zeros(1, 2 * SIZE)
    buffer[:, :SIZE], buffer[:, SIZE:] = a(x), b(x)
    return buffer[:, :SIZE].clone()


def overwritten_afterwards(a: nn.Module, b: nn.Module, x: Tensor) -> Tensor:
    y = a(x)
    out = y.clone()
    y += b(x)
    return out


def recomputed(a: nn.Module, b: nn.Module, x: Tensor) -> Tensor:
    checkpoint(b, x, use_reentrant=False)
    return checkpoint(a, x, use_reentrant=False)


def half_precision(a: nn.Module, b: nn.Module, x: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        b(x)
        return a(x).float()


DEAD: dict[str, Use] = {
    "called and not used": lambda a, b, x: (a(x), b(x))[0],
    "only viewed": lambda a, b, x: (a(x), b(x).view(-1))[0],
    "an auxiliary output": lambda a, b, x: {"score": a(x), "aux": b(x)}["score"],
    "added after the output was taken": overwritten_afterwards,
    "under a checkpoint": recomputed,
    "under autocast": half_precision,
}
LIVE: dict[str, Use] = {
    "added": lambda a, b, x: a(x) + b(x),
    "added in place": plus_in_place,
    "added by an operator that returns nothing": plus_in_a_list,
    "times zero": lambda a, b, x: a(x) + 0 * b(x),
    "an argument of a function of the other": lambda a, b, x: a(b(x)),
}
NO_GRADIENT: dict[str, Use] = {
    "detached": lambda a, b, x: a(x) + b(x).detach(),
    "a condition": lambda a, b, x: torch.where(b(x) > 0, a(x), 0.0),
    "an order": lambda a, b, x: a(x).gather(1, b(x).topk(4).indices),
}


@pytest.mark.parametrize("case", DEAD)
def test_a_module_whose_result_goes_nowhere_is_executed_and_not_live(case: str) -> None:
    found = measure(two_layers(DEAD[case]), job())
    assert costs(found) == {
        "params": 2 * MACS,
        "live_params": MACS,
        "trained_params": MACS,
        "macs": 2 * MACS,
        "live_macs": MACS,
    }
    assert costs(found, "b") == {
        "params": MACS,
        "live_params": 0,
        "trained_params": 0,
        "macs": MACS,
        "live_macs": 0,
    }
    assert found.inert == ("b",)
    assert (found.counter, found.reason) == ("torch formulas/2 on meta", "")


@pytest.mark.parametrize("case", LIVE | NO_GRADIENT)
def test_a_module_that_the_output_depends_on_is_live(case: str) -> None:
    found = measure(two_layers((LIVE | NO_GRADIENT)[case]), job())
    assert costs(found)["live_macs"] == 2 * MACS
    assert costs(found, "b")["live_params"] == MACS
    assert found.inert == ()


@pytest.mark.parametrize("case", NO_GRADIENT)
def test_a_module_that_is_live_but_has_no_gradient_is_not_trained(case: str) -> None:
    found = measure(two_layers(NO_GRADIENT[case]), job())
    assert (costs(found, "b")["live_params"], costs(found, "b")["trained_params"]) == (MACS, 0)
    assert costs(found)["trained_params"] == MACS


def test_of_a_buffer_that_is_read_in_part_every_write_counts_as_live() -> None:
    assert measure(two_layers(one_buffer), job()).inert == ()


def test_what_decides_a_branch_is_live_though_its_value_left_torch() -> None:
    def gated(a: nn.Module, b: nn.Module, x: Tensor) -> Tensor:
        return a(x) if b(x).sum().item() > 0 else 2 * a(x)

    found = measure(two_layers(gated), job())
    assert (found.counter, found.inert) == ("torch formulas/2 on the CPU", ())


LEAVING: dict[str, Use] = {
    "tolist": lambda a, b, x: a(x)[:, b(x).argmax(1).tolist()],
    "numpy": lambda a, b, x: a(x)[:, np.argsort(b(x).numpy()[0]).copy()],
    "asarray": lambda a, b, x: a(x) + float(np.asarray(b(x)).sum()),
    "dlpack": lambda a, b, x: a(x)[:, np.argsort(np.from_dlpack(b(x))[0]).copy()],
    "from and to numpy": lambda a, b, x: torch.from_numpy((a(x) + b(x)).numpy()),
    "a copy": lambda a, b, x: a(x) + copy.deepcopy(b(x)),
}


@pytest.mark.parametrize("way", LEAVING)
def test_what_leaves_torch_past_its_operations_is_live_and_nobody_is_accused(way: str) -> None:
    found = measure(two_layers(LEAVING[way]), job())
    assert found.inert == ()
    assert costs(found, "b")["live_params"] == costs(found, "b")["params"] == MACS
    assert "W204" not in [f.code for f in liveness(measured({"full": found.costs}))]


def test_an_output_that_is_connected_to_nothing_accuses_nobody() -> None:
    def constant(a: nn.Module, b: nn.Module, x: Tensor) -> Tensor:
        return a(x).shape[0] * torch.ones(1, SIZE) + b(x).shape[0]

    found = measure(two_layers(constant), job())
    assert found.inert == ()
    assert "the scored output is connected to no parameter" in found.reason
    assert set(costs(found)) == {"params", "trained_params", "macs"}
    assert liveness(measured({"full": found.costs})) == []


def test_a_factor_whose_part_gives_no_module_has_parameters_and_no_share_of_operations() -> None:
    found = measure(two_layers(LIVE["added"], modules=False), job())
    assert set(costs(found, "b")) == {"params", "live_params", "trained_params"}
    assert costs(found)["macs"] == 2 * MACS


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_operations_are_charged_to_the_module_that_they_run_in(
    mode: Callable[[], AbstractContextManager[None]],
) -> None:
    # in inference mode a linear layer on three rows arrives whole and is taken apart on record
    def probe(_: object) -> Probe:
        before, mine, after = nn.Linear(SIZE, SIZE), Nested(), nn.Linear(3, 5)
        x = torch.ones(1, 3, SIZE)
        parts = {
            "rest": Part(dict(before.named_parameters()), None, before),
            "mine": Part(dict(mine.named_parameters()), "b", mine),
        }

        def forward() -> Tensor:
            with mode():
                return after(mine(mine.aside(before(x))))

        return Probe(parts, forward, lambda: {"sum": x.sum()})

    found = measure(system(probe), job())
    assert costs(found, "b")["macs"] == 2 * 3 * MACS + 3 * 3 * SIZE
    assert costs(found)["macs"] == 3 * 3 * MACS + 3 * 3 * SIZE + 3 * 3 * 5


def test_a_parameter_with_two_names_is_counted_once() -> None:
    def probe(_: object) -> Probe:
        layer, x = nn.Linear(SIZE, SIZE, bias=False), torch.ones(1, SIZE)
        parts = {n: Part({f"{n}.weight": layer.weight}) for n in ("encoder", "decoder")}
        return Probe(parts, lambda: layer(layer(x)), lambda: {"sum": layer(x).sum()})

    found = costs(measure(system(probe), job()))
    assert (found["params"], found["live_params"], found["macs"]) == (MACS, MACS, 2 * MACS)


@pytest.mark.parametrize("name", MODULES)
def test_executed_operations_are_those_of_torchs_own_counter_on_meta(name: str) -> None:
    build, shape = MODULES[name]
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        build().eval()(torch.ones(shape))
    found = measure(one_module(build, *shape), job())
    assert found.counter == "torch formulas/2 on meta"
    assert costs(found)["macs"] * 2 == counter.get_total_flops() > 0


@pytest.mark.parametrize("name", MODULES)
def test_a_probe_that_looks_at_values_is_counted_on_the_cpu_as_it_would_be_on_meta(
    name: str,
) -> None:
    build, shape = MODULES[name]
    found = measure(one_module(build, *shape, look=True), job())
    assert found.counter == "torch formulas/2 on the CPU"
    assert "meta" in found.off_meta
    assert costs(found) == costs(measure(one_module(build, *shape), job()))


@pytest.mark.parametrize("name", ["attention", "fused attention", "encoder", "LSTM"])
def test_torchs_counter_sees_on_the_cpu_what_it_sees_on_meta_once_all_is_in_the_open(
    name: str,
) -> None:
    build, shape = MODULES[name]
    module, x = build().eval(), torch.ones(shape)
    with torch.no_grad(), in_the_open(), FlopCounterMode(display=False) as counter:
        module(x)
    with torch.no_grad(), FlopCounterMode(display=False) as hidden:
        module(x)
    expected = costs(measure(one_module(build, *shape), job()))["macs"] * 2
    assert hidden.get_total_flops() < counter.get_total_flops() == expected


def test_a_count_on_the_cpu_leaves_torchs_switches_as_they_were() -> None:
    build, shape = MODULES["attention"]
    measure(one_module(build, *shape, look=True), job())
    assert torch.backends.mha.get_fastpath_enabled()
    assert torch.backends.mkldnn.enabled
    assert torch.backends.cuda.flash_sdp_enabled()


def test_a_probe_that_fails_everywhere_is_not_measured_and_says_why() -> None:
    def wrong(_a: nn.Module, _b: nn.Module, _x: Tensor) -> Tensor:
        raise ValueError("no such thing\nand a second line")

    found = measure(two_layers(wrong), job())
    assert found.costs == ()
    assert found.reason == "on meta: ValueError: no such thing"


def test_a_loss_that_fails_costs_the_trained_parameters_alone() -> None:
    def probe(_: object) -> Probe:
        layer, x = nn.Linear(SIZE, SIZE), torch.ones(1, SIZE)
        part = Part(dict(layer.named_parameters()))
        return Probe({"all": part}, lambda: layer(x), lambda: {"loss": layer(x[:, 1:])})

    found = measure(system(probe), job())
    assert costs(found)["macs"] == MACS
    assert "trained_params" not in costs(found)
    assert found.reason.startswith("trained_params: RuntimeError: ")


def test_losses_that_meta_cannot_compute_are_walked_on_the_cpu() -> None:
    def probe(_: object) -> Probe:
        layer, x = nn.Linear(SIZE, SIZE), torch.ones(3, SIZE)
        part = Part(dict(layer.named_parameters()))
        return Probe({"all": part}, lambda: layer(x), lambda: {"s": layer(x)[x[:, 0] > 0].sum()})

    found = measure(system(probe), job())
    assert found.counter == "torch formulas/2 on meta"
    assert costs(found)["trained_params"] == MACS + SIZE
    assert found.reason == ""


def test_who_learns_inside_a_reentrant_checkpoint_is_unknown_and_no_error() -> None:
    def hidden(a: nn.Module, b: nn.Module, x: Tensor) -> Tensor:
        learning = torch.is_grad_enabled()
        return checkpoint(b, a(x), use_reentrant=True) if learning else b(a(x))

    found = measure(two_layers(hidden), job())
    assert found.reason.startswith("trained_params: ValueError: a checkpoint with use_reentrant")
    assert "trained_params" not in costs(found, "b")
    assert liveness(measured({"full": found.costs})) == []


def test_a_module_that_is_read_and_detached_is_an_error_of_the_audit() -> None:
    found = measure(two_layers(NO_GRADIENT["detached"]), job())
    assert [f.code for f in liveness(measured({"full": found.costs}))] == ["E205"]


def test_an_auxiliary_head_is_noted_and_an_idle_module_is_warned_of() -> None:
    def probe(_: object) -> Probe:
        trunk, head, aux = (nn.Linear(SIZE, SIZE, bias=False) for _ in range(3))
        x = torch.ones(1, SIZE)
        owners = {"trunk": None, "head": None, "aux": "b"}
        parts = {
            name: Part(dict(layer.named_parameters()), owners[name], layer)
            for name, layer in zip(owners, (trunk, head, aux), strict=True)
        }
        losses = lambda: {"head": head(trunk(x)).sum(), "aux": aux(trunk(x)).sum()}  # noqa: E731 - a probe takes it so
        return Probe(parts, lambda: head(trunk(x)), losses)

    codes = {
        name: [f.code for f in liveness(measured({"full": measure(toy, job()).costs}))]
        for name, toy in (("aux", system(probe)), ("idle", two_layers(DEAD["only viewed"])))
    }
    assert codes == {"aux": ["N204"], "idle": ["W204"]}


def test_a_probe_that_ends_the_program_is_not_measured_and_says_why() -> None:
    def leave(_: Job) -> Probe:
        sys.exit("no such weights")

    found = measure(system(leave), job())
    assert (found.costs, found.reason) == ((), "on meta: SystemExit: no such weights")


@pytest.mark.parametrize(("look", "place"), [(False, "on meta"), (True, "on the CPU")])
def test_counts_of_different_devices_never_share_the_name_of_a_counter(
    look: bool,  # noqa: FBT001 - a parameter of the test
    place: str,
) -> None:
    found = measure(one_module(lambda: nn.Linear(SIZE, SIZE), 1, SIZE, look=look), job(), "seed")
    counters = {c.counter for c in found.costs if c.name in {"macs", "live_macs", "ops"}}
    assert len(counters) == 2
    assert all(counter.endswith(place) for counter in counters)


def test_only_losses_that_train_the_score_count_as_training() -> None:
    def probe(_: object) -> Probe:
        a, b, x = nn.Linear(SIZE, 1), nn.Linear(SIZE, 1), torch.ones(1, SIZE)
        parts = {n: Part(dict(m.named_parameters())) for n, m in (("a", a), ("b", b))}
        losses = lambda: {"task": a(x).sum(), "own": b(x).sum()}  # noqa: E731 - a probe takes it so
        return Probe(parts, lambda: a(x), losses, task=frozenset({"task"}))

    assert costs(measure(system(probe), job()))["trained_params"] == SIZE + 1


def test_a_system_without_a_probe_has_no_costs() -> None:
    found = measure(system(None), job())
    assert (found.reason, found.costs) == ("system 'toy' has no probe", ())


def test_measuring_draws_nothing_from_the_global_generators() -> None:
    def drawing(a: nn.Module, b: nn.Module, x: Tensor) -> Tensor:
        noise = random.random() + np.random.rand()  # noqa: NPY002 - what a probe might do
        return a(x) + b(x) * noise + torch.rand(SIZE).sum().item()

    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # noqa: NPY002 - likewise
    assert measure(two_layers(drawing), job()).counter.endswith("on the CPU")
    assert random.getstate() == before[0]
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002 - likewise
    assert torch.equal(torch.get_rng_state(), before[2])


def test_our_counts_of_nine_networks_are_the_hand_counts() -> None:
    script = ROOT / "benchmarks" / "flops.py"
    said = subprocess.run(
        [sys.executable, script, "--ours"], capture_output=True, text=True, check=False
    )
    by_hand = next(line for line in said.stdout.splitlines() if line.startswith("| by hand"))
    # ViT-B/16 at 256x128 without a head, five spellings, and dilated convolutions of 512 channels
    assert by_hand.split(" | ")[1:7] == ["11.33880"] * 5 + ["1.07381"]
    assert (said.returncode, said.stdout.count("1.0000")) == (0, 18), said.stdout + said.stderr
