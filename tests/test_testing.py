from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ablate import Job, Metric, Outcome, Part, Probe, System, real, switch, whole
from ablate.testing import check_system
from ablate.train import init_stream

torch.set_num_threads(1)


def build(job: Job) -> torch.nn.ModuleDict:
    network = torch.nn.ModuleDict()
    for name in ("deep", "last"):
        if name == "last" or job.on(name):
            with init_stream(job, f"init.{name}"):
                network[name] = torch.nn.Linear(4, 4)
    return network


def build_in_one_stream(job: Job) -> torch.nn.ModuleDict:
    network = torch.nn.ModuleDict()
    with init_stream(job, "init"):
        for name in ("deep", "last"):
            if name == "last" or job.on(name):
                network[name] = torch.nn.Linear(4, 4)
    return network


def probe(job: Job, made=build) -> Probe:  # noqa: ANN001 - the builder under test
    network = made(job)
    parts = {
        name: Part(
            {f"{name}.{n}": p for n, p in layer.named_parameters()},
            "deep" if name == "deep" else None,
            layer,
        )
        for name, layer in network.items()
    }

    def forward() -> torch.Tensor:
        x = torch.ones(2, 4)
        for layer in network.values():
            x = layer(x)
        return x

    return Probe(parts, forward, lambda: {"loss": forward().square().sum()}, frozenset({"loss"}))


def train(job: Job) -> Outcome:
    """A number that depends on every epoch before it, as weights do."""
    state = job.resume() or {"epoch": 0, "value": torch.tensor(0.5)}
    value, done = state["value"], state["epoch"]
    assert isinstance(value, torch.Tensor)
    assert isinstance(done, int)
    for epoch in range(done + 1, job.whole("epochs") + 1):
        value = (value * 3.7 * (1 - value)) + 1e-3 * job.stream(f"noise/{epoch}").random()
        job.log(epoch, "test", acc=value.item())
        job.save({"epoch": epoch, "value": value})
        if job.stopping:
            break
    return Outcome()


SYSTEM = System(
    name="tiny",
    revision="1",
    factors=(switch("deep"), whole("epochs", 3, low=1), real("lr", 0.1)),
    metrics=(Metric("acc"),),
    train=train,
    probe=probe,
    standin="1",
)


def test_a_system_that_keeps_its_promises_passes(tmp_path: Path) -> None:
    assert check_system(SYSTEM, tmp_path, {"epochs": 2}) == ()


def test_without_a_probe_the_check_that_needs_one_is_said_to_be_skipped(tmp_path: Path) -> None:
    notes = check_system(replace(SYSTEM, probe=None), tmp_path)
    assert len(notes) == 1
    assert "no probe" in notes[0]


def test_a_reference_in_another_form_is_found(tmp_path: Path) -> None:
    factor = replace(SYSTEM.factors[2], reference=1)
    system = replace(SYSTEM, factors=(*SYSTEM.factors[:2], factor))
    with pytest.raises(AssertionError, match=r"factor 'lr': reference 1 .* write 1\.0"):
        check_system(system, tmp_path)


def test_modules_built_in_one_stream_are_found(tmp_path: Path) -> None:
    system = replace(SYSTEM, probe=lambda job: probe(job, build_in_one_stream))
    with pytest.raises(AssertionError, match="switching 'deep' on changes the initial weights"):
        check_system(system, tmp_path)


def test_weights_that_ignore_the_seed_are_found(tmp_path: Path) -> None:
    system = replace(SYSTEM, probe=lambda job: probe(replace(job, seed=0)))
    with pytest.raises(AssertionError, match="two seeds give the same initial weights"):
        check_system(system, tmp_path)


def test_a_metric_that_is_never_reported_is_found(tmp_path: Path) -> None:
    system = replace(SYSTEM, metrics=(Metric("acc"), Metric("mAP")))
    with pytest.raises(AssertionError, match=r"metric 'mAP' is never logged .*test\.acc"):
        check_system(system, tmp_path)


def test_a_score_that_no_metric_declares_is_found(tmp_path: Path) -> None:
    def talkative(job: Job) -> Outcome:
        train(job)
        return Outcome(scores={"F1": 0.5})

    with pytest.raises(AssertionError, match="'F1', which no metric declares"):
        check_system(replace(SYSTEM, train=talkative), tmp_path)


