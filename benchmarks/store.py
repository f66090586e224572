"""What the store costs beside bare SQLite: writing curves, and the table of ten thousand trials.

    python benchmarks/store.py                      # everything, under a minute
    python benchmarks/store.py --folder /dev/shm    # where a commit waits for no disk

All in one run, the sides interleaved, medians. Raw sqlite3 has the store's pragmas (WAL, FULL,
foreign keys), its table and its transactions; "bare table" is raw sqlite3 once more, on a table
with neither key nor check.
"""

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sqlmodel import Session

from ablate import Factor, Job, Metric, Outcome, Study, System, Trial, Variant, whole
from ablate.record import Scalar
from ablate.store import Store, finals, open_store, writing
from ablate.store.frame import pivot
from ablate.store.schema import ScalarRow
from ablate.study import Arm, Placement

METRICS = ("rank1", "rank5", "rank10", "mAP")
EPOCH = 20
STEPS, REPEATS = 1250, 5
TRIALS, POINTS = 10_000, 25
WRITER_BAR, PIVOT_BAR_MS, PIVOT_BAR = 3.0, 50.0, 5.0
INSERT = "INSERT INTO scalar VALUES (?, ?, ?, ?, ?, ?)"
PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")

Batches = Sequence[Sequence[Scalar]]
Side = Callable[[], object]


def medians(sides: Mapping[str, Side], repeats: int) -> dict[str, float]:
    """Seconds of each side, run in turn `repeats` times."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, side in sides.items():
            began = time.perf_counter()
            side()
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(found) for name, found in seconds.items()}


def question(name: str, trials: int) -> tuple[Study, list[Placement]]:
    """A study of `trials` variants that differ in one whole number."""
    factor: Factor = whole("n", 0)
    study = Study(
        name=name,
        title=name,
        system="benchmark",
        revision="1",
        factors=(factor,),
        metrics=tuple(Metric(m) for m in METRICS),
        primary="rank1",
    )
    placements = []
    for n in range(trials):
        variant = Variant(f"n={n}", {"n": n}, "arm")
        trial = Trial("benchmark", "1", variant.levels, {"n": n} if n else {}, 0, "none")
        placements.append(Placement(variant, trial))
    return study, placements


def points(steps: int) -> list[Scalar]:
    """Curves of four metrics in the order of logging."""
    return [
        Scalar(step, "test", metric, (step * 7919 + place) % 997 / 997)
        for step in range(steps)
        for place, metric in enumerate(METRICS)
    ]


def cut(rows: Sequence[Scalar], size: int) -> Batches:
    """`rows` as transactions of `size`."""
    return [rows[at : at + size] for at in range(0, len(rows), size)]


class Writers:
    """The same rows written to the same file in four ways, each to a trial of its own."""

    def __init__(self, folder: Path) -> None:
        self.store = open_store(folder / "writers.db", create=True)
        self.store.put_study(*question("writers", 3))
        self.raw = self._raw(folder / "writers.db")
        self.bare = self._raw(folder / "bare.db")
        self.bare.execute("CREATE TABLE scalar (trial_id, step, split, name, value, nonfinite)")

    @staticmethod
    def _raw(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def clear(self) -> None:
        """Take all rows out again; not timed."""
        for connection in (self.raw, self.bare):
            connection.execute("DELETE FROM scalar")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def through_store(self, batches: Batches) -> None:
        """What `finish` does with an attempt's curves."""
        for batch in batches:
            with self.store.writing() as session:
                writing.write_scalars(session.connection(), 1, batch)

    def through_raw(self, connection: sqlite3.Connection, batches: Batches) -> None:
        """The fewest calls that write these rows."""
        for batch in batches:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                INSERT, [(2, s.step, s.split, s.name, s.value, None) for s in batch]
            )
            connection.execute("COMMIT")

    def through_objects(self, batches: Batches) -> None:
        """One object of SQLModel per row."""
        for batch in batches:
            with self.store.writing() as session:
                session.add_all(
                    ScalarRow(trial_id=3, step=s.step, split=s.split, name=s.name, value=s.value)
                    for s in batch
                )

    def measure(self, batches: Batches) -> dict[str, float]:
        """Seconds of each way, the table emptied in between."""
        sides: dict[str, Side] = {
            "raw sqlite3, bare table": lambda: self.through_raw(self.bare, batches),
            "raw sqlite3": lambda: self.through_raw(self.raw, batches),
            "ablate's store": lambda: self.through_store(batches),
            "SQLModel add_all": lambda: self.through_objects(batches),
        }
        rounds = []
        for _ in range(REPEATS):
            rounds.append(medians(sides, 1))
            self.clear()
        return {name: statistics.median(r[name] for r in rounds) for name in sides}


def print_writers(folder: Path) -> float:
    """The table of writers; the store's worst ratio to raw sqlite3."""
    writers = Writers(folder)
    rows = points(STEPS)
    worst = 0.0
    print(f"\n### Writing {len(rows)} scalars\n")
    print("| transaction | way | rows/s | x raw sqlite3 |\n|---|---|---:|---:|")
    for size in (EPOCH, len(rows)):
        found = writers.measure(cut(rows, size))
        for name, seconds in found.items():
            ratio = seconds / found["raw sqlite3"]
            print(f"| {size} rows | {name} | {len(rows) / seconds:,.0f} | {ratio:.2f} |")
        worst = max(worst, found["ablate's store"] / found["raw sqlite3"])
    writers.store.close()
    return worst


