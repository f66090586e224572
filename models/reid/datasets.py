"""The three benchmarks as they lie on a disk: read, checked before anything is trained, counted.

Layouts and protocols are those of the benchmarks' own programs, but for their file order, which
depended on the file system: everything here is sorted, and labels follow the sorted identities.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ablate.errors import UsageError
from models.reid.decode import measured
from models.reid.facts import DECLARED, Population
from models.reid.layouts import LAYOUTS, Layout
from models.reid.listing import Shot, entries, listing

Int: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Statistics:
    """How many identities, images, cameras and scenes a split has."""

    identities: int
    images: int
    cameras: int
    scenes: int

    @classmethod
    def of(cls, shots: Sequence[Shot]) -> "Statistics":
        """Counted from file names."""
        labels = [shot.label for shot in shots]
        return cls(
            len({label.identity for label in labels}),
            len(shots),
            len({label.camera for label in labels}),
            len({label.scene for label in labels}),
        )


@dataclass(frozen=True, slots=True)
class Dataset:
    """A checked data set: its layout, the shots of its three lists, and what is odd about it.

    Where query and gallery are one folder they are the same tuple. `ignored` counts what was
    passed over; `unmatched` the queries without a match; `uneven` the triples whose spectra
    differ in size (each is resized on its own).
    """

    layout: Layout
    train: tuple[Shot, ...]
    query: tuple[Shot, ...]
    gallery: tuple[Shot, ...]
    ignored: Mapping[str, int]
    unmatched: int
    uneven: int

    @property
    def statistics(self) -> dict[str, Statistics]:
        """Counts by list."""
        lists = {"train": self.train, "query": self.query, "gallery": self.gallery}
        return {name: Statistics.of(shots) for name, shots in lists.items()}

    def table(self) -> str:
        """What the benchmarks' own programs print, and what was passed over."""
        rule = "  " + "-" * (52 if self.layout.group == "scene" else 40)
        scenes = self.layout.group == "scene"
        lines = [
            f"{self.layout.title}: dataset statistics:",
            rule,
            "  subset   | # ids | # images | # cameras" + (" | # scenes" if scenes else ""),
            rule,
        ]
        for name, s in self.statistics.items():
            row = f"  {name:8} | {s.identities:5d} | {s.images:8d} | {s.cameras:9d}"
            lines.append(row + (f" | {s.scenes:8d}" if scenes else ""))
        lines.append(rule)
        lines += [f"  passed over: {n} x {what}" for what, n in sorted(self.ignored.items())]
        if self.unmatched:
            lines.append(
                f"  {self.unmatched} queries have no match outside their own {self.layout.group}"
                " and are not scored"
            )
        if self.uneven:
            lines.append(f"  {self.uneven} triples have spectra of different sizes")
        return "\n".join(lines)


@lru_cache(maxsize=1)
def dataset(root: Path, name: str) -> Dataset:
    """The data set `name` (a level of the factor `dataset`) in the folder `root`.

    `root` is the folder that holds the splits. Every header is read, once per process for all who
    ask: the probe's variants, and the training after its own probe. Raises UsageError, one line
    that names the file and what to do, at the first defect.
    """
    layout = LAYOUTS[name]
    _check_folders(root, layout)
    found = {folder: listing(root, folder, layout) for folder in layout.splits}
    train, query, gallery = (
        found[folder].shots for folder in (layout.train, layout.query, layout.gallery)
    )
    _check_identities(root, layout, train, (query, gallery))
    unmatched = _unmatched(root, layout, query, gallery)
    uneven = sum(_check_images(layout, one.shots) for one in found.values())
    ignored = sum((one.ignored for one in found.values()), Counter())
    return Dataset(layout, train, query, gallery, ignored, unmatched, uneven)


def population(shots: Sequence[Shot], name: str) -> Population:
    """Whom the data set `name` trains a network on; of its cameras all, as names may hold any."""
    return Population(len({shot.label.identity for shot in shots}), DECLARED[name].cameras)


