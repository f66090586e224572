"""The report of sweeps: seed 000's tables, replicated levels, edges, ties, axes, widths."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ablate.cli.console import json_text, print_page
from ablate.errors import UsageError
from ablate.ingest import read
from ablate.metric import Metric
from ablate.record import Record, State
from ablate.report.markdown import render
from ablate.report.sensitivity import sensitivity_document
from ablate.report.sensitivity_page import sensitivity_page
from ablate.selection import Score
from ablate.store import open_store
from ablate.study import Claims, Level, Modules, Study, Sweep, choice, real, switch

APPENDIX = Path(__file__).parents[2] / "studies" / "seeds" / "000-rgbnt201.csv"
LEVELS = (1.0, 2.0, 3.0)
STUDY = Study(
    name="s",
    title="A",
    system="toy",
    revision="1",
    factors=(switch("a"), real("rate", 2.0), real("lr", 1e-3), choice("loss", "ce", "dice", "bce")),
    metrics=(Metric("rank1", "Rank-1"), Metric("loss_value", "Loss", "down", "number", 3)),
    primary="rank1",
    modules=Modules(("a",)),
    sweeps=(Sweep("full", "rate", LEVELS),),
)
USUAL: Mapping[str, Level] = {f.name: f.reference for f in STUDY.factors}


def runs(
    variant: str, values: Sequence[float], role: str = "sweep", **levels: Level
) -> list[Record]:
    """One record per value; the loss is 1 minus it."""
    own = dict(USUAL) | {"a": variant.startswith("full")} | levels
    changed = {n: v for n, v in own.items() if v != USUAL[n]}
    parent = None if variant == "baseline" else "full" if role == "sweep" else "baseline"
    return [
        Record(
            "s", variant, role, parent, 0, own, changed, seed, f"{variant} {seed}",
            State.COMPLETED,
            {
                "rank1": Score("rank1", value, 1, "test", "last"),
                "loss_value": Score("loss_value", 1 - value, 1, "test", "last"),
            },
            source="run",
        )
        for seed, value in enumerate(values)
    ]  # fmt: skip


def swept(low: Sequence[float], own: Sequence[float], high: Sequence[float]) -> list[Record]:
    return [
        *runs("baseline", [0.4], "grid"),
        *runs("full", own, "grid"),
        *runs("full rate=1", low, rate=1.0),
        *runs("full rate=3", high, rate=3.0),
    ]


LOW, OWN, HIGH = [0.60, 0.61, 0.62], [0.70, 0.71, 0.72], [0.80, 0.82, 0.84]


@pytest.fixture(scope="module")
def seed000(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found = read(APPENDIX, study="seed000")
    with open_store(tmp_path_factory.mktemp("store") / "results.db", create=True) as store:
        store.put_results(found.study, found.results, source="import seed000.csv")
        return sensitivity_document(store.study("seed000"), store.records("seed000"))


def sweep(document: Mapping[str, Any], factor: str) -> dict[str, Any]:
    return next(s for s in document["sweeps"] if s["factor"] == factor)


def effects(document: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 - JSON
    """Every contrast in a document, wherever it stands."""
    if isinstance(document, list):
        return [e for item in document for e in effects(item)]
    if not isinstance(document, dict):
        return []
    own = [document] if "estimate" in document and "method" in document else []
    return own + [e for item in document.values() for e in effects(item)]


@pytest.mark.parametrize(
    ("factor", "levels", "means"),
    [
        ("lif.beta", [0.2, 0.4, 0.6], [79.3, 78.8, 76.9]),
        ("lif.loss_weight", [0.1, 0.2, 0.3], [73.6, 78.8, 78.0]),
        ("sdtps.loss_weight", [1, 2, 3], [80.0, 78.8, 74.3]),
        ("sdtps.sparse_ratio", [0.5, 0.7, 0.8], [76.4, 78.8, 79.4]),
    ],
)
def test_seed_000s_trends_are_those_of_polynomial_fits(
    seed000: dict[str, Any], factor: str, levels: list[float], means: list[float]
) -> None:
    found = sweep(seed000, factor)
    trend = found["trends"]["rank1"]
    assert [row["level"] for row in found["levels"]] == levels
    assert trend["linear"]["estimate"] * 100 == pytest.approx(np.polyfit(levels, means, 1)[0])
    assert trend["quadratic"]["estimate"] * 100 == pytest.approx(np.polyfit(levels, means, 2)[0])


def test_seed_000s_single_runs_give_no_interval_and_no_verdict(seed000: dict[str, Any]) -> None:
    found = effects(seed000)
    assert len(found) > 50
    assert all(e["low"] is None and e.get("verdict") is None for e in found)
    text = render(sensitivity_page(seed000))
    assert "One run per level: run-to-run variation is unknown" in text
    assert "undecided" not in text


@pytest.mark.parametrize(
    ("factor", "metric", "level", "edge"),
    [
        ("lif.beta", "rank1", 0.2, "smallest"),
        ("lif.beta", "mAP", 0.6, "largest"),
        ("lif.loss_weight", "rank1", 0.2, None),
        ("sdtps.loss_weight", "rank1", 1.0, "smallest"),
        ("sdtps.sparse_ratio", "mAP", 0.8, "largest"),
    ],
)
def test_seed_000s_best_levels_and_whether_they_end_their_range(
    seed000: dict[str, Any], factor: str, metric: str, level: float, edge: str | None
) -> None:
    found = sweep(seed000, factor)
    best = found["best"][metric]
    assert (best["levels"], best["edge"]) == ([level], edge)
    assert best["default"] == (level == found["default"])


def test_seed_000s_lif_beta_orders_rank_1_and_map_in_opposite_ways(
    seed000: dict[str, Any],
) -> None:
    found = sweep(seed000, "lif.beta")["disagreements"]
    against = next(d for d in found if d["metric"] == "mAP")
    assert (against["best"], against["others_best"]) == ([0.2], [0.6])
    assert (against["opposed"], against["pairs"]) == (3, 3)
    assert "mAP at 0.6 (3 of 3 pairs of levels in reverse order)" in render(
        sensitivity_page(seed000)
    )
    assert sweep(seed000, "lif.loss_weight")["disagreements"] == []


def test_replicated_levels_give_the_slope_with_hand_arithmetics_error_and_a_direction() -> None:
    found = sweep(sensitivity_document(STUDY, swept(LOW, OWN, HIGH)), "rate")
    slope = found["trends"]["rank1"]["linear"]
    # (0.82 - 0.61) / 2; variances 1e-4 and 4e-4 of three runs: se^2 = (1e-4 + 4e-4) / 3 / 4.
    assert slope["estimate"] == pytest.approx(0.105)
    assert slope["se"] == pytest.approx((5e-4 / 12) ** 0.5)
    assert slope["verdict"] == "positive"
    loss = found["trends"]["loss_value"]["linear"]
    assert (loss["estimate"], loss["verdict"]) == (pytest.approx(-0.105), "positive")
    text = render(sensitivity_page(sensitivity_document(STUDY, swept(LOW, OWN, HIGH))))
    assert "| Rank-1 | linear, per 1 | +10.5 | [" in text
    assert "| rises |" in text
    assert "| falls |" in text
    assert "Of ↓ metrics lower is better, and positive means better" in text


def test_a_sweeps_differences_are_one_family() -> None:
    rows = sweep(sensitivity_document(STUDY, swept(LOW, OWN, HIGH)), "rate")["levels"]
    told = [r["differences"]["rank1"] for r in rows if r["differences"]["rank1"]]
    p = sorted(d["p"] for d in told)
    assert sorted(d["p_holm"] for d in told) == pytest.approx(
        [2 * p[0], max(2 * p[0], p[1])], rel=1e-9
    )
    assert [d["verdict"] for d in told] == ["negative", "positive"]


def test_a_winner_by_less_than_the_least_significant_difference_is_within_noise() -> None:
    document = sensitivity_document(STUDY, swept([0.70, 0.71, 0.73], OWN, LOW))
    best = sweep(document, "rate")["best"]["rank1"]
    # Pooled variance (7/3 + 1 + 1) / 3 e-4, df 6: t 2.4469, LSD t s sqrt(2/3).
    sd = ((7 / 3 + 2) / 3 * 1e-4) ** 0.5
    assert document["noise"]["rank1"]["sd"] == pytest.approx(sd)
    assert best["lead_least"] == pytest.approx(2.4469 * sd * (2 / 3) ** 0.5, rel=1e-4)
    assert best["within_noise"] is True
    assert best["optimism"] == pytest.approx(0.8463 * sd / 3**0.5, rel=1e-4)
    assert "Ahead of the default within noise: Rank-1 at 1 by 0.3" in render(
        sensitivity_page(document)
    )
    clear = sensitivity_document(STUDY, swept(LOW, OWN, HIGH))
    assert sweep(clear, "rate")["best"]["rank1"]["within_noise"] is False


def test_single_levels_take_the_variance_of_the_replicated_default() -> None:
    document = sensitivity_document(STUDY, swept(LOW[:1], OWN, HIGH[:1]))
    rows = sweep(document, "rate")
    low = rows["levels"][0]["differences"]["rank1"]
    assert (low["method"], low["df"]) == ("pooled", 2)
    assert low["verdict"] is not None
    # The slope uses the two single runs alone: an interval, and nothing claimed.
    slope = rows["trends"]["rank1"]["linear"]
    assert slope["low"] is not None
    assert slope["verdict"] is None


def test_a_level_that_diverged_is_not_the_best_and_is_left_out_of_the_trend() -> None:
    nan = float("nan")
    document = sensitivity_document(STUDY, swept(LOW, OWN, [nan, nan, nan]))
    found = sweep(document, "rate")
    assert found["best"]["rank1"]["levels"] == [2.0]
    assert found["trends"]["rank1"]["linear"] is None
    text = render(sensitivity_page(document))
    assert "Without a finite run: 3 (Rank-1, Loss)" in text
    assert json_text(document)


def test_levels_spaced_by_ratios_have_their_slope_per_tenfold() -> None:
    study = STUDY
    records = [
        *runs("baseline", [0.4], "grid"),
        *runs("full", OWN, "grid"),
        *runs("full lr=0.0001", LOW, lr=1e-4),
        *runs("full lr=0.01", HIGH, lr=1e-2),
    ]
    found = sweep(sensitivity_document(study, records), "lr")
    assert found["scale"] == "log10"
    assert found["trends"]["rank1"]["linear"]["estimate"] == pytest.approx(0.105)
    text = render(sensitivity_page(sensitivity_document(study, records)))
    assert "linear, per tenfold" in text
    assert "decimal logarithm" in text
    assert "Trends over lr (logarithmic scale); differences of percent scores in points" in text


def test_a_choice_has_differences_and_no_trend() -> None:
    records = [
        *runs("full", OWN, "grid"),
        *runs("full loss=dice", HIGH, loss="dice"),
        *runs("full loss=bce", LOW, loss="bce"),
    ]
    document = sensitivity_document(STUDY, records)
    found = sweep(document, "loss")
    assert found["scale"] is None
    assert found["trends"]["rank1"]["linear"] is None
    assert found["best"]["rank1"]["levels"] == ["dice"]
    assert found["best"]["rank1"]["edge"] is None
    assert "Its levels are no numbers: there is no trend." in render(sensitivity_page(document))


def test_slopes_are_never_negligible_as_the_margin_is_one_of_differences() -> None:
    # Within 0.1 points of each other, the margin 0.5; per 1 of the rate the slope is far below it.
    near = [0.7 + d * 1e-5 for d in (0, 1, 2)]
    found = sweep(sensitivity_document(STUDY, swept(near, near[::-1], near)), "rate")
    assert found["levels"][0]["differences"]["rank1"]["verdict"] == "negligible"
    for kind in ("linear", "quadratic"):
        assert found["trends"]["rank1"][kind]["verdict"] == "undecided"


def test_a_level_tried_without_success_still_belongs_to_the_range() -> None:
    records = [*swept(LOW, OWN, HIGH), *runs("full rate=4", [float("nan"), 0.1], rate=4.0)]
    best = sweep(sensitivity_document(STUDY, records), "rate")["best"]["rank1"]
    assert (best["levels"], best["edge"]) == ([3.0], None)
    text = render(sensitivity_page(sensitivity_document(STUDY, records)))
    assert "| 4 | 1 of 2 | 10.0 |" in text
    assert "Left out, not finite: full rate=4 1 of 2 runs (Rank-1)" in text


def test_two_configurations_at_one_level_are_told_apart_and_make_no_trend() -> None:
    records = [*swept(LOW, OWN, HIGH)[:-3], *runs("full again", HIGH, rate=1.0)]
    document = sensitivity_document(STUDY, records)
    found = sweep(document, "rate")
    assert found["trends"]["rank1"]["linear"] is found["trends"]["rank1"]["quadratic"] is None
    assert found["best"]["rank1"]["edge"] is None
    text = render(sensitivity_page(document))
    assert "| 1 (full again) |" in text
    assert "Two levels: their difference is all there is" in text


def test_a_slope_of_rounding_alone_is_zero_and_single_runs_have_one_table() -> None:
    # 0.979167 / 0.4 - 0.979167 / 0.4 in floats is not 0.
    levels = (0.2, 0.4, 0.6)
    records = [*runs("full", [0.983333], "grid", rate=0.4)]
    records += [r for x in (0.2, 0.6) for r in runs(f"full rate={x}", [0.979167], rate=x)]
    study = replace(STUDY, sweeps=(Sweep("full", "rate", levels),))
    document = sensitivity_document(study, records)
    assert sweep(document, "rate")["trends"]["rank1"]["linear"]["estimate"] == 0
    text = render(sensitivity_page(document))
    assert "The best level and trends" in text
    assert "| Linear per 1 | Quadratic per 1² |" in text
    assert "| ±0 | −10.4 |" in text
    assert "Trends over" not in text


def test_slopes_of_large_units_keep_their_digits() -> None:
    records = [*runs("full", OWN, "grid", rate=2e6)]
    for x, values in ((1e6, LOW), (3e6, HIGH)):
        records += runs(f"full rate={x:g}", values, rate=x)
    text = render(sensitivity_page(sensitivity_document(STUDY, records)))
    # 10.5 points over a million.
    assert "| Rank-1 | linear, per 1 | +1.05e−05 | [" in text


def test_levels_that_are_all_alike_have_no_best() -> None:
    document = sensitivity_document(STUDY, swept([0.7] * 3, [0.7] * 3, [0.7] * 3))
    text = render(sensitivity_page(document))
    assert "| Rank-1 | all alike |" in text
    assert "No interval, no verdict: no run differs from another of its level." in text


def axes(missing: bool = False) -> list[Record]:  # noqa: FBT001, FBT002 - one switch
    """The grid's cells at three rates and two learning rates, as an axis makes them."""
    records = []
    for rate in LEVELS:
        for lr in (1e-3, 2e-3):
            if missing and (rate, lr) == (3.0, 2e-3):
                continue
            name = " ".join(
                ["full"]
                + ([f"rate={rate:g}"] if rate != 2.0 else [])
                + ([f"lr={lr:g}"] if lr != 1e-3 else [])
            )
            mean = 0.5 + 0.1 * rate + 20 * lr + 30 * rate * lr
            values = [mean - 0.01, mean, mean + 0.01]
            records += runs(name, values, "grid", rate=rate, lr=lr)
    return records


