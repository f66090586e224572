"""What `plan` and `run` say of findings, with a system that trains in no time."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ablate.audit import catalogue, gather
from ablate.audit.check import Check, Hit, Text
from ablate.audit.evidence import Evidence
from ablate.audit.kept import kept
from ablate.cli import app
from ablate.record import External, State
from ablate.store import open_store

Call = Callable[..., Result]
SYSTEM = """
from ablate import Job, Metric, Outcome, System, switch

def train(job: Job) -> Outcome:
    for epoch in range(1, 4):
        job.log(epoch, "test", fit=epoch / 10 + job.stream("data").normal() / 100)
    return Outcome()

system = System("tiny", "1", (switch("deep"),), (Metric("fit"),), train, standin="numbers 1")
"""
STUDY = """
[study]
name = "tiny"
title = "What does depth earn?"
system = "tiny"
seeds = [0]
primary = "fit"

[modules]
factors = ["deep"]
"""


def _seeds(evidence: Evidence) -> Iterator[Hit]:
    """One run per configuration, of a plan, too."""
    seeds = {r.seed for r in evidence.records}
    if len(seeds) == 1:
        command = f"ablate run {evidence.file} --seeds 0-2"
        yield Hit(Text("one run per configuration", "每个配置一次运行"), command)


def _runs(evidence: Evidence) -> Iterator[Hit]:
    """One finding per configuration that has a result, with its curves as they are stored."""
    for variant, key in {r.variant: r.key for r in evidence.completed}.items():
        steps = len(evidence.curves[key]["test", "fit"])
        said = Text(f"{variant} has {steps} epochs", f"{variant} 有 {steps} 个轮次")
        yield Hit(said, "ablate show", variant, (key,))


def _check(code: str, look: Callable[[Evidence], Iterator[Hit]], *, planned: bool) -> Check:
    text = Text("a title", "标题")
    return Check(code, "warning", "design", text, text, text, look, planned)


@pytest.fixture
def ablate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    checks = (_check("W901", _seeds, planned=True), _check("W902", _runs, planned=False))
    for module in (catalogue, gather):
        monkeypatch.setattr(module, "CHECKS", checks)
    (tmp_path / "ablate.toml").write_text('[systems]\ntiny = "tiny_system:system"\n')
    (tmp_path / "tiny_system.py").write_text(SYSTEM)
    (tmp_path / "tiny.toml").write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ABLATE_DB", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def call(*words: str) -> Result:
        return CliRunner().invoke(app, list(words))

    yield call
    sys.modules.pop("tiny_system", None)


def warned(answer: Result) -> list[str]:
    return [line for line in answer.stderr.splitlines() if line.startswith("warning: ")]


def test_a_plan_says_what_needs_no_results_with_the_file_as_it_was_named(
    ablate: Call, tmp_path: Path
) -> None:
    said = ablate("plan", "tiny.toml")
    assert warned(said) == ["warning: W901 one run per configuration"]
    assert "      ablate run tiny.toml --seeds 0-2" in said.stderr.splitlines()
    (finding,) = json.loads(ablate("plan", "tiny.toml", "--json").stdout)["findings"]
    assert (finding["code"], finding["chinese"]) == ("W901", "每个配置一次运行")
    assert not (tmp_path / ".ablate").exists()
    assert warned(ablate("plan", "tiny.toml", "--seeds", "1,2")) == []


def test_a_command_names_the_file_of_the_study_wherever_it_lies(
    ablate: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "my tiny.toml"
    (tmp_path / "tiny.toml").rename(moved)
    line = "      ablate run 'my tiny.toml' --seeds 0-2"
    for words in (("plan",), ("run", "--executor", "inline", "--no-progress")):
        assert line in ablate(words[0], moved.name, *words[1:]).stderr.splitlines()
    assert line in ablate("audit").stdout.splitlines()
    (tmp_path / "studies").mkdir()
    moved.rename(tmp_path / "studies" / "tiny.toml")
    assert "      ablate run studies/tiny.toml --seeds 0-2" in ablate("audit").stdout.splitlines()
    monkeypatch.chdir(tmp_path / "studies")
    assert "      ablate run tiny.toml --seeds 0-2" in ablate("audit").stdout.splitlines()


def test_a_run_says_what_is_new_and_how_many_there_are(ablate: Call, tmp_path: Path) -> None:
    first = ablate("run", "tiny.toml", "--executor", "inline", "--only", "baseline")
    assert [line.split()[1] for line in warned(first)] == ["W901", "W902"]
    assert "audit: 2 warnings (ablate audit tiny)" in first.stderr.splitlines()
    more = ablate("run", "tiny.toml", "--executor", "inline")
    assert warned(more) == ["warning: W902 full has 3 epochs"]
    assert more.stderr.count("\n      ablate show\n") == 1
    assert "audit: 3 warnings (ablate audit tiny)" in more.stderr.splitlines()
    again = ablate("run", "tiny.toml", "--executor", "inline", "--force")
    assert warned(again) == []
    with open_store(tmp_path / ".ablate" / "results.db") as store:
        study, found = store.study("tiny"), store.findings("tiny")
        assert [f.name for f in found] == ["W901", "W902:baseline", "W902:full"]
        assert kept(store, study) == found
        assert gather.audited(store, study, path="tiny.toml") == found


def test_evidence_holds_what_the_runs_left_and_the_other_studies(
    ablate: Call, tmp_path: Path
) -> None:
    ablate("run", "tiny.toml", "--executor", "inline", "--seeds", "1,0")
    (tmp_path / "other.toml").write_text(STUDY.replace('name = "tiny"', 'name = "other"'))
    ablate("run", "other.toml", "--executor", "inline", "--only", "baseline")
    with open_store(tmp_path / ".ablate" / "results.db") as store:
        evidence = gather.gather(store, store.study("tiny"))
        assert [(r.variant, r.seed) for r in evidence.records] == [
            *(("baseline", 0), ("baseline", 1)),
            *(("full", 0), ("full", 1)),
        ]
        assert set(evidence.curves) == {r.key for r in evidence.completed}
        assert len(evidence.curves) == 4
        assert dict(evidence.settings) == {}
        (other,) = evidence.others()
        assert (other.study.name, len(other.completed)) == ("other", 2)
        assert other.others()[0].study.name == "tiny"
        assert evidence.others()[0] is other  # read once, however many checks ask


def test_what_is_planned_is_evidence_of_pending_runs(ablate: Call, tmp_path: Path) -> None:
    ablate("run", "tiny.toml", "--executor", "inline")
    with open_store(tmp_path / ".ablate" / "results.db") as store:
        ran = gather.gather(store, store.study("tiny"))
    planned = gather.planned(ran.study, [])
    assert (planned.records, planned.completed, planned.file) == ([], [], "studies/tiny.toml")
    assert all(r.state is State.COMPLETED for r in ran.records)


def test_what_arrives_while_the_checks_look_makes_their_findings_old(
    ablate: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ablate("run", "tiny.toml", "--executor", "inline")
    path = tmp_path / ".ablate" / "results.db"

    def look(evidence: Evidence) -> Iterator[Hit]:
        with open_store(path) as other:
            key = evidence.completed[0].key
            other.record(key, External("fit", 0.5, "elsewhere", "2026-01-02"))
        yield Hit(Text("looked", "看过"))

    with open_store(path) as store:
        study = store.study("tiny")
        assert kept(store, study) is not None
        monkeypatch.setattr(gather, "CHECKS", (_check("W903", look, planned=False),))
        ((_, found),) = gather.audit(store, ["tiny"])
        assert [f.code for f in found] == ["W903"]
        assert kept(store, study) is None
        list(gather.audit(store, ["tiny"]))  # the same score again changes nothing
        assert kept(store, study) == found
