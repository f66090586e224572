"""What the numbers say of each other: winners, signs, contexts, noise."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from ablate.audit.check import ask
from ablate.audit.evidence import Evidence
from ablate.audit.interpretation import CHECKS
from ablate.metric import Metric
from ablate.record import Cost, Finding
from ablate.study import Claims, Level, Modules, Study, real, switch
from tests.audit.clean import clean
from tests.audit.seed000 import GRID, STUDY, SWEEPS
from tests.audit.tabled import Row, evidence

AB = Study(
    name="ab",
    title="ab",
    system="x",
    revision="1",
    factors=(switch("a"), switch("b")),
    metrics=(Metric("F", digits=2), Metric("G", digits=2)),
    primary="F",
    modules=Modules(("a", "b")),
)


def said(found: Evidence) -> dict[str, Finding]:
    return {f.name: f for f in ask(CHECKS, found)}


def square(*runs: Sequence[float]) -> list[Row]:
    """The cells of two modules: baseline, a, b, both."""
    names = ("baseline", "a", "b", "full")
    cells: tuple[dict[str, Level], ...] = ({}, {"a": True}, {"b": True}, {"a": True, "b": True})
    return [
        Row(n, on, {"F": of}, "grid", None if n == "baseline" else "baseline")
        for n, on, of in zip(names, cells, runs, strict=True)
    ]


@pytest.fixture(scope="module")
def seed000() -> dict[str, Finding]:
    return said(evidence(STUDY, *GRID, *SWEEPS))


def test_both_winners_are_named_with_both_numbers(seed000: dict[str, Finding]) -> None:
    # facts/seed-audit.md 000-06: mAP 76.0 is not the highest, full with weight 1.0 has 76.6
    assert seed000["N201:winner"].sentence == (
        "Rank-1 puts sdtps first (80.1; full sdtps.loss_weight=1 80.0); mAP puts"
        " full sdtps.loss_weight=1 first (76.6; sdtps 76.0)"
    )


def test_metrics_that_rank_a_whole_sweep_oppositely(seed000: dict[str, Finding]) -> None:
    # 000-18: mAP prefers 0.6 > 0.4 > 0.2
    assert seed000["N201:lif.beta"].sentence == (
        "Rank-1 and mAP rank lif.beta 0.2, 0.4, 0.6 around full in opposite orders:"
        " Rank-1 79.3, 78.8, 76.9; mAP 74.6, 74.7, 75.5"
    )
    assert not any(n.endswith("201:sdtps.loss_weight") for n in seed000)


def test_an_interaction_whose_sign_depends_on_the_third_module(
    seed000: dict[str, Finding],
) -> None:
    # facts/seed-audit.md 2: -3.9 with SDTPS off; given SDTPS on, +5.8
    assert seed000["W220:sacr+lif"].sentence == (
        "the interaction sacr x lif on Rank-1 is −3.9 points with sdtps off and +5.8 points with"
        " sdtps on (one run per cell)"
    )
    assert "在 sdtps 关闭时为 −3.9 百分点" in seed000["W220:sacr+lif"].chinese


def test_a_context_in_which_a_module_is_not_in_the_output_does_not_count() -> None:
    grid = evidence(STUDY, *GRID)
    ops = {frozenset({"sdtps"}): 34.33, frozenset({"sacr", "sdtps"}): 37.55}
    ops |= {frozenset({"sdtps", "lif"}): 35.11, frozenset({"sacr", "sdtps", "lif"}): 38.33}
    own = {"sacr": 8.39e6, "sdtps": 0.63e6, "lif": 0.17e6}
    records = []
    for r in grid.records:
        on = frozenset(m for m in own if r.levels[m])
        costs = {
            "params": Cost("params", 87.99e6 + sum(own[m] for m in on), "", "as printed"),
            "ops": Cost("ops", 1e9 * ops.get(on, 34.28), "", "as printed"),
        }
        records.append(replace(r, costs=costs))
    counted = replace(grid, records=records)
    assert counted.inert["sacr+lif"] == {"sacr", "lif"}
    # the four runs of one function give a noise that no change of sign exceeds
    assert not [n for n in said(counted) if n.startswith("W220")]
    # facts/seed-audit.md 2: Rank-1 of the four has SD 1.33 (3 df), two runs differ by 6.0
    assert "the least significant difference is 6.0 points (SD of a run 1.3 points, 3 df)" in (
        said(counted)["W240"].sentence
    )


def test_a_change_of_sign_within_the_noise_is_passed_over_and_a_clear_one_is_not() -> None:
    still = square([60, 62, 61], [61, 62, 63], [61, 60, 62], [60, 61, 61])
    assert "W220:a" not in said(evidence(AB, *still))
    clear = square([60, 60.2, 59.8], [65, 65.2, 64.8], [60, 60.1, 59.9], [55, 55.2, 54.8])
    assert said(evidence(AB, *clear))["W220:a"].sentence == (
        "the effect of a on F is −5.00 points with b on and +5.00 points with b off"
    )


def test_single_runs_whose_sign_changes_by_less_than_counts_as_something() -> None:
    rows = square([60], [60.4], [60], [59.6])
    assert said(evidence(AB, *rows)).get("W220:a") is None
    fine = replace(AB, claims=Claims(margin=0.1))
    assert "W220:a" in said(evidence(fine, *rows))


def test_a_module_that_is_better_on_one_metric_and_worse_on_another() -> None:
    rows = square([60], [62], [60], [62])
    other = [58, 57, 58, 57]
    rows = [replace(r, scores={**r.scores, "G": [of]}) for r, of in zip(rows, other, strict=True)]
    assert said(evidence(AB, *rows))["N201:a"].sentence == (
        "a, averaged over the other modules, is better on some metrics and worse on others:"
        " F +2.00 points and G −1.00 points"
    )


def test_a_disagreement_beyond_the_noise_on_both_sides_is_a_warning() -> None:
    # each cell's SD is 0.1 with 8 df in all: t(8) 2.306 x 0.1 x sqrt(2/3) = 0.19
    rows = square(*([v - 0.1, v, v + 0.1] for v in (60, 62, 60, 62)))
    for by, code in ((1.0, "W201"), (0.1, "N201")):
        other = [58, 58 - by, 58, 58 - by]
        both = [
            replace(r, scores={**r.scores, "G": [of - 0.1, of, of + 0.1]})
            for r, of in zip(rows[:2], other, strict=False)
        ]
        found = said(evidence(replace(AB, modules=None), *both))
        assert [n for n in found if n.endswith("201:winner")] == [f"{code}:winner"]


def test_a_whole_sweep_ranked_oppositely_beyond_the_noise_is_a_warning() -> None:
    runs = [
        replace(r, scores={m: [v - 0.1, v, v + 0.1] for m, (v,) in r.scores.items()})
        for r in (*GRID, *SWEEPS)
    ]
    # the ends of 000-18 are 2.4 points of Rank-1 and 0.9 of mAP apart; SD 0.1 with 28 df
    found = said(evidence(STUDY, *runs))
    assert [n for n in found if n.endswith("201:lif.beta")] == ["W201:lif.beta"]


def test_a_loss_is_no_witness_against_a_score() -> None:
    study = replace(AB, metrics=(Metric("F", digits=2), Metric("loss", "", "down", "number", 3)))
    rows = [
        replace(r, scores={**r.scores, "loss": [of]})
        for r, of in zip(square([60], [62], [61], [63]), (100, 150, 120, 180), strict=True)
    ]
    assert said(evidence(study, *rows)) == {}


def test_a_gain_within_the_noise_is_said_with_the_least_that_could_be_told() -> None:
    # each cell's SD is 1 with 2 df: t(8 df) 2.306 x 1 x sqrt(2/3) = 1.88
    rows = square([60, 61, 62], [61, 62, 63], [59, 60, 61], [66, 67, 68])
    assert said(evidence(AB, *rows))["W240"].sentence == (
        "1 of 2 gains of F over what they are read against lies within the noise: a by 1.00"
        " points; the least significant difference is 1.88 points (SD of a run 1.00 points, 8 df)"
    )


def test_two_degrees_of_freedom_are_too_few_to_warn() -> None:
    # SD 1.00 each with 1 df; t(2) 4.303 x 1.00 x sqrt(2/2) = 4.30
    two = [60 - 0.5**0.5, 60 + 0.5**0.5]
    rows = square(two, [v + 2 for v in two], [], [])[:2]
    found = said(evidence(AB, *rows))
    assert found["N240"].sentence == (
        "1 of 1 gains of F over what they are read against cannot be told from noise yet: a by"
        " 2.00 points; the least significant difference is 4.30 points (SD of a run 1.00 points,"
        " 2 df: the noise is hardly known)"
    )
    assert found["N240"].severity == "note"
    assert "自由度 2：噪声本身尚不清楚" in found["N240"].chinese
    assert found["N240"].command == "ablate plan ab --power"
    assert "W240" not in found
    third = [60 - 0.5**0.5, 60 + 0.5**0.5, 60]
    known = said(evidence(AB, square(third, [], [], [])[0], rows[1]))
    assert "W240" in known
    assert "N240" not in known


def test_runs_that_are_anothers_to_the_last_digit_count_once_in_the_noise() -> None:
    # baseline and the one below it are the same three runs: 6 degrees of freedom, and not 8
    rows = square([60, 61, 62], [60, 61, 62], [59, 60, 61.5], [61, 62, 63.5])
    assert ", 6 df)" in said(evidence(AB, *rows))["W240"].sentence


def test_a_pairing_by_seed_can_tell_what_pooled_noise_hides() -> None:
    rows = square([60, 65, 70], [61, 66.1, 70.9], [59, 64, 69], [59, 64, 69])
    assert "W240" in said(evidence(AB, *rows))
    paired = replace(AB, claims=Claims(paired=True))
    assert "W240" not in said(evidence(paired, *rows))


def test_where_no_noise_is_known_nothing_lies_within_it() -> None:
    assert "W240" not in said(evidence(AB, *square([60], [60.1], [60], [60])))


def curve(last: float, spread: float) -> list[float]:
    """100 epochs whose last 30 have the sample SD `spread`; the last one is `last`."""
    unit = spread / np.std([-1.0, 1.0] * 15, ddof=1)
    middle = last - unit
    return [middle + unit * (-1) ** (i + 1) for i in range(100)]


def lmsa(gain: float) -> Evidence:
    """Seed 003's last step: curves as facts/models.md 2.3 has them, SD .0166 and .0144."""
    study = replace(AB, factors=(switch("lmsa"), real("lr", 8e-4)), modules=None)
    rows = (
        Row("before", {}, {"F": [67.53]}, curve=curve(67.53, 1.44)),
        Row("lmsa", {"lmsa": True}, {"F": [67.53 + gain]}, curve=curve(67.53 + gain, 1.66)),
    )
    return evidence(study, *rows)


def test_a_gain_that_is_smaller_than_either_curve_spreads() -> None:
    assert said(lmsa(0.66))["W241"].sentence == (
        "lmsa gains 0.66 points of F over before, less than either curve varies at its end: SD"
        " 1.66 points over its last 30 scores, 1.44 points over the last 30 of before"
    )


@pytest.mark.parametrize("gain", [1.5, -0.66])
def test_a_gain_beyond_a_curve_or_none_is_passed_over(gain: float) -> None:
    assert "W241" not in said(lmsa(gain))


@pytest.mark.parametrize("seed", range(20))
def test_clean_studies_are_passed_over(seed: int) -> None:
    assert {n for n in said(clean(seed)) if not n.startswith("N201")} == set()


def test_the_same_scores_in_another_order_are_no_gain() -> None:
    # as floats, .1 + .2 + .3 is more than .3 + .2 + .1
    rows = square([30, 20, 10], [10, 20, 30], [10, 9, 11], [10, 9, 11])
    assert "W240" not in said(evidence(AB, *rows))