def test_command_line_axes_are_sweeps_and_two_of_them_a_table_with_its_interaction() -> None:
    document = sensitivity_document(STUDY, axes())
    assert {(s["factor"], s["around"]) for s in document["sweeps"]} == {
        ("rate", "full"),
        ("lr", "full"),
    }
    table = document["tables"][0]
    assert table["rows"]["levels"] == [1.0, 2.0, 3.0]
    assert table["columns"]["levels"] == [1e-3, 2e-3]
    twist = table["interactions"]["rank1"]
    assert twist["estimate"] == pytest.approx(30)
    # Weights (-1/2, 0, 1/2) x (-1000, 1000) over means of three runs of variance 1e-4.
    assert twist["se"] == pytest.approx((4 * 500**2 * 1e-4 / 3) ** 0.5)
    text = render(sensitivity_page(document))
    assert "rate by lr around full" in text


def test_a_table_of_two_factors_names_the_cell_that_it_lacks() -> None:
    document = sensitivity_document(STUDY, axes(missing=True))
    assert document["tables"][0]["interactions"]["rank1"] is None
    assert document["tables"][0]["missing"]["rank1"] == [[3.0, 2e-3]]
    assert "Missing (Rank-1, Loss): rate=3 lr=0.002." in render(sensitivity_page(document))


