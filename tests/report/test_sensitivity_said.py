"""What the page of sweeps says beside its numbers: scales, noise, next steps."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ablate.ingest import read
from ablate.record import Record
from ablate.report.markdown import render
from ablate.report.sensitivity import sensitivity_document
from ablate.report.sensitivity_page import sensitivity_page
from ablate.store import open_store
from ablate.study import Claims, Study
from tests.report.test_sensitivity import HIGH, LOW, OWN, STUDY, runs, sweep, swept

NEXT = "Seeds for an effect: ablate plan s --power."


def page(records: Sequence[Record], study: Study = STUDY) -> str:
    return render(sensitivity_page(sensitivity_document(study, records)))


def test_an_effect_linear_in_the_logarithm_does_not_bend(tmp_path: Path) -> None:
    # +2 points per tenfold at half decades; on the raw scale the parabola has p 0.04.
    rates = {0.0003: (71.99, 71.79, 72.06), 0.001: (73.39, 73.28, 72.79), 0.003: (73.9, 73.5, 73.9)}
    table = tmp_path / "half.csv"
    rows = [f"true,{lr},{i},{v}" for lr, of in rates.items() for i, v in enumerate(of)]
    table.write_text("\n".join(["m0,lr,seed,mAP", "false,0.001,0,70.04", *rows]) + "\n")
    found = read(table)
    with open_store(tmp_path / "results.db", create=True) as store:
        store.put_results(found.study, found.results, source="test")
        document = sensitivity_document(store.study("half"), store.records("half"))
    trend = sweep(document, "lr")["trends"]["mAP"]
    assert trend["scale"] == "log10"
    assert trend["linear"]["estimate"] == pytest.approx(0.018, abs=0.002)
    assert trend["quadratic"]["verdict"] == "undecided"
    text = render(sensitivity_page(document))
    assert "Trends over lr (logarithmic scale), in points" in text
    assert "Per tenfold: lr is taken by its decimal logarithm" in text
    slope = 100 * sweep(document, "lr")["smallest"]["mAP"]["linear"]
    assert f", slope {slope:.3f} per tenfold." in text


def test_a_linear_scale_is_named_as_well() -> None:
    text = page(swept(LOW, OWN, HIGH))
    assert "Trends over rate (linear scale)" in text
    assert "Per 1: rate is taken as it is; its levels are not spaced by ratios." in text
    bare = page(swept(LOW[:1], OWN[:1], HIGH[:1]))
    assert "The best level and trends over rate (linear scale)" in bare


def test_the_smallest_difference_is_of_each_level_and_a_slope_has_a_unit() -> None:
    # Two levels noisier than the third: what is seen differs by level.
    records = swept([0.60, 0.63, 0.66], OWN, [0.71, 0.72, 0.73])
    seen = sweep(sensitivity_document(STUDY, records), "rate")
    judged = [row["differences"]["rank1"]["smallest"] for row in seen["levels"][::2]]
    assert seen["smallest"]["rank1"]["difference"] == max(judged)
    assert seen["smallest"]["rank1"]["difference_least"] == min(judged)
    low, high = (f"{100 * v:.1f}" for v in sorted(judged))
    assert low != high
    text = page(records)
    assert f"Rank-1 {low} to {high}, by level, slope " in text
    assert " per 1; Loss" in text
    alike = page(swept(LOW, OWN, [0.71, 0.72, 0.73]))
    assert ", by level" not in alike.split("Smallest difference")[1].split(";")[0]


def test_the_least_significant_difference_says_whose_variance_it_is() -> None:
    text = page(swept(LOW, OWN, HIGH))
    assert "The LSD is by one variance, pooled over 3 configurations (df 6); intervals" in text
    assert "each cell's own where every used cell has three runs" in text
    two = page(swept(LOW[:2], OWN[:2], HIGH[:2]))
    assert "(df 3); verdicts are after Holm. So they may differ." in two
    paired = page(swept(LOW, OWN, HIGH), replace(STUDY, claims=Claims(paired=True)))
    assert "The LSD, and what is said to be within noise, are not paired." in paired


def test_a_difference_that_holm_takes_back_has_both_its_p_values() -> None:
    # At 4, +2.5 points of SD 1: below 0.05 by itself, not after Holm over three.
    records = [
        *swept([0.7005, 0.7095, 0.7185], OWN, [0.7105, 0.7205, 0.7305]),
        *runs("full rate=4", [0.725, 0.735, 0.745], rate=4.0),
    ]
    document = sensitivity_document(STUDY, records)
    told = sweep(document, "rate")["levels"][3]["differences"]["rank1"]
    assert told["low"] > 0
    assert told["verdict"] == "undecided"
    assert f"Rank-1 at 4 (p {told['p']:.3f} by itself, {told['p_holm']:.3f} after Holm)" in page(
        records
    )


def test_undecided_differences_point_to_the_planner_once() -> None:
    near = swept([0.70, 0.71, 0.73], OWN, [0.69, 0.71, 0.72])
    beside = [
        *runs("full lr=0.002", OWN[::-1], lr=2e-3),
        *runs("full lr=0.003", [0.70, 0.72, 0.71], lr=3e-3),
    ]
    text = page([*near, *beside])
    assert text.count(NEXT) == 1
    assert "though the interval excludes 0" not in text
    assert NEXT not in page(swept(LOW, OWN, HIGH))
    assert NEXT not in page(swept(LOW[:1], OWN[:1], HIGH[:1]))


def test_a_level_of_intervals_is_apart_from_its_sign() -> None:
    text = page(swept(LOW, OWN, HIGH))
    assert "95 % interval" in text
    assert "5 % of studies" in text
    assert "5%" not in text