def fill(store: Store) -> None:
    """Ten thousand completed trials of a hundred scalars each."""
    study, placements = question("big", TRIALS)
    store.put_study(study, placements)
    with store.writing() as session:
        connection = session.connection()
        rows = [
            (trial, step, "test", metric, (trial * 7919 + step * 31 + place) % 997 / 997, None)
            for trial in range(1, TRIALS + 1)
            for step in range(POINTS)
            for place, metric in enumerate(METRICS)
        ]
        connection.exec_driver_sql(INSERT, rows)
        connection.exec_driver_sql("UPDATE trial SET state = 'completed'")
        finals.write(session, _only_study(session), study, finals.COMPLETED, 1)


def _only_study(session: Session) -> int:
    return int(session.connection().exec_driver_sql("SELECT id FROM study").scalar_one())


def print_pivot(folder: Path) -> tuple[float, float]:
    """The table of pivots; milliseconds of the store's, and its ratio to raw SQL."""
    store = open_store(folder / "big.db", create=True)
    fill(store)
    raw = sqlite3.connect(folder / "big.db")
    columns = ", ".join(f"max(CASE WHEN metric = '{m}' THEN value END)" for m in METRICS)
    by_final = f"SELECT trial_id, {columns} FROM final WHERE study_id = 1 GROUP BY trial_id"
    last = ", ".join(f"max(CASE WHEN name = '{m}' AND step = 24 THEN value END)" for m in METRICS)
    by_scalar = f"SELECT trial_id, {last} FROM scalar GROUP BY trial_id"
    sides: dict[str, Side] = {
        "raw SQL over `final`": lambda: raw.execute(by_final).fetchall(),
        "ablate's pivot, a data frame": lambda: pivot(store, "big"),
        "raw SQL over the scalars": lambda: raw.execute(by_scalar).fetchall(),
    }
    found = medians(sides, 7)
    size = (folder / "big.db").stat().st_size / 2**20
    base = found["raw SQL over `final`"]
    print(f"\n### {TRIALS:,} trials x {len(METRICS)} metrics out of a million scalars")
    print(f"\n({size:.0f} MiB)\n\n| way | ms | x raw SQL |\n|---|---:|---:|")
    for name, seconds in found.items():
        print(f"| {name} | {seconds * 1000:.1f} | {seconds / base:.2f} |")
    raw.close()
    store.close()
    ours = found["ablate's pivot, a data frame"]
    return ours * 1000, ours / base


def _train(job: Job) -> Outcome:
    for step in range(STEPS):
        job.log(step, "test", **dict.fromkeys(METRICS, step % 997 / 997))
    return Outcome()


system = System("logger", "1", (), tuple(Metric(m) for m in METRICS), _train, standin="none")


class _Silent:
    """A watcher that looks away."""

    def started(self, flight: object) -> None: ...
    def ended(self, flight: object, ending: object) -> None: ...
    def tick(self, flights: object) -> None: ...
    def say(self, text: str) -> None: ...


def print_end_to_end(folder: Path) -> None:
    """How long `job.log` takes until its numbers are in the database, one attempt inline."""
    from ablate.design import placements
    from ablate.run.driver import Driver, Setting
    from ablate.run.inline import InlineExecutor

    store = open_store(folder / "run" / "results.db", create=True)
    study = Study(
        name="logger",
        title="logger",
        system="logger",
        revision="1",
        factors=(),
        metrics=system.metrics,
        primary="rank1",
        arms=(Arm("only", {}),),
        data="none",
        standin=True,
    )
    placed = list(placements(study))
    store.put_study(study, placed)
    setting = Setting(study, "store:system", None, {})
    began = time.perf_counter()
    Driver(store, setting, _Silent()).run(InlineExecutor([str(Path(__file__).parent)]), placed)
    seconds = time.perf_counter() - began
    logged = sum(len(curve) for curve in store.curves(placed[0].trial.key).values())
    store.close()
    print(
        f"\n### `job.log` to the database\n\n{logged} scalars of one inline attempt: claim, events,"
        f" digest, result, store: {seconds:.2f} s, {logged / seconds:,.0f} scalars/s"
    )


def main() -> None:
    """Print the tables; exit 1 where a bar is missed."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--folder", type=Path, help="where the databases are made")
    with tempfile.TemporaryDirectory(dir=options.parse_args().folder) as name:
        folder = Path(name)
        writer = print_writers(folder)
        milliseconds, ratio = print_pivot(folder)
        print_end_to_end(folder)
    print(f"\nWriter: {writer:.2f} x raw sqlite3 (bar {WRITER_BAR:g}).")
    bars = f"bar {PIVOT_BAR_MS:g} ms or {PIVOT_BAR:g}"
    print(f"Pivot: {milliseconds:.0f} ms, {ratio:.2f} x raw SQL ({bars}).")
    if writer > WRITER_BAR or (milliseconds > PIVOT_BAR_MS and ratio > PIVOT_BAR):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
