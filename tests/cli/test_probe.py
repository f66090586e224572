"""`plan --probe`, what `run` says before and after, and where reports repeat it."""

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from ablate.cli import app
from ablate.errors import HostError, UsageError
from ablate.project import Project
from ablate.store import open_store

# `idle` runs and is not read; `fixed` is read and not taught; real data have six inputs, not four.
SYSTEM = """
import torch
from ablate import Job, Metric, Outcome, Part, Probe, System, switch, whole
from ablate.errors import UsageError

MODULES = ("deep", "idle", "fixed")

class Network(torch.nn.Module):
    def __init__(self, job: Job) -> None:
        super().__init__()
        width, inputs = job.whole("width"), 4 if job.data is None else 6
        self.base = torch.nn.Linear(inputs, width)
        self.head = torch.nn.Linear(width, 1)
        for name in MODULES:
            self.add_module(name, torch.nn.Linear(width, width) if job.on(name) else None)

    def forward(self, x):
        x = self.base(x)
        if self.idle is not None:
            self.idle(x)
        if self.deep is not None:
            x = self.deep(x)
        y = self.head(x)
        return y if self.fixed is None else y + self.fixed(x).detach().sum()

def train(job: Job) -> Outcome:
    if job.on("deep"):
        job.note("weights are random")
        (job.workdir / "kept.png").write_bytes(b"a picture")
    job.log(1, "test", fit=0.5)
    return Outcome(artifacts={"tokens": job.workdir / "kept.png"} if job.on("deep") else {})

def probe(job: Job) -> Probe:
    if job.on("broken"):
        raise ValueError("no such network")
    if job.whole("width") > 64:
        raise UsageError("width is too large: lower it")
    network = Network(job)
    x = torch.ones(1, network.base.in_features)
    modules = dict(network.named_children())
    parts = {
        name: Part(dict(m.named_parameters()), name if name in MODULES else None, m)
        for name, m in modules.items()
    }
    return Probe(parts, lambda: network(x), lambda: {"fit": network(x).sum()}, frozenset({"fit"}))

system = System(
    "probed", "1",
    (switch("deep"), switch("idle"), switch("fixed"), switch("broken"), whole("width", 8)),
    (Metric("fit"),), train, probe, standin="ones 1",
)
"""
STUDY = """
[study]
name = "probed"
system = "probed"
seeds = [0]
primary = "fit"

[modules]
factors = ["deep", "idle", "fixed"]
design = "add-one"

[scale.small]
set = { width = 2 }
"""
Call = Callable[..., Result]


@pytest.fixture
def ablate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    torch.set_num_threads(1)
    for name in ("ABLATE_DB", "ABLATE_DATA"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "ablate.toml").write_text('[systems]\nprobed = "probed_system:system"\n')
    (tmp_path / "probed_system.py").write_text(SYSTEM)
    (tmp_path / "probed.toml").write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "path", list(sys.path))

    def call(*words: str) -> Result:
        return CliRunner().invoke(app, list(words))

    yield call
    sys.modules.pop("probed_system", None)


@pytest.fixture
def ran(ablate: Call) -> Result:
    done = ablate("run", "probed.toml", "--executor", "inline")
    assert done.exit_code == 0, done.output
    return done


def key_of(variant: str) -> str:
    with open_store(Project.find().store) as store:
        return next(r.key for r in store.records("probed") if r.variant == variant)


def test_a_plan_at_paper_scale_is_exact_without_data_and_steps_at_the_small_scale(
    ablate: Call,
) -> None:
    said = ablate("plan", "probed.toml", "--scale", "paper", "--probe", "--json")
    probe = json.loads(said.stdout)["probe"]
    found = {v["variant"]: v for v in probe["variants"]}

    assert (probe["scale"], probe["step_scale"]) == ("paper", "small")
    # 6*8 + 8 and 8*1 + 1 parameters, and 8*8 + 8 of each module; a weight is a multiply-accumulate
    assert {n: v["params"] for n, v in found.items()} == {
        "baseline": 65,
        "deep": 137,
        "idle": 137,
        "fixed": 137,
    }
    assert found["baseline"]["macs"] == {"executed": 56, "live": 56}
    assert found["deep"]["macs"] == {"executed": 120, "live": 120}
    assert found["idle"]["macs"] == {"executed": 120, "live": 56}
    assert found["idle"]["params_by_factor"] == {"idle": 72}
    assert [n for n, v in found.items() if v["inert"]] == ["idle"]
    assert [(f["code"], f["sentence"].split(":")[0]) for f in probe["findings"]] == [
        ("E205", "fixed"),
        ("W204", "idle"),
    ]
    assert {f["command"] for f in probe["findings"]} == {"ablate plan probed.toml --probe"}
    reached = {r["part"]: (r["tensors"], r["of"]) for r in found["deep"]["reached"]}
    assert reached == {"base": (2, 2), "head": (2, 2), "deep": (2, 2)}
    assert found["idle"]["switched"]["idle"] == {
        "output": False,
        "losses": False,
        "gradients": False,
        "cut": [],
    }
    assert found["deep"]["counter"] == "torch formulas/2 on meta"


