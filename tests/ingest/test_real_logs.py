"""The real logs, through the whole import: numbers of the published reports."""

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ablate.cli import app
from ablate.record import Record
from ablate.selection import Selection
from ablate.store import open_store

REAL = os.environ.get("ABLATE_REALDATA", "")
APPENDIX = Path(__file__).parents[2] / "studies" / "seeds" / "000-rgbnt201.csv"
pytestmark = pytest.mark.skipif(not REAL, reason="ABLATE_REALDATA names no folder of real logs")
GRID = ("sacr", "sdtps", "lif")

Import = Callable[..., dict[str, object]]


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Import:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ABLATE_DB", raising=False)

    def called(folder: str, *options: str) -> dict[str, object]:
        done = CliRunner().invoke(app, ["import", str(Path(REAL, folder)), "--json", *options])
        assert done.exit_code == 0, done.output
        found: dict[str, object] = json.loads(done.stdout)
        return found

    return called


def records(study: str, rule: Selection | None = None) -> list[Record]:
    with open_store(Path(".ablate/results.db")) as store:
        return store.records(study, rule)


def appendix() -> dict[tuple[object, ...], dict[str, str]]:
    rows = list(csv.DictReader(APPENDIX.read_text("utf-8").splitlines()))
    return {_cell({n: row[n] for n in _columns(row)}): row for row in rows}


def _columns(row: dict[str, str]) -> list[str]:
    return [n for n in row if n in GRID or "." in n]


def _cell(levels: dict[str, object]) -> tuple[object, ...]:
    """The levels that mean something, whatever the order of the factors."""
    on = {n for n in GRID if str(levels[n]).lower() == "true"}
    beside = {
        (n, float(str(v))) for n, v in levels.items() if "." in n and n.partition(".")[0] in on
    }
    return frozenset(on), frozenset(beside)


def test_a_guess_finds_the_reader_three_switches_and_four_settings_by_itself(
    bring: Import,
) -> None:
    found = bring("rgbnt201_logs", "--guess", "--study", "rgbnt201")
    assert found["reader"] == "demo"
    factors = {f["name"]: f for f in found["factors"]}  # type: ignore[attr-defined]
    assert list(factors)[:3] == ["sacr", "sdtps", "lif"]
    assert {n: (f["reference"], f["requires"]) for n, f in list(factors.items())[3:]} == {
        "lif.beta": (0.4, "lif"),
        "lif.loss_weight": (0.2, "lif"),
        "sdtps.loss_weight": (2.0, "sdtps"),
        "sdtps.sparse_ratio": (0.7, "sdtps"),
    }
    assert [r["state"] for r in found["runs"]] == ["completed"] * 16  # type: ignore[attr-defined]
    assert found["problems"] == []
    done = CliRunner().invoke(app, ["plan", "studies/rgbnt201.toml", "--json"])
    assert json.loads(done.stdout)["counts"] == {
        "trials": 16,
        "complete": 16,
        "failed": 0,
        "running": 0,
        "to_run": 0,
    }


def test_the_best_epochs_are_the_published_table_but_for_the_baselines_rank_1(
    bring: Import,
) -> None:
    bring("rgbnt201_logs", "--select", "best:mAP@test")
    published = appendix()
    for record in records("rgbnt201_logs"):
        row = published.pop(_cell(dict(record.levels)))
        wanted = {n: float(row[n]) for n in ("mAP", "rank1", "rank10")}
        if record.variant == "baseline":
            wanted["rank1"] = 75.5
        assert {n: round(100 * record.scores[n].value, 6) for n in wanted} == wanted
    assert published == {}


def test_at_the_last_epoch_the_full_model_leads_rank_1_with_78_7(bring: Import) -> None:
    bring("rgbnt201_logs", "--select", "last")
    grid = {r.variant: r for r in records("rgbnt201_logs") if r.role == "grid"}
    rank1 = {name: round(100 * r.scores["rank1"].value, 6) for name, r in grid.items()}
    assert len(rank1) == 8
    assert max(rank1, key=rank1.__getitem__) == "full"
    assert (rank1["full"], rank1["sdtps"]) == (78.7, 77.8)


def test_the_rule_may_be_asked_for_when_reading(bring: Import) -> None:
    bring("rgbnt201_logs")
    last = {r.variant: r for r in records("rgbnt201_logs", Selection())}
    assert round(100 * last["full"].scores["rank1"].value, 6) == 78.7


def test_parameters_and_operations_are_those_printed_to_six_decimals(bring: Import) -> None:
    import gzip
    import re

    found = bring("rgbnt201_logs")
    by_key = {r.key: r for r in records("rgbnt201_logs")}
    for run in found["runs"]:  # type: ignore[attr-defined]
        with gzip.open(Path(REAL, "rgbnt201_logs", run["files"][0]), "rt", encoding="utf-8") as log:
            text = log.read()
        costs = by_key[run["key"]].costs
        for name, printed, unit in (("params", "parameters", 1e6), ("ops", "GFLOPs", 1e9)):
            (said,) = set(re.findall(rf"number of {printed}: ?([\d.]+)", text))
            assert f"{costs[name].value / unit:.6f}" == f"{float(said):.6f}"


def test_importing_the_real_logs_twice_changes_nothing(bring: Import) -> None:
    assert bring("rgbnt201_logs")["brought"] == {"new": 16, "same": 0, "skipped": {}}
    assert bring("rgbnt201_logs")["brought"] == {"new": 0, "same": 16, "skipped": {}}


def test_six_histories_have_their_published_f_and_one_never_trained(bring: Import) -> None:
    found = bring("ce7454_histories")
    assert list(found["aside"].items()) == [  # type: ignore[attr-defined]
        ("microsegformer_20251005_191916", "never trained")
    ]
    scores = {r.key: r.scores["F"].value for r in records("ce7454_histories")}
    runs = [r for r in found["runs"] if r["key"]]  # type: ignore[attr-defined]
    best = [round(scores[r["key"]], 4) for r in sorted(runs, key=lambda r: r["name"])]
    assert best == [0.6036, 0.6483, 0.6753, 0.6819, 0.6702, 0.6664]


def test_two_histories_of_one_configuration_are_two_seeds_that_nobody_recorded(
    bring: Import,
) -> None:
    found = bring("ce7454_histories")
    runs = {r["name"][-6:]: r for r in found["runs"]}  # type: ignore[attr-defined]
    first, second = runs["211515"], runs["224140"]
    assert first["variant"] == second["variant"]
    assert (first["seed"], second["seed"]) == (0, 1)
    assert any(doubt.startswith("seed not recorded: ") for doubt in second["doubts"])


def test_the_detection_logs_end_with_their_published_scores(bring: Import) -> None:
    bring("cmt_aqr_logs")
    scores = {
        r.variant: {n: round(s.value, 4) for n, s in r.scores.items()}
        for r in records("cmt_aqr_logs")
    }
    assert scores["baseline"]["NDS"] == 0.6908
    assert scores["aqr_2.5_0.6"]["NDS"] == 0.6825
    assert round(scores["baseline"]["mAP"] - scores["aqr_2.5_0.6"]["mAP"], 4) == 0.0178


def test_no_folder_or_host_of_the_logs_is_in_the_database(bring: Import) -> None:
    for folder in ("rgbnt201_logs", "cmt_aqr_logs"):
        bring(folder)
    data = Path(".ablate/results.db").read_bytes()
    for said in (b"/data/miniconda", b"/data/coding", b"torchelastic_", b"127.0.0.1", b"/path/to"):
        assert said not in data
