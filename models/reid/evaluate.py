"""CMC and mean average precision after the Market-1501 protocol, without a loop over queries.

Only the ranks of true matches are needed. A match at distance d has as many wrong images before
it as lie nearer than d, which a search in the value-sorted row of distances tells.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ablate.errors import UsageError

Array: TypeAlias = npt.NDArray[np.floating]
Labels: TypeAlias = npt.NDArray[np.integer]
Ties: TypeAlias = Literal["stable", "optimistic", "pessimistic"]

MAX_RANK = 50


@dataclass(frozen=True, slots=True)
class Images:
    """Who each image shows, and the group (camera, or scene) it was taken in.

    Gallery images of the query's identity *and* group are left out; None leaves out nothing.
    """

    ids: Labels
    groups: Labels | None = None


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Average precision (NaN without a match) and rank of the first match (0 without) per query.

    The means are over the queries that have a match.
    """

    ap: npt.NDArray[np.float64]
    first: npt.NDArray[np.int64]

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """Which queries have a match in the gallery."""
        return self.first > 0

    @property
    def mean_ap(self) -> float:
        """Mean average precision, a fraction."""
        return float(self.ap[self.valid].mean())

    def cmc(self, ranks: int = MAX_RANK) -> npt.NDArray[np.float64]:
        """Fraction of queries with a match within rank 1, 2, ..., `ranks`.

        A gallery shorter than that pads the curve with its last value.
        """
        first = self.first[self.valid]
        counts = np.bincount(np.minimum(first, ranks + 1), minlength=ranks + 2)
        return counts[1 : ranks + 1].cumsum() / len(first)


def distances(query: Array, gallery: Array) -> Array:
    """Squared euclidean distances (Q, G) of features (Q, D) and (G, D): the order of euclidean."""
    squares = (query * query).sum(axis=1)[:, None] + (gallery * gallery).sum(axis=1)[None]
    return squares - 2.0 * (query @ gallery.T)


def retrieve(matrix: Array, query: Images, gallery: Images, ties: Ties = "stable") -> Retrieval:
    """Score every query against the gallery; `matrix` (Q, G), smaller is closer.

    Equal distances stand in gallery order (`stable`), or matches first or last, which bounds what
    any order can give. Raises UsageError where no query has a match, or where a distance is NaN.
    """
    if np.isnan(matrix.min(initial=0.0)):
        raise UsageError("distances hold NaN: the features are broken, nothing can be ranked")
    ap = np.full(len(query.ids), np.nan)
    first = np.zeros(len(query.ids), dtype=np.int64)
    order = np.argsort(gallery.ids, kind="stable")
    grouped = gallery.ids[order]
    for identity in np.unique(query.ids):
        same = order[slice(*np.searchsorted(grouped, [identity, identity + 1]))]
        if len(same) == 0:
            continue
        rows = np.flatnonzero(query.ids == identity)
        allowed = np.ones((len(rows), len(same)), dtype=bool)
        if query.groups is not None and gallery.groups is not None:
            allowed = query.groups[rows][:, None] != gallery.groups[same][None]
        ap[rows], first[rows] = _score(matrix[rows], same, allowed, ties)
    if not first.any():
        raise UsageError(
            "no query has a match in the gallery (of its identity, outside its own camera):"
            " Rank-k and mAP are undefined; check the query and gallery lists"
        )
    return Retrieval(ap, first)


def _score(
    rows: Array, same: Labels, allowed: npt.NDArray[np.bool_], ties: Ties
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Queries of one identity: average precision and first rank of each."""
    own = rows[:, same]
    by_distance = np.argsort(own, axis=1, kind="stable")
    ordered = np.take_along_axis(own, by_distance, axis=1)
    kept = np.take_along_axis(allowed, by_distance, axis=1)
    wrong = _wrong_before(rows, same, by_distance, ordered, ties)
    nth = kept.cumsum(axis=1)
    precision = np.where(kept, nth / np.maximum(nth + wrong, 1), 0.0)
    counts = nth[:, -1]
    with np.errstate(invalid="ignore"):
        ap = precision.sum(axis=1) / counts
    start = kept.argmax(axis=1)[:, None]
    first = np.take_along_axis(wrong, start, axis=1)[:, 0] + 1
    return ap, np.where(counts > 0, first, 0)


def _wrong_before(
    rows: Array, same: Labels, by_distance: Labels, ordered: Array, ties: Ties
) -> npt.NDArray[np.int64]:
    """How many images of other identities stand before each image of this one."""
    values = np.sort(rows, axis=1)
    nearer = np.empty(ordered.shape, dtype=np.int64)
    for r in range(len(rows)):
        nearer[r] = values[r].searchsorted(ordered[r])
    own_nearer = (ordered[:, None, :] < ordered[:, :, None]).sum(axis=2)
    own_equal = (ordered[:, None, :] == ordered[:, :, None]).sum(axis=2)
    wrong = nearer - own_nearer
    if ties == "optimistic":
        return wrong
    past = nearer + own_equal
    end = values.shape[1] - 1
    beyond = np.take_along_axis(values, np.minimum(past, end), axis=1)
    for r, c in np.argwhere((past <= end) & (beyond == ordered)):
        stop = rows.shape[1] if ties == "pessimistic" else same[by_distance[r, c]]
        equal = rows[r, :stop] == ordered[r, c]
        wrong[r, c] += np.count_nonzero(equal) - np.count_nonzero(equal[same[same < stop]])
    return wrong
