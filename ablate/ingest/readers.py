"""Which readers there are, by name, and which of them knows a file."""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from ablate.errors import SpecError, UsageError, not_one_of
from ablate.ingest import demo, histories, mlflow, mmdet, stepped, tensorboard, wandb
from ablate.ingest.declared import declared as declare
from ablate.ingest.exported import check_not_own
from ablate.ingest.run import Reader
from ablate.ingest.tables import SUFFIXES, read_table_study
from ablate.spec.document import validated
from ablate.spec.systems import ReaderTable

READERS: Mapping[str, Reader] = {
    module.READER.name: module.READER
    for module in (demo, mmdet, histories, tensorboard, mlflow, stepped, wandb)
}
"""The built-in readers; of two that know the same runs, the first is taken."""

Declared = Mapping[str, str | ReaderTable | dict[str, object]]
"""[readers] of a project: name -> `package.module:name`, or the table."""

_SAMPLE = 5

read = read_table_study


def reader(name: str, declared: Declared) -> Reader:
    """The reader called `name`; a project's own comes before a built-in one. Raises UsageError."""
    if name in declared:
        return _declared(name, declared[name])
    if name in READERS:
        return READERS[name]
    known = not_one_of("reader", name, [*READERS, *declared])
    raise UsageError(f"{known}; no [readers.{name}] in ablate.toml declares it")


def guess(paths: Sequence[Path], declared: Declared) -> tuple[Reader, list[Path]]:
    """The reader that knows most files under the paths, and those files.

    Folders are searched by the heads of their files; of files named one by one, the first few are
    read. Raises UsageError with what was tried where none knows any, or two know as many.
    """
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder")
        check_not_own(path)
    tried = [reader(name, declared) for name in {**dict.fromkeys(declared), **READERS}]
    found = [(one, _known(one, paths)) for one in tried]
    most = max(len(files) for _, files in found)
    best = [(one, files) for one, files in found if files and len(files) == most]
    if not best and all(path.suffix.lower() in SUFFIXES for path in paths):
        raise UsageError(
            f"{', '.join(map(str, paths))}: a table of runs, of which no command can be guessed:"
            " import it without --guess"
        )
    if not best:
        raise UsageError(
            f"{', '.join(map(str, paths))}: no run is known there by the readers"
            f" {', '.join(one.name for one in tried)}; declare one as [readers.NAME] in"
            " ablate.toml (docs/readers.md), or import a table with --reader csv"
        )
    first, files = best[0]
    places = {file.parent for file in files} | set(files)
    for other, theirs in best[1:]:
        if not {file if file.is_dir() else file.parent for file in theirs} <= places:
            raise UsageError(
                f"{most} runs are known to {first.name} and as many others to {other.name}:"
                " choose with --reader"
            )
    return first, files


def _declared(name: str, one: str | ReaderTable | dict[str, object]) -> Reader:
    if isinstance(one, str):
        return _imported(name, one)
    try:
        table = one if isinstance(one, ReaderTable) else validated(ReaderTable, one)
    except SpecError as wrong:
        raise SpecError(f"readers.{name}: {wrong}", ("readers", name, *wrong.keys)) from None
    return declare(name, table)


def _imported(name: str, reference: str) -> Reader:
    module, _, attribute = reference.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as wrong:
        kind = type(wrong).__name__
        raise UsageError(
            f"reader {name!r}: {reference} cannot be loaded: {kind}: {wrong}"
        ) from wrong
    if not isinstance(found, Reader):
        raise UsageError(f"reader {name!r}: {reference} is a {type(found).__name__}, not a Reader")
    return found


def _known(one: Reader, paths: Sequence[Path]) -> list[Path]:
    folders = [path for path in paths if path.is_dir()]
    files = [path for path in paths if not path.is_dir()]
    found = [file for folder in folders for file in one.find(folder)]
    sample = files[:_SAMPLE]
    return found + (files if sample and all(_reads(one, file) for file in sample) else [])


def _reads(one: Reader, file: Path) -> bool:
    try:
        run = next(iter(one.read(file)), None)
    except (UsageError, OSError):
        return False
    return run is not None and bool(run.scalars or run.items or run.scores or run.settings)