def identities(shots: Sequence[Shot]) -> Int:
    """(N,) identities as their names have them."""
    return np.array([shot.label.identity for shot in shots], dtype=np.int64)


def cameras(shots: Sequence[Shot]) -> Int:
    """(N,) cameras, from 0."""
    return np.array([shot.label.camera for shot in shots], dtype=np.int64)


def groups(shots: Sequence[Shot], layout: Layout) -> Int:
    """(N,) what the protocol leaves out together with the identity: cameras, or scenes."""
    return np.array([getattr(shot.label, layout.group) for shot in shots], dtype=np.int64)


def _check_folders(root: Path, layout: Layout) -> None:
    if not root.is_dir():
        raise UsageError(f"{root} is not a folder: name the folder that holds {layout.train}")
    lost = [folder for folder in layout.splits if not (root / folder).is_dir()]
    if not lost:
        return
    inside = next((e.path for e in entries(root) if _holds(Path(e.path), layout)), None)
    others = (name for name, other in LAYOUTS.items() if other != layout and _holds(root, other))
    hint = f"; it lies in {inside}: name that folder" if inside else ""
    for other in others:
        hint = f'; this looks like {LAYOUTS[other].title}: dataset = "{other}"?'
    raise UsageError(
        f"{root} has no folder {lost[0]}: {layout.title} needs {', '.join(layout.splits)}{hint}"
    )


def _holds(root: Path, layout: Layout) -> bool:
    return all((root / folder).is_dir() for folder in layout.splits)


def _check_identities(
    root: Path, layout: Layout, train: Sequence[Shot], test: Sequence[Sequence[Shot]]
) -> None:
    counts = Counter(shot.label.identity for shot in train)
    alone = [shot for shot in train if counts[shot.label.identity] == 1]
    if alone:
        more = f" ({len(alone) - 1} more are alone)" if len(alone) > 1 else ""
        raise UsageError(
            f"{alone[0].files[0]} is the only image of identity {alone[0].label.identity} in"
            f" {root / layout.train}: the triplet loss needs two of each; add images or remove"
            f" the identity{more}"
        )
    for shots in test:
        both = next((shot for shot in shots if shot.label.identity in counts), None)
        if both is not None:
            raise UsageError(
                f"{both.files[0]} shows identity {both.label.identity}, which is in"
                f" {root / layout.train} too: scores on people that were learnt mean nothing;"
                " take it out of one of them"
            )


def _unmatched(root: Path, layout: Layout, query: Sequence[Shot], gallery: Sequence[Shot]) -> int:
    """How many queries have no gallery image of their identity outside their own group."""
    at: dict[int, set[int]] = {}
    for shot, group in zip(gallery, groups(gallery, layout).tolist(), strict=True):
        at.setdefault(shot.label.identity, set()).add(group)
    own = groups(query, layout).tolist()
    lost = sum(
        not at.get(shot.label.identity, set()) - {group}
        for shot, group in zip(query, own, strict=True)
    )
    if lost == len(query):
        raise UsageError(
            f"no image of {root / layout.query} has a match in {root / layout.gallery} (same"
            f" identity, another {layout.group}): nothing can be scored; check both folders"
        )
    return lost


def _check_images(layout: Layout, shots: Sequence[Shot]) -> int:
    """Read every header; how many triples have spectra of different sizes."""
    uneven = 0
    for shot in shots:
        sizes = [measured(path) for path in shot.files]
        if layout.strip is not None and sizes[0] != layout.strip:
            (width, height), wanted = sizes[0], layout.strip
            raise UsageError(
                f"{shot.files[0]} is {width}x{height} pixels, but {layout.title} lays three"
                f" spectra side by side in {wanted[0]}x{wanted[1]}: replace or remove it"
            )
        uneven += len(set(sizes)) > 1
    return uneven
