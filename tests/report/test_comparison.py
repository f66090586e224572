"""A comparison's document: what is paired, what is said to be unknown, what makes up a score."""

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from scipy import stats

from ablate.analysis.cells import Cell
from ablate.cli.console import json_text
from ablate.record import Attempt, Item, State
from ablate.report import comparison_document
from ablate.report.comparison import Asked, Evidence
from ablate.study import Study
from tests.report.comparing import (
    PAIRED,
    STUDY,
    cell,
    side,
)

ON, OFF = {"a": True}, {"a": False}
A: Mapping[int, float | None] = {0: 0.70, 1: 0.72, 2: 0.75}
B: Mapping[int, float | None] = {0: 0.73, 1: 0.74, 2: 0.79}


def pair(
    study: Study = STUDY,
    a: Mapping[int, float | None] = A,
    b: Mapping[int, float | None] = B,
    others: Sequence[Cell] = (),
) -> dict[str, Any]:
    chosen = [cell(side("off", OFF, a)), cell(side("on", ON, b))]
    document = comparison_document(study, chosen, others)
    return {**document["pairs"][0], "document": document}


def entry(found: Mapping[str, Any], metric: str = "rank1") -> dict[str, Any]:
    (only,) = (e for e in found["metrics"] if e["metric"] == metric)
    return dict(only)


def test_three_runs_a_side_get_scipys_welch_test_with_what_stands_beside_it() -> None:
    found = entry(pair())
    expected = stats.ttest_ind(list(B.values()), list(A.values()), equal_var=False)
    low, high = expected.confidence_interval(0.95)
    told = found["difference"]
    assert told["method"] == "welch"
    assert told["estimate"] == pytest.approx(0.03)
    assert (told["low"], told["high"]) == pytest.approx((float(low), float(high)))
    assert told["p"] == pytest.approx(float(expected.pvalue))
    assert found["relative"] == pytest.approx(0.03 / (2.17 / 3))
    u = stats.mannwhitneyu(list(B.values()), list(A.values())).statistic
    assert found["better_share"] == pytest.approx(u / 9)
    assert found["verdict"] == "undecided"
    assert found["smallest"] > 0.03


def test_a_metric_that_is_better_lower_has_the_same_share_and_verdict() -> None:
    up, down = entry(pair()), entry(pair(), "loss")
    assert down["difference"]["estimate"] == pytest.approx(-up["difference"]["estimate"])
    assert down["better_share"] == up["better_share"]
    clear = pair(b={0: 0.93, 1: 0.94, 2: 0.95})
    assert [e["verdict"] for e in clear["metrics"]] == ["positive", "positive"]
    assert clear["tally"] == {"better": 2, "worse": 0, "same": 0, "unknown": 0}


def test_holms_family_is_the_metrics_of_one_pair() -> None:
    both, alone = pair(), pair(replace(STUDY, metrics=STUDY.metrics[:1]))
    assert entry(alone)["p_holm"] == pytest.approx(entry(alone)["difference"]["p"])
    assert entry(both)["p_holm"] == pytest.approx(2 * entry(both)["difference"]["p"])


def test_pairs_are_made_by_seed_and_never_by_the_order_of_rows() -> None:
    expected = pair(PAIRED)["document"]
    assert entry(expected["pairs"][0])["difference"]["method"] == "blocked"
    gaps = [B[s] - A[s] for s in A]
    low, high = stats.ttest_1samp(gaps, 0).confidence_interval(0.95)
    told = entry(expected["pairs"][0])["difference"]
    assert (told["low"], told["high"]) == pytest.approx((float(low), float(high)))
    for turn in range(6):
        draw = random.Random(turn)
        chosen = []
        for name, levels, values in (("off", OFF, A), ("on", ON, B)):
            rows = side(name, levels, values)
            draw.shuffle(rows)
            moved = [replace(r, position=i) for i, r in enumerate(rows)]
            chosen.append(cell(moved))
        assert json_text(comparison_document(PAIRED, chosen)) == json_text(expected)


