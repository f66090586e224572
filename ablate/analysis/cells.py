"""Cells: the runs of one variant over its seeds, and what they say together."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ablate.record import Cost, Record, State
from ablate.study import Level, Role


@dataclass(frozen=True, slots=True)
class Summary:
    """Mean and standard deviation (n - 1) of finite values; `lost` counts NaN and infinities."""

    n: int
    mean: float
    sd: float | None
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """One variant of a study with its records, one per seed."""

    variant: str
    role: Role
    parent: str | None
    levels: Mapping[str, Level]
    changed: Mapping[str, Level]
    records: tuple[Record, ...]

    @property
    def completed(self) -> tuple[Record, ...]:
        """The records that have results."""
        return tuple(r for r in self.records if r.state is State.COMPLETED)

    def scores(self, metric: str) -> dict[int, float]:
        """Seed -> selected score, in stored units."""
        return {r.seed: r.scores[metric].value for r in self.completed if metric in r.scores}

    def runs(self, metric: str) -> tuple[tuple[int, float], ...]:
        """(seed, score) of every finite score, by seed."""
        return tuple(r for r in sorted(self.scores(metric).items()) if math.isfinite(r[1]))

    def summary(self, metric: str) -> Summary:
        """Mean, SD and n of a metric; n is 0 and the mean NaN where there is no score."""
        return summary(self.scores(metric).values())

    def costs(self) -> dict[tuple[str, str], tuple[Cost, ...]]:
        """(cost name, counter) -> what each completed record spent."""
        found: dict[tuple[str, str], list[Cost]] = {}
        for record in self.completed:
            for cost in record.costs.values():
                found.setdefault((cost.name, cost.counter), []).append(cost)
        return {key: tuple(costs) for key, costs in found.items()}

    def shares(self) -> dict[str, dict[tuple[str, str], tuple[Cost, ...]]]:
        """Factor -> (cost name, counter) -> its share of what each completed record spent."""
        found: dict[str, dict[tuple[str, str], list[Cost]]] = {}
        for record in self.completed:
            for factor, of in record.shares.items():
                for cost in of.values():
                    own = found.setdefault(factor, {})
                    own.setdefault((cost.name, cost.counter), []).append(cost)
        return {f: {key: tuple(c) for key, c in of.items()} for f, of in found.items()}


def summary(values: Iterable[float]) -> Summary:
    """Summarise one cell's values of one metric."""
    everything = list(values)
    finite = [v for v in everything if math.isfinite(v)]
    mean = float(np.mean(finite)) if finite else math.nan
    sd = float(np.std(finite, ddof=1)) if len(finite) > 1 else None
    return Summary(len(finite), mean, sd, len(everything) - len(finite))


def cells(records: Sequence[Record]) -> list[Cell]:
    """The cells of a study, in the order of their first placement."""
    grouped: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda r: r.position):
        grouped.setdefault(record.variant, []).append(record)
    return [
        Cell(name, r[0].role, r[0].parent, r[0].levels, r[0].changed, tuple(r))
        for name, r in grouped.items()
    ]


def trained_apart(cells: Sequence[Cell]) -> list[Cell]:
    """The cells without those whose runs, seeds and every score, are an earlier one's.

    That is what shared random streams make of a change that does not reach the output: the same
    training done twice, which replicates nothing.
    """
    first: dict[object, Cell] = {}
    for cell in cells:
        runs = {
            (r.seed, *((n, repr(s.value)) for n, s in sorted(r.scores.items())))
            for r in cell.completed
        }
        first.setdefault(frozenset(runs), cell)
    return list(first.values())
