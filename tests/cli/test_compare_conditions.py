"""`ablate compare --fail-if`: the conditions that end it with 1 or 2."""

import json
from pathlib import Path

import pytest

from ablate.errors import UsageError
from tests.cli.comparing import BASE, LIF, Call, ending, put, put_toy, seeds


@pytest.fixture
def toy(call: Call, folder: Path) -> Call:
    put_toy(folder)
    return call


@pytest.mark.parametrize(
    ("condition", "fails"),
    [
        ("mAP < -0.5", False),
        ("mAP > 6.33", True),
        ("map >= 6", True),
        ("mAP > 6.34", False),
        ("mAP>10%", True),
        ("mAP > 10.4 %", False),
        ("loss < -0.063", True),
        ("  mAP\t>  +6.3  ", True),
        ("loss <= -4%", True),
        ("mAP < \N{MINUS SIGN}.5 %", False),
        ("loss < \N{MINUS SIGN}0.064", False),
    ],
)
def test_a_condition_is_of_the_unrounded_difference_in_display_units(
    toy: Call, condition: str, *, fails: bool
) -> None:
    answer = toy("compare", "baseline", "lif", "--fail-if", condition)
    assert answer.exit_code == int(fails)
    assert ("failed: " in answer.stderr) is fails
    assert answer.stdout.startswith("study toy:")


def test_a_bound_that_is_met_exactly_is_not_crossed(call: Call, folder: Path) -> None:
    put(folder, [("a", {}, seeds((0.7,))), ("b", {"lif": True}, seeds((0.695,)))])
    assert call("compare", "a", "b", "--fail-if", "mAP < -0.5").exit_code == 0
    assert call("compare", "a", "b", "--fail-if", "mAP <= -0.5").exit_code == 1


def test_a_failed_condition_says_what_failed_and_how_sure_it_is(toy: Call, folder: Path) -> None:
    answer = toy("compare", "baseline", "lif", "sdtps", "--fail-if", "mAP < 7", "-o", "c.json")
    lines = [x for x in answer.stderr.splitlines() if x.startswith("failed: ")]
    assert lines == [
        (
            "failed: mAP < 7: mAP +6.33 points (lif minus baseline; its 95 % interval reaches"
            " beyond the bound)"
        ),
        (
            "failed: mAP < 7: mAP \N{MINUS SIGN}0.33 points (sdtps minus baseline; its 95 %"
            " interval excludes the bound)"
        ),
    ]
    assert json.loads((folder / "c.json").read_text())["schema"] == "ablate.compare/3"


def test_one_run_a_side_is_said_with_a_failed_condition(call: Call, folder: Path) -> None:
    put(folder, [("a", {}, seeds((0.7,))), ("b", {"lif": True}, seeds((0.6,)))])
    answer = call("compare", "a", "b", "--fail-if", "mAP < -2 %")
    assert "(b minus a; one run a side: no interval)" in answer.stderr
    assert answer.exit_code == 1


def test_any_of_several_conditions_ends_it_with_1(toy: Call) -> None:
    words = ("--fail-if", "mAP < 0", "--fail-if", "rank1 > 5")
    answer = toy("compare", "baseline", "lif", *words)
    assert answer.exit_code == 1
    assert [x for x in answer.stderr.splitlines() if x.startswith("failed: ")] == [
        (
            "failed: rank1 > 5: Rank-1 +6.3 points (lif minus baseline; its 95 % interval reaches"
            " beyond the bound)"
        )
    ]


def test_a_relative_bound_of_a_negative_reference_keeps_the_direction(
    call: Call, folder: Path
) -> None:
    put(folder, [("a", {}, seeds((-0.5, -0.5))), ("b", {"lif": True}, seeds((-0.6, -0.6)))])
    assert call("compare", "a", "b", "--fail-if", "mAP < -10 %").exit_code == 1
    assert call("compare", "a", "b", "--fail-if", "mAP > 10 %").exit_code == 0


def test_no_relative_change_of_a_reference_of_zero(call: Call, folder: Path) -> None:
    put(folder, [("a", {}, seeds((0.0,))), ("b", {"lif": True}, seeds((0.1,)))])
    wrong = call("compare", "a", "b", "--fail-if", "mAP < 1 %").exception
    assert isinstance(wrong, UsageError)
    assert "the mean of a is 0" in str(wrong)
    assert call("compare", "a", "b", "--fail-if", "mAP < 1").exit_code == 0


@pytest.mark.parametrize("bound", ["nan", "1e999", "- 1", "1 points", "1 %%"])
def test_a_bound_is_a_finite_number(toy: Call, bound: str) -> None:
    wrong = toy("compare", "baseline", "lif", "--fail-if", f"mAP < {bound}").exception
    assert isinstance(wrong, UsageError)
    assert "it is METRIC < NUMBER" in str(wrong)


def test_scores_left_out_are_told_with_a_failed_condition(call: Call, folder: Path) -> None:
    rows = seeds(LIF) | {3: ending(float("nan"), 3)}
    put(folder, [("a", {}, seeds(BASE)), ("b", {"lif": True}, rows)])
    answer = call("compare", "a", "b", "--fail-if", "mAP > 0")
    assert "mAP +6.33 points, left out as not finite: 1 (b minus a;" in answer.stderr
