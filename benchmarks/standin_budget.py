"""What SDTPS is worth on the stand-in data at half, once and twice the shipped training budget.

    python benchmarks/standin_budget.py --budgets 0.5 1 2 --seeds 0 1 2 --processes 2

Trains the eight cells of the grid of SACR, SDTPS and LIF, as studies/rgbnt201.toml has them at
small scale, at every seed and budget: 72 trainings, half an hour of two cores. Only the number of
epochs differs between budgets; the schedule spans whatever it is. Prints the table of
docs/standin.md.
"""

import argparse
import itertools
import statistics
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ablate.analysis.contrast import Rules
from ablate.analysis.effects import Grid
from ablate.analysis.effects import main as main_effect
from ablate.system import Job, Silence

sys.path.insert(0, str(Path(__file__).parents[1]))  # models are no installed package
from models.reid import system

STUDY = Path(__file__).parents[1] / "studies" / "rgbnt201.toml"
MODULES = ("sacr", "sdtps", "lif")
CELLS = tuple(itertools.product([False, True], repeat=len(MODULES)))


@dataclass(slots=True)
class LastScores(Silence):
    """A recorder that keeps the newest test scores."""

    scores: dict[str, float] = field(default_factory=dict)

    def scalars(self, step: int, split: str, values: Mapping[str, float]) -> None:
        """Keep the point if it is a test score."""
        del step
        if split == "test":
            self.scores = dict(values)


@dataclass(frozen=True, slots=True)
class Run:
    """One training: its place in the grid, and what came of it."""

    budget: float
    cell: tuple[bool, ...]
    seed: int
    epochs: int
    rank1: float = 0.0
    seconds: float = 0.0


def small() -> dict[str, object]:
    """The study's levels at small scale."""
    study = tomllib.loads(STUDY.read_text())
    reference = {f.name: f.reference for f in system.factors}
    return reference | study["fixed"] | study["scale"]["small"]["set"]


def trained(run: Run) -> Run:
    """The run with its final Rank-1 and CPU seconds; one thread."""
    import torch

    torch.set_num_threads(1)
    levels = small() | dict(zip(MODULES, run.cell, strict=True)) | {"epochs": run.epochs}
    recorder, start = LastScores(), time.process_time()
    system.train(Job(levels, run.seed, Path(), recorder=recorder))
    seconds = time.process_time() - start
    rank1 = 100.0 * recorder.scores["rank1"]
    return Run(run.budget, run.cell, run.seed, run.epochs, rank1, seconds)


def bounds() -> tuple[float, float]:
    """Rank-1 of the floor and of the oracle, in percent."""
    from models.reid.evaluate import Images, retrieve
    from models.reid.standin import floor, oracle, standin

    data = standin()
    people = Images(data.test.ids, data.test.cameras)
    low, high = (retrieve(f(data), people, people).cmc(1)[0] for f in (floor, oracle))
    return 100.0 * low, 100.0 * high


def line(budget: float, runs: Sequence[Run]) -> str:
    """One budget's row: effect, interval, cells."""
    cells = {c: [(r.seed, r.rank1) for r in runs if r.cell == c] for c in CELLS}
    grid = Grid(
        MODULES, {frozenset(itertools.compress(MODULES, c)): own for c, own in cells.items()}
    )
    effect = grid.answers([main_effect("sdtps", grid)], Rules())[0].effect
    assert effect is not None
    interval = "no interval"
    if effect.interval is not None:
        interval = f"[{effect.interval.low:+.1f}, {effect.interval.high:+.1f}] ({effect.method})"
    seconds = statistics.mean(r.seconds for r in runs)
    by_cell = {c: [value for _, value in own] for c, own in cells.items()}
    means = " | ".join(f"{statistics.mean(v):.1f}" for v in by_cell.values())
    return (
        f"| {budget:g} ({runs[0].epochs} epochs) | {len(runs)} | {effect.estimate:+.1f} {interval}"
        f" | {means} | {max(r.rank1 for r in runs):.1f} | {seconds:.1f} |"
    )


def main() -> None:
    """Train what is asked for, budget by budget, and print a row as each is complete."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--budgets", type=float, nargs="+", default=[0.5, 1.0, 2.0])
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--processes", type=int, default=2)
    asked = options.parse_args()
    low, high = bounds()
    print(f"floor {low:.1f}, oracle {high:.1f} (Rank-1, %)\n")
    names = ["+".join(itertools.compress(MODULES, c)) or "baseline" for c in CELLS]
    print(f"| budget | runs | SDTPS | {' | '.join(names)} | best run | CPU s per run |")
    print("|---|---:|---|" + "---:|" * (len(names) + 2))
    epochs = int(str(small()["epochs"]))
    with ProcessPoolExecutor(asked.processes) as pool:
        for budget in asked.budgets:
            plan = [
                Run(budget, cell, seed, max(1, round(budget * epochs)))
                for seed in asked.seeds
                for cell in CELLS
            ]
            done = []
            for run in pool.map(trained, plan):
                done.append(run)
                print(run, file=sys.stderr, flush=True)
            print(line(budget, done), flush=True)


if __name__ == "__main__":
    main()
