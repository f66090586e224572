"""What one isolated no-op trial costs, against the ways that others start a trial.

`python benchmarks/overhead.py [--tune]`: one table, measured in one run, medians per trial. The
first row is `ablate run` itself: claim, job file, child, events, result, store. The bare row is a
fork-server child through Ray in which nothing happens: in a session of its own, its output kept,
its leftovers swept. The naked row is fork and exit, with none of that. Ray Tune (`--tune`) needs
pyarrow, which ablate does not install.
"""

import argparse
import contextlib
import io
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
BARE = """
import os, socket, sys, torch
link = socket.socket(fileno=int(sys.argv[1]))
link.send(b"ready")
while link.recv(16):
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    link.send(b"ended")
"""


class Naked:
    """A fork server with torch imported, whose children end at once."""

    def __init__(self) -> None:
        self.link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-c", BARE, str(theirs.fileno())]
        self.server = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()
        self.link.recv(16)

    def run(self) -> None:
        """One child, from request to its end."""
        self.link.send(b"go")
        self.link.recv(16)


class Bare:
    """A slot of ablate whose attempts do nothing."""

    def __init__(self) -> None:
        from ablate.run.slot import Slot

        self.slot = Slot(["bare_attempt"], [str(HERE)])
        self.folder = tempfile.mkdtemp()

    def run(self) -> None:
        """One child, from request to its end."""
        ended = self.slot.run(self.folder, timeout=60)
        assert ended.code == 0, ended


def timed(call: Callable[[], object], n: int) -> float:
    """The median of `n` calls in milliseconds, after one that does not count."""
    call()
    durations = []
    for _ in range(n):
        began = time.perf_counter()
        call()
        durations.append(time.perf_counter() - began)
    return statistics.median(durations) * 1000


def through_ablate(n: int) -> float:
    """The median time from claim to stored result, one trial after another through one slot."""
    sys.path.insert(0, str(HERE))
    import noop_system

    from ablate.cli.board import Lines
    from ablate.cli.tally import Tally
    from ablate.design import placements
    from ablate.record import Ending
    from ablate.run.driver import Driver, Flight, Setting
    from ablate.run.ray import RayExecutor
    from ablate.store import open_store
    from ablate.study import Arm, Resources, Study

    class Clock(Lines):
        """The plain lines of `ablate run`, noting when each trial's result is stored."""

        def __init__(self, tally: Tally) -> None:
            super().__init__(tally)
            self.ends: list[float] = []

        def ended(self, flight: Flight, ending: Ending) -> None:
            """Note the time."""
            super().ended(flight, ending)
            self.ends.append(time.perf_counter())

        def say(self, text: str) -> None:
            """Print nothing: the table is what this script prints."""

    system = noop_system.system
    study = Study(
        name="noop",
        title="no-op",
        system="noop",
        revision="1",
        factors=(),
        metrics=system.metrics,
        primary="score",
        seeds=tuple(range(n + 5)),
        arms=(Arm("baseline", {}),),
        data="standin:none",
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(Path(folder) / "results.db", create=True) as store,
    ):
        asked = list(placements(study))
        store.put_study(study, asked)
        setting = Setting(study, "noop_system:system", None, {})
        executor = RayExecutor(Resources(), 1, ["noop_system"], [str(HERE)])
        try:
            clock = Clock(Tally(study, store, asked, asked))
            Driver(store, setting, clock).run(executor, asked)
            done = sum(r.state == "completed" for r in store.records("noop"))
        finally:
            executor.close()
        assert done == n + 5, f"only {done} trials completed"
        steps = [b - a for a, b in zip(clock.ends[4:], clock.ends[5:], strict=False)]
        return statistics.median(steps) * 1000


def through_ray(n: int, *, tune: bool) -> dict[str, float]:
    """Ray's own ways, in one session with the same settings."""
    import ray

    ray.init(address="local", include_dashboard=False, log_to_driver=False, num_cpus=2)
    bare = ray.remote(Bare).remote()
    naked = ray.remote(Naked).remote()
    task = ray.remote(lambda: None)
    rows = {
        "bare fork-server child through Ray": timed(lambda: ray.get(bare.run.remote()), n),
        "naked fork through Ray (no isolation)": timed(lambda: ray.get(naked.run.remote()), n),
        "Ray task in a warm worker (no isolation)": timed(lambda: ray.get(task.remote()), n),
    }
    if tune:
        rows["Ray Tune, function trainable"] = _tune()
    ray.shutdown()
    return rows


def _tune(n: int = 8) -> float:
    from ray import tune

    def trainable(_config: dict[str, object]) -> None:
        tune.report({"score": 0.5})

    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        tune_config=tune.TuneConfig(num_samples=n, max_concurrent_trials=1),
        run_config=tune.RunConfig(verbose=0, storage_path=tempfile.mkdtemp()),
    )
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        tuner.fit()
    return (time.perf_counter() - began) / n * 1000


def main() -> None:
    """Measure and print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--tune", action="store_true", help="measure Ray Tune too")
    options.add_argument("-n", type=int, default=60)
    asked = options.parse_args()
    rows = {"ablate run, isolated, stored": through_ablate(asked.n)}
    rows |= through_ray(asked.n, tune=asked.tune)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        rows["multiprocessing pool (no isolation)"] = timed(lambda: pool.apply(int), asked.n)
    command = [sys.executable, "-c", "import torch"]
    rows["subprocess that imports torch"] = timed(lambda: subprocess.run(command, check=True), 3)
    own = rows["ablate run, isolated, stored"]
    print(f"{'per no-op trial':44}{'ms':>10}{'ablate / this':>15}")
    for name, ms in rows.items():
        print(f"{name:44}{ms:10.2f}{own / ms:15.2f}")
    if not asked.tune:
        print("Ray Tune: not measured (--tune; needs pyarrow)")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
