"""How often the bootstrap over runs and items finds a difference between two equal networks.

    python benchmarks/item_bootstrap.py [--comparisons 2000] [--seed 0]

Each comparison draws scores of 836 queries of 30 identities for n runs a side, with no difference:
a score is its query's own difficulty, plus what its run adds, to every item alike, or to each
identity by itself, or half of either. Run means have a standard deviation of 1.2 points. Prints the
table of docs/statistics.md, and what 2,000 resamples cost beside a plain loop over 50 of them.
"""

import argparse
import sys
import time
from collections.abc import Callable
from unittest import mock

import numpy as np

from ablate.analysis import items
from ablate.analysis.contrast import Array
from ablate.analysis.items import Table, resampled

QUERIES, IDENTITIES, RESAMPLES, SPREAD = 836, 30, 500, 1.2
NAMES = tuple(f"{i:04d}_id{i % IDENTITIES}" for i in range(QUERIES))
PERSON = np.arange(QUERIES) % IDENTITIES
PEOPLE = [str(p) for p in PERSON]
RUNS = (3, 5, 10)


def scores(rng: np.random.Generator, n: int, alike: float) -> Array:
    """Scores of n runs, in points: a share `alike` of the variance of run means is of all items."""
    noise = rng.normal(size=(n, QUERIES)) * 5.0
    common = rng.normal(size=(n, 1)) * SPREAD * alike**0.5
    own = rng.normal(size=(n, IDENTITIES)) * SPREAD * ((1 - alike) * IDENTITIES) ** 0.5
    return common + own[:, PERSON] + noise


def compared(rng: np.random.Generator, n: int, alike: float) -> Table:
    """Two equal networks on the same queries."""
    hard = rng.normal(size=IDENTITIES)[PERSON] * 15 + rng.normal(size=QUERIES) * 25
    a, b = hard + scores(rng, n, alike), hard + scores(rng, n, alike)
    return Table(NAMES, (tuple(range(n)), tuple(range(n))), a, b)


def false(rng: np.random.Generator, n: int, alike: float, comparisons: int) -> float:
    """The share of comparisons whose interval leaves out zero, in percent."""
    found = 0
    for _ in range(comparisons):
        table = compared(rng, n, alike)
        found += resampled(table, PEOPLE, rng, resamples=RESAMPLES).interval.excludes_zero
    return 100 * found / comparisons


def plain(table: Table, rng: np.random.Generator, resamples: int) -> list[float]:
    """The same resampling as a loop, as it is usually written."""
    members = [np.flatnonzero(p == PERSON) for p in range(IDENTITIES)]
    means = []
    for _ in range(resamples):
        drawn = np.concatenate([members[p] for p in rng.integers(IDENTITIES, size=IDENTITIES)])
        sides = (of[rng.integers(len(of), size=len(of))] for of in (table.a, table.b))
        low, high = (of[:, drawn].mean() for of in sides)
        means.append(float(high - low))
    return means


def seconds(call: Callable[[], object]) -> float:
    """CPU seconds of one call, the best of five."""
    taken = []
    for _ in range(5):
        begun = time.process_time()
        call()
        taken.append(time.process_time() - begun)
    return min(taken)


def main() -> None:
    """Print both."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--comparisons", type=int, default=2000)
    options.add_argument("--seed", type=int, default=0)
    asked = options.parse_args()
    rng = np.random.default_rng(asked.seed)
    print(f"| what varies between runs | {' | '.join(f'n = {n}' for n in (1, *RUNS))} |")
    print("|---|---:|---:|---:|---:|")
    kinds = (("every item alike", 1.0), ("half of it by identity", 0.5))
    for name, alike in (*kinds, ("each identity by itself", 0.0)):
        rates = [false(rng, n, alike, asked.comparisons) for n in (1, *RUNS)]
        print(f"| {name} | {' | '.join(f'{r:.1f} %' for r in rates)} |")
        if alike == 1.0:
            with mock.patch.object(items, "_stretch", return_value=1.0):
                bare = [false(rng, n, alike, asked.comparisons) for n in RUNS]
            print(f"| the same, not stretched | – | {' | '.join(f'{r:.1f} %' for r in bare)} |")
        sys.stdout.flush()
    table = compared(rng, 10, 0.5)
    ours = seconds(lambda: resampled(table, PEOPLE, rng, resamples=2000)) / 2000
    loop = seconds(lambda: plain(table, rng, 50)) / 50
    print(f"\n10 runs a side: {loop / ours:.0f} x less CPU time per resample than a plain loop")


if __name__ == "__main__":
    main()
