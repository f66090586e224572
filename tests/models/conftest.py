"""Data sets of the benchmarks' true layouts, small and made up."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from PIL import Image

from ablate.study import Level

Make: TypeAlias = Callable[[str], Path]

PEOPLE = (258, 3, 40, 11, 12, 41)
UNSEEN = (7, 301, 99)


def picture(path: Path, size: tuple[int, int], seed: int) -> None:
    """A JPEG of `size` (width, height): a few coarse random blocks."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(blocks).resize(size, Image.Resampling.NEAREST).save(path)


def rgbnt201(root: Path) -> Path:
    """6 people x 4 cameras; 3 others x 2 cameras x 2."""
    for split, people, shots in (
        ("train_171", PEOPLE, [(1, 0), (2, 0), (3, 0), (4, 0)]),
        ("test", UNSEEN, [(1, 0), (1, 1), (2, 0), (2, 1)]),
    ):
        for person in people:
            for camera, n in shots:
                for spectrum in ("RGB", "NI", "TI"):
                    name = f"{person:06d}_cam{camera}_0_{n:02d}.jpg"
                    picture(root / split / spectrum / name, (16, 32), person)
    return root


def rgbnt100(root: Path) -> Path:
    """6 vehicles x 3 cameras; 3 others: 2 queries, and a gallery of 8 cameras."""
    for split, vehicles, cameras in (
        ("bounding_box_train", PEOPLE, (1, 4, 8)),
        ("query", UNSEEN, (1, 2)),
        ("bounding_box_test", UNSEEN, range(1, 9)),
    ):
        for vehicle in vehicles:
            for camera in cameras:
                name = f"{vehicle:04d}_c{camera}_{camera:04d}.jpg"
                picture(root / "rgbir" / split / name, (768, 128), vehicle)
    return root


def msvr310(root: Path) -> Path:
    """6 vehicles x 2 scenes x 2; 3 others: 1 query each, and a gallery of 2 scenes x 2 cameras."""
    for split, vehicles, shots in (
        ("bounding_box_train", PEOPLE, [(1, 0), (1, 3), (2, 0), (2, 7)]),
        ("query3", UNSEEN, [(1, 0)]),
        ("bounding_box_test", UNSEEN, [(1, 0), (1, 5), (2, 0), (2, 5)]),
    ):
        for vehicle in vehicles:
            for scene, camera in shots:
                for spectrum in ("vis", "ni", "th"):
                    name = f"{vehicle:04d}_s{scene:03d}_v{camera}_000.jpg"
                    path = root / split / f"{vehicle:04d}" / spectrum / name
                    picture(path, (32, 16), vehicle)
    return root


@pytest.fixture
def small_levels() -> dict[str, Level]:
    """The sizes of a network of one block and 8 x 4 patches, on images of the stand-in's size."""
    return {
        "width": 32,
        "depth": 1,
        "heads": 2,
        "patch": 8,
        "height": 64,
        "image_width": 32,
        "embed": 16,
        "lif.channels": 4,
    }


MAKERS = {"rgbnt201": rgbnt201, "rgbnt100": rgbnt100, "msvr310": msvr310}


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Makes the data set of that name; the folder that holds its splits."""

    def make(name: str) -> Path:
        return MAKERS[name](tmp_path / "data" / MAKERS[name].__name__.upper())

    return make
