"""Folders that hold runs: how they are found, and what is common to them."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from ablate.errors import UsageError
from ablate.ingest.run import Draft
from ablate.ingest.settings import read as read_settings
from ablate.ingest.table import read_text
from ablate.ingest.text import without_places
from ablate.spec.keys import is_seed

CONFIGURATIONS = (
    ".hydra/config.yaml",
    "config.yaml",
    "config.yml",
    "config.json",
    "hparams.yaml",
    "args.yaml",
    "args.json",
    "params.json",
)
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


def configuration(folder: Path) -> Path | None:
    """The configuration file that stands in a folder of a run, if there is one."""
    return next((folder / n for n in CONFIGURATIONS if (folder / n).is_file()), None)


def configure(draft: Draft, path: Path) -> None:
    """Take a configuration file, and the overrides that Hydra wrote beside it, into a draft."""
    try:
        settings = read_settings(read_text(path))
    except ValueError as wrong:
        raise UsageError(f"{path}: {wrong}") from None
    take(draft, settings)
    draft.consume(path.name)
    overrides = path.with_name("overrides.yaml")
    if path.parent.name == ".hydra" and overrides.is_file():
        for line in read_text(overrides).splitlines():
            key, given, value = line.removeprefix("- ").strip().strip("'").partition("=")
            if given:
                draft.options[key.lstrip("+~")] = without_places(value)


def take(draft: Draft, settings: Mapping[str, str]) -> None:
    """Take resolved settings into a draft, paths cut to their last part, and the one seed in it."""
    draft.settings.update({k: " ".join(without_places(v).split()) for k, v in settings.items()})
    seeds = {text for key, text in settings.items() if is_seed(key) and text.isdecimal()}
    if len(seeds) == 1:
        draft.seed = int(seeds.pop())
