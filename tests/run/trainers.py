"""Small systems that the tests of the runner train, honestly and otherwise."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

from ablate import Job, Metric, Outcome, Part, Probe, System, choice, switch, whole
from ablate.errors import UsageError
from ablate.train import init_stream, torch_generator


def _network(job: Job) -> torch.nn.Module:
    with init_stream(job, "init.base"):
        layers = [torch.nn.Linear(8, 4)]
    if job.on("extra"):
        with init_stream(job, "init.extra"):
            layers.append(torch.nn.Linear(4, 4))
    with init_stream(job, "init.head"):
        layers.append(torch.nn.Linear(4, 1))
    return torch.nn.Sequential(*layers)


def _train(job: Job) -> Outcome:
    network = _network(job)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    data = torch.randn(64, 8, generator=torch_generator(job, "data"))
    target = data.sum(1, keepdim=True)
    began = 1
    if state := job.resume():
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        began = state["epoch"] + 1
        sys.stdout.write(f"resumed at epoch {began}\n")
    for epoch in range(began, job.whole("epochs") + 1):
        order = torch.as_tensor(job.stream(f"order/{epoch}").permutation(64))
        for batch in order.split(16):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(network(data[batch]), target[batch])
            loss.backward()
            optimizer.step()
        job.log(epoch, "train", loss=loss.item())
        job.log(epoch, "test", score=-torch.nn.functional.mse_loss(network(data), target).item())
        state = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
        job.save({**state, "epoch": epoch})
        _wait_for_the_knife(epoch)
        if job.stopping:
            break
    job.log_items("test", range(3), error=[0.1, 0.2, float("nan")])
    return Outcome()


def _wait_for_the_knife(epoch: int) -> None:
    """Hang once after the third epoch when the test asks for it, so that it can kill us there."""
    marker = os.environ.get("ABLATE_TEST_HANG_ONCE")
    if marker and epoch == 3 and not Path(marker).exists():
        Path(marker).touch()
        time.sleep(600)


def _probe(job: Job) -> Probe:
    network = _network(job)
    sample = torch.zeros(1, 8)
    return Probe(
        {"network": Part(dict(network.named_parameters()))},
        lambda: network(sample),
        lambda: {"mse": network(sample).pow(2).mean()},
        frozenset({"mse"}),
    )


learner = System(
    name="learner",
    revision="1",
    factors=(switch("extra"), whole("epochs", 5)),
    metrics=(Metric("score", display="number", digits=3),),
    train=_train,
    probe=_probe,
    standin="random numbers 1",
)


def _die(_job: Job) -> Probe:
    os._exit(7)


dying = replace(learner, name="dying", probe=_die)


def _refuse(_job: Job) -> Probe:
    raise UsageError("stride 99 skips pixels: lower it")


refusing = replace(learner, name="refusing", probe=_refuse)


def _misbehave(job: Job) -> Outcome:  # noqa: C901 - one case per fault
    match job.choice("fault"):
        case "raises":
            raise ValueError("this training is wrong")
        case "exits":
            sys.exit(3)
        case "segfaults":
            ctypes.string_at(0)
        case "hangs":
            ctypes.PyDLL(None).sleep(600)
        case "leaves":
            _leave_a_grandchild(job.workdir)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "huge step":
            job.log(2**63, "test", score=0.5)
        case "bad name":
            job.log(1, "\udcff", score=0.5)
        case "logs and dies":
            job.log(1, "test", score=0.5)
            os.kill(os.getpid(), signal.SIGKILL)
        case "mute":
            return Outcome()
        case "floods":
            os.write(1, b"x" * 20_000_000)
    job.log(1, "test", score=job.stream("score").random())
    return Outcome()


def _leave_a_grandchild(folder: Path) -> None:
    left = subprocess.Popen(["sleep", "600"], start_new_session=True)
    (folder / "grandchild").write_text(str(left.pid))


rogue = System(
    name="rogue",
    revision="1",
    factors=(
        choice(
            "fault",
            "none",
            *("raises", "exits", "segfaults", "hangs", "leaves", "killed", "mute", "floods"),
            *("huge step", "bad name", "logs and dies"),
        ),
    ),
    metrics=(Metric("score"),),
    train=_misbehave,
    standin="none",
)


deaf = replace(learner, name="deaf", factors=(*learner.factors, whole("width", 8)))
