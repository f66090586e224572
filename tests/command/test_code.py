"""Which code a number comes from, and code that no edit reaches."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ablate import command
from ablate.command.code import sources
from ablate.errors import UsageError
from ablate.project import Project
from ablate.record import Ending, State

Make, Run = Callable[..., Project], Callable[..., Ending]
PROGRAM = "from ablate import log\nimport part\nlog(1, score=part.VALUE, other=1)\n"
SNAPSHOT = "snapshot = true"


def _score(left: Ending) -> float:
    assert left.state is State.COMPLETED, left.error
    return next(s.value for s in left.scalars if s.name == "score")


@pytest.fixture
def code(project: Make, repository: Callable[..., None], tmp_path: Path) -> Callable[..., Project]:
    """A committed program of two files, in a repository that ignores its data."""

    def make(more: str = "") -> Project:
        shutil.rmtree(tmp_path / ".git", ignore_errors=True)
        (tmp_path / "part.py").write_text("VALUE = 0.25\n")
        (tmp_path / ".gitignore").write_text("data/\nattempts/\n__pycache__/\n")
        made = project(PROGRAM, more)
        repository()
        return made

    return make


def _git(folder: Path, *words: str) -> str:
    asked = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return asked.stdout.strip()


def test_clean_code_is_its_commit(code: Callable[..., Project], attempt: Run) -> None:
    made = code()

    left = attempt(made)

    assert left.provenance["commit"] == _git(made.root, "rev-parse", "HEAD")
    assert left.provenance["dirty"] == "no"
    assert left.provenance["sources"] == sources(made.root)["sources"]
    assert "diff" not in left.provenance


def _committed(folder: Path) -> dict[str, str]:
    own = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "x", "--allow-empty"]
    _git(folder, "add", "-A")
    _git(folder, *own)
    return sources(folder)


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("README.md", False),
        ("ablate.toml", False),
        ("studies/s.toml", False),
        ("reports/table.csv", False),
        ("tests/test_net.py", False),
        ("docs/conf.py", False),
        (".github/workflows/test.yml", False),
        ("net.py", True),
        ("ops/kernel.cu", True),
        ("data/train.txt", True),
        ("net/tests.py", True),
        ("net/docs/net.py", True),
        ("studies", True),
    ],
)
def test_sources_change_with_the_files_that_a_training_may_read_and_with_no_other(
    tmp_path: Path, file: str, *, counts: bool
) -> None:
    _git(tmp_path, "init", "-q")
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("1")
    first = _committed(tmp_path)

    (tmp_path / file).write_text("2")
    edited = sources(tmp_path)
    later = _committed(tmp_path)

    assert first["dirty"] == later["dirty"] == "no"
    assert first["commit"] == edited["commit"] != later["commit"]
    assert (edited["dirty"] == "yes") is counts
    assert (edited["sources"] != first["sources"]) is counts
    assert edited["sources"] == later["sources"]  # the same code, committed or not


def test_folders_of_a_project_within_a_repository_count_as_those_at_its_top(tmp_path: Path) -> None:
    _git(tmp_path, "init", "-q")
    inner = tmp_path / "work" / "mine"
    for name in ("studies/s.toml", "net.py"):
        (inner / name).parent.mkdir(parents=True, exist_ok=True)
        (inner / name).write_text("1")
    _committed(tmp_path)

    (inner / "studies/s.toml").write_text("2")
    assert sources(inner)["dirty"] == "no"
    assert sources(tmp_path)["dirty"] == "yes"
    (inner / "net.py").unlink()
    assert sources(inner)["dirty"] == "yes"


def test_code_without_a_commit_has_no_sources(tmp_path: Path) -> None:
    assert sources(tmp_path) == {}
    _git(tmp_path, "init", "-q")
    assert sources(tmp_path) == {}


def test_changed_and_new_code_is_a_difference_kept_with_the_attempt(
    code: Callable[..., Project], attempt: Run, tmp_path: Path
) -> None:
    made = code()
    (tmp_path / "part.py").write_text("VALUE = 0.5\n")
    (tmp_path / "new.py").write_text("NEW = 1\n")
    (tmp_path / "large.bin").write_bytes(b"0" * 2**21)
    status = _git(tmp_path, "status", "--porcelain")

    left = attempt(made)

    diff = (tmp_path / "attempts/1/code.diff").read_bytes()
    assert left.provenance["dirty"] == "yes"
    assert left.provenance["diff"] == hashlib.sha256(diff).hexdigest()
    assert b"+VALUE = 0.5" in diff
    assert b"+NEW = 1" in diff
    assert b"large.bin" not in diff
    assert left.provenance["unrecorded"] == "1 new, too large or a repository: large.bin"
    assert _git(tmp_path, "status", "--porcelain") == status  # the repository is as it was


def test_a_program_outside_any_repository_has_no_commit(
    project: Make, attempt: Run, tmp_path: Path
) -> None:
    made = project("from ablate import log\nlog(1, score=1, other=1)\n")
    shutil.rmtree(tmp_path / ".git")

    assert "commit" not in attempt(made).provenance


def test_an_edit_does_not_reach_an_attempt_that_runs_from_a_snapshot(
    code: Callable[..., Project], attempt: Run, tmp_path: Path
) -> None:
    made = code(SNAPSHOT)
    frozen = command.frozen(made.reference("small"))
    first = attempt(made, reference=frozen)
    (tmp_path / "part.py").write_text("VALUE = 0.75\n")

    second = attempt(made, number=2, reference=frozen)
    later = attempt(made, number=3, reference=command.frozen(made.reference("small")))

    assert [_score(x) for x in (first, second, later)] == [0.25, 0.25, 0.75]
    assert first.provenance["snapshot"] == second.provenance["snapshot"]
    assert (first.provenance["dirty"], later.provenance["dirty"]) == ("no", "yes")
    assert b"+VALUE = 0.75" in (tmp_path / "attempts/3/code.diff").read_bytes()


def test_the_same_code_is_copied_once_and_what_git_ignores_is_linked(
    code: Callable[..., Project], tmp_path: Path
) -> None:
    made = code(SNAPSHOT)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/set.bin").write_bytes(b"1")

    copies = {command.frozen(made.reference("small")) for _ in range(2)}

    (copied,) = [p for p in (tmp_path / ".ablate/code").iterdir() if p.is_dir()]
    assert len(copies) == 1
    assert (copied / "data").readlink() == tmp_path / "data"
    assert not (copied / "part.py").is_symlink()
    assert not (copied / ".ablate").exists()


def test_a_snapshot_without_git_is_refused_in_one_line(project: Make, tmp_path: Path) -> None:
    made = project("", SNAPSHOT)
    shutil.rmtree(tmp_path / ".git")

    with pytest.raises(UsageError, match=r"system 'small': snapshot = true .* no git repository"):
        command.frozen(made.reference("small"))


RESUMING = """
import os, pathlib
from ablate import log
log(1, score=1, other=1)
kept = pathlib.Path(os.environ["ABLATE_CHECKPOINTS"], "one")
if not os.environ.get("ABLATE_RESUME"):
    kept.write_text("1")
    raise SystemExit(3)
