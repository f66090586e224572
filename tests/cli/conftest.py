"""A project folder with one imported study, and a way to call the command line in it."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ablate.cli import app
from ablate.metric import Metric
from ablate.record import Cost, Ending, Scalar, State
from ablate.store import open_store
from ablate.study import Placement, Study, Trial, Variant, switch

ROOT = Path(__file__).resolve().parents[2]
APPENDIX = ROOT / "studies" / "seeds" / "000-rgbnt201.csv"

Call = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ablate.toml").write_text("")
    published = APPENDIX.read_text("utf-8").replace("ops (G)", "gflops")
    (tmp_path / "seed000.csv").write_text(published, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ABLATE_DB", raising=False)
    return tmp_path


@pytest.fixture
def call(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Call:  # noqa: ARG001 - in that folder
    def invoke(*arguments: str, width: int = 80) -> Result:
        monkeypatch.setenv("COLUMNS", str(width))
        return CliRunner().invoke(app, list(arguments))

    return invoke


@pytest.fixture
def imported(call: Call) -> Call:
    assert call("import", "seed000.csv").exit_code == 0
    return call


@pytest.fixture
def program(folder: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    def invoke(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "ablate", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return invoke


@pytest.fixture
def logs(folder: Path) -> Study:
    """An imported study: two seeds of `baseline`, and one log that ends too early."""
    study = Study(
        name="logs",
        title="Logs",
        system="demo",
        revision="imported",
        factors=(switch("lif"),),
        metrics=(Metric("mAP"), Metric("loss", direction="down", display="number", digits=3)),
        primary="mAP",
        seeds=(0, 1),
    )
    ending = Ending(
        State.COMPLETED,
        60.0,
        "",
        scalars=(
            Scalar(1, "test", "mAP", 0.723),
            Scalar(2, "test", "mAP", 0.7),
            Scalar(2, "test", "loss", 1 / 3),
        ),
        costs=(Cost("params", 5_000.0, "", "as printed"), Cost("seconds", 60.5, "s", "log")),
        settings={"SOLVER.SEED": "1234"},
        provenance={"file": "a.log", "reader": "demo", "notes": "the data are assumed"},
    )

    def place(name: str, seed: int) -> Placement:
        levels = {"lif": name != "baseline"}
        trial = Trial("demo", "imported", levels, levels, seed, "import:logs")
        return Placement(Variant(name, levels, "grid"), trial)

    cut = replace(ending, state=State.INCOMPLETE, error="the log ends in epoch 31 of 50")
    with open_store(folder / ".ablate" / "results.db", create=True) as store:
        results = [(place("baseline", 0), ending), (place("baseline", 1), ending)]
        store.put_results(study, [*results, (place("lif", 0), cut)], source="import logs")
    return study
