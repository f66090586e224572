"""Fronts and gains beside noise and scale: single runs, costs saved, thousands, one machine."""

from dataclasses import replace

import pytest

from ablate.record import Attempt, Cost, State
from ablate.report.markdown import render
from ablate.report.pareto import pareto_document
from ablate.report.pareto_page import pareto_page
from tests.report.test_pareto import STUDY, by_variant, cube, of, runs


def test_two_single_runs_are_not_told_apart_by_the_noise_of_others() -> None:
    records = [*runs("baseline", [0.9]), *runs("a", [0.2]), *runs("full", [0.95, 0.96, 0.97])]
    points = by_variant(of(pareto_document(STUDY, records), "fronts", "params"), "points")
    assert points["a"]["dominated_by"] == "baseline"
    assert points["a"]["difference"]["low"] is not None
    assert (points["a"]["p_holm"], points["a"]["clear"]) == (None, None)


def test_the_interval_of_a_gain_for_a_cost_saved_has_its_lower_end_first() -> None:
    document = cube(none_=([0.50, 0.51], 100), a=([0.40, 0.42], 90))
    (row,) = of(document, "gains", "params")["rows"]
    told = row["gains"]["rank1"]
    assert told["low"] < told["per_unit"] < told["high"]
    assert told["per_unit"] == pytest.approx(-0.095 / -10 * 1e6)


def test_gains_are_printed_per_unit_of_the_column_that_shows_the_cost() -> None:
    # 3 points for 2,000 parameters more: 1.50 per thousand.
    document = cube(none_=([0.50], 120_500), a=([0.53], 122_500), b=([0.5], 150_250))
    text = render(pareto_page(document))
    assert "points of Rank-1 per thousand parameters more" in text
    assert "| a | +3.0 | +2.00 | +1.50 |" in text


def test_times_of_one_kind_of_machine_need_no_warning() -> None:
    attempt = Attempt("k", 1, State.COMPLETED, "me", "k/1", provenance={"gpu": "A"})
    spent = Cost("seconds", 5.0, "s", "wall clock")
    records = [
        *runs("baseline", [0.5], spent, attempt=attempt),
        *runs("a", [0.6], replace(spent, value=4.0), attempt=attempt),
    ]
    document = pareto_document(STUDY, records)
    assert of(document, "fronts", "seconds")["hardware"] == []
    assert "Not of one kind of machine" not in render(pareto_page(document))