def test_unequal_seeds_are_compared_unpaired_by_default_with_all_runs() -> None:
    found = pair(b={1: 0.74, 2: 0.79, 8: 0.70, 9: 0.71})
    assert found["shared_seeds"] == [1, 2]
    told = entry(found)
    assert (told["a"]["n"], told["b"]["n"]) == (3, 4)
    assert told["difference"]["runs"] == 7


def test_where_the_study_pairs_only_shared_seeds_are_used() -> None:
    told = entry(pair(PAIRED, b={1: 0.74, 2: 0.79, 8: 0.10, 9: 0.11}))
    assert told["difference"]["method"] == "blocked"
    assert told["difference"]["estimate"] == pytest.approx((0.02 + 0.04) / 2)
    assert list(told["a"]["by_seed"]) == list(told["b"]["by_seed"]) == ["1", "2"]
    assert told["relative"] == pytest.approx(0.03 / 0.735)


def test_one_shared_seed_is_not_paired() -> None:
    told = entry(pair(PAIRED, b={2: 0.79, 8: 0.70, 9: 0.71}))
    assert told["difference"]["method"] == "welch"
    assert told["b"]["n"] == 3


def test_one_run_a_side_has_no_verdict_even_beside_replicated_cells() -> None:
    others = [cell(side("both", {"a": True, "b": True}, {0: 0.5, 1: 0.52, 2: 0.54}))]
    told = entry(pair(a={0: 0.7}, b={0: 0.9}, others=others))
    assert told["verdict"] is None
    assert told["p_holm"] is None
    band = stats.t.ppf(0.975, 2) * 0.02 * math.sqrt(2)
    assert told["least_difference"] == pytest.approx(band)
    alone = entry(pair(a={0: 0.7}, b={0: 0.9}))
    assert alone["least_difference"] is None
    assert alone["difference"]["low"] is None


def test_one_training_done_twice_is_no_replicate() -> None:
    values: dict[int, float | None] = {0: 0.50, 1: 0.52, 2: 0.54}
    other = cell(side("both", {"a": True, "b": True}, values))
    again = cell(side("twin", {"a": True, "b": True, "a.rate": 0.7}, values))
    seed: dict[int, float | None] = {0: 0.6}
    found = entry(pair(a=seed, b={0: 0.7, 1: 0.72}, others=[other, again]))
    assert found["noise"]["df"] == found["difference"]["df"] == 3
    same = entry(pair(a=values, b=values))
    assert same["noise"]["df"] == 2


def test_the_least_difference_is_of_both_counts_of_runs() -> None:
    found = entry(pair(a={0: 0.70}, b={0: 0.72, 1: 0.74, 2: 0.76}))
    # s = 2 points on 2 degrees of freedom, t = 4.3027
    assert found["least_difference"] == pytest.approx(4.302653 * 0.02 * (1 + 1 / 3) ** 0.5)


def test_seeds_on_which_every_score_agrees_to_the_last_digit_are_told() -> None:
    assert pair(b={0: 0.70, 1: 0.7200000001, 2: 0.75})["agreeing_seeds"] == [0, 2]
    assert pair()["agreeing_seeds"] == []


def test_the_correlation_over_seeds_is_told_from_three_shared_on() -> None:
    r = stats.pearsonr(list(A.values()), list(B.values())).statistic
    assert entry(pair())["correlation"] == pytest.approx(float(r))
    assert entry(pair(a={0: 0.1, 1: 0.2}))["correlation"] is None


def test_a_placed_variant_without_a_completed_run_has_no_difference() -> None:
    found = pair(b={0: None, 1: None})
    told = entry(found)
    assert told["difference"] is None
    assert told["lacking"] == ["on"]
    assert found["tally"]["unknown"] == 2
    assert found["document"]["sides"][1] | {"levels": None} == {
        "variant": "on",
        "runs": 0,
        "placed": 2,
        "states": ["pending"],
        "seeds": [],
        "trials": [],
        "splits": [],
        "levels": None,
        "mixed": {},
        "costs": [],
    }


