"""How fast old runs are imported: generated logs of some 200 lines, through the real command.

    python benchmarks/ingest.py                # 10,000 logs, a few minutes
    python benchmarks/ingest.py --runs 1000    # a first look

The same files are first merely read, each line matched against one regular expression: what any
import must pay. Both in one run. The bar is 2,000 runs a minute.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "ingest"))

import demo_log  # noqa: E402 - it lies with the tests of the reader

RUNS, SEEDS, EPOCHS, BAR = 10_000, 50, 7, 2000
LINE = re.compile(rb"(mAP|Rank-\d+|Loss): ?([\d.]+)")


def generate(folder: Path, runs: int) -> int:
    """Write logs: eight cells of a grid, one swept setting, 50 seeds; the lines of the first."""
    for i in range(runs):
        cell, swept = divmod(i, SEEDS)[0] % 8, i // SEEDS // 8
        opts = {
            "MODEL.USE_SACR": str(bool(cell & 1)),
            "MODEL.USE_SDTPS": str(bool(cell & 2)),
            "MODEL.USE_LIF": str(bool(cell & 4)),
            "SOLVER.BASE_LR": f"{3.5e-4 * (swept + 1):.6f}",
            "SOLVER.SEED": str(i % SEEDS),
        }
        demo_log.write(folder / f"run_{i:05d}.log", name=f"run_{i}", opts=opts, epochs=EPOCHS)
    return (folder / "run_00000.log").read_bytes().count(b"\n")


def merely_read(folder: Path) -> float:
    """Seconds to read every file and match each of its lines."""
    began, found = time.perf_counter(), 0
    for file in sorted(folder.iterdir()):
        for line in file.read_bytes().splitlines():
            found += LINE.search(line) is not None
    assert found
    return time.perf_counter() - began


def imported(project: Path, logs: Path) -> float:
    """Seconds of one `ablate import` in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment.pop("ABLATE_DB", None)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "ablate", "import", str(logs), "--reader", "demo"],
        cwd=project,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr)
    print(done.stderr.strip().splitlines()[-1])
    return seconds


def main() -> None:
    """Print runs a minute, the ratio to merely reading, and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=RUNS)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as at:
        logs = Path(at, "logs")
        lines = generate(logs, runs)
        Path(at, "ablate.toml").touch()
        bare = merely_read(logs)
        first = imported(Path(at), logs)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        again = imported(Path(at), logs)
        size = Path(at, ".ablate", "results.db").stat().st_size / 2**20
    rate = 60 * runs / first
    print(f"{runs} logs of {lines} lines: {first:.1f} s, {rate:,.0f} runs a minute (bar {BAR:,})")
    ratio = first / bare
    print(f"merely read with a regular expression: {bare:.1f} s; import / reading = {ratio:.1f}")
    print(f"imported again, nothing new: {again:.1f} s")
    print(f"peak memory {peak:.0f} MiB, database {size:.0f} MiB")
    if rate < BAR:
        raise SystemExit("below the bar")


if __name__ == "__main__":
    main()
