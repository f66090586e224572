"""A small program in a folder of its own, and its attempts without a driver."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.project import Project
from ablate.record import Ending
from ablate.run.folder import Assignment, Exit, ending, write_job
from ablate.run.inline import InlineExecutor

Attempt = Callable[..., Ending]

TABLE = """
[systems.small]
command = "python program.py {place}"
{more}

[systems.small.factors.deep]
reference = false

[systems.small.factors."net.rate"]
key = "opt.rate"
reference = 0.1
requires = "deep"

[systems.small.factors.word]
reference = "plain"

[systems.small.metrics.score]
[systems.small.metrics.other]
unit = "%"
"""


@pytest.fixture(autouse=True)
def _python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs are started with the Python of the tests, also where no environment is active."""
    folder = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", folder + os.pathsep + os.environ["PATH"])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Project]:
    """Make a project whose program is the given text."""
    for name in ("ABLATE_DB", "ABLATE_DATA", "ABLATE_METRICS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".git").mkdir(exist_ok=True)

    def make(
        program: str, more: str = "", *, place: str = "{overrides}", rest: str = ""
    ) -> Project:
        (tmp_path / "program.py").write_text(program)
        text = TABLE.replace("{place}", place).replace("{more}", more) + rest
        (tmp_path / "ablate.toml").write_text(text)
        return Project.find(tmp_path)

    return make


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    """Run one attempt of the project's program inline, and read what it left."""

    def run(project: Project, number: int = 1, **fields: object) -> Ending:
        levels = {"deep": True, "net.rate": 0.5, "word": "plain"}
        folder = tmp_path / "attempts" / str(number)
        known = {"timeout": 60.0, "study": "mine", "levels": levels, "reference": None, **fields}
        reference = known.pop("reference") or project.reference("small")
        levels = known.pop("levels")
        assignment = Assignment("k", number, str(folder), reference, levels, 7, **known)
        write_job(assignment)
        executor = InlineExecutor([])
        executor.submit(assignment)
        (ended,) = executor.wait(0)
        return ending(folder, Exit(ended.exit.code, ended.exit.seconds, ended.exit.reason))

    return run


@pytest.fixture
def said(tmp_path: Path) -> Callable[..., dict[str, object]]:
    """What the program had written to `told.json` in its own folder."""

    def read(number: int = 1) -> dict[str, object]:
        return json.loads((tmp_path / "attempts" / str(number) / "work/told.json").read_text())

    return read


@pytest.fixture
def repository(tmp_path: Path) -> Callable[..., None]:
    """Make the project's folder a git repository, or commit to it."""

    def commit() -> None:
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
            subprocess.run(
                ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *words],
                cwd=tmp_path,
                check=True,
                capture_output=True,
            )

    return commit
