"""The re-identification system keeps the promises of every system."""

import tomllib
from pathlib import Path

from ablate.testing import check_system
from models.reid import system

STUDY = Path(__file__).parents[2] / "studies" / "rgbnt201.toml"


def test_it_passes_the_checks_that_every_system_must_pass(tmp_path: Path) -> None:
    small = tomllib.loads(STUDY.read_text())["scale"]["small"]["set"]

    assert check_system(system, tmp_path, {**small, "epochs": 2, "images_per_id": 2}) == ()
