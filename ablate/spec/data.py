"""Which data a study is run on, and at which scale."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ablate.errors import SpecError, not_one_of
from ablate.system import System

MISSING = "missing"
UNNAMED = "unnamed"
"""The data of a system that finds them by itself and is told of none."""
FOUND = "as the program finds it"
"""How people are told of data that are unnamed."""

PAPER = "paper"
SMALL = "small"


@dataclass(frozen=True, slots=True)
class Source:
    """The data of a study: its root, its identity, and whether it is made up."""

    root: str | None
    identity: str
    standin: bool


def source(system: System, root: str | None, folder: Path, wanted: str | None = None) -> Source:
    """The data set at `root` inside `folder`, or the system's stand-in where no root is given.

    A root that is not there has the identity `missing`: a plan may go on with what the system
    declares, a run may not. So has no root at all at the `wanted` scale `paper`, which means the
    real data of a system that knows any. Raises SpecError where the system has neither.
    """
    if root is None and system.finds_data:
        return Source(None, UNNAMED, standin=False)
    if root is None and wanted == PAPER and system.real_data:
        return Source(None, MISSING, standin=False)
    if root is None:
        if system.standin is None:
            raise SpecError(
                f"system {system.name!r} has no stand-in data: name the data set ([data] root)",
                ("study", "system"),
            )
        return Source(None, f"standin:{system.standin}", standin=True)
    if not system.real_data:
        raise SpecError(
            f"system {system.name!r} knows only its stand-in data: leave out [data] root",
            ("data", "root"),
        )
    path = folder / root
    return Source(root, digest(path) if path.is_dir() else MISSING, standin=False)


def digest(folder: Path) -> str:
    """`files:` and the sha256 of the sorted relative names and sizes of all files below."""
    total = hashlib.sha256()
    for name, size in sorted(_files(folder)):
        total.update(name + b"\0" + str(size).encode() + b"\n")
    return f"files:{total.hexdigest()}"


def _files(folder: Path) -> Iterator[tuple[bytes, int]]:
    for at, _, names in os.walk(folder):
        for name in names:
            path = Path(at, name)
            if path.is_file():
                yield os.fsencode(path.relative_to(folder).as_posix()), path.stat().st_size


def inside(root: str) -> str:
    """`root` when it stays inside the project's data folder; raises SpecError."""
    path = PurePosixPath(root)
    if path.is_absolute() or ".." in path.parts:
        raise SpecError(
            f"{root!r} leaves the project's data folder: name a folder inside it,"
            " or give --data PATH",
            ("data", "root"),
        )
    return root


def scale(wanted: str | None, known: Mapping[str, object], *, small: bool) -> str:
    """The scale asked for; else, where it should be `small` and there is one, that; else paper."""
    if PAPER in known:
        raise SpecError("the study's own values are its paper scale", ("scale", PAPER))
    if wanted is None:
        return SMALL if small and SMALL in known else PAPER
    if wanted != PAPER and wanted not in known:
        raise SpecError(not_one_of("--scale", wanted, [PAPER, *known]))
    return wanted
