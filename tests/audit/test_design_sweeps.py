"""Sweeps: around what they were made, where their best lies, and who was tried how often.

The numbers are those that seed 000 prints.
"""

from dataclasses import replace

import pytest

from ablate.audit.check import ask
from ablate.audit.design.ranges import N112, N210, W210
from ablate.audit.design.tries import W110, W111
from ablate.audit.evidence import Evidence
from ablate.metric import Metric
from ablate.record import Finding
from ablate.study import Level
from tests.audit.seed000 import FULL, GRID, STUDY, SWEEPS, step
from tests.audit.tabled import Row, evidence

CHECKS = (W110, W111, W210, N210, N112)


def said(found: Evidence) -> dict[str, Finding]:
    return {f.name: f for f in ask(CHECKS, found)}


@pytest.fixture(scope="module")
def seed000() -> dict[str, Finding]:
    return said(evidence(STUDY, *GRID, *SWEEPS))


def test_what_was_tuned_around_full_was_never_moved_in_the_winner(
    seed000: dict[str, Finding],
) -> None:
    assert seed000["W110:full"].sentence == (
        "sdtps.loss_weight and sdtps.sparse_ratio were moved around full only; sdtps, the best"
        " without a sweep (Rank-1 80.1, full 78.8), was run at one level of each (lif.beta means"
        " nothing there)"
    )
    assert "sdtps.loss_weight-1" in seed000["W110:full"].remedy
    assert "lif.beta" not in seed000["W110:full"].remedy
    assert seed000["W110:full"].command == (
        "train sdtps with each of sdtps.loss_weight=1, sdtps.loss_weight=3, sdtps.sparse_ratio=0.5"
        " and sdtps.sparse_ratio=0.8 with the original program, then import them beside"
        " logs (--study seed000)"
    )


def test_a_factor_that_was_moved_around_several_is_not_said_to_be_of_one_only() -> None:
    beside = Row("lif b", {"lif": True, "lif.beta": 0.2}, {"rank1": [77.0], "mAP": [72.0]})
    also = replace(beside, role="sweep", parent="lif")
    loss = Row("sdtps l", {"sdtps": True, "sdtps.loss_weight": 1.0}, {"rank1": [80.0]})
    ratio = replace(
        SWEEPS[4], name="ss", set={"sacr": True, "sdtps": True, "sdtps.sparse_ratio": 0.5}
    )
    around = replace(ratio, parent="sacr+sdtps")
    found = said(evidence(replace(STUDY, text="a file"), *GRID, *SWEEPS, also, around))
    assert found["W110:full"].sentence.startswith(
        "sdtps.loss_weight and sdtps.sparse_ratio were moved around full; sdtps, the best"
    )
    assert found["W110:sacr+sdtps"].sentence.startswith(
        "sdtps.sparse_ratio was moved around sacr+sdtps; sdtps, the best"
    )
    files = {found[f"W110:{name}"].command.split()[-1] for name in ("full", "sacr+sdtps")}
    assert len(files) == 2
    # an arm that is the winner at another level is a step of it, whatever it is called
    assert (
        "sdtps.loss_weight" not in said(evidence(STUDY, *GRID, *SWEEPS, loss))["W110:full"].sentence
    )


def test_the_best_of_many_tries_against_a_single_one() -> None:
    # facts/seed-audit.md 000-06: by mAP the best of all is a setting of full
    by_map = said(evidence(replace(STUDY, primary="mAP"), *GRID, *SWEEPS))
    assert by_map["W111"].sentence == (
        "full sdtps.loss_weight=1 (mAP 76.6) leads sdtps (mAP 76.0), but full was tried"
        " with 7 settings and sdtps with one setting; untuned, full has 74.7"
    )
    assert by_map["W111"].command == (
        "ablate compare 'full sdtps.loss_weight=1' sdtps --study seed000"
    )


def test_who_leads_with_fewer_tries_leads_all_the_same(seed000: dict[str, Finding]) -> None:
    # 000-22: by Rank-1 the best of 9 does not reach the one run of sdtps
    assert "W111" not in seed000
    loss: dict[str, Level] = {"sdtps": True, "sdtps.loss_weight": 1.0}
    tuned = Row("s1", loss, {"rank1": [80.5], "mAP": [76.0]}, "sweep", "sdtps")
    grid = [replace(r, scores={"rank1": [79.5]}) if r.name == "sdtps" else r for r in GRID]
    assert "W111" not in said(evidence(STUDY, *grid, *SWEEPS, tuned))


