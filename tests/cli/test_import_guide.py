"""docs/guide/old-logs.md is run as it is written, and prints what it says."""

import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ablate.cli import app
from ablate.ingest.wanted import read_wanted
from tests.cli.old_logs import write

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "old-logs.md"


def steps() -> Iterator[tuple[str, list[str]]]:
    """Every command of the guide with the lines that it shows."""
    for block in re.findall(r"```console\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.rstrip("\n").split("\n")
            yield command, [line for line in shown if line != "..."]


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_the_guide_of_old_logs_runs_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path / "logs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ABLATE_DB", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    ran = 0
    for command, shown in steps():
        program, *arguments = shlex.split(command.partition("#")[0])
        assert program == "ablate"
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, (command, done.output, done.exception)
        for line in shown:
            assert squeezed(line.removeprefix("... ")) in squeezed(done.output), (command, line)
        ran += 1
    assert ran == 10
    assert (tmp_path / "reports" / "reid" / "README.md").is_file()


def test_the_map_of_the_guide_is_one(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "map.toml").write_text(textwrap.dedent(f"  {block.lstrip()}"), "utf-8")
    wanted = read_wanted(tmp_path / "map.toml")
    assert list(wanted.factors) == ["lif.beta", "lif"]
    assert wanted.factors["lif.beta"].requires == "lif"
