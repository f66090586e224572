"""`ablate report --synergy` against a script that fetches the same rows by plain SQL.

    python benchmarks/analysis.py [rounds]

Two stores: a full grid of 6 modules at 10 seeds with 20 metrics, and a full grid of 10 modules at
10 seeds: more than 10,000 trials and 1,000,000 scalars in one study. The script imports the same
libraries and reads every row that the report reads; both are started anew each time, in turn.
The study has been audited before, as `ablate run` and `ablate import` do at their end.
"""

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median

from sqlmodel import Session

from ablate import Factor, Metric, Study, switch
from ablate.audit.gather import audit
from ablate.design import placements
from ablate.store import Store, finals, open_store
from ablate.study import Modules

LIMIT = 2.0
SEEDS = 10
POINTS = 25
CASES = {
    "2^6 grid, 10 seeds, 20 metrics": (6, 20, 1),
    "2^10 grid, 10 seeds, 4 metrics, 25 steps": (10, 4, POINTS),
}
PLAIN = """\
import json, sqlite3, sys
import numpy, pydantic.dataclasses, scipy.special, sqlalchemy, sqlalchemy.dialects.sqlite
import sqlmodel, tomllib, typer
raw = sqlite3.connect(sys.argv[1])
for query in json.loads(sys.argv[2]):
    raw.execute(query).fetchall()
"""
PLACED = """\
SELECT p.variant, p.role, p.parent, p.position, p.seed, t.id, t.key, t.levels, t.changed, t.state,
       p.extra
FROM placement AS p JOIN trial AS t ON t.id = p.trial_id WHERE p.study_id = 1 ORDER BY p.position"""
FINALS = """\
SELECT trial_id, metric, value, nonfinite, step, split, selection FROM final WHERE study_id = 1"""
COSTS = """\
SELECT trial_id, factor, name, value, nonfinite, unit, counter FROM cost
WHERE trial_id IN (SELECT trial_id FROM placement WHERE study_id = 1)"""
QUERIES = (
    "SELECT document FROM study",
    PLACED,
    FINALS,
    COSTS,
    "SELECT * FROM attempt WHERE id IN (SELECT max(id) FROM attempt GROUP BY trial_id)",
    "SELECT * FROM external",
    "SELECT * FROM finding",
    "SELECT * FROM note",
)


def question(modules: int, metrics: int) -> Study:
    """A full grid with its seeds."""
    factors: tuple[Factor, ...] = tuple(switch(f"m{i}") for i in range(modules))
    return Study(
        name="grid",
        title="grid",
        system="benchmark",
        revision="1",
        factors=factors,
        metrics=tuple(Metric(f"score{i}") for i in range(metrics)),
        primary="score0",
        seeds=tuple(range(SEEDS)),
        modules=Modules(tuple(f.name for f in factors)),
        data="none",
    )


def fill(store: Store, study: Study, steps: int) -> int:
    """Put the study, every trial of it completed; how many scalars that makes."""
    store.put_study(study, placements(study, limit=None))
    with store.writing() as session:
        connection = session.connection()
        trials = [t for (t,) in connection.exec_driver_sql("SELECT id FROM trial ORDER BY id")]
        names = [m.name for m in study.metrics]
        scalars = [
            (trial, step, "test", name, (trial * 7919 + step * 31 + place * 17) % 997 / 997, None)
            for trial in trials
            for step, (place, name) in product(range(steps), enumerate(names))
        ]
        connection.exec_driver_sql("INSERT INTO scalar VALUES (?, ?, ?, ?, ?, ?)", scalars)
        _add_attempts(session, trials)
        connection.exec_driver_sql("UPDATE trial SET state = 'completed'")
        finals.write(session, 1, study, finals.COMPLETED, 1)
    return len(scalars)


def _add_attempts(session: Session, trials: list[int]) -> None:
    """An attempt with its provenance and its costs for every trial."""
    facts = '{"commit": "0123456789", "python": "3.11", "torch": "2.9", "numpy": "2.4"}'
    session.connection().exec_driver_sql(
        "INSERT INTO attempt (trial_id, number, state, owner, folder, source, host, device,"
        " started, ended, seconds, error_type, error, provenance, scores, digest)"
        " VALUES (?, 1, 'completed', 'o', ?, 'run', 'h', 'cpu', '', '', 9.5, '', '', ?, '{}', '')",
        [(trial, f"{trial}/1", facts) for trial in trials],
    )
    session.connection().exec_driver_sql(
        "INSERT INTO cost VALUES (?, '', ?, ?, ?, ?, NULL)",
        [
            (trial, name, "by hand", unit, 1000.0 + trial % 7)
            for trial in trials
            for name, unit in (("params", ""), ("macs", "MAC"), ("seconds", "s"))
        ],
    )


def spent(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of one start."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
        "OMP_NUM_THREADS": "1",
    }
    before, start = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - start, getrusage(RUSAGE_CHILDREN)
    return wall, sum((after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime))


def measure(folder: Path, rounds: int) -> dict[str, tuple[float, float]]:
    """Median wall and CPU seconds of both, run in turn."""
    import json

    database = folder / ".ablate" / "results.db"
    sides = {
        "plain SQL": [sys.executable, "-c", PLAIN, str(database), json.dumps(QUERIES)],
        "ablate": [sys.executable, "-m", "ablate", "report", "--synergy", "--json"],
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for turn in range(rounds + 1):
        for name, command in sides.items():
            found = spent(command, folder)
            if turn:  # the first reads the files from disk
                times[name].append(found)
    return {
        name: (median(wall for wall, _ in of), median(cpu for _, cpu in of))
        for name, of in times.items()
    }


def main() -> None:
    """Print the table; exit 1 where the report takes more than the limit."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    worst = 0.0
    print("| store | trials | scalars | way | wall s | CPU s | x plain SQL (wall, CPU) |")
    print("| :--- | ---: | ---: | :--- | ---: | ---: | ---: |")
    for title, (modules, metrics, steps) in CASES.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "ablate.toml").write_text("")
            with open_store(folder / ".ablate" / "results.db", create=True) as store:
                scalars = fill(store, question(modules, metrics), steps)
                for _ in audit(store, store.studies()):
                    pass
            with sqlite3.connect(folder / ".ablate" / "results.db") as raw:
                trials = raw.execute("SELECT count(*) FROM trial").fetchone()[0]
            raw.close()
            found = measure(folder, rounds)
        base = found["plain SQL"]
        for way, (wall, cpu) in found.items():
            ratios = f"{wall / base[0]:.2f}, {cpu / base[1]:.2f}"
            sizes = f"{trials:,} | {scalars:,}"
            print(f"| {title} | {sizes} | {way} | {wall:.2f} | {cpu:.2f} | {ratios} |")
        worst = max(worst, *(a / b for a, b in zip(found["ablate"], base, strict=True)))
    print(f"\n{rounds} rounds in turn, medians; limit {LIMIT:g}, worst {worst:.2f}")
    sys.exit(worst > LIMIT)


if __name__ == "__main__":
    main()
