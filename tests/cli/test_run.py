"""`ablate run` as a user types it, in a folder outside this repository."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ablate.run.owner import alive, owner
from ablate.store import open_store

SYSTEM = """
import torch
from torch import nn
from ablate import Job, Metric, Outcome, Part, Probe, System, switch, whole
from ablate.train import init_stream

def build(job: Job) -> nn.Module:
    with init_stream(job, "init.base"):
        layers = [nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1)]
    if job.on("deep"):
        with init_stream(job, "init.deep"):
            layers[2:2] = [nn.Linear(8, 8), nn.ReLU()]
    return nn.Sequential(*layers)

def train(job: Job) -> Outcome:
    network = build(job)
    points = torch.from_numpy(job.stream("data").normal(size=(64, 4))).float()
    goal = points.sum(1, keepdim=True)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    for epoch in range(1, job.whole("epochs") + 1):
        loss = nn.functional.mse_loss(network(points), goal)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        job.log(epoch, "test", fit=1 / (1 + loss.item()))
    return Outcome()

def probe(job: Job) -> Probe:
    network, sample = build(job), torch.zeros(1, 4)
    part = Part(dict(network.named_parameters()))
    return Probe({"net": part}, lambda: network(sample), dict)

system = System("mine", "1", (switch("deep"), whole("epochs", 3)), (Metric("fit"),), train,
                probe, standin="normal numbers 1")
"""
STUDY = """
[study]
name = "mine"
title = "What does depth earn?"
system = "mine"
seeds = [0, 1]
primary = "fit"

[modules]
factors = ["deep"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "ablate.toml").write_text('[systems]\nmine = "trainer:system"\n')
    (tmp_path / "trainer.py").write_text(SYSTEM)
    (tmp_path / "mine.toml").write_text(STUDY)
    return tmp_path


def _ablate(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "ablate", *words],
        cwd=project,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_thirty_line_system_from_elsewhere_plugs_in_and_runs(project: Path) -> None:
    ran = _ablate(project, "run", "mine.toml", "--executor", "inline")

    assert ran.returncode == 0, ran.stderr
    assert "stand-in data" in ran.stderr.splitlines()[0]
    assert ran.stdout.startswith("mine: 4 completed; 4 trials run now")
    shown = json.loads(_ablate(project, "ls", "mine", "--json").stdout)
    text = json.dumps(shown)
    assert "baseline" in text
    # 4*8 + 8*1 multiply-accumulates, and 8*8 more with the deep layer; weights and biases
    assert "49" in text
    assert "121" in text


def test_running_again_trains_nothing_and_a_seed_on_the_command_line_extends(
    project: Path,
) -> None:
    _ablate(project, "run", "mine.toml", "--executor", "inline")

    again = _ablate(project, "run", "mine.toml", "--executor", "inline")
    more = _ablate(project, "run", "mine.toml", "--executor", "inline", "--seeds", "2")
    other = _ablate(project, "run", "mine.toml", "--executor", "inline", "epochs=5", "--json")

    assert "4 completed; 0 trials run now" in again.stdout
    assert "2 completed; 2 trials run now" in more.stdout
    assert json.loads(other.stdout)["ran"] == 4


def test_a_dry_run_writes_nothing(project: Path) -> None:
    ran = _ablate(project, "run", "mine.toml", "-n")

    assert ran.returncode == 0
    assert ran.stdout.splitlines()[-1] == "4 of 4 trials would run"
    assert not (project / ".ablate").exists()


