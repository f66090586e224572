"""`init`, `doctor`, `systems` and `plan`, in a folder outside this repository."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from ablate import testing
from ablate.cli import app, doctor
from ablate.errors import UsageError
from ablate.record import Ending, Scalar, State
from ablate.store import open_store

Call = Callable[..., Result]


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder as `ablate init` leaves it."""
    for name in ("ABLATE_DB", "ABLATE_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / ".git").mkdir()
    assert called("init").exit_code == 0
    yield tmp_path
    for name in [n for n in sys.modules if n.split(".")[0] == "systems"]:
        del sys.modules[name]


def called(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_init_writes_a_project_a_study_and_a_system(begun: Path) -> None:
    written = {str(p.relative_to(begun)) for p in begun.rglob("*.*") if p.is_file()}
    assert written == {"ablate.toml", "studies/toy.toml", "systems/toy.py"}


def test_init_overwrites_nothing(begun: Path) -> None:
    (begun / "ablate.toml").unlink()
    again = called("init")
    assert isinstance(again.exception, UsageError)
    assert "studies/toy.toml is there already" in str(again.exception)
    assert not (begun / "ablate.toml").exists()


def test_init_in_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    said = called("init", str(folder), "-n")
    assert said.exit_code == 0
    assert said.stdout.count("would write") == 3
    assert not folder.exists()


def test_the_system_that_init_writes_keeps_every_promise(begun: Path) -> None:
    torch.set_num_threads(1)
    sys.path.insert(0, str(begun))
    toy = importlib.import_module("systems.toy")
    assert testing.check_system(toy.system, begun / "check", {"epochs": 2}) == ()


@pytest.mark.usefixtures("begun")
def test_plan_says_first_the_scale_and_the_stand_in_and_last_the_counts() -> None:
    said = called("plan", "studies/toy.toml")
    assert said.exit_code == 0
    lines = said.stdout.splitlines()
    assert lines[0] == "toy: paper scale, stand-in data (two-spirals-1 noise 0.4)"
    assert lines[-1] == "18 trials: 0 complete, 0 failed, 18 to run"


@pytest.mark.usefixtures("begun")
def test_only_means_parts_of_names_globs_and_roles() -> None:
    def variants(only: str) -> set[str]:
        document = json.loads(called("plan", "studies/toy.toml", "--json", "--only", only).stdout)
        return {t["variant"] for t in document["trials"]}

    assert variants("grid") == {"baseline", "deep", "norm", "full"}
    assert variants("sweep") == {"full lr=0.003", "full lr=0.03"}
    assert variants("full") == {"full", "full lr=0.003", "full lr=0.03"}
    assert variants("*lr=0.03,base") == {"full lr=0.03", "baseline"}


@pytest.mark.usefixtures("begun")
def test_seeds_and_overrides_plan_what_they_ask_for_alone() -> None:
    said = called(
        "plan", "studies/toy.toml", "lr=0.1", "--seeds", "5-6", "--json", "--only", "deep"
    )
    trials = json.loads(said.stdout)["trials"]
    assert [(t["variant"], t["seed"]) for t in trials] == [("deep lr=0.1", 5), ("deep lr=0.1", 6)]
    assert trials[0]["changed"] == {"deep": True, "lr": 0.1}


def test_plan_counts_what_the_store_holds_and_estimates_the_rest(begun: Path) -> None:
    from ablate import spec
    from ablate.design import placements
    from ablate.project import Project

    project = Project.find()
    study = spec.bind(
        spec.read(begun / "studies" / "toy.toml"), project.system("toy"), spec.Options()
    )
    placed = list(placements(study))
    project.store.parent.mkdir()
    with open_store(project.store, create=True) as store:
        store.put_study(study, placed)
        for place, state in zip(placed, (State.COMPLETED, State.FAILED), strict=False):
            attempt = store.claim(place.trial.key, "test")
            assert attempt is not None
            curve = (Scalar(1, "test", "acc", 0.5),)
            ending = Ending(state, 360.0, "2026-01-01T00:00:00Z", scalars=curve)
            assert store.finish(attempt, ending)
    said = called("plan", "studies/toy.toml", "--limit", "3")
    # sixteen trials of six minutes on one core
    assert said.stdout.splitlines()[-1] == (
        "18 trials: 1 complete, 1 failed, 16 to run, ~1.6 core-h left"
    )
    assert "3 of 18 rows shown" in said.stderr


@pytest.mark.usefixtures("begun")
def test_systems_lists_factors_and_metrics() -> None:
    said = called("systems")
    assert "two-spirals-1 noise 0.4" in said.stdout
    document = json.loads(called("systems", "--json").stdout)
    assert [f["name"] for f in document["systems"][0]["factors"]] == [
        "deep",
        "norm",
        "lr",
        "epochs",
    ]
    assert document["systems"][0]["metrics"][0]["name"] == "acc"


@pytest.mark.usefixtures("begun")
def test_doctor_finds_a_sound_machine_sound() -> None:
    said = called("doctor", "--json")
    document = json.loads(said.stdout)
    failed = [c for c in document["checks"] if c["state"] == "failed"]
    assert (said.exit_code, document["ok"], failed) == (0, True, [])
    assert {"python", "torch", "ray", "project", "system toy", "store", "disk", "git"} <= {
        c["name"] for c in document["checks"]
    }


def test_doctor_ends_with_4_when_something_is_broken(
    begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_imported", lambda name, _then: doctor.Fact(name, "ok", ""))
    (begun / "systems" / "toy.py").write_text("import nowhere_to_be_found\n")
    said = called("doctor")
    assert said.exit_code == 4
    assert "nowhere_to_be_found" in said.stdout.replace("\n", "")


@pytest.mark.usefixtures("begun")
def test_what_only_leaves_out_of_an_override_is_not_placed_in_the_study() -> None:
    from ablate.cli.asking import Wishes, asked

    found = asked(Path("studies/toy.toml"), Wishes(overrides=["lr=0.1"], only="deep"))
    assert {p.variant.name for p in found.placements if p.extra} == {"deep lr=0.1"}
    assert len(found.placements) == 18 + 3


def test_a_reader_that_has_gone_is_no_failed_trial() -> None:
    gone, end = os.pipe()
    os.close(gone)
    asked = [sys.executable, "-m", "ablate", "--help"]
    found = subprocess.run(asked, stdout=end, stderr=subprocess.PIPE, check=False)
    os.close(end)
    assert (found.returncode, found.stderr) == (141, b"")