def test_arms_that_move_one_factor_of_their_parent_are_a_sweep_of_it() -> None:
    records = [
        *runs("baseline", OWN, "grid"),
        *runs("slow", LOW, "arm", rate=1.0),
        *runs("fast", HIGH, "arm", rate=3.0),
        *runs("other", HIGH, "arm", lr=2e-3),
    ]
    document = sensitivity_document(STUDY, records)
    assert [(s["factor"], s["around"]) for s in document["sweeps"]] == [("rate", "baseline")]


def test_a_study_without_a_sweep_is_told_so_in_one_line() -> None:
    with pytest.raises(UsageError, match=r"study s has no sweep: no factor is moved around") as no:
        sensitivity_document(STUDY, runs("baseline", OWN, "grid"))
    assert "\n" not in str(no.value)


def test_paired_studies_form_their_trends_within_each_seed() -> None:
    study = replace(STUDY, claims=Claims(paired=True))
    slope = sweep(sensitivity_document(study, swept(LOW, OWN, HIGH)), "rate")["trends"]["rank1"]
    # Of each seed (0.80 - 0.60) / 2, (0.82 - 0.61) / 2, (0.84 - 0.62) / 2: SD 0.005.
    assert slope["linear"]["method"] == "blocked"
    assert slope["linear"]["se"] == pytest.approx(0.005 / 3**0.5)


@pytest.mark.parametrize(
    "records",
    [
        swept(LOW, OWN, HIGH),
        axes(),
        swept(LOW[:1], OWN, HIGH[:1]),
        swept([0.6, float("nan")], OWN, [0.8, float("inf")]),
        swept([float("nan")], OWN[:1], [float("nan")]),
    ],
)
def test_nothing_printed_is_wider_than_80_cells(
    records: list[Record],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from rich.cells import cell_len

    monkeypatch.setenv("COLUMNS", "80")
    print_page(sensitivity_page(sensitivity_document(STUDY, records)))
    said = capsys.readouterr()
    assert max(map(cell_len, said.out.splitlines())) <= 80
    assert "not shown" not in said.err