def test_a_score_that_is_no_number_is_found(tmp_path: Path) -> None:
    def broken(job: Job) -> Outcome:
        job.log(1, "test", acc=float("nan"))
        return Outcome()

    with pytest.raises(AssertionError, match="metric 'acc' ends as nan"):
        check_system(replace(SYSTEM, train=broken), tmp_path)


def test_a_training_that_forgets_what_it_saved_is_found(tmp_path: Path) -> None:
    def forgetful(job: Job) -> Outcome:
        state = job.resume()
        done = state["epoch"] if state else 0
        assert isinstance(done, int)
        value = 0.5
        for epoch in range(done + 1, 4):
            value = 3.7 * value * (1 - value)
            job.log(epoch, "test", acc=value)
            job.save({"epoch": epoch})
            if job.stopping:
                break
        return Outcome()

    with pytest.raises(AssertionError, match=r"after a resume and .* undisturbed"):
        check_system(replace(SYSTEM, train=forgetful), tmp_path)


def test_a_training_that_never_saves_is_found(tmp_path: Path) -> None:
    def careless(job: Job) -> Outcome:
        job.log(1, "test", acc=0.5)
        return Outcome()

    with pytest.raises(AssertionError, match="never saves"):
        check_system(replace(SYSTEM, train=careless), tmp_path)


def altered(**changes) -> System:  # noqa: ANN003 - fields of a probe
    return replace(SYSTEM, probe=lambda job: replace(probe(job), **changes))


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        (lambda: {"loss": torch.tensor(float("nan"))}, "with the reference, loss 'loss' is nan"),
        (lambda: {"loss": torch.zeros(3)}, "loss 'loss' is not a tensor of one number"),
        (dict, "with the reference, the probe computes no loss that trains the score"),
    ],
)
def test_losses_that_cannot_be_minimised_are_found(losses, words: str, tmp_path: Path) -> None:  # noqa: ANN001 - a fake
    with pytest.raises(AssertionError, match=words):
        check_system(altered(losses=losses), tmp_path)


def test_a_task_that_names_no_loss_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"task: loss 'los' is .* \(did you mean 'loss'\?\)"):
        check_system(altered(task=frozenset({"loss", "los"})), tmp_path)


def part_of(factor: str | None, module: torch.nn.Module | None = None) -> System:
    def odd(job: Job) -> Probe:
        made = probe(job)
        last = made.parts["last"]
        return replace(made, parts=made.parts | {"odd": Part(last.parameters, factor, module)})

    return replace(SYSTEM, probe=odd)


@pytest.mark.parametrize(
    ("system", "words"),
    [
        (part_of("deeper"), r"part 'odd': factor 'deeper' is not .* \(did you mean 'deep'\?\)"),
        (part_of("deep"), "part 'odd' belongs to 'deep', but is there while 'deep' is off"),
        (part_of("lr"), "parts 'last' and 'odd' own one parameter"),
        (part_of(None, torch.nn.Linear(4, 4)), "part 'odd' has parameters that its module has not"),
        (altered(parts={}), "two variants share no parameter"),
    ],
)
def test_parts_that_are_not_whose_they_are_said_to_be_are_found(
    system: System, words: str, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match=words):
        check_system(system, tmp_path)


def test_a_switch_whose_parameters_nothing_depends_on_is_noted_and_no_failure(
    tmp_path: Path,
) -> None:
    def idle(job: Job) -> Probe:
        network = build(job)
        last = network["last"]
        parts = {
            name: Part(dict(module.named_parameters(name)), "deep" if name == "deep" else None)
            for name, module in network.items()
        }
        return Probe(
            parts,
            forward=lambda: last(torch.ones(2, 4)),
            losses=lambda: {"loss": last(torch.ones(2, 4)).sum()},
        )

    (note,) = check_system(replace(SYSTEM, probe=idle), tmp_path)
    assert "switch 'deep' owns parameters that neither the scored output nor a loss" in note


def test_a_probe_that_looks_at_values_is_noted_as_counted_on_the_cpu(tmp_path: Path) -> None:
    def looking(job: Job) -> Probe:
        made = probe(job)
        return replace(made, forward=lambda: made.forward() * made.forward().sum().item())

    (note,) = check_system(replace(SYSTEM, probe=looking), tmp_path)
    assert "counted on the CPU, as it cannot run on meta: RuntimeError" in note


def test_a_level_to_shorten_that_does_not_exist_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="shorten names 'epoch'"):
        check_system(SYSTEM, tmp_path, {"epoch": 1})
