"""Tables of results: one row per run, or per configuration, whatever wrote them."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from ablate.errors import UsageError
from ablate.ingest import stepped, wandb
from ablate.ingest.bookkeeping import begun, one_lettered, renamed, unfolded
from ablate.ingest.build import Imported, build
from ablate.ingest.columns import understand
from ablate.ingest.jsonl import read_rows
from ablate.ingest.mapping import read_map
from ablate.ingest.table import Table, read_table

TABLES: Mapping[str, Callable[[Path], Table]] = {"csv": read_table, "jsonl": read_rows}
SUFFIXES = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def read_table_study(
    path: Path, *, reader: str | None = None, study: str | None = None, mapping: Path | None = None
) -> Imported:
    """The study that a table holds; raises UsageError with file and line when it cannot be read."""
    kind = reader or SUFFIXES.get(path.suffix.lower())
    if kind is None or kind not in TABLES:
        what = f"there is no reader {reader!r}" if reader else f"{path}: no reader knows its suffix"
        raise UsageError(f"{what}; --reader takes {', '.join(TABLES)}")
    wanted = read_map(mapping) if mapping else {}
    if reader is None:
        _check_rows_are_runs(path)
    table = unfolded(TABLES[kind](path))
    names = one_lettered(table.columns)
    wanted = {names.get(c, c): said for c, said in wanted.items()}
    table = begun(renamed(table, names), wanted)
    return build(table, understand(table, wanted), study_name(path, study))


def _check_rows_are_runs(path: Path) -> None:
    """Raise UsageError for a file of one row per step, which another reader knows."""
    lines = path.suffix.lower() in stepped.SUFFIXES
    reader = stepped.READER if lines else wandb.READER
    if (stepped.holds_steps if lines else wandb.is_chart)(path):
        raise UsageError(
            f"{path}: its rows are steps, not runs: --reader {reader.name} reads it (--reader"
            f" {SUFFIXES[path.suffix.lower()]} if they are runs)"
        )


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
