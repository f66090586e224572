"""How the three benchmarks lie on a disk, and how their protocols are told from file names."""

import re
from dataclasses import dataclass

from ablate.errors import UsageError

JUNK = -1
"""The identity that Market-1501's naming gives to images of nobody."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One benchmark: its folders, its file names, and what its protocol leaves out.

    `spectra` are the folders of the three spectra, none where one image of `strip` (width, height)
    pixels holds them side by side. With `by_identity` each identity has a folder. `cameras` and
    `identities` are the numbers that names may hold. Gallery images of the query's identity and
    `group` are left out. `size` is the benchmark's input, (height, width).
    """

    title: str
    train: str
    query: str
    gallery: str
    name: re.Pattern[str]
    example: str
    cameras: range
    size: tuple[int, int]
    spectra: tuple[str, ...] = ()
    strip: tuple[int, int] | None = None
    by_identity: bool = False
    identities: range = range(10**6)
    junk: bool = False
    group: str = "camera"

    @property
    def splits(self) -> tuple[str, ...]:
        """The folders of the splits, each once."""
        return tuple(dict.fromkeys((self.train, self.query, self.gallery)))


@dataclass(frozen=True, slots=True)
class Label:
    """What a file name says: identity as written, camera from 0, scene (0 where there is none)."""

    identity: int
    camera: int
    scene: int


LAYOUTS = {
    "rgbnt201": Layout(
        "RGBNT201",
        train="train_171",
        query="test",
        gallery="test",
        spectra=("RGB", "NI", "TI"),
        name=re.compile(r"(?P<identity>\d{6})_cam(?P<camera>\d+)(?!\d)"),
        example="000258_cam1_0_00.jpg",
        cameras=range(1, 5),
        size=(256, 128),
    ),
    "rgbnt100": Layout(
        "RGBNT100",
        train="rgbir/bounding_box_train",
        query="rgbir/query",
        gallery="rgbir/bounding_box_test",
        strip=(768, 128),
        name=re.compile(r"(?P<identity>-?\d+)_c(?P<camera>\d+)(?!\d)"),
        example="0001_c1_0001.jpg",
        cameras=range(1, 9),
        identities=range(1, 601),
        junk=True,
        size=(128, 256),
    ),
    "msvr310": Layout(
        "MSVR310",
        train="bounding_box_train",
        query="query3",
        gallery="bounding_box_test",
        spectra=("vis", "ni", "th"),
        by_identity=True,
        name=re.compile(r"(?P<identity>\d{4})..(?P<scene>\d{3})..(?P<camera>\d)"),
        example="0001_s001_v0_001.jpg",
        cameras=range(8),
        size=(128, 256),
        group="scene",
    ),
}


def label(layout: Layout, stem: str, where: str) -> Label | None:
    """What `stem` says, None for an image of nobody; raises UsageError that names `where`."""
    match = layout.name.match(stem)
    if match is None:
        raise UsageError(
            f"{where} is not named as {layout.title} names its images, like {layout.example}:"
            " rename or remove it"
        )
    found = match.groupdict()
    identity, camera = int(found["identity"]), int(found["camera"])
    if layout.junk and identity == JUNK:
        return None
    if identity not in layout.identities:
        low, high = layout.identities[0], layout.identities[-1]
        raise UsageError(
            f"{where} shows identity {identity}, but {layout.title} counts from {low} to {high}:"
            " rename or remove it"
        )
    if camera not in layout.cameras:
        low, high = layout.cameras[0], layout.cameras[-1]
        raise UsageError(
            f"{where} names camera {camera}, but {layout.title} has cameras {low} to {high}:"
            " rename or remove it"
        )
    return Label(identity, camera - layout.cameras[0], int(found.get("scene") or 0))
