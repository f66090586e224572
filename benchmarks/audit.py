"""`ablate audit` of 10,240 trials and 1,024,000 scalars against reading the same rows by plain SQL.

    python benchmarks/audit.py [rounds]

The full grid of 10 modules at 10 seeds of `benchmarks/analysis.py`, over 25 steps: three metrics on
the test split and a training loss; beside them 20 settings of every trial. Every round is a new
process that asks every check anew, prints the whole document, and, in the first, keeps what was
found. The script reads every row that the audit reads, the curves too.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from analysis import CASES, PLAIN, QUERIES, fill, question

from ablate.store import Store, open_store

LIMIT = 10.0
"""Seconds that an audit of a database of this size may take."""
CURVES = "SELECT trial_id, split, name, step, value, nonfinite FROM scalar ORDER BY trial_id, step"
SETTINGS = "SELECT * FROM setting"
SETTINGS_OF_TRIAL = 20


def seconds(command: list[str], folder: Path) -> tuple[float, str]:
    """Wall time of one start, and what it printed."""
    root = str(Path(__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, check=True, text=True
    )
    return time.perf_counter() - start, done.stdout


def enrich(store: Store, metric: str) -> None:
    """Make the curves of one metric those of a training loss, and give every trial settings."""
    with store.writing() as session:
        connection = session.connection()
        connection.exec_driver_sql(
            "UPDATE scalar SET split = 'train', name = 'loss' WHERE name = ?", (metric,)
        )
        connection.exec_driver_sql("DELETE FROM final WHERE metric = ?", (metric,))
        trials = connection.exec_driver_sql("SELECT id, changed FROM trial").all()
        connection.exec_driver_sql(
            "INSERT INTO setting VALUES (?, ?, ?)",
            [
                (trial, f"MODEL.KEY_{number}", f"{module in changed}")
                for trial, changed in trials
                for number, module in enumerate(f'"m{n}"' for n in range(SETTINGS_OF_TRIAL))
            ],
        )


def main() -> None:
    """Print the table; exit 1 where an audit takes longer than the limit."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    title, (modules, metrics, steps) = list(CASES.items())[-1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = folder / ".ablate" / "results.db"
        (folder / "ablate.toml").write_text("")
        with open_store(database, create=True) as store:
            study = question(modules, metrics)
            scalars = fill(store, study, steps)
            enrich(store, study.metrics[-1].name)
            trials = len(store.records(study.name))
        queries = json.dumps([*QUERIES, CURVES, SETTINGS])
        sides = {
            "plain SQL": [sys.executable, "-c", PLAIN, str(database), queries],
            "ablate audit": [sys.executable, "-m", "ablate", "audit", "--json"],
        }
        times: dict[str, list[float]] = {side: [] for side in sides}
        for turn in range(rounds + 1):
            for side, command in sides.items():
                taken, printed = seconds(command, folder)
                if turn:  # the first reads the files from disk
                    times[side].append(taken)
    document = json.loads(printed)
    base, own = (median(of) for of in times.values())
    print("| store | trials | scalars | way | wall s | x plain SQL |")
    print("| :--- | ---: | ---: | :--- | ---: | ---: |")
    for side, wall in (("plain SQL", base), ("ablate audit", own)):
        sizes = f"{trials:,} | {scalars:,}"
        print(f"| {title} | {sizes} | {side} | {wall:.2f} | {wall / base:.2f} |")
    found = sum(len(one["findings"]) for one in document["studies"])
    print(f"\n{document['checks']} checks, {found} findings; {rounds} rounds in turn, medians;")
    print(f"limit {LIMIT:g} s, of it {own / LIMIT:.2f}")
    sys.exit(own > LIMIT)


if __name__ == "__main__":
    main()
