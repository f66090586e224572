"""Who may import whom, what the command line loads, and what the README promises."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from ablate.cli import app

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
HEAVY = ("torch", "ray", "pandas", "matplotlib", "sqlmodel", "scipy", "numpy")
LOOKING = ("torch", "ray", "pandas", "matplotlib", "models")
VERBS = {
    *("init", "doctor", "systems", "plan", "run", "status", "ls", "show", "logs"),
    *("report", "compare", "audit", "explain", "lint", "export"),
    *("import", "record", "note", "rm", "db"),
}


def loaded_by(arguments: list[str], folder: Path = ROOT) -> set[str]:
    """The modules in a fresh interpreter after one command."""
    script = (
        "import sys, json\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        f"sys.argv = ['ablate', *{arguments!r}]\n"
        "from ablate.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as done:\n    assert not done.code, done.code\n"
        "print(json.dumps(sorted(m.partition('.')[0] for m in sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_help_loads_no_heavy_library() -> None:
    assert not loaded_by(["--help"]) & set(HEAVY)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "ablate.toml").write_text("")
    loaded_by(["import", str(ROOT / "studies" / "seeds" / "000-rgbnt201.csv")], folder)
    return folder


@pytest.mark.parametrize("command", [["ls"], ["status"], ["show"], ["compare", "baseline", "lif"]])
def test_commands_that_look_load_neither_torch_nor_ray_nor_a_system(
    project: Path, command: list[str]
) -> None:
    assert not loaded_by(command, project) & set(LOOKING)


def test_every_command_is_there() -> None:
    assert set(get_command(app).commands) == VERBS


def test_import_contracts_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as l; l()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_is_too_long_to_read() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for folder in ("ablate", "models")
        for path in (ROOT / folder).rglob("*.py")
        for lines in (len(path.read_text("utf-8").splitlines()),)
        if lines > 400
    ]
    assert not long


def test_every_command_of_the_help_is_in_the_readme() -> None:
    text = README.read_text("utf-8")
    missing = [v for v in get_command(app).commands if not re.search(rf"\bablate {v}\b", text)]
    assert not missing


def test_every_toml_block_of_the_readme_parses() -> None:
    blocks = re.findall(r"(?ms)^```toml[^\n]*\n(.*?)^```", README.read_text("utf-8"))
    assert blocks
    for block in blocks:
        tomllib.loads(block)