def test_a_metric_that_one_side_lacks_is_named() -> None:
    a, b = side("off", OFF, A), side("on", ON, B)
    cut = [replace(r, scores={"rank1": r.scores["rank1"]}) for r in b]
    document = comparison_document(STUDY, [cell(a), cell(cut)])
    told = entry(document["pairs"][0], "loss")
    assert (told["lacking"], told["difference"]) == (["on"], None)
    assert document["pairs"][0]["tally"] == {"better": 1, "worse": 0, "same": 0, "unknown": 1}


def test_runs_that_are_not_finite_are_counted_and_left_out() -> None:
    told = entry(pair(b={**B, 3: math.nan, 4: math.inf}))
    assert (told["b"]["n"], told["b"]["lost"]) == (3, 2)
    assert told["difference"]["estimate"] == pytest.approx(0.03)


def variants() -> dict[str, Cell]:
    made = {
        "off": OFF,
        "on": ON,
        "b": {"b": True},
        "both": {"a": True, "b": True},
        "far": {"a": True, "b": True, "a.rate": 0.9},
    }
    return {n: cell(side(n, levels, {0: 0.5, 1: 0.6})) for n, levels in made.items()}


def test_the_path_between_two_names_what_is_there_and_what_is_missing() -> None:
    found = variants()
    others = [found["on"], cell(side("b", {"b": True}, {0: None})), found["both"]]
    (told,) = comparison_document(STUDY, [found["off"], found["far"]], others)["pairs"]
    assert told["moved"] == ["a", "b", "a.rate"]
    assert told["path"] == {
        "present": [
            {"variant": "on", "factors": ["a"]},
            {"variant": "both", "factors": ["a", "b"]},
        ],
        "unrun": [{"variant": "b", "factors": ["b"]}],
        "missing": [["a", "a.rate"]],
        "complete": True,
    }


def test_one_changed_factor_has_no_path() -> None:
    found = variants()
    (told,) = comparison_document(STUDY, [found["off"], found["on"]], ())["pairs"]
    assert told["path"] is None


def test_a_setting_that_the_study_fixes_is_not_counted_as_moved() -> None:
    fixed = replace(STUDY, fixed={"a.rate": 0.9})
    found = cell(side("on", {"a": True, "a.rate": 0.9}, B))
    (told,) = comparison_document(fixed, [cell(side("off", OFF, A)), found])["pairs"]
    assert list(told["differs"]) == ["a", "a.rate"]
    assert told["moved"] == ["a"]
    assert told["path"] is None


def test_a_way_through_what_differs_has_the_fixed_settings_of_its_goal() -> None:
    fixed = replace(STUDY, fixed={"a.rate": 0.9})
    on = {"a": True, "a.rate": 0.9}
    chosen = [cell(side("off", OFF, A)), cell(side("both", on | {"b": True}, B))]
    others = [cell(side("on", on, B)), cell(side("b", {"b": True}, B))]
    (told,) = comparison_document(fixed, chosen, others)["pairs"]
    assert [c["variant"] for c in told["path"]["present"]] == ["on", "b"]
    assert told["path"]["missing"] == []


def settings(*values: dict[str, str]) -> dict[str, object]:
    chosen = [cell(side("off", OFF, {0: 0.5, 1: 0.6})), cell(side("on", ON, {0: 0.5, 1: 0.6}))]
    keys = [r.key for c in chosen for r in c.completed]
    evidence = Evidence(settings=dict(zip(keys, values, strict=True)))
    (told,) = comparison_document(STUDY, chosen, evidence=evidence)["pairs"]
    found: dict[str, object] = told["settings"]
    return found


