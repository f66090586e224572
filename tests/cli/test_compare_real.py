"""The two real logs of a published comparison, through import and compare."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

REAL = os.environ.get("ABLATE_REALDATA", "")
pytestmark = pytest.mark.skipif(not REAL, reason="ABLATE_REALDATA names no folder of real logs")
AT = "50,600,1200,2000,3000,4000"
Call = Callable[..., Result]


@pytest.fixture
def both(call: Call) -> Call:
    done = call("import", str(Path(REAL, "cmt_aqr_logs")), "--study", "aqr")
    assert done.exit_code == 0, done.output
    return call


def told(call: Call) -> str:
    answer = call("compare", "baseline", "aqr_2.5_0.6", "--at", AT)
    assert answer.exit_code == 0, answer.exception
    assert max(len(line.rstrip()) for line in answer.stdout.splitlines()) <= 80
    return " ".join(answer.stdout.split())


def test_the_page_has_the_published_differences_and_no_verdict(both: Call) -> None:
    text = told(both)
    assert (
        "better than baseline on 2 of 7 metrics, worse on 5, the same on 0; NDS −0.83 points"
        " (−1.20 % rel.), mAP −1.78 points (−2.71 % rel.); one run a side: no verdict." in text
    )
    assert "NDS −0.83 = −0.89 from mAP, +0.06 from the errors" in text
    assert "baseline 69.08 (stored: 69.08), aqr_2.5_0.6 68.25 (stored: 68.25)" in text
    assert "baseline 10.05 9.99 10.13 10.15 9.99 9.93" in text
    assert "aqr_2.5_0.6 13.35 10.63 10.46 10.39 10.19 10.12" in text


def test_ten_class_differences_and_gradient_norms_are_those_of_the_logs(both: Call) -> None:
    answer = both("compare", "baseline", "aqr_2.5_0.6", "--json")
    document = json.loads(answer.stdout)
    (classes,) = (i for i in document["pairs"][0]["items"] if i["name"] == "AP")
    gaps = {r["item"]: round(100 * r["difference"]["estimate"], 1) for r in classes["rows"]}
    assert gaps == {
        "bicycle": -4.7,
        "traffic_cone": -3.5,
        "motorcycle": -3.4,
        "pedestrian": -1.8,
        "construction_vehicle": -1.2,
        "car": -0.8,
        "truck": -0.7,
        "trailer": -0.7,
        "bus": -0.6,
        "barrier": -0.3,
    }
    (norm,) = document["gradients"]
    counts = {v: (len(s["nan"]), len(s["inf"])) for v, s in norm["sides"].items()}
    assert counts == {"baseline": (2, 1), "aqr_2.5_0.6": (2, 0)}
    assert {v: p["iterations"] for v, p in document["pace"].items()} == {
        "baseline": 4000,
        "aqr_2.5_0.6": 4000,
    }
    pace = {v: p["seconds"] for v, p in document["pace"].items()}
    assert pace["aqr_2.5_0.6"] / pace["baseline"] == pytest.approx(2.913, abs=5e-4)
    spent = [
        next(c["mean"] for c in s["costs"] if c["name"] == "seconds") for s in document["sides"]
    ]
    assert spent[1] / spent[0] == pytest.approx(2.4956, abs=5e-4)


def test_a_build_fails_where_the_difference_is_below_its_bound(both: Call) -> None:
    answer = both("compare", "baseline", "aqr_2.5_0.6", "--fail-if", "mAP < -0.5")
    assert answer.exit_code == 1
    assert "mAP −1.78 points (aqr_2.5_0.6 minus baseline; one run a side: no interval)" in (
        answer.stderr
    )
    assert both("compare", "baseline", "aqr_2.5_0.6", "--fail-if", "mAP < -2").exit_code == 0