def test_the_best_values_at_their_edges(seed000: dict[str, Finding]) -> None:
    assert {n for n in seed000 if n.startswith("W210")} == {
        "W210:lif.beta",
        "W210:sdtps.loss_weight",
        "W210:sdtps.sparse_ratio",
    }
    assert seed000["W210:sdtps.loss_weight"].sentence == (
        "the best sdtps.loss_weight around full is the smallest that was run, 1"
        " (Rank-1 at 1: 80.0, 2: 78.8, 3: 74.3)"
    )


def test_the_best_levels_were_never_run_together(seed000: dict[str, Finding]) -> None:
    assert seed000["N112:full together"].sentence == (
        "the best levels of 3 sweeps around full by Rank-1, lif.beta=0.2, sdtps.loss_weight=1 and"
        " sdtps.sparse_ratio=0.8, were never run together"
    )
    best = {"lif.beta": 0.2, "sdtps.loss_weight": 1.0, "sdtps.sparse_ratio": 0.8}
    together = Row("together", {**FULL, **best}, {"rank1": [81.1], "mAP": [79.0]}, parent="full")
    assert "N112:full together" not in said(evidence(STUDY, *GRID, *SWEEPS, together))


def test_best_levels_are_other_than_their_centres_where_that_has_a_result() -> None:
    without = [replace(r, scores={}) if r.name == "full" else r for r in GRID]
    assert not [n for n in said(evidence(STUDY, *without, *SWEEPS)) if n.startswith("N112:full ")]


def test_a_sweep_around_the_winner_with_its_best_inside_is_passed_over() -> None:
    grid = [r for r in GRID if r.name != "sdtps"]
    inside = step("lif.beta", 0.2, 78.1, 74.0), step("lif.beta", 0.6, 78.0, 74.0)
    assert said(evidence(STUDY, *grid, *inside)) == {}


def test_tuning_that_decides_nothing_is_no_reproach() -> None:
    far = [
        replace(r, scores={"rank1": [90.0], "mAP": [90.0]}) if r.name == "sdtps" else r
        for r in GRID
    ]
    assert "W111" not in said(evidence(STUDY, *far, *SWEEPS))


def test_two_levels_have_no_edge_and_a_level_without_a_result_leaves_it_open() -> None:
    assert not [n for n in said(evidence(STUDY, *GRID, SWEEPS[0])) if "210:" in n]
    waiting = replace(SWEEPS[1], scores={})
    assert not [n for n in said(evidence(STUDY, *GRID, SWEEPS[0], waiting)) if "210:" in n]


def test_levels_that_tie_as_printed_have_no_best() -> None:
    tie = step("lif.beta", 0.2, 78.8, 74.7), step("lif.beta", 0.6, 78.8, 74.7)
    assert not [n for n in said(evidence(STUDY, *GRID, *tie)) if "210:" in n]


def test_a_lead_within_the_noise_is_told_so() -> None:
    runs = {"baseline": [75.0, 79.0, 77.0]}
    rows = [
        replace(r, scores={"rank1": runs.get(r.name, r.scores["rank1"])}) for r in (*GRID, *SWEEPS)
    ]
    # SD 2.0 with 2 df: two single runs differ by chance by 4.303 x 2.0 x 1.414 = 12.2 points
    found = said(evidence(STUDY, *rows))
    assert found["N210:lif.beta"].sentence.endswith("its lead over 0.4 is within the noise")
    assert found["N210:lif.beta"].severity == "note"
    far = [replace(r, scores={"rank1": [95.0]}) if r.name == SWEEPS[0].name else r for r in rows]
    # 95.0 - 78.8 = 16.2 points
    beyond = said(evidence(STUDY, *far))
    assert "within" not in beyond["W210:lif.beta"].sentence
    assert "N210:lif.beta" not in beyond


def test_of_a_metric_that_is_better_low_the_smallest_value_wins() -> None:
    down = replace(STUDY, metrics=(Metric("rank1", "Error", direction="down"),))
    found = said(evidence(down, *GRID, *SWEEPS))
    # the lowest of 79.3, 78.8 and 76.9 stands at beta 0.6
    assert "the largest that was run, 0.6" in found["W210:lif.beta"].sentence
