"""The best level of a sweep: which it is, what its lead is worth, which metrics disagree."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len

from ablate.cli.console import print_page
from ablate.errors import UsageError
from ablate.record import Record
from ablate.report.sensitivity import sensitivity_document
from ablate.report.sensitivity_page import sensitivity_page
from tests.report.test_sensitivity import HIGH, LOW, OWN, STUDY, runs, sweep, swept


def best(records: Sequence[Record], metric: str = "rank1") -> dict[str, Any]:
    found: dict[str, Any] = sweep(sensitivity_document(STUDY, records), "rate")["best"][metric]
    return found


def test_a_level_that_lost_a_run_is_not_the_best_whatever_the_others_score() -> None:
    found = best(swept(LOW, OWN, [0.9, 0.91, float("nan")]))
    assert (found["levels"], found["of"], found["default"]) == ([2.0], 2, True)


def test_of_a_metric_whose_lower_values_are_better_the_lowest_is_the_best() -> None:
    found = best(swept(LOW, OWN, HIGH), "loss_value")
    assert (found["levels"], found["edge"]) == ([3.0], "largest")
    assert found["lead"] == pytest.approx(-0.11)
    assert found["span"] == pytest.approx(0.21)


def test_a_proven_lead_is_not_within_noise_though_another_level_is_noisy() -> None:
    found = best(swept([0.710, 0.711, 0.712], [0.700, 0.701, 0.702], [0.2, 0.5, 0.8]))
    assert found["lead"] == pytest.approx(0.01)
    assert found["lead_least"] > 0.3
    assert found["within_noise"] is False


def test_optimism_is_by_the_mean_of_the_levels_own_variances() -> None:
    # One, three and one runs; the default alone tells the noise, SD 0.01.
    found = best(swept(LOW[:1], OWN, HIGH[:1]))
    assert found["optimism"] == pytest.approx(
        0.8463 * 0.01 * ((1 + 1 / 3 + 1) / 3) ** 0.5, rel=1e-4
    )


def test_metrics_that_agree_on_the_best_and_on_little_else_disagree() -> None:
    # Rank-1 rises; the loss is best at 5 too, and of the four others the order is reversed.
    records = []
    for level, (score, loss) in enumerate(
        [(0.1, 0.5), (0.2, 0.6), (0.3, 0.7), (0.4, 0.8), (0.9, 0.1)], 1
    ):
        name, role = ("full", "grid") if level == 2 else (f"full rate={level}", "sweep")
        for record in runs(name, [score], role, rate=float(level)):
            scores = dict(record.scores)
            scores["loss_value"] = replace(scores["loss_value"], value=loss)
            records.append(replace(record, scores=scores))
    (found,) = sweep(sensitivity_document(STUDY, records), "rate")["disagreements"]
    assert (found["best"], found["others_best"]) == ([5.0], [5.0])
    assert (found["opposed"], found["pairs"]) == (6, 10)


def test_a_factor_of_a_long_title_leaves_room_for_the_intervals_of_its_levels(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    named = [replace(f, title="学习率的名字写得很长很长很长") for f in STUDY.factors]
    document = sensitivity_document(replace(STUDY, factors=tuple(named)), swept(LOW, OWN, HIGH))
    monkeypatch.setenv("COLUMNS", "80")
    print_page(sensitivity_page(document))
    assert max(map(cell_len, capsys.readouterr().out.splitlines())) <= 80


def test_arms_that_move_two_factors_at_once_are_no_sweep_of_either() -> None:
    records = [
        *runs("baseline", OWN, "grid"),
        *runs("slow", LOW, "arm", rate=1.0, lr=2e-3),
        *runs("fast", HIGH, "arm", rate=3.0, lr=3e-3),
    ]
    with pytest.raises(UsageError, match="has no sweep"):
        sensitivity_document(STUDY, records)
