"""Which reader reads which file, and what the study is called."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from ablate.errors import UsageError
from ablate.ingest.build import Imported, build
from ablate.ingest.columns import understand
from ablate.ingest.mapping import Wanted, read_map
from ablate.ingest.table import read_table

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def read_csv(path: Path, name: str, wanted: Mapping[str, Wanted]) -> Imported:
    """A CSV (or semicolon- or tab-separated) file: one row per run, or per configuration."""
    table = read_table(path)
    return build(table, understand(table, wanted), name)


READERS: dict[str, Callable[[Path, str, Mapping[str, Wanted]], Imported]] = {"csv": read_csv}
SUFFIXES = {".csv": "csv", ".tsv": "csv"}


def read(
    path: Path, *, reader: str | None = None, study: str | None = None, mapping: Path | None = None
) -> Imported:
    """The study that a file holds; raises UsageError with file and line when it cannot be read."""
    kind = reader or SUFFIXES.get(path.suffix.lower())
    if kind not in READERS:
        what = f"there is no reader {reader!r}" if reader else f"{path}: no reader knows its suffix"
        raise UsageError(f"{what}; --reader takes {', '.join(READERS)}")
    wanted = read_map(mapping) if mapping else {}
    return READERS[kind](path, study_name(path, study), wanted)


def study_name(path: Path, given: str | None) -> str:
    """The name asked for, or the file's stem made into one."""
    if given is not None:
        if not NAME.fullmatch(given):
            raise UsageError(
                f"--study {given!r} is no study name: lower-case letters, digits, '.', '_' and '-',"
                " 64 at most"
            )
        return given
    made = re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("-._")[:64]
    if not NAME.fullmatch(made):
        raise UsageError(f"{path}: its name gives no study name; choose one with --study")
    return made
