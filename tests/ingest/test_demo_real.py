"""The sixteen real logs against scripts of their own, where they are at hand."""

import gzip
import os
import re
from pathlib import Path

import pytest

from ablate.ingest.demo import READER
from ablate.ingest.run import Run
from ablate.record import State
from tests.ingest.made import selected

REAL = os.environ.get("ABLATE_REALDATA", "")
needs_real = pytest.mark.skipif(not REAL, reason="ABLATE_REALDATA is not set: no real logs here")


def read(path: Path) -> list[Run]:
    return list(READER.read(path))


@needs_real
def test_every_number_of_the_16_real_logs_is_read_and_none_is_wrong() -> None:
    logs = sorted(Path(REAL, "rgbnt201_logs").glob("*.gz"))
    assert len(logs) == 16
    for path in logs:
        said = gzip.decompress(path.read_bytes()).decode()
        (run,) = read(path)
        assert (run.state, run.unread, run.remarks) == (State.COMPLETED, (), ()), path.name
        points = {(s.split, s.name, s.step): s.value for s in run.scalars}
        wanted: dict[tuple[str, str, int], float] = {}
        for e, i, n, *values in re.findall(
            r"Epoch\[(\d+)\] Iteration\[(\d+)/(\d+)\] Loss: (\S+), Acc: (\S+), Base Lr: (\S+)", said
        ):
            step = (int(e) - 1) * int(n) + int(i)
            for name, value in zip(("loss", "acc", "lr"), values, strict=True):
                wanted["train", name, step] = float(value)
        assert len(wanted) == 3 * 250
        blocks = re.findall(
            r"Current is the (\S+) feature.*?Results - Epoch: (\d+)\n.*?mAP: (\S+)%\n"
            r".*?Rank-1  :(\S+)%\n.*?Rank-5  :(\S+)%\n.*?Rank-10 :(\S+)%\n",
            said,
            re.DOTALL,
        )
        for pattern, e, *values in blocks:
            split = "test" if pattern == "[moe,ori]" else f"test.{pattern}"
            for name, value in zip(("mAP", "rank1", "rank5", "rank10"), values, strict=True):
                wanted[split, name, int(e)] = round(float(value) / 100, 3)
        assert len({e for _, e, *_ in blocks}) == 50
        for e, seconds, speed in re.findall(
            r"Epoch (\d+) done. Time per batch: (\S+)\[s\] Speed: (\S+)\[", said
        ):
            wanted["train", "seconds_per_batch", int(e)] = float(seconds)
            wanted["train", "samples_per_second", int(e)] = float(speed)
        assert {k: v for k, v in points.items() if not k[1].startswith("best_step")} == wanted
        costs = {c.name: c.value for c in run.costs}
        params, gflops = re.findall(r"parameters:(\S+)|GFLOPs: (\S+)", said)
        assert f"{costs['params'] / 1e6:.6f}" == params[0]
        assert f"{costs['ops'] / 1e9:.6f}" == f"{float(gflops[1]):.6f}"
        assert run.best["mAP"] == round(float(re.findall(r"Best mAP: (\S+)%", said)[-1]) / 100, 3)
        assert re.findall(r"[^\w](?:/home|/raid|/data|/root)", repr(run)) == []


# variant -> mAP, Rank-1, Rank-10 of seed 000's appendix; the baseline's Rank-1 is the log's own
APPENDIX = {
    "baseline": (72.3, 75.5, 88.3),
    "SACR_only": (74.0, 77.6, 88.6),
    "LIF_only": (72.0, 77.2, 88.5),
    "SDTPS_only": (76.0, 80.1, 93.2),
    "SACR_LIF": (73.3, 74.6, 89.6),
    "SACR_SDTPS": (74.8, 78.0, 90.6),
    "SDTPS_LIF": (71.7, 75.1, 90.9),
    "full_SACR_SDTPS_LIF": (74.7, 78.8, 89.5),
    "LIF_BETA_0.2": (74.6, 79.3, 91.7),
    "LIF_BETA_0.6": (75.5, 76.9, 90.0),
    "LIF_LOSS_WEIGHT_0.1": (70.6, 73.6, 85.4),
    "LIF_LOSS_WEIGHT_0.3": (73.9, 78.0, 88.9),
    "SDTPS_LOSS_1.0": (76.6, 80.0, 91.4),
    "SDTPS_LOSS_3.0": (69.7, 74.3, 88.9),
    "SDTPS_SPARSE_0.5": (72.3, 76.4, 90.3),
    "SDTPS_SPARSE_0.8": (75.8, 79.4, 90.1),
}


@needs_real
def test_the_logs_own_rule_gives_the_appendix_of_seed_000() -> None:
    for name, row in APPENDIX.items():
        (run,) = read(Path(REAL, "rgbnt201_logs", f"ablation_{name}.log.gz"))
        found = selected(run, run.select)
        assert tuple(round(found[m] * 100, 1) for m in ("mAP", "rank1", "rank10")) == row
        assert found == dict(run.best)


@needs_real
def test_under_last_the_full_model_leads_rank_1_among_the_eight_cells() -> None:
    last = {
        name: selected(read(Path(REAL, "rgbnt201_logs", f"ablation_{name}.log.gz"))[0], "last")
        for name in list(APPENDIX)[:8]
    }
    assert max(last, key=lambda name: last[name]["rank1"]) == "full_SACR_SDTPS_LIF"
    assert last["full_SACR_SDTPS_LIF"]["rank1"] == 0.787
    assert last["SDTPS_only"]["rank1"] == 0.778
