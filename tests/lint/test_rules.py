"""Numbers that another rule of selection gives, and the whole way from logs to findings."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ablate.cli import app
from ablate.lint.check import lint
from ablate.lint.document import parse
from ablate.lint.world import World
from ablate.selection import Selection
from tests.lint.conftest import MODULES

TABLE = """| Configuration | Rank-1 (%) | Δ Rank-1 |
|---|---|---|
| Baseline | 77.1 | – |
| SACR | 77.6 | {delta} |
| SDTPS | 80.1 | +3.8 |
"""


@pytest.fixture
def curved(worlds: dict[str, World]) -> World:
    """The baseline's Rank-1 was 77.1 at an earlier step than the one that is scored, 76.3."""
    world = worlds[MODULES]
    key = world.cells["baseline"].records[0].key
    split = world.cells["baseline"].records[0].scores["rank1"].split
    curves = {key: {(split, "rank1"): {1: 0.5, 2: 0.771, 3: 0.763}}}
    study = replace(world.study, selection=Selection("mAP", "test"))
    return replace(world, study=study, curves=curves)


def test_a_score_by_another_rule_is_said_to_be_that(curved: World) -> None:
    found = lint(parse(TABLE.format(delta="+1.3")), [curved]).findings
    assert [(f.line, f.verdict, f.kind) for f in found] == [(3, "mislabelled", "rule")]
    assert found[0].said.en == (
        "77.1 is the Rank-1 of baseline by another rule (best over steps);"
        " by best:mAP@test it is 76.3"
    )


def test_a_difference_to_it_is_right_by_print_where_both_numbers_stand_there(curved: World) -> None:
    found = lint(parse(TABLE.format(delta="+0.5")), [curved]).findings
    assert {f.line for f in found} == {3}


def test_a_difference_to_it_alone_names_the_rule(curved: World) -> None:
    text = "| Module combination | Rank-1 | vs Baseline |\n|---|---|---|\n"
    rows = "| SACR | 77.6 | +0.5 |\n| SDTPS | 80.1 | +3.8 |\n"
    (found,) = lint(parse(text + rows), [curved]).findings
    assert (found.line, found.verdict, found.kind) == (3, "mislabelled", "rule")
    assert "+1.3 points" in found.said.en
    assert "best over steps: 77.1" in found.said.en


real = pytest.mark.skipif(
    not {"ABLATE_SEEDS", "ABLATE_REALDATA"} <= set(os.environ),
    reason="ABLATE_SEEDS and ABLATE_REALDATA are not both set",
)


@real
def test_against_the_logs_the_printed_baseline_is_another_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ablate.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ABLATE_DB", raising=False)
    (report,) = Path(os.environ["ABLATE_SEEDS"]).glob("000*.txt")
    logs = Path(os.environ["ABLATE_REALDATA"]) / "rgbnt201_logs"
    assert CliRunner().invoke(app, ["import", str(logs)]).exit_code == 0
    out = CliRunner().invoke(app, ["lint", str(report), "--study", "rgbnt201_logs"]).stdout
    lines = " ".join(out.split())
    assert "lines 41, 424: 76.3 is the Rank-1 of baseline by another rule" in lines
    assert "by best:mAP@test it is 75.5" in lines
    assert "Params of full sdtps.sparse_ratio=0.5 is 97.18 by the records, not 97.19" in lines
