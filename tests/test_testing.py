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
    parts = {
        name: Part({f"{name}.{n}": p for n, p in layer.named_parameters()})
        for name, layer in made(job).items()
    }
    return Probe(parts, forward=lambda: torch.zeros(1), losses=dict)


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


def test_a_level_to_shorten_that_does_not_exist_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="shorten names 'epoch'"):
        check_system(SYSTEM, tmp_path, {"epoch": 1})
