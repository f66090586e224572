"""A project folder with one imported study, and a way to call the command line in it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ablate.cli import app

ROOT = Path(__file__).resolve().parents[2]
APPENDIX = ROOT / "tests" / "ingest" / "seed000.csv"

Call = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ablate.toml").write_text("")
    shutil.copy(APPENDIX, tmp_path / "seed000.csv")
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