def test_a_probe_is_printed_in_80_columns_with_one_line_per_finding(ablate: Call) -> None:
    said = ablate("plan", "probed.toml", "--probe")

    rows = [line for line in said.stdout.splitlines() if re.match(r"(baseline|deep|idle) ", line)]
    assert all(len(line) <= 80 for line in rows)
    assert any(re.search(r"idle +\d+ +\d+ +\d+ +idle", line) for line in rows)
    assert "FLOPs are multiply–accumulates (torch formulas/2 on meta), batch 1." in said.stdout
    assert "  deep: gradient from loss fit only (2 of 2 tensors)" in said.stdout
    assert "  idle: no gradient from any loss" in said.stdout
    assert "idle: switching it off changes nothing: same scored output, losses" in said.stdout
    lines = [line for line in said.stderr.splitlines() if line.startswith("warning")]
    warned = [line for line in lines if "E205" in line or "W204" in line]
    assert warned[1].startswith(
        "warning: W204 idle: none of its 6 trainable parameters reaches the scored output in idle"
    )
    assert warned[0].startswith("warning: E205 fixed: no gradient from the losses that train")
    assert len(warned) == 2


def test_elementwise_operations_are_a_column_of_their_own_when_asked_for(ablate: Call) -> None:
    said = ablate("plan", "probed.toml", "--probe", "--ops", "seed", "--json")
    baseline = json.loads(said.stdout)["probe"]["variants"][0]

    assert baseline["ops"] >= baseline["macs"]["live"] == 10
    assert baseline["counters"]["ops"].startswith("seed")
    without = ablate("plan", "probed.toml", "--ops", "seed")
    assert isinstance(without.exception, UsageError)


def test_a_variant_whose_probe_fails_is_one_line_and_the_others_go_on(ablate: Call) -> None:
    said = ablate("plan", "probed.toml", "broken=false,true", "--only", "base*", "--probe")

    warned = [line for line in said.stderr.splitlines() if line.startswith("warning: not measured")]
    assert len(warned) == 1
    assert "ValueError: no such network" in warned[0]
    assert warned[0].endswith("(baseline broken=true)")
    assert re.search(r"^baseline +13 +10 *$", said.stdout, re.MULTILINE)


def test_levels_that_the_system_refuses_end_a_plan_and_a_run_before_any_trial_begins(
    ablate: Call, tmp_path: Path
) -> None:
    planned = ablate("plan", "probed.toml", "width=99", "--probe")
    ran = ablate("run", "probed.toml", "width=99", "--executor", "inline")
    for said in (planned, ran):
        assert isinstance(said.exception, UsageError)
        assert str(said.exception) == "baseline width=99: width is too large: lower it"
    with open_store(tmp_path / ".ablate" / "results.db") as store:
        assert {str(r.state) for r in store.records("probed")} == {"pending"}
        assert not any(store.attempts(r.key) for r in store.records("probed"))


def test_a_run_warns_before_it_trains_unless_told_not_to(ablate: Call, ran: Result) -> None:
    lines = ran.stderr.splitlines()
    warning = next(i for i, line in enumerate(lines) if "W204 idle" in line)
    first = next(i for i, line in enumerate(lines) if " 1/4 " in line)

    assert lines.index("probing 4 configurations") < warning < first
    assert sum("W204" in line for line in lines) == 1  # and not again at the end
    again = ablate("run", "probed.toml", "--executor", "inline", "--force", "--no-probe")
    assert "W204" not in again.stderr  # it was known before this run
    assert "probing" not in again.stderr


def test_a_probe_that_ends_the_program_ends_neither_a_plan_nor_a_run(
    ablate: Call, tmp_path: Path
) -> None:
    exits = SYSTEM.replace("raise ValueError(", "raise SystemExit(")
    (tmp_path / "probed_system.py").write_text(exits)
    words = ("probed.toml", "broken=false,true", "--only", "base*")
    planned = ablate("plan", *words, "--probe", "--json")
    ran = ablate("run", *words, "--executor", "inline")

    assert (planned.exit_code, ran.exit_code) == (0, 0)
    whole, broken = json.loads(planned.stdout)["probe"]["variants"]
    assert (whole["inert"], broken["inert"]) == ([], None)
    reason = "not measured: on meta: SystemExit: no such network"
    assert broken["reason"] == reason.removeprefix("not measured: ")
    lines = ran.stderr.splitlines()
    assert f"warning: {reason} (baseline broken=true)" in lines
    assert f"noted by baseline broken=true: {reason}" in lines


