"""PK sampling: batches of a few images of each of a few people."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Int: TypeAlias = npt.NDArray[np.int64]


def batches(ids: Int, identities: int, images: int, rng: np.random.Generator) -> Iterator[Int]:
    """Indices of one epoch's batches: `identities` people, `images` of each.

    Each person's images are shuffled and cut into groups of `images`; a short rest is left out of
    the epoch. Of a person with fewer, one group is drawn with replacement. Batches are drawn while
    enough people have a group left. As in the sources (the sampler of Luo et al. 2019's program).
    """
    groups: dict[int, list[Int]] = {}
    for identity in np.unique(ids):
        own = np.flatnonzero(ids == identity)
        own = rng.permutation(own) if len(own) >= images else rng.choice(own, images)
        whole = len(own) - len(own) % images
        groups[int(identity)] = list(own[:whole].reshape(-1, images))
    left = np.array(sorted(groups))
    while len(left) >= identities:
        chosen = rng.choice(left, identities, replace=False)
        yield np.concatenate([groups[int(i)].pop() for i in chosen])
        left = np.array([i for i in left if groups[int(i)]])
