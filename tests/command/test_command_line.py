"""Programs on the command line: systems, plan and run in a folder outside this repository."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.project import Project

ROOT = Path(__file__).resolve().parents[2]
Make = Callable[..., Project]

PROGRAM = """
import os, pathlib
from ablate import log
import part
first = pathlib.Path(os.environ["HERE"], "part.py")
first.write_text("VALUE = 0.75\\n")
log(1, score=part.VALUE, other=1)
"""
STUDY = """
[study]
name = "mine"
system = "small"
seeds = [0]
primary = "score"
[modules]
factors = ["deep"]
"""


@pytest.fixture
def ablate(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    (tmp_path / "mine.toml").write_text(STUDY)
    own = {k: v for k, v in os.environ.items() if not k.startswith("ABLATE_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own |= {"PATH": path, "PYTHONPATH": str(ROOT), "HERE": str(tmp_path), "COLUMNS": "120"}

    def call(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "ablate", *words],
            cwd=tmp_path,
            env={**own, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return call


def test_a_trial_in_the_queue_runs_the_code_as_it_was_when_the_run_began(
    project: Make, repository: Callable[..., None], tmp_path: Path, ablate: Callable[..., object]
) -> None:
    (tmp_path / ".git").rmdir()
    (tmp_path / "part.py").write_text("VALUE = 0.25\n")
    project(PROGRAM, "snapshot = true")
    repository()

    ran = ablate("run", "mine.toml", "--executor", "inline")
    again = ablate("run", "mine.toml", "--executor", "inline", "--force")

    assert ran.returncode == again.returncode == 0, ran.stderr + again.stderr
    assert ran.stderr.count("score 25.0") == 2  # the first trial edits the code
    assert again.stderr.count("score 75.0") == 2
    assert "the seed reaches the program by the variable ABLATE_SEED alone" in ran.stderr


def test_a_program_that_is_missing_is_said_by_a_plan_and_refused_by_a_run(
    project: Make, tmp_path: Path, ablate: Callable[..., object]
) -> None:
    project("", 'directory = "gone"')

    planned, ran = ablate("plan", "mine.toml"), ablate("run", "mine.toml")

    assert planned.returncode == 0
    assert "2 trials: 0 complete, 0 failed, 2 to run" in planned.stdout
    assert ran.returncode == 2
    for said in (planned.stderr, ran.stderr):
        assert "there is no folder 'gone' beside ablate.toml" in said
    assert not (tmp_path / ".ablate").exists()


def test_a_program_cannot_be_probed(project: Make, ablate: Callable[..., object]) -> None:
    project("")

    asked = ablate("plan", "mine.toml", "--probe")

    assert asked.returncode == 2
    assert "system 'small' is a program: nothing can be measured before it" in asked.stderr


def test_a_program_that_wants_data_needs_a_data_set(
    project: Make, ablate: Callable[..., object]
) -> None:
    project("", place="{overrides} --data {data}")

    asked = ablate("run", "mine.toml", "-n")

    assert asked.returncode == 2
    assert "name the data set ([data] root)" in asked.stderr


def test_systems_shows_a_program_with_its_keys_and_where_it_comes_from(
    project: Make, ablate: Callable[..., object]
) -> None:
    project("", 'style = "K V"')

    (shown,) = json.loads(ablate("systems", "--json").stdout)["systems"]

    assert (shown["origin"], shown["reference"]) == ("ablate.toml", None)
    assert shown["command"]["command"] == "python program.py {overrides}"
    assert [(f["name"], f["key"]) for f in shown["factors"]] == [
        ("deep", "deep"),
        ("net.rate", "opt.rate"),
        ("word", "word"),
    ]


def test_one_system_that_cannot_be_loaded_does_not_hide_the_others(
    project: Callable[..., Project], ablate: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    project("", rest='[systems]\nbroken = "nowhere_at_all:system"\n')

    listed, one = ablate("systems"), ablate("systems", "broken")

    assert (listed.returncode, one.returncode) == (2, 2)
    assert listed.stdout.startswith("small (revision 1, a program)")
    assert "nowhere_at_all" in listed.stderr


def test_an_unknown_reader_is_said_with_its_line_and_the_readers_that_are_declared(
    project: Make, tmp_path: Path, ablate: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    reader = "[readers.spiral]\npatterns = [{ match = 'score (?P<score>.*)' }]\n"
    project("", 'reader = "sprial"', rest=reader)

    listed = ablate("plan", "mine.toml")

    line = (tmp_path / "ablate.toml").read_text().splitlines().index('reader = "sprial"') + 1
    assert listed.returncode == 2
    assert (
        f"ablate.toml:{line}: systems.small.reader: reader 'sprial' is not one of" in listed.stderr
    )
    assert "did you mean 'spiral'?" in listed.stderr


@pytest.mark.parametrize(
    ("seeds", "place", "said"),
    [
        ("0,1", "{overrides}", True),
        ("0,1", "{overrides} --seed {seed}", False),
        ("0", "{overrides}", False),
    ],
)
def test_a_plan_of_several_seeds_says_it_where_the_seed_is_no_word_of_the_command(
    project: Make,
    ablate: Callable[..., "subprocess.CompletedProcess[str]"],
    seeds: str,
    place: str,
    *,
    said: bool,
) -> None:
    project("", place=place)

    planned = ablate("plan", "mine.toml", "--seeds", seeds)

    sentence = "small: the seed reaches the program by the variable ABLATE_SEED alone"
    assert planned.returncode == 0, planned.stderr
    assert (sentence in planned.stderr.splitlines()) == said


def test_trials_that_fail_alike_are_said_with_the_programs_last_words(
    project: Make, tmp_path: Path, ablate: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    project(
        "import sys\n"
        "print('usage: train.py [-h]\\ntrain.py: error: unrecognized arguments: True')\n"
        "sys.exit(2)\n"
    )
    (tmp_path / "mine.toml").write_text(STUDY.replace("[0]", "[0, 1]"))

    ran = ablate("run", "mine.toml", "--executor", "inline")

    why = "exit code 2: train.py: error: unrecognized arguments: True"
    assert ran.returncode == 1
    assert f"failed baseline s0: {why}   ablate logs " in ran.stderr
    assert ran.stderr.count(f"the first 3 trials failed in the same way: {why}; Ctrl-C stops") == 1
