"""What the execution checks say of the real logs: that, and nothing else."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ablate.audit.check import ask
from ablate.audit.execution import CHECKS
from ablate.audit.gather import gather
from ablate.cli import app
from ablate.record import Finding
from ablate.store import open_store

REAL = os.environ.get("ABLATE_REALDATA", "")
pytestmark = pytest.mark.skipif(not REAL, reason="the real logs are not here")


def findings(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ABLATE_DB", raising=False)
    (tmp_path / "ablate.toml").write_text("")
    assert CliRunner().invoke(app, ["import", str(Path(REAL, folder))]).exit_code == 0
    with open_store(tmp_path / ".ablate" / "results.db") as store:
        return ask(CHECKS, gather(store, store.study(folder)))


def test_of_the_16_logs_sacr_and_lif_alone_are_in_no_output_and_four_runs_are_the_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = findings("rgbnt201_logs", tmp_path, monkeypatch)
    assert [f.name for f in found] == ["W204:lif", "W204:sacr"]
    assert "Rank-1 75.5, 77.6, 77.2, 74.6, SD 1.42 points" in found[0].sentence
    said = CliRunner().invoke(app, ["report", "rgbnt201_logs", "--synergy", "--json"]).stdout
    grid = json.loads(said)["synergy"]
    noise = grid["by_metric"]["rank1"]["noise"]
    assert (round(100 * noise["sd"], 2), noise["df"]) == (1.42, 3)
    assert grid["idle"] is None
    assert {c["variant"] for c in grid["cells"] if c["same_as"] == "baseline"} == {
        "sacr",
        "lif",
        "sacr+lif",
    }


@pytest.mark.parametrize("folder", ["ce7454_histories", "cmt_aqr_logs"])
def test_of_the_other_logs_nothing_is_said(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert findings(folder, tmp_path, monkeypatch) == []