def test_a_failing_trial_is_recorded_and_the_others_go_on(project: Path) -> None:
    wrong = SYSTEM.replace(
        "    network = build(job)\n    points",
        "    if job.on('deep'):\n        raise ValueError('depth is broken')\n"
        "    network = build(job)\n    points",
    )
    (project / "trainer.py").write_text(wrong)

    ran = _ablate(project, "run", "mine.toml", "--executor", "inline")

    assert ran.returncode == 1
    assert "2 failed" in ran.stdout
    assert "ValueError: depth is broken" in ran.stderr
    key = re.search(r"ablate logs (\w+)", ran.stderr)
    assert key
    assert "depth is broken" in _ablate(project, "logs", key[1]).stdout

    (project / "trainer.py").write_text(SYSTEM)
    assert _ablate(project, "run", "mine.toml", "--executor", "inline").returncode == 1
    mended = _ablate(project, "run", "mine.toml", "--executor", "inline", "--retry-failed")
    assert mended.returncode == 0
    assert "4 completed; 2 trials run now" in mended.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.toml"], "nothing.toml"),
        (["mine.toml", "dep=true"], "did you mean 'deep'"),
        (["mine.toml", "--scale", "huge"], "huge"),
        (["mine.toml", "--scale", "paper"], "needs the real data"),
        (["mine.toml", "--only", "nobody"], "means none of baseline"),
        (["mine.toml", "--seeds", "4294967296"], "2^32"),
    ],
)
def test_bad_usage_is_one_line_exit_2_and_leaves_no_trace(
    project: Path, words: list[str], said: str
) -> None:
    ran = _ablate(project, "run", *words)

    assert ran.returncode == 2
    assert said in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert not (project / ".ablate").exists()


def _through_ray(project: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "ablate", "run", "mine.toml", "-j", "1"],
        cwd=project,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.ray
def test_through_ray_the_first_interrupt_drains_and_the_run_can_go_on(project: Path) -> None:
    slow = SYSTEM.replace(
        "        loss = nn", "        __import__('time').sleep(0.5)\n        loss = nn"
    )
    (project / "trainer.py").write_text(slow)
    process = _through_ray(project)
    deadline = time.monotonic() + 90
    while not list(project.glob(".ablate/attempts/*/1/events.jsonl")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=60)

    assert process.returncode == 130, said
    assert "letting the running trials finish" in said
    assert "1 completed, 3 pending" in out or "3 pending, 1 completed" in out
    inline = _ablate(project, "run", "mine.toml", "--executor", "inline")
    assert "4 completed; 3 trials run now" in inline.stdout


def test_a_trial_that_another_driver_holds_is_exit_6(project: Path) -> None:
    _ablate(project, "run", "mine.toml", "--executor", "inline", "--only", "full")
    with open_store(project / ".ablate" / "results.db") as store:
        waiting = [r.key for r in store.records("mine") if r.state == "pending"]
        for key in waiting:
            assert store.claim(key, owner())

        ran = _ablate(project, "run", "mine.toml", "--executor", "inline")

    assert ran.returncode == 6
    assert "2 trials are held by another `ablate run`" in ran.stderr


def test_force_trains_complete_trials_again_and_keeps_one_result_each(project: Path) -> None:
    _ablate(project, "run", "mine.toml", "--executor", "inline")

    forced = _ablate(project, "run", "mine.toml", "--executor", "inline", "--force")

    assert "4 completed; 4 trials run now" in forced.stdout


def test_a_study_of_another_system_is_not_replaced(project: Path) -> None:
    (project / "mine.csv").write_text("deep,seed,acc\nfalse,0,0.5\ntrue,0,0.6\n")
    assert _ablate(project, "import", "mine.csv").returncode == 0

    ran = _ablate(project, "run", "mine.toml", "--executor", "inline")

    assert ran.returncode == 2
    assert "the store holds a study 'mine' of system 'csv'" in ran.stderr


@pytest.mark.ray
@pytest.mark.parametrize(("signals", "code"), [([signal.SIGINT] * 2, 130), ([signal.SIGTERM], 143)])
def test_through_ray_a_second_interrupt_or_a_termination_stops_at_once(
    project: Path, signals: list[signal.Signals], code: int
) -> None:
    held = SYSTEM.replace(
        "        loss = nn", "        __import__('time').sleep(600)\n        loss = nn"
    )
    (project / "trainer.py").write_text(held)
    process = _through_ray(project)
    deadline = time.monotonic() + 90
    while not (begun := list(project.glob(".ablate/attempts/*/1/process"))):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    for number in signals:
        process.send_signal(number)
        time.sleep(0.5)
    out, said = process.communicate(timeout=60)

    assert process.returncode == code, said
    assert "1 cancelled" in out
    assert not alive(begun[0].read_text())
