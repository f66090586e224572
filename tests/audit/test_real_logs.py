"""What the audit says of the real logs behind three reports: what must be there, and no more.

Every number here was read off the raw logs, not off ablate.
"""

import json
import os
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from ablate.cli import app

REAL = os.environ.get("ABLATE_REALDATA", "")
SEEDS = Path(__file__).parents[2] / "studies" / "seeds"
pytestmark = pytest.mark.skipif(not REAL, reason="ABLATE_REALDATA names no folder of real logs")

GRID, FACES, BOXES = "rgbnt201_logs", "ce7454_histories", "cmt_aqr_logs"
TABLES = ("000-rgbnt201", "003-ce7454", "004-aqr")


FOUND = {
    GRID: [
        "W101",
        "W110:full",
        "W111",
        "W120",
        "W121",
        "W123",
        "W125:classifier_sdtps",
        "W151:rank1",
        "W204:lif",
        "W204:sacr",
        "W240",
        "N112:full together",
        "N201:lif.beta",
        "N201:winner",
        "N210:lif.beta",
        "N210:sdtps.loss_weight",
        "N210:sdtps.sparse_ratio",
    ],
    FACES: [
        "W101",
        "W102",
        "W103:combinations",
        "W103:left out",
        "W104:amp epochs=200 learning_rate=0.0008",
        "W104:amp+lmsa epochs=200 learning_rate=0.0008",
        "W104:microsegformer_20251005_204126",
        "W104:microsegformer_20251007_211515",
        "W131:loss.use_class_weights",
        "W131:model.dropout",
        "W241",
        "N121",
        "N201:winner",
        "N240",
    ],
    BOXES: ["W101", "W154:epoch_20.pth", "N152:grad_norm", "N201:winner"],
    TABLES[0]: [
        "W101",
        "W110:full",
        "W122:rank1",
        "W204:lif",
        "W204:sacr",
        "W240",
        "N112:full together",
        "N133",
        "N201:lif.beta",
        "N201:winner",
        "N210:lif.beta",
        "N210:sdtps.loss_weight",
        "N210:sdtps.sparse_ratio",
    ],
    TABLES[1]: [
        "W101",
        "W102",
        "W104:lmsa+focal+tuned tuned.learning_rate=0.0005",
        "W104:lmsa+tuned",
        "N133",
        "N240",
    ],
    TABLES[2]: ["W101", "W230:iterations", "N133", "N201:winner"],
}
"""Every finding there is, each of which was checked by hand against the raw logs."""


class Said(NamedTuple):
    """A finding as `ablate audit --json` gives it."""

    severity: str
    sentence: str
    command: str
    variants: tuple[str, ...]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("ABLATE_DB", raising=False)
        sources = [Path(REAL, name) for name in (GRID, FACES, BOXES)]
        # the tables first: what the logs show of them is found when these come
        for source in (*(SEEDS / f"{name}.csv" for name in TABLES), *sources):
            done = CliRunner().invoke(app, ["import", str(source)])
            assert done.exit_code == 0, done.output
    return folder


