"""Fronts and gains beside noise and scale: single runs, costs saved, thousands, one machine."""

from dataclasses import replace

import pytest

from ablate.record import Attempt, Cost, State
from ablate.report.markdown import render
from ablate.report.pareto import pareto_document
from ablate.report.pareto_page import pareto_page
from tests.report.test_pareto import NOISY, STUDY, by_variant, cube, grid, of, runs


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


def timed(*seconds: tuple[float, ...]) -> str:
    """The page of the variants of the grid, whose runs took so long."""
    records = [
        record
        for (name, score), of in zip(
            (("baseline", 0.5), ("a", 0.6), ("b", 0.7)), seconds, strict=True
        )
        for i, value in enumerate(of)
        for record in runs(name, [score + i / 100], Cost("seconds", value, "s", "wall clock"))
    ]
    seeded = [replace(r, seed=i % 3, key=f"{r.variant} {i}") for i, r in enumerate(records)]
    return render(pareto_page(pareto_document(STUDY, seeded)))


def test_a_cost_whose_runs_vary_more_than_configurations_do_has_no_front() -> None:
    noise = timed((5.0, 6.0, 7.0), (5.1, 6.2, 7.0), (5.2, 6.1, 7.3))
    assert "Left out: its front would rank noise. Runs of one configuration vary with SD 1" in noise
    assert "#1" not in noise
    told = timed((5.0, 5.1, 5.2), (6.0, 6.1, 6.2), (7.0, 7.1, 7.2))
    assert "rank noise" not in told
    assert "#1 baseline" in told


def test_measured_costs_that_hardly_differ_are_said_to() -> None:
    text = timed((99.9, 99.9, 99.9), (100.0, 100.0, 100.0), (99.9, 99.9, 99.9))
    assert "All costs lie within 0.1 % of each other." in text
    assert "of each other" not in timed((50.0,) * 3, (100.0,) * 3, (99.0,) * 3)


def test_there_are_no_multiples_of_a_gain_that_may_be_nothing() -> None:
    # a: +1 point, its interval holds 0; b: +20 points.
    sure, unsure = [0.69, 0.70, 0.71], [0.48, 0.51, 0.54]
    document = cube(none_=([0.49, 0.50, 0.51], 100), a=(unsure, 110), b=(sure, 110))
    alone = of(document, "gains", "params")["alone"]
    assert [(e["module"], e["times"]) for e in alone] == [("b", None), ("a", None)]
    text = render(pareto_page(document))
    assert "No multiples: a may gain nothing, or loses." in text
    clear = cube(none_=([0.49, 0.50, 0.51], 100), a=([0.59, 0.6, 0.61], 110), b=(sure, 110))
    assert of(clear, "gains", "params")["alone"][0]["times"] == pytest.approx(2)
    assert "points of Rank-1 per parameter more" in text


def test_how_many_are_clearly_beaten_and_the_least_p_are_said() -> None:
    text = render(pareto_page(pareto_document(STUDY, grid(NOISY))))
    assert "Clearly beaten: 1 of 2; the smallest p after Holm over these 2 is &lt;0.001." in text
    assert "by the two configurations' own variances (Welch)" in text
    assert "| 95 % interval |" in text
