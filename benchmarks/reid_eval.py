"""CMC and mAP: the vectorised evaluation against the plain loop over queries, in one run.

    python benchmarks/reid_eval.py            # both sizes, about two minutes
    python benchmarks/reid_eval.py --small    # RGBNT201's size alone, a few seconds

The loop is the textbook form of the Market-1501 protocol: per query, sort the whole gallery, drop
the query's own camera, walk the matches. Times are CPU seconds, so that a busy machine does not
decide. Both must give the same average precision per query; the published loops leave the order
of equal distances to the machine, so queries that differ are scored again with a stable sort.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # models are no installed package
from models.reid.evaluate import Images, distances, retrieve

MAX_RANK = 50


@dataclass(frozen=True, slots=True)
class Case:
    """A benchmark's size, the ratio asked for, and how often each side is timed."""

    name: str
    queries: int
    gallery: int
    people: int
    cameras: int
    wanted: float
    repeats: int


CASES = (
    Case("RGBNT201", 836, 836, 30, 2, 50.0, 3),
    Case("Market-1501", 3368, 19732, 750, 6, 100.0, 1),
)


def plain_loop(
    matrix: np.ndarray, query: Images, gallery: Images, kind: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """CMC over the valid queries and average precision (NaN without a match) of every query."""
    order = np.argsort(matrix, axis=1, kind=kind)
    matches = (gallery.ids[order] == query.ids[:, np.newaxis]).astype(np.int32)
    all_cmc, all_ap = [], np.full(len(query.ids), np.nan)
    for q in range(len(query.ids)):
        row = order[q]
        remove = (gallery.ids[row] == query.ids[q]) & (gallery.groups[row] == query.groups[q])
        raw = matches[q][~remove]
        if not np.any(raw):
            continue
        cmc = raw.cumsum()
        cmc[cmc > 1] = 1
        all_cmc.append(cmc[:MAX_RANK])
        hits = raw.cumsum()
        precision = [x / (i + 1.0) for i, x in enumerate(hits)]
        all_ap[q] = (np.asarray(precision) * raw).sum() / raw.sum()
    return np.asarray(all_cmc).astype(np.float64).mean(axis=0), all_ap


def made(case: Case) -> tuple[np.ndarray, Images, Images]:
    """Features of people seen by cameras, noisy enough that Rank-1 is neither 0 nor 1."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((case.people, 64), dtype=np.float32)

    def side(count: int) -> tuple[np.ndarray, Images]:
        ids = rng.integers(case.people, size=count)
        noise = rng.standard_normal((count, 64), dtype=np.float32)
        features = centres[ids] + 1.6 * noise
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        return features, Images(ids, rng.integers(case.cameras, size=count))

    found, people = side(case.gallery)
    if case.queries == case.gallery:
        return distances(found, found), people, people
    asked, query = side(case.queries)
    return distances(asked, found), query, people


def timed(work: Callable[[], object], repeats: int) -> tuple[float, object]:
    """The fastest of `repeats` runs, in CPU seconds, and its result."""
    best, result = np.inf, None
    for _ in range(repeats):
        start = time.process_time()
        result = work()
        best = min(best, time.process_time() - start)
    return best, result


def compare(case: Case) -> bool:
    """Print one line of the table and say whether the ratio is reached; raises on a difference."""
    matrix, query, gallery = made(case)
    fast, result = timed(lambda: retrieve(matrix, query, gallery), max(5, case.repeats))
    slow, (cmc, ap) = timed(lambda: plain_loop(matrix, query, gallery), case.repeats)
    differ = np.flatnonzero(~np.isclose(result.ap, ap, rtol=0, atol=1e-9, equal_nan=True))
    if len(differ):
        asked = Images(query.ids[differ], query.groups[differ])
        _, ap = plain_loop(matrix[differ], asked, gallery, "stable")
        np.testing.assert_allclose(result.ap[differ], ap, rtol=0, atol=1e-9)
    else:
        np.testing.assert_allclose(result.cmc(MAX_RANK), cmc, rtol=0, atol=1e-9)
    size = f"{case.queries}x{case.gallery}"
    ratio = slow / fast
    verdict = "met" if ratio >= case.wanted else "MISSED"
    print(
        f"| {case.name} | {size} | {slow:.3f} | {fast:.4f} | {ratio:.0f} |"
        f" {case.wanted:.0f} ({verdict}) | {result.cmc()[0]:.4f} | {result.mean_ap:.4f} |"
        f" {len(differ)} |"
    )
    return ratio >= case.wanted


def main() -> None:
    """Print the table; exit 1 where a ratio is missed."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--small", action="store_true", help="RGBNT201's size alone")
    chosen = CASES[:1] if options.parse_args().small else CASES
    print(
        "| benchmark | Q x G | loop, CPU s | vectorised, CPU s | ratio | wanted | Rank-1 | mAP |"
        " tied queries |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    met = [compare(case) for case in chosen]
    if not all(met):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
