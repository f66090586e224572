"""The images of one split: listed, sorted, named, and each with all of its spectra."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ablate.errors import UsageError
from models.reid.decode import SUFFIXES
from models.reid.layouts import Label, Layout, label


@dataclass(frozen=True, slots=True)
class Shot:
    """One image in three spectra: its name, its files (one where that holds all), its label."""

    name: str
    files: tuple[Path, ...]
    label: Label


@dataclass(frozen=True, slots=True)
class Listing:
    """The shots of one split in the order of their names, and what was passed over, counted."""

    shots: tuple[Shot, ...]
    ignored: Counter[str]


def listing(root: Path, folder: str, layout: Layout) -> Listing:
    """The shots in `folder` of a data set; raises UsageError at the first defect."""
    ignored: Counter[str] = Counter()
    shots = []
    for home in _homes(root / folder, layout, ignored):
        for stem, files in _triples(home, layout, ignored):
            said = label(layout, stem, str(files[0]))
            if said is None:
                ignored["image of nobody (identity -1)"] += 1
                continue
            if layout.by_identity and int(home.name) != said.identity:
                raise UsageError(
                    f"{files[0]} is named after identity {said.identity:04d}, but lies in the"
                    f" folder of {home.name}: move, rename or remove it"
                )
            shots.append(Shot(stem, files, said))
    if not shots:
        raise UsageError(f"{root / folder} holds no image: is the download complete?")
    return Listing(tuple(shots), ignored)


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, sorted by name; raises UsageError where it cannot be listed."""
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError as wrong:
        raise UsageError(f"{folder} cannot be listed: {wrong.strerror or wrong}") from wrong


def _homes(folder: Path, layout: Layout, ignored: Counter[str]) -> list[Path]:
    """The folders that hold images or spectra: the split itself, or one per identity."""
    if not layout.by_identity:
        return [folder]
    homes = []
    for entry in entries(folder):
        if entry.name.startswith(".") or not entry.is_dir():
            ignored["hidden or no image"] += 1
        elif entry.name.isdecimal():
            homes.append(Path(entry.path))
        else:
            raise UsageError(
                f"{entry.path} is not named after an identity, as the folders of {layout.title}"
                " are (like 0001): rename or remove it"
            )
    return homes


def _triples(
    home: Path, layout: Layout, ignored: Counter[str]
) -> Iterator[tuple[str, tuple[Path, ...]]]:
    """Every image's stem and its files, one per spectrum."""
    if not layout.spectra:
        yield from ((stem, (path,)) for stem, path in _images(home, ignored).items())
        return
    absent = [spectrum for spectrum in layout.spectra if not (home / spectrum).is_dir()]
    if absent:
        raise UsageError(
            f"{home} has no folder {absent[0]}: {layout.title} needs {', '.join(layout.spectra)}"
            " there; is the download complete?"
        )
    held = [_images(home / spectrum, ignored) for spectrum in layout.spectra]
    stems = sorted(set().union(*held))
    lost = [stem for stem in stems if not all(stem in images for images in held)]
    if lost:
        raise UsageError(_missing(home, layout, held, lost))
    for stem in stems:
        yield stem, tuple(images[stem] for images in held)


def _missing(home: Path, layout: Layout, held: list[dict[str, Path]], lost: list[str]) -> str:
    stem = lost[0]
    gap = next(s for s, images in zip(layout.spectra, held, strict=True) if stem not in images)
    has = next(images[stem] for images in held if stem in images)
    more = f" ({len(lost) - 1} more images lack a spectrum)" if len(lost) > 1 else ""
    return (
        f"{has} has no image of that name in {home / gap}: {layout.title} needs every image in"
        f" {', '.join(layout.spectra)}; restore the file, or remove it in every spectrum{more}"
    )


def _images(folder: Path, ignored: Counter[str]) -> dict[str, Path]:
    """The image files of a folder by stem, sorted; other files are counted."""
    images: dict[str, Path] = {}
    for entry in entries(folder):
        path = Path(entry.path)
        if entry.name.startswith(".") or path.suffix.lower() not in SUFFIXES:
            ignored["hidden or no image"] += 1
            continue
        if not path.is_file():
            raise UsageError(
                f"{path} is no file, or a link that leads to none: replace or remove it"
            )
        if path.stem in images:
            raise UsageError(
                f"{folder} holds {images[path.stem].name} and {path.name}, two files for one image:"
                " remove one"
            )
        images[path.stem] = path
    return images
