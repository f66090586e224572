"""`ablate export`: a study's numbers for other programs, or the whole database."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ablate.cli.options import Select

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate.record import Record
    from ablate.selection import Selection
    from ablate.store import Store
    from ablate.study import Study


class Format(StrEnum):
    """What may be written."""

    CSV = "csv"
    JSON = "json"
    TEX = "tex"
    SQLITE = "sqlite"


_SUFFIXES = {".csv": "csv", ".json": "json", ".tex": "tex", ".db": "sqlite", ".sqlite": "sqlite"}


def export(
    study: Annotated[str | None, typer.Argument(help="A study's name; the latest without.")] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="By the file's suffix without, else csv.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file; standard output without.")
    ] = None,
    select: Select = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write a row per trial as CSV or JSON, a TeX table, or the whole database as SQLite."""
    import sys

    from ablate.cli.console import note
    from ablate.cli.reading import banner, latest_or, project_store, rule_of, tell_rule
    from ablate.cli.writing import write_text

    kind = form or _format(output)
    with project_store() as store:
        if output is not None and output.exists():
            _check_replaceable(store, output, force=force)
        if kind is Format.SQLITE:
            _database(store, study, output, select)
            return
        found = latest_or(store, study)
        rule = rule_of(store, found, select)
        text = _text(kind)(found, store.records(found.name, rule), rule or found.selection)
    banner(found)
    tell_rule(found, rule)
    if output is None:
        sys.stdout.write(text)
        return
    write_text(output, text)
    note(f"wrote {output}")


def _check_replaceable(store: "Store", output: Path, *, force: bool) -> None:
    """Raise UsageError unless what is there is a file that may be replaced."""
    from ablate.errors import UsageError

    if output.is_dir():
        raise UsageError(f"-o {output}: it is a folder; name a file")
    if output.samefile(store.path):
        raise UsageError(f"{output} is the database itself")
    if not force:
        raise UsageError(f"{output} exists already; --force replaces it")


def _format(output: Path | None) -> Format:
    """The format of a file's suffix; CSV where there is none. Raises UsageError."""
    from ablate.errors import UsageError

    suffix = output.suffix.lower() if output else ""
    if suffix and suffix not in _SUFFIXES:
        raise UsageError(f"{output}: {suffix} is not one of {', '.join(_SUFFIXES)} (or --format)")
    return Format(_SUFFIXES.get(suffix, "csv"))


def _text(kind: Format) -> "Callable[[Study, Sequence[Record], Selection], str]":
    from ablate.cli.console import json_text
    from ablate.report.export import export_csv, export_document, export_tex

    if kind is Format.JSON:
        return lambda study, records, rule: json_text(export_document(study, records, rule))
    return export_csv if kind is Format.CSV else export_tex


def _database(store: "Store", study: str | None, output: Path | None, select: str | None) -> None:
    """The whole database in a new file; a file that is to be replaced is so at once."""
    from ablate.cli.console import note
    from ablate.errors import HostError, UsageError

    if output is None:
        raise UsageError("--format sqlite needs a file: -o results-copy.db")
    if study is not None or select is not None:
        what = "the study" if study is not None else "--select"
        raise UsageError(f"leave {what} out: {output.name} would be the whole database (SQLite)")
    beside = output.with_name(f".{output.name}.new")
    beside.unlink(missing_ok=True)
    try:
        store.backup(beside).replace(output)
    except OSError as wrong:
        raise HostError(f"cannot write {output}: {wrong.strerror}") from None
    note(f"wrote {output}")