def test_resolved_settings_that_differ_are_told_and_each_runs_own_are_not() -> None:
    common = {"lr": "0.1", "size": "3"}
    off = [common | {"out": f"runs/{i}", "wd": "0"} for i in range(2)]
    on = [common | {"out": f"runs/{i + 2}", "lr": "0.2"} for i in range(2)]
    assert settings(*off, *on) == {
        "lacking": [],
        "differ": [
            {"key": "lr", "a": ["0.1"], "b": ["0.2"]},
            {"key": "wd", "a": ["0"], "b": []},
        ],
        "same": 1,
        "own": ["out"],
    }


def test_a_side_without_its_configuration_is_named() -> None:
    assert settings({"lr": "1"}, {"lr": "1"}, {}, {})["lacking"] == ["on"]


def test_provenance_that_differs_is_told() -> None:
    chosen = []
    for name, levels, commit in (("off", OFF, "c1"), ("on", ON, "c2")):
        made = [
            replace(
                r,
                attempt=Attempt(
                    r.key, 1, State.COMPLETED, "", "", provenance={"commit": commit, "torch": "2"}
                ),
            )
            for r in side(name, levels, A)
        ]
        chosen.append(cell(made))
    (told,) = comparison_document(STUDY, chosen)["pairs"]
    assert told["provenance"] == {"commit": {"a": ["c1"], "b": ["c2"]}}


def test_the_last_digits_of_large_means_are_no_difference() -> None:
    large = {s: 1e9 + s for s in range(3)}
    assert pair(b={s: v + 2e-7 for s, v in large.items()}, a=large)["tally"]["same"] == 2
    small = {s: 1e-14 * (s + 1) for s in range(3)}
    assert pair(b={s: 2 * v for s, v in small.items()}, a=small)["tally"]["better"] == 1


def queries(shift: float, turn: int) -> list[Item]:
    draw = random.Random(turn)
    return [
        Item("test", f"{i:04d}_id{i % 12}_cam0", "rank1", min(1.0, draw.random() + shift))
        for i in range(60)
    ]


def by_query(order: int = 0, runs: int = 3) -> dict[str, Any]:
    chosen = [
        cell(side("off", OFF, {s: A[s] for s in range(runs)})),
        cell(side("on", ON, {s: B[s] for s in range(runs)})),
    ]
    items = {}
    for i, of in enumerate(chosen):
        for r in of.completed:
            rows = queries(0.1 * i, 10 * i + r.seed)
            random.Random(order).shuffle(rows)
            items[r.key] = rows
    (told,) = comparison_document(STUDY, chosen, evidence=Evidence(items=items))["pairs"]
    (found,) = told["items"]
    return dict(found)


def test_queries_are_resampled_with_their_identities_and_the_same_records_give_the_same_bytes() -> (
    None
):
    found = by_query()
    assert found["rows"] == []
    told = found["resampled"]
    assert (told["clusters"], told["by"], told["runs"]) == (12, "names", True)
    assert told["low"] < found["difference"] < told["high"]
    assert json.dumps(by_query()) == json.dumps(by_query(order=5))


def test_one_run_a_side_is_about_these_checkpoints() -> None:
    told = by_query(runs=1)["resampled"]
    assert told["runs"] is False


def test_only_the_metrics_asked_for_are_compared() -> None:
    chosen = [cell(side("off", OFF, A)), cell(side("on", ON, B))]
    document = comparison_document(STUDY, chosen, asked=Asked(metrics=("loss",)))
    assert [e["metric"] for e in document["pairs"][0]["metrics"]] == ["loss"]
    told = document["pairs"][0]["metrics"][0]
    assert told["p_holm"] == pytest.approx(told["difference"]["p"])


def test_three_variants_are_two_pairs_with_one_reference() -> None:
    found = variants()
    document = comparison_document(STUDY, [found["off"], found["on"], found["both"]])
    assert [(p["a"], p["b"]) for p in document["pairs"]] == [("off", "on"), ("off", "both")]
    assert document["differs"]["b"] == {"off": False, "on": False, "both": True}
