"""The guides' commands, run as they stand in a copy of their folder."""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ablate.store import open_store

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guide"
ENVIRONMENT = {
    **{k: v for k, v in os.environ.items() if not k.startswith("ABLATE_")},
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "PYTHONPATH": str(ROOT),
    "OMP_NUM_THREADS": "1",
    "COLUMNS": "100",
}
HYDRA = pytest.mark.skipif(
    importlib.util.find_spec("hydra") is None, reason="hydra-core is not installed"
)


def _copy(name: str, folder: Path) -> Path:
    shutil.copytree(GUIDE / "examples" / name, folder)
    (folder / ".git").mkdir()
    return folder


def _steps(name: str) -> list[tuple[str, list[str]]]:
    """The commands of a guide, each with the lines that it says follow."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", (GUIDE / f"{name}.md").read_text(), re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def _shell(command: str, folder: Path) -> str:
    ran = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout}"
    return ran.stdout


@pytest.mark.parametrize("name", ["yacs", "argparse", pytest.param("hydra", marks=HYDRA)])
def test_every_command_of_a_guide_does_what_the_guide_says(name: str, tmp_path: Path) -> None:
    folder = _copy(name, tmp_path / name)
    steps = _steps(name)
    assert len(steps) > 3
    for command, expected in steps:
        printed = [line.rstrip() for line in _shell(command, folder).splitlines()]
        at = 0
        for line in expected:
            if line == "...":
                continue
            start = line.removesuffix("...")
            whole = start == line
            places = [
                i
                for i, said in enumerate(printed[at:], at)
                if (said == line if whole else said.startswith(start))
            ]
            assert places, f"{command}\nno line {line!r} in\n" + "\n".join(printed)
            at = places[0] + 1


@pytest.mark.parametrize("name", ["yacs", "hydra"])
def test_a_trainer_that_is_run_as_it_is_knows_nothing_of_ablate(name: str) -> None:
    code = (GUIDE / "examples" / name / "train.py").read_text()
    bare = re.sub(r'""".*?"""', "", code, flags=re.DOTALL)

    assert "ablate" not in bare.lower()


def test_the_argparse_trainer_has_two_lines_of_ablate() -> None:
    code = (GUIDE / "examples/argparse/train.py").read_text().splitlines()

    assert [line.strip() for line in code if re.match(r"\s*(from ablate|log\()", line)] == [
        "from ablate import log",
        'log(epoch, "test", accuracy=accuracy)',
    ]


def test_the_tables_in_a_guide_are_those_of_its_example() -> None:
    for name in ("yacs", "argparse", "hydra"):
        shown = re.findall(r"```toml\n(.*?)```", (GUIDE / f"{name}.md").read_text(), re.DOTALL)
        kept = (GUIDE / "examples" / name / "ablate.toml").read_text()
        for table in "\n".join(shown).split("\n\n"):
            assert table.strip() in kept


LONG = "run studies/people.toml epochs=40 --seeds 0 --only gate --executor inline"


def _curves(folder: Path) -> dict[tuple[str, str], dict[int, float]]:
    with open_store(folder / ".ablate/results.db") as store:
        (key,) = {r.key for r in store.records("people") if r.scores}
        curves = store.curves(key)
    return {k: dict(v) for k, v in curves.items() if k[1] != "seconds_per_batch"}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_of_the_yacs_trainer_goes_on_to_the_numbers_of_an_undisturbed_one(
    number: signal.Signals, tmp_path: Path
) -> None:
    whole, cut = _copy("yacs", tmp_path / "whole"), _copy("yacs", tmp_path / "cut")
    _shell(f"ablate {LONG}", whole)
    driver = subprocess.Popen(
        [sys.executable, "-P", "-m", "ablate", *LONG.split()], cwd=cut, env=ENVIRONMENT
    )
    until = time.monotonic() + 60
    while not list(cut.glob(".ablate/attempts/*/1/work/model_012.npz")):
        assert time.monotonic() < until
        assert driver.poll() is None
        time.sleep(0.01)
    driver.send_signal(number)
    driver.wait(timeout=30)

    _shell(f"ablate {LONG}", cut)

    first, second = sorted(cut.glob(".ablate/attempts/*/*/command.json"))
    assert '"checkpoint": null' in first.read_text()
    assert "model_" in second.read_text().partition('"checkpoint"')[2]
    assert not (second.parent / "work/model_001.npz").exists()
    assert _curves(cut) == _curves(whole)