def audit(project: Path, study: str) -> dict[str, Said]:
    """Name -> finding, as it is told in the project's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        patch.delenv("ABLATE_DB", raising=False)
        done = CliRunner().invoke(app, ["audit", study, "--json"])
        assert done.exit_code == 0, done.output
        (found,) = json.loads(done.stdout)["studies"]
        listed = CliRunner().invoke(app, ["ls", study, "--json"])
        names = {t["key"]: t["variant"] for t in json.loads(listed.stdout)["trials"]}
    return {
        f["name"]: Said(
            f["severity"],
            f["sentence"],
            f["command"],
            tuple(dict.fromkeys(names[key] for key in f["keys"])),
        )
        for f in found["findings"]
    }


@pytest.fixture(scope="module")
def grid(project: Path) -> dict[str, Said]:
    return audit(project, GRID)


@pytest.fixture(scope="module")
def faces(project: Path) -> dict[str, Said]:
    return audit(project, FACES)


@pytest.fixture(scope="module")
def boxes(project: Path) -> dict[str, Said]:
    return audit(project, BOXES)


def test_sacr_and_lif_alone_have_no_path_to_the_output_and_give_the_noise(
    grid: dict[str, Said],
) -> None:
    lif, sacr = grid["W204:lif"], grid["W204:sacr"]
    assert set(lif.variants) >= {"lif", "sacr+lif"}
    assert set(sacr.variants) >= {"sacr", "sacr+lif"}
    assert "lif adds 169,635 parameters" in lif.sentence
    assert "sacr adds 8,393,733 parameters" in sacr.sentence
    assert "baseline, sacr, lif and sacr+lif are 4 runs of one function" in lif.sentence
    assert "Rank-1 75.5, 77.6, 77.2, 74.6, SD 1.42 points" in lif.sentence
    assert "mAP 72.3, 74.0, 72.0, 73.3, SD 0.92 points" in lif.sentence


def test_the_steps_of_all_sixteen_runs_were_chosen_on_the_test_split(
    grid: dict[str, Said],
) -> None:
    assert "all 16 runs" in grid["W120"].sentence
    assert "test split (best:mAP@test)" in grid["W120"].sentence
    assert len(grid["W120"].variants) == 16


def test_three_patterns_are_scored_where_sdtps_is_on_and_the_last_is_not_always_best(
    grid: dict[str, Said],
) -> None:
    assert grid["W123"].sentence == (
        "three outputs are scored in the 12 runs with sdtps, one in the other 4;"
        " the one that counts has the best mAP in 7 of the 12"
    )
    assert "3,072 values enter the heads, not 1,536" in grid["W125:classifier_sdtps"].sentence
    assert grid["W123"].variants == grid["W125:classifier_sdtps"].variants


def test_one_seed_and_sweeps_around_full_and_another_winner_at_the_last_step(
    grid: dict[str, Said],
) -> None:
    assert "each of the 16 configurations has one run" in grid["W101"].sentence
    anchored = grid["W110:full"].sentence
    assert "sdtps.loss_weight and sdtps.sparse_ratio were moved around full only" in anchored
    assert "sdtps, the best without a sweep (mAP 76.0, full 74.7)" in anchored
    last = grid["W121"].sentence
    assert "mAP: full 74.4, not sdtps 74.0 (76.0 under best:mAP@test)" in last
    assert "Rank-1: full 78.7, not sdtps 77.8 (80.1 under best:mAP@test)" in last


def test_the_printed_baseline_is_its_highest_rank_1_and_no_other_row_is_odd(
    project: Path,
) -> None:
    odd = {n: f for n, f in audit(project, TABLES[0]).items() if n.startswith("W122")}
    assert {n: f.sentence for n, f in odd.items()} == {
        "W122:rank1": (
            "Rank-1: 15 of 16 printed numbers are those of best:mAP@test in study rgbnt201_logs;"
            " baseline 76.3 is its highest of any step (75.5 by that rule)"
        )
    }
    assert odd["W122:rank1"].variants == ("baseline",)


def test_lmsa_is_confounded_with_class_weights_and_focal_with_the_learning_rate(
    project: Path, faces: dict[str, Said]
) -> None:
    lmsa = faces["W104:amp+lmsa epochs=200 learning_rate=0.0008"].sentence
    assert "loss.use_class_weights" in lmsa
    assert "F +0.66 points, +0.98 % rel." in lmsa
    focal = faces["W104:microsegformer_20251007_211515"].sentence
    assert "focal" in focal
    assert "learning_rate" in focal
    table = audit(project, TABLES[1])
    printed = table["W104:lmsa+tuned"].sentence
    assert "changes class_weights and lmsa together" in printed
    assert "F +0.66 points, +0.98 % rel." in printed
    assert "+1.51 %" in printed
    of_focal = table["W104:lmsa+focal+tuned tuned.learning_rate=0.0005"].sentence
    assert "changes focal and tuned.learning_rate together" in of_focal


def test_the_gain_of_lmsa_is_smaller_than_its_curve_wobbles(faces: dict[str, Said]) -> None:
    (found,) = [f.sentence for n, f in faces.items() if n.startswith("W241")]
    assert "amp+lmsa epochs=200 learning_rate=0.0008 gains 0.66 points of F" in found
    assert "SD 1.66 points over its last 30" in found
    assert "1.44 points over the last 30" in found


def test_the_run_that_never_trained_is_listed(faces: dict[str, Said]) -> None:
    assert "microsegformer_20251005_191916 (never trained)" in faces["W103:left out"].sentence


def test_both_detectors_have_one_run_and_nan_and_only_the_baseline_has_inf(
    boxes: dict[str, Said],
) -> None:
    assert "each of the 2 configurations has one run" in boxes["W101"].sentence
    assert boxes["N152:grad_norm"].sentence == (
        "grad_norm is NaN in baseline (steps 50, 100) and aqr_2.5_0.6 (steps 50, 1400),"
        " and infinite in baseline (step 2100)"
    )


def test_the_detectors_are_fine_tuned_and_begin_at_unequal_losses(boxes: dict[str, Said]) -> None:
    found = boxes["W154:epoch_20.pth"].sentence
    assert "epoch_20.pth" in found
    for number in ("13.35", "10.05", "10.12", "9.93"):
        assert number in found


@pytest.mark.parametrize("study", list(FOUND))
def test_nothing_is_flagged_that_is_not_there(project: Path, study: str) -> None:
    assert list(audit(project, study)) == FOUND[study]
