"""A driver of its own process, for tests that kill it: `python drive.py DB SEEDS`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from ablate.design import placements
from ablate.record import Ending
from ablate.run.driver import Driver, Flight, Setting, due, reclaim
from ablate.run.inline import InlineExecutor
from ablate.store import open_store
from ablate.study import Modules, Study

sys.path.insert(0, str(Path(__file__).parent))
import trainers


class Nobody:
    """A watcher that does not look."""

    def started(self, flight: Flight) -> None:
        """Look away."""

    def ended(self, flight: Flight, ending: Ending) -> None:
        """Look away."""

    def tick(self, flights: Sequence[Flight]) -> None:
        """Look away."""

    def say(self, text: str) -> None:
        """Look away."""


def study(seeds: int) -> Study:
    """The learner's two variants."""
    return Study(
        name="toy",
        title="Toy",
        system="learner",
        revision="1",
        factors=trainers.learner.factors,
        metrics=trainers.learner.metrics,
        primary="score",
        seeds=tuple(range(seeds)),
        fixed={"epochs": 5},
        modules=Modules(("extra",)),
        data="standin:random numbers 1",
        standin=True,
    )


def drive(path: Path, seeds: int) -> Driver:
    """Run what is missing, inline."""
    asked = list(placements(study(seeds)))
    with open_store(path, create=True) as store:
        reclaim(store)
        store.put_study(study(seeds), asked)
        todo = due(asked, store.states([p.trial.key for p in asked]), frozenset())
        driver = Driver(store, Setting(study(seeds), "trainers:learner", None, {}), Nobody())
        driver.run(InlineExecutor([]), todo)
        return driver


if __name__ == "__main__":
    sys.exit(drive(Path(sys.argv[1]), int(sys.argv[2])).exit_code)
