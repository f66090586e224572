"""`report --synergy` on a published ablation of single runs: its numbers, and no verdict."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from ablate.cli.console import json_text
from ablate.ingest import read
from ablate.report.layout import Page
from ablate.report.markdown import render
from ablate.report.synergy import synergy_document
from ablate.report.synergy_page import synergy_page
from ablate.store import open_store

APPENDIX = Path(__file__).parents[2] / "studies" / "seeds" / "000-rgbnt201.csv"
PAIRS = ("sacr × sdtps", "sacr × lif", "sdtps × lif")
# by arithmetic from the eight printed scores, in points: pairs as above
NUMBERS: dict[str, dict[str, tuple[float, ...]]] = {
    "rank1": {
        "main": (0.075, 1.575, -1.575),
        "alone": (1.3, 3.8, 0.9),
        "last": (3.7, 4.2, 0.8),
        "averaged": (1.45, 0.95, -1.05),
        "off": (-3.4, -3.9, -5.9),
        "on": (6.3, 5.8, 3.8),
        "whole": (9.7, -3.5),
    },
    "mAP": {
        "main": (1.2, 1.4, -1.35),
        "alone": (1.7, 3.7, -0.3),
        "last": (3.0, 1.4, -0.1),
        "averaged": (-0.6, 1.9, -1.7),
        "off": (-2.9, -0.4, -4.0),
        "on": (1.7, 4.2, 0.6),
        "whole": (4.6, -2.7),
    },
}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found = read(APPENDIX, study="seed000")
    with open_store(tmp_path_factory.mktemp("store") / "results.db", create=True) as store:
        store.put_results(found.study, found.results, source="import seed000.csv")
        study = store.study("seed000")
        return synergy_document(study, store.records("seed000"))


@pytest.fixture(scope="module")
def page(document: dict[str, Any]) -> Page:
    return synergy_page(document)


def points(answers: list[dict[str, Any]]) -> list[float]:
    return [100 * a["effect"]["estimate"] for a in answers]


@pytest.mark.parametrize("metric", NUMBERS)
def test_every_effect_of_the_published_grid(document: dict[str, Any], metric: str) -> None:
    of, want = document["synergy"]["by_metric"][metric], NUMBERS[metric]
    assert [m["module"] for m in of["modules"]] == ["sacr", "sdtps", "lif"]
    for kind in ("main", "alone", "last"):
        got = points([m[kind] for m in of["modules"]])
        assert got == pytest.approx(want[kind], abs=1e-9), kind
    for kind in ("averaged", "off", "on"):
        got = points([p[kind] for p in of["pairs"]])
        assert got == pytest.approx(want[kind], abs=1e-9), kind
    whole = points([of["terms"][-1], of["departure"]])
    assert whole == pytest.approx(want["whole"], abs=1e-9)


def test_shapley_shares_are_the_mean_of_the_six_orders_and_add_up(document: dict[str, Any]) -> None:
    shares = {
        metric: points([m["shapley"] for m in of["modules"]])
        for metric, of in document["synergy"]["by_metric"].items()
    }
    assert shares["rank1"] == pytest.approx([5.3 / 6, 14.3 / 6, -4.6 / 6], abs=1e-9)
    gains = {"rank1": 2.5, "mAP": 2.4, "rank10": 1.2}
    assert {m: sum(of) for m, of in shares.items()} == pytest.approx(gains, abs=1e-9)


def test_the_departure_is_the_sum_of_its_terms(document: dict[str, Any]) -> None:
    whole = document["synergy"]["by_metric"]["rank1"]["departure"]
    parts = [100 * p["estimate"] for p in whole["parts"]]
    assert parts == pytest.approx([-3.4, -3.9, -5.9, 9.7], abs=1e-9)
    assert [(o["order"], o["terms"]) for o in whole["orders"]] == [(2, 3), (3, 1)]
    assert sum(parts) == pytest.approx(-3.5, abs=1e-9)


def test_rank10_disagrees_with_the_report_that_called_every_pair_negative(
    document: dict[str, Any],
) -> None:
    of = document["synergy"]["by_metric"]["rank10"]
    off = dict(zip(PAIRS, points([p["off"] for p in of["pairs"]]), strict=True))
    assert off == pytest.approx(
        {"sacr × sdtps": -2.9, "sacr × lif": 0.8, "sdtps × lif": -2.5}, abs=1e-9
    )


def test_the_page_shows_them(page: Page) -> None:
    text = render(page)
    for row in (
        "| sacr | +0.08 | +0.88 | +1.3 | +3.7 |",
        "| sdtps | +1.58 | +2.38 | +3.8 | +4.2 |",
        "| lif | −1.58 | −0.77 | +0.9 | +0.8 |",
        "| sacr × sdtps | +1.45 | −3.4 | +6.3 | 81.4 | 78.0 |",
        "| sacr × lif | +0.95 | −3.9 | +5.8 | 78.5 | 74.6 |",
        "| sdtps × lif | −1.05 | −5.9 | +3.8 | 81.0 | 75.1 |",
        "| sacr × sdtps × lif | +9.7 |",
        "| full: the sum of all terms | −3.5 |",
    ):
        assert row in text, row
    assert "departs from additivity by −3.5 points: −3.4 −3.9 −5.9 +9.7 = −3.5" in text


def test_single_runs_get_no_interval_no_p_and_no_verdict(
    document: dict[str, Any], page: Page
) -> None:
    text = render(page).replace("no verdict", "")
    assert not re.search(r"positive|negative|negligible|undecided|verdict|Holm p", text.lower())
    assert "run-to-run variation is unknown, so there is no interval" in text
    for of in document["synergy"]["by_metric"].values():
        assert of["noise"] is None
        judged = [m["main"] for m in of["modules"]] + [p["averaged"] for p in of["pairs"]]
        assert {a["verdict"] for a in judged} == {None}
        assert {a["effect"]["low"] for a in judged} == {None}


def test_lenths_margin_is_a_hint(document: dict[str, Any], page: Page) -> None:
    # sizes of the seven Walsh effects of Rank-1 in points: .075 1.575 1.575 .725 .475 .525 2.425;
    # s0 = 1.5 x 0.725, all below 2.5 s0: PSE = 1.0875; t_{7/3, .975} = 3.7645 by SciPy
    hint = document["synergy"]["by_metric"]["rank1"]["lenth"]
    assert 100 * hint["pse"] == pytest.approx(1.0875, abs=1e-9)
    assert hint["margin"] / hint["pse"] == pytest.approx(3.7645, abs=1e-3)
    assert "A hint and no test" in render(page)


def test_a_gate_shows_in_the_costs(document: dict[str, Any], page: Page) -> None:
    params, ops = document["synergy"]["costs"]
    assert (params["name"], ops["name"]) == ("params", "ops")
    assert ops["additive"] is False
    terms = {" × ".join(t["modules"]): t["value"] / 1e9 for t in ops["terms"]}
    want = {"sacr × sdtps": 3.22, "sacr × lif": 0, "sdtps × lif": 0.78, "sacr × sdtps × lif": 0}
    assert terms == pytest.approx(want, abs=1e-9)
    text = render(page)
    assert "| sacr × sdtps | +0.01 | +3.22 |" in text
    assert "| sdtps × lif | ±0.00 | +0.78 |" in text
    assert "| sdtps | +0.63 | +0.64 | +0.05 | +4.05 |" in text


def test_the_cells_that_may_repeat_the_baseline_show_their_noise(
    document: dict[str, Any], page: Page
) -> None:
    # by hand: 76.3 77.6 77.2 74.6 have the mean 76.425 and squares of 5.3275 about it, over 3
    found = document["synergy"]["idle"]
    assert {c["variant"]: c["same_as"] for c in found["cells"]} == {
        "sacr": "baseline",
        "lif": "baseline",
        "sacr+lif": "baseline",
    }
    assert {m: n["df"] for m, n in found["noise"].items()} == {"rank1": 3, "mAP": 3, "rank10": 3}
    sizes = {m: round(100 * n["sd"], 4) for m, n in found["noise"].items()}
    assert sizes == {"rank1": 1.3326, "mAP": 0.9201, "rank10": 0.5802}
    said = "these cells repeat baseline, and one run has an SD of 1.33 points of Rank-1 (3 degrees"
    assert said in render(page)
    assert "either the counter misses them, or they are not run there" in render(page)


def test_metrics_that_disagree_are_named(page: Page) -> None:
    text = render(page)
    assert "sacr (main effect): better on Rank-1, mAP; worse on Rank-10." in text
    assert "Best cell on every metric: sdtps." in text


def test_the_document_is_strict_json_and_says_its_schema(document: dict[str, Any]) -> None:
    again = json.loads(json_text(document), parse_constant=pytest.fail)
    assert again["schema"] == "ablate.synergy/1"
    assert again["synergy"]["metrics"] == ["rank1", "mAP", "rank10"]
    assert math.isclose(again["synergy"]["by_metric"]["rank1"]["cells"][0]["mean"], 0.763)
