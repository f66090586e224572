"""What makes up a score in a comparison: the parts of NDS, the classes of mAP, words of size."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ablate.record import Item
from ablate.report import comparison_document
from ablate.report.comparison import Evidence
from ablate.report.comparison_items import tier
from ablate.report.comparison_page import comparison_page
from ablate.report.layout import Section
from ablate.study import Claims, Study
from tests.report.comparing import DETECTOR, PAIRED, SCORES, STUDY, cell, detector, record, side

ON, OFF = {"a": True}, {"a": False}


def test_the_detection_score_is_made_again_and_its_difference_split() -> None:
    chosen, evidence = detector()
    (told,) = comparison_document(DETECTOR, chosen, evidence=evidence)["pairs"]
    split = told["score_split"]
    assert round(100 * split["a"]["recomputed"], 2) == 69.08
    assert round(100 * split["b"]["recomputed"], 2) == 68.25
    assert 100 * split["from_map"] == pytest.approx(-0.89)
    assert 100 * split["from_errors"] == pytest.approx(0.06)
    assert sum(split["of_errors"].values()) == pytest.approx(split["from_errors"])
    assert split["from_map"] + split["from_errors"] == pytest.approx(split["difference"])
    assert told["tally"] == {"better": 2, "worse": 5, "same": 0, "unknown": 0}
    assert all(e["verdict"] is None for e in told["metrics"])
    (mean,) = [e for e in told["metrics"] if e["metric"] == "mAP"]
    assert 100 * mean["difference"]["estimate"] == pytest.approx(-1.78)
    assert 100 * mean["relative"] == pytest.approx(-2.707, abs=5e-4)


def test_a_study_without_its_seven_metrics_has_no_split() -> None:
    chosen, _ = detector()
    less = replace(DETECTOR, metrics=DETECTOR.metrics[:-1])
    assert comparison_document(less, chosen)["pairs"][0]["score_split"] is None


def detected(
    a: Mapping[int, tuple[float, ...]], b: Mapping[int, tuple[float, ...]], study: Study = DETECTOR
) -> dict[str, Any]:
    names = [m.name for m in DETECTOR.metrics]
    chosen = [
        cell(
            [
                record(v, {"aqr": v == "aqr"}, s, dict(zip(names, of, strict=True)), study.factors)
                for s, of in rows.items()
            ]
        )
        for v, rows in (("base", a), ("aqr", b))
    ]
    (told,) = comparison_document(study, chosen)["pairs"]
    return dict(told)


def test_an_error_above_one_takes_no_more_than_its_share_of_the_score() -> None:
    b = SCORES["aqr"]
    worse = (0.5 * b[1] + 0.1 * (5 - 1 - sum(b[3:])), b[1], 1.4, *b[3:])
    split = detected({0: SCORES["baseline"]}, {0: worse})["score_split"]
    assert split["of_errors"]["mATE"] == pytest.approx(-0.1 * (1 - 0.3353))
    assert split["b"]["recomputed"] == pytest.approx(worse[0])


def test_a_run_without_a_finite_error_leaves_the_score_unsplit() -> None:
    a = SCORES["baseline"]
    lost = (*a[:2], math.nan, *a[3:])
    assert detected({0: a, 1: lost}, {0: a, 1: a})["score_split"] is None


def test_a_score_that_its_parts_do_not_make_up_is_not_split() -> None:
    a, b = ((100 * of[0], 100 * of[1], *of[2:]) for of in SCORES.values())
    assert detected({0: a}, {0: b})["score_split"] is None


def test_the_split_is_of_the_runs_that_are_compared() -> None:
    a, b = SCORES.values()
    paired = replace(DETECTOR, claims=Claims(paired=True))
    told = detected({0: a, 1: a, 7: b}, {0: b, 1: b, 9: a}, paired)
    (nds,) = (e for e in told["metrics"] if e["metric"] == "NDS")
    assert nds["difference"]["estimate"] == pytest.approx(b[0] - a[0])
    assert told["score_split"]["difference"] == pytest.approx(-0.0083)


def test_a_tier_is_of_the_size_in_display_units_and_of_a_metric() -> None:
    study = replace(STUDY, tiers={"clear": 5.0, "severe": 9.0})
    rank, loss = STUDY.metrics
    # 0.60 - 0.55 is 0.04999999999999993
    assert [tier(study, rank, d) for d in (0.60 - 0.55, 0.0499, -0.09)] == ["clear", "", "severe"]
    assert [tier(study, loss, d) for d in (4.9, 5.0, -9.5)] == ["", "clear", "severe"]
    assert tier(study, None, 50.0) == ""
    assert tier(STUDY, rank, 0.5) == ""


def test_items_are_paired_where_the_study_pairs() -> None:
    chosen = [cell(side("off", OFF, {0: 0.5, 1: 0.9})), cell(side("on", ON, {0: 0.6, 1: 0.9}))]
    items = {
        r.key: [Item("test", "x", "rank1", r.scores["rank1"].value)]
        for c in chosen
        for r in c.completed
    }
    methods = []
    for study in (PAIRED, STUDY):
        (told,) = comparison_document(study, chosen, evidence=Evidence(items=items))["pairs"]
        methods.append(told["items"][0]["rows"][0]["difference"]["method"])
    assert methods == ["blocked", "pooled"]


def scored_items(split: str, name: str, count: int, gap: float) -> tuple[list[Item], list[Item]]:
    names = [f"{i:03d}" for i in range(count)]
    return (
        [Item(split, n, name, 0.5) for n in names],
        [Item(split, n, name, 0.5 + gap) for n in names],
    )


def item_section(*found: tuple[list[Item], list[Item]]) -> Section:
    chosen = [cell(side("off", OFF, {0: 0.5})), cell(side("on", ON, {0: 0.6}))]
    keys = [c.completed[0].key for c in chosen]
    items = {k: [i for of in found for i in of[n]] for n, k in enumerate(keys)}
    page = comparison_page(comparison_document(STUDY, chosen, evidence=Evidence(items=items)))
    (only,) = (s for s in page.sections if s.title.startswith("By item"))
    return only


def test_items_are_better_by_the_direction_of_their_metric() -> None:
    found = item_section(
        scored_items("test", "rank1", 50, 0.1), scored_items("test", "loss", 50, 0.1)
    )
    ends = {row[0].text: [t.text for t in row[-2:]] for row in found.tables[0].rows}
    assert ends == {"rank1 (test)": ["50", "0"], "loss (test)": ["0", "50"]}


def test_with_one_run_a_side_the_page_says_that_it_is_of_these_checkpoints() -> None:
    notes = item_section(scored_items("test", "rank1", 50, 0.1)).notes
    assert notes[0].startswith("50 items in 50 clusters (no identity is known")
    assert "bootstrap over clusters of items" in notes[0]
    assert notes[1].startswith("These checkpoints only: ")
    assert len(notes) == 2


def test_items_whose_mean_is_another_number_than_the_metrics_are_told() -> None:
    agree, other = (item_section(scored_items("test", "rank1", 3, gap)).notes for gap in (0.1, 0.2))
    assert not [n for n in agree if n.startswith("rank1: the items' mean")]
    (told,) = (n for n in other if n.startswith("rank1: the items' mean"))
    assert "differs by +20.0, Rank-1 by +10.0" in told


def test_of_two_splits_the_scored_one_has_the_table_of_classes() -> None:
    found = item_section(
        scored_items("val", "rank1", 3, 0.2), scored_items("test", "rank1", 3, 0.1)
    )
    assert [t.title for t in found.tables] == ["rank1 (test)"]


def test_one_shared_seed_pairs_no_items_either() -> None:
    chosen = [cell(side("off", OFF, {0: 0.7, 1: 0.7})), cell(side("on", ON, {1: 0.8, 2: 0.8}))]
    items = {r.key: [Item("test", "x", "rank1", 0.5)] for c in chosen for r in c.completed}
    (told,) = comparison_document(PAIRED, chosen, evidence=Evidence(items=items))["pairs"]
    assert told["items"][0]["seeds"] == [[0, 1], [1, 2]]


def test_the_mean_average_precision_is_split_into_its_classes() -> None:
    chosen, evidence = detector()
    study = replace(
        DETECTOR,
        groups={"classes": {"small": ("pedestrian", "motorcycle", "bicycle", "traffic_cone")}},
        tiers={"clear": 3.0, "severe": 4.5},
    )
    (told,) = comparison_document(study, chosen, evidence=evidence)["pairs"]
    (found,) = told["items"]
    assert found["metric"] == "mAP"
    gaps = [round(100 * r["difference"]["estimate"], 1) for r in found["rows"]]
    assert gaps == [-4.7, -3.5, -3.4, -1.8, -1.2, -0.8, -0.7, -0.7, -0.6, -0.3]
    assert 100 * found["difference"] == pytest.approx(-1.77)
    assert [r["tier"] for r in found["rows"]] == ["severe", "clear", "clear", *[""] * 7]
    assert found["groups"][0]["count"] == 4
    assert 100 * (found["groups"][0]["b"] - found["groups"][0]["a"]) == pytest.approx(-3.35)
    assert all(r["p_adjusted"] is None for r in found["rows"])