def test_what_was_counted_is_not_called_unmeasured_for_what_was_not(
    ablate: Call, tmp_path: Path
) -> None:
    untrained = SYSTEM.replace('lambda: {"fit": network(x).sum()}', "dict")
    (tmp_path / "probed_system.py").write_text(untrained)
    ran = ablate("run", "probed.toml", "--executor", "inline", "--only", "baseline")

    reason = "trained_params: ValueError: the probe computes no loss that trains the score"
    assert f"noted by baseline: {reason}" in ran.stderr.splitlines()
    assert f"warning: {reason} (baseline)" in ran.stderr.splitlines()
    assert "probing 1 configuration\n" in ran.stderr


def test_nothing_is_probed_when_nothing_is_to_run(ablate: Call, ran: Result) -> None:
    assert ran.exit_code == 0
    again = ablate("run", "probed.toml", "--executor", "inline")
    assert "warning:" not in again.stderr


@pytest.mark.usefixtures("ran")
def test_reports_repeat_what_the_probe_found_and_what_trainings_noted(ablate: Call) -> None:
    report = ablate("report", "probed", "--stdout").stdout
    top = report.split("\n## ")[0]

    findings = json.loads(ablate("report", "probed", "--json").stdout)["findings"]
    told = {f["code"]: f["sentence"] for f in findings}
    unread = "idle: none of its 6 trainable parameters reaches the scored output"
    assert told["W204"].startswith(unread)
    assert "E205: fixed: no gradient from the losses that train the score in fixed" in top
    assert "Noted of the runs of deep: weights are random" in top
    assert report.count("weights are random") == 1
    # width 2: 2*2 + 2 parameters of the module's own
    assert "| idle | idle | 6 | 0 | 0 |" in report


def test_what_a_training_noted_ends_its_run_and_stands_in_its_trial(
    ablate: Call, ran: Result
) -> None:
    assert "noted by deep: weights are random" in ran.stderr
    shown = ablate("show", key_of("deep")).stdout
    assert "noted: weights are random" in shown
    assert "of it     deep: Params 6" in shown


def test_paper_scale_without_data_is_planned_and_not_run(ablate: Call) -> None:
    planned = ablate("plan", "probed.toml", "--scale", "paper")
    assert planned.stdout.startswith("probed: paper scale, data missing: no data set is named")
    refused = ablate("run", "probed.toml", "--scale", "paper", "--yes")
    assert isinstance(refused.exception, UsageError)
    assert "paper scale needs the real data: set [data] root or --data FOLDER" in str(
        refused.exception
    )


@pytest.mark.usefixtures("ran")
def test_a_comparison_says_first_what_no_score_can_tell_apart(ablate: Call) -> None:
    said = ablate("compare", "baseline", "idle")
    assert "warning: W204: idle: none of its 6 trainable parameters reaches" in said.stderr
    assert "E205" not in said.stderr
    document = json.loads(ablate("compare", "deep", "idle", "--json").stdout)
    assert document["notes"] == [{"text": "weights are random", "variants": ["deep"]}]
    codes = [f["code"] for f in document["findings"]]
    assert "W204" in codes
    assert "E205" not in codes


@pytest.mark.usefixtures("ran")
def test_the_picture_of_tokens_is_found_or_copied(ablate: Call, tmp_path: Path) -> None:
    key = key_of("deep")
    where = Path(ablate("show", key, "--tokens").stdout.strip())
    assert where.read_bytes() == b"a picture"
    assert ablate("show", key, "--tokens", "-o", "pictures/deep.png").exit_code == 0
    assert (tmp_path / "pictures" / "deep.png").read_bytes() == b"a picture"
    assert f"artifact  tokens {where}" in ablate("show", key).stdout
    own = ablate("show", key, "--tokens", "-o", str(where))
    assert isinstance(own.exception, HostError)


@pytest.mark.usefixtures("ran")
def test_without_a_picture_of_tokens_one_line_says_why(ablate: Call) -> None:
    def refusal(*words: str) -> str:
        said = ablate("show", *words, "--tokens")
        assert isinstance(said.exception, UsageError)
        return str(said.exception)

    assert "baseline s0: its training kept no picture of tokens" in refusal("baseline")
    assert "name the trial" in refusal()
    key = key_of("deep")
    store = Project.find().store
    folder = store.parent / "attempts" / key
    next(folder.rglob("kept.png")).unlink()
    assert "gone from the attempt's folder" in refusal(key)
    shutil.rmtree(folder)
    assert "the attempt's folder is not here" in refusal(key)
