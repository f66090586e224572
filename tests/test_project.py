import sys
from pathlib import Path

import pytest

from ablate.errors import DeclarationError, SpecError
from ablate.project import Project

TOML = '[systems]\nplug = "plugged_in_system:system"\n'
SYSTEM = """
from ablate import Metric, Outcome, System

system = System("{name}", "1", (), (Metric("acc"),), train=lambda job: Outcome(), standin="1")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ABLATE_DB", "ABLATE_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "plugged_in_system", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "ablate.toml").write_text(TOML)
    (tmp_path / "plugged_in_system.py").write_text(SYSTEM.format(name="plug"))
    return tmp_path


def test_the_nearest_file_upward_is_the_project(folder: Path) -> None:
    deep = folder / "a" / "b"
    deep.mkdir(parents=True)
    project = Project.find(deep)
    assert (project.root, project.file) == (folder, folder / "ablate.toml")
    assert project.store == folder / ".ablate" / "results.db"
    assert project.data == folder / "data"


@pytest.mark.parametrize("kind", ["a/.git", "home"])
def test_the_search_stops_at_a_git_root_and_at_home(kind: str, folder: Path) -> None:
    start = folder / ("home" if kind == "home" else "a")
    (folder / kind).mkdir(parents=True)
    project = Project.find(start)
    assert (project.root, project.file, dict(project.systems)) == (start, None, {})


def test_the_file_says_where_things_are_and_the_environment_wins(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = '[store]\npath = "kept/r.db"\n[data]\nroot = "/sets"\n[runner]\nslots = 2\n'
    (folder / "ablate.toml").write_text(TOML + more)
    project = Project.find(folder)
    assert (project.store, project.data) == (folder / "kept" / "r.db", Path("/sets"))
    assert project.slots == 2
    monkeypatch.setenv("ABLATE_DB", "/tmp/other.db")
    monkeypatch.setenv("ABLATE_DATA", "/tmp/others")
    project = Project.find(folder)
    assert (project.store, project.data) == (Path("/tmp/other.db"), Path("/tmp/others"))


def test_a_system_in_the_projects_folder_is_found_by_its_name(folder: Path) -> None:
    project = Project.find(folder)
    assert project.reference("plug") == "plugged_in_system:system"
    assert project.system("plug").name == "plug"
    assert sys.path[0] == str(folder)


def test_an_unknown_system_is_an_error_with_the_nearest_name(folder: Path) -> None:
    with pytest.raises(DeclarationError, match=r"system 'plgu' is not one of plug .*'plug'"):
        Project.find(folder).system("plgu")


def test_without_a_project_the_error_says_how_to_get_one(folder: Path) -> None:
    (folder / "a" / ".git").mkdir(parents=True)
    with pytest.raises(DeclarationError, match="ablate init"):
        Project.find(folder / "a").system("plug")


def test_a_system_that_calls_itself_otherwise_is_refused(folder: Path) -> None:
    (folder / "plugged_in_system.py").write_text(SYSTEM.format(name="other"))
    with pytest.raises(DeclarationError, match="calls itself 'other'"):
        Project.find(folder).system("plug")


def test_a_system_that_cannot_be_imported_says_why(folder: Path) -> None:
    (folder / "plugged_in_system.py").write_text("import nowhere_to_be_found\n")
    with pytest.raises(DeclarationError, match="No module named 'nowhere_to_be_found'"):
        Project.find(folder).system("plug")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[systems\n", r"ablate.toml:1: not TOML"),
        ("[sytems]\n", r"did you mean 'systems'"),
        ('[systems]\nx = "no colon"\n', r"ablate.toml:2: systems.x: 'no colon' is not of the form"),
        ('[systems]\nx = "os; rm:system"\n', r"is not of the form"),
        ("[systems]\nx = 1\n", r"ablate.toml:2: systems.x: 1 is not a text"),
        ("[runner]\nslots = 0\n", r"ablate.toml:2: runner.slots: 0 is below 1"),
        ('[store]\npath = ""\n', r"ablate.toml:2: store.path: is empty"),
    ],
)
def test_a_wrong_project_file_is_one_line(text: str, sentence: str, folder: Path) -> None:
    (folder / "ablate.toml").write_text(text)
    with pytest.raises(SpecError, match=sentence) as wrong:
        Project.find(folder)
    assert str(wrong.value).isprintable()
