"""Numbers that another rule of selection gives, and the whole way from logs to findings."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ablate.cli import app
from ablate.lint.check import lint
from ablate.lint.document import parse
from ablate.lint.result import groups
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


@pytest.fixture
def ended(worlds: dict[str, World]) -> World:
    """Every run was scored at its best step, and ended with a Rank-1 and mAP lower by one point."""
    world = worlds[MODULES]
    curves = {
        r.key: {(s.split, m): {1: s.value, 2: s.value - 0.01} for m, s in r.scores.items()}
        for r in world.records
    }
    study = replace(world.study, selection=Selection("mAP", "test"))
    return replace(world, study=study, curves=curves)


ENDED = """| Configuration | Rank-1 (%) | mAP (%) | Δ Rank-1 |
|---|---|---|---|
| Baseline | 75.3 | 71.3 | – |
| SACR | 76.6 | 73.0 | +1.3 |
| SDTPS | 79.1 | 75.0 | +3.8 |
"""


def test_a_table_by_another_rule_is_one_finding_that_names_it(ended: World) -> None:
    document = parse(f"{ENDED}\n{ENDED}")
    ledger = lint(document, [ended])
    assert [(f.line, f.verdict, f.kind) for f in ledger.findings] == [
        (1, "mislabelled", "rule"),
        (7, "mislabelled", "rule"),
    ]
    (group,) = groups(document, ledger)
    assert group.lines == (1, 7)
    assert group.said.en == (
        "the scores of this table are by another rule, last; the records are read by best:mAP@test"
        " (`--select last` reads them so)"
    )
    assert len(ledger.traced) == 16


def test_what_no_rule_gives_is_wrong_in_such_a_table(ended: World) -> None:
    found = lint(parse(ENDED.replace("73.0", "78.0")), [ended]).findings
    assert [(f.line, f.verdict) for f in found] == [(1, "mislabelled"), (4, "wrong")]
    assert found[1].said.en == "mAP of sacr is 73.0 by the records, not 78.0"


def test_by_the_rule_itself_nothing_is_said(ended: World) -> None:
    (read,) = (w for w in ended.otherwise if str(w.study.selection) == "last")
    assert lint(parse(ENDED), [read]).findings == []


def test_a_column_of_other_numbers_is_not_called_another_rule(ended: World) -> None:
    other = ENDED.replace("75.3", "61.2").replace("76.6", "63.9").replace("79.1", "70.0")
    other = other.replace("71.3", "51.2").replace("73.0", "53.9").replace("75.0", "55.5")
    assert all(f.kind != "rule" for f in lint(parse(other), [ended]).findings)


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
