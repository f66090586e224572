"""The wheel holds the tool, whole, and nothing else."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE", "ablate", "models"):
        (source / name).symlink_to(ROOT / name)
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(source)], check=True)
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_is_called_ablate_lab_and_holds_only_ablate(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert wheel.name.startswith("ablate_lab-")
    assert {n.split("/")[0].split("-")[0] for n in names} == {"ablate", "ablate_lab"}


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    files = {
        str(p.relative_to(ROOT))
        for p in (ROOT / "ablate").rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }

    assert files <= names


def test_the_unpacked_wheel_runs_without_the_repository(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")

    shown = subprocess.run(
        [sys.executable, "-P", "-m", "ablate", "init", "made"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert shown.returncode == 0, shown.stderr
    assert (tmp_path / "made" / "studies" / "toy.toml").exists()
