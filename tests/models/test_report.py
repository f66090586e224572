"""The committed report of the study, against what is known of its stand-in data."""

import json
from pathlib import Path

from models.reid import system
from models.reid.evaluate import Images, retrieve
from models.reid.standin import oracle, standin

REPORT = Path(__file__).parents[2] / "reports" / "rgbnt201" / "report.json"


def test_no_run_beats_the_oracle_of_the_data_that_it_was_scored_on() -> None:
    report = json.loads(REPORT.read_text())
    data = standin()
    people = Images(data.test.ids, data.test.cameras)
    best = retrieve(oracle(data), people, people)

    assert report["study"]["data"] == f"standin:{system.standin}"
    assert len(report["trials"]) == 48
    assert max(t["scores"]["rank1"]["value"] for t in report["trials"]) < best.cmc()[0]
    assert max(t["scores"]["mAP"]["value"] for t in report["trials"]) < best.mean_ap


def test_the_planted_module_has_a_main_effect_clear_of_zero_over_24_runs() -> None:
    report = json.loads(REPORT.read_text())
    modules = report["synergy"]["by_metric"]["rank1"]["modules"]
    (main,) = [m["main"] for m in modules if m["module"] == "sdtps"]

    assert (main["effect"]["runs"], main["effect"]["method"]) == (24, "welch")
    assert main["effect"]["low"] > 0
    assert main["verdict"] == "positive"
