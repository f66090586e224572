"""Seed 000's network before any training: the counts of its logs, from the committed studies."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Parameters as the logs print them, multiply-accumulates (10^9) by hand arithmetic, and the logs'
# GFLOPs, which count an operation per element besides.
SOURCE = {
    "baseline": (87_988_224, 34.170132, 34.28),
    "sacr": (96_381_957, 34.170132, 34.28),
    "lif": (88_157_859, 34.170132, 34.28),
    "sdtps": (88_623_444, 34.216742, 34.33),
    "sacr+lif": (96_551_592, 34.170132, 34.28),
    "sacr+sdtps": (97_017_177, 37.437975, 37.55),
    "sdtps+lif": (88_793_079, 34.981252, 35.11),
    "full": (97_186_812, 38.202486, 38.33),
}
UNREAD = {"sacr": ["sacr"], "lif": ["lif"], "sacr+lif": ["sacr", "lif"]}
KEEP = {"full sdtps.keep_ratio=0.5": 97_183_104, "full sdtps.keep_ratio=0.8": 97_188_975}


def _probed(tmp_path: Path, study: str, *words: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    planned = subprocess.run(
        [
            *(sys.executable, "-m", "ablate", "plan", study, "--scale", "paper"),
            *("--probe", "--ops", "seed", "--json", *words),
        ],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "ABLATE_DB": str(tmp_path / "none.db")},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    probe: dict[str, Any] = json.loads(planned.stdout)["probe"]
    return {v["variant"]: v for v in probe["variants"]}, probe["findings"]


def test_the_source_wiring_has_the_counts_of_its_logs_and_names_what_nothing_reads(
    tmp_path: Path,
) -> None:
    found, findings = _probed(tmp_path, "studies/rgbnt201-source.toml")

    for name, (params, live, ops) in SOURCE.items():
        assert found[name]["params"] == params
        assert found[name]["macs"]["live"] / 1e9 == pytest.approx(live, rel=1e-4)
        assert round(found[name]["ops"] / 1e9, 2) == ops
    assert {n: found[n]["params"] for n in KEEP} == KEEP
    assert {n: v["inert"] for n, v in found.items() if v["inert"]} == UNREAD
    macs = {n: v["macs"] for n, v in found.items()}
    assert {n for n, m in macs.items() if m["executed"] > m["live"]} == set(UNREAD)
    reached = [r for r in found["lif"]["reached"] if r["factor"] == "lif" and r["tensors"]]
    assert {r["loss"] for r in reached} == {"lif"}
    assert len(found) == 16
    lif, sacr = (f for f in findings if f["code"] == "W204")
    assert lif["sentence"].startswith("lif: none of its 169,635 trainable parameters reaches the")
    assert sacr["sentence"] == (
        "sacr: none of its 8,393,733 trainable parameters reaches the scored output in sacr and"
        " sacr+lif, and no loss that trains the score reaches them; they are live where sdtps is"
        " on, or with wiring=live"
    )
    assert sacr["command"] == "ablate plan studies/rgbnt201-source.toml wiring=live --probe"


def test_in_the_live_wiring_every_module_is_read(tmp_path: Path) -> None:
    found, findings = _probed(tmp_path, "studies/rgbnt201.toml", "--only", "grid", "--seeds", "0")

    assert set(found) == set(SOURCE)
    assert not any(v["inert"] for v in found.values())
    assert findings == []