"""


def test_a_checkpoint_of_other_code_is_gone_on_from_with_a_doubt(
    project: Make, attempt: Run, repository: Callable[..., None], tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / ".git", ignore_errors=True)
    (tmp_path / ".gitignore").write_text("attempts/\n__pycache__/\n")
    made = project(RESUMING, 'resume_args = "--resume {checkpoint}"')
    repository()
    (tmp_path / "new.py").write_text("NEW = 1\n")
    first = attempt(made)
    earlier = (str(tmp_path / "attempts/1"),)
    same = attempt(made, number=2, earlier=earlier)
    (tmp_path / "new.py").unlink()
    other = attempt(made, number=3, earlier=earlier)

    assert first.error_type == "exit code 3"
    assert "notes" not in same.provenance
    assert same.provenance["resumed"] == "attempt 1, one"
    assert other.provenance["notes"] == "goes on from a checkpoint of another program: other diff"
    assert "diff" not in other.provenance  # it is its own code's, not the first attempt's
    assert other.provenance["resumed"] == "attempt 1, one"


def test_a_repository_inside_the_repository_hides_no_new_file(
    code: Callable[..., Project], attempt: Run, tmp_path: Path
) -> None:
    made = code()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/own.py").write_text("OWN = 1\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path / "inner", check=True)
    (tmp_path / "new.py").write_text("NEW = 1\n")

    left = attempt(made)

    assert left.provenance["unrecorded"] == "1 new, too large or a repository: inner"
    assert b"+NEW = 1" in (tmp_path / "attempts/1/code.diff").read_bytes()


def test_an_edit_of_a_submodule_is_in_the_difference_and_reaches_no_copy(
    code: Callable[..., Project], attempt: Run, tmp_path: Path
) -> None:
    made = code(SNAPSHOT)
    (tmp_path / "part.py").unlink()
    shutil.copytree(tmp_path / ".git", tmp_path / "part/.git")
    (tmp_path / "part/__init__.py").write_text("VALUE = 0.25\n")
    own = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["add", "-A"], [*own, "commit", "-q", "-m", "x"]):
        _git(tmp_path / "part", *words)
    _git(tmp_path, "-c", "advice.addEmbeddedRepo=false", "add", "-A")
    _git(tmp_path, *own, "commit", "-q", "-m", "x")
    frozen = command.frozen(made.reference("small"))
    (tmp_path / "part/__init__.py").write_text("VALUE = 0.75\n")

    before = attempt(made, reference=frozen)
    after = attempt(made, number=2, reference=command.frozen(made.reference("small")))

    assert [_score(before), _score(after)] == [0.25, 0.75]
    assert before.provenance["dirty"] == "no"
    assert b"+VALUE = 0.75" in (tmp_path / "attempts/2/code.diff").read_bytes()
