"""Folders that hold runs: how they are found, and what is common to them."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from ablate.errors import UsageError

_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages"})
_LIMIT = 500_000


def walk(path: Path) -> Iterator[tuple[Path, frozenset[str]]]:
    """Each folder from `path` down, in the order of names, with the names of what it holds.

    Links to folders are not followed and hidden folders are passed over. Raises UsageError over
    half a million folders.
    """
    for count, (folder, inside, files) in enumerate(os.walk(path)):
        if count >= _LIMIT:
            raise UsageError(f"{path}: over {_LIMIT} folders; name the one that holds the runs")
        names = frozenset((*inside, *files))
        inside[:] = sorted(d for d in inside if not d.startswith(".") and d not in _SKIPPED)
        yield Path(folder), names


def digest(path: Path) -> str:
    """The sha256 of a file's bytes; raises UsageError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as wrong:
        raise UsageError(f"{path}: {wrong.strerror or wrong}") from None
