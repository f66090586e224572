"""`ablate report`: a study's report as Markdown and JSON, or one part of it in the terminal."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ablate.cli.options import Select

if TYPE_CHECKING:
    from ablate.report.layout import Page
    from ablate.selection import Selection
    from ablate.store import Store
    from ablate.study import Study

SYNERGY, SENSITIVITY, PARETO = "--synergy", "--sensitivity", "--pareto"
EVERY = "all"


def report(
    study: Annotated[str | None, typer.Argument(help="A study's name; the latest without.")] = None,
    synergy: Annotated[
        bool, typer.Option(SYNERGY, help="What modules contribute and do together.")
    ] = False,
    sensitivity: Annotated[
        bool, typer.Option(SENSITIVITY, help="What moving each setting does.")
    ] = False,
    pareto: Annotated[bool, typer.Option(PARETO, help="Scores against costs.")] = False,
    metric: Annotated[
        str | None,
        typer.Option("--metric", metavar="NAME", help="With --synergy: in full, or all."),
    ] = None,
    select: Select = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The folder (reports/STUDY); a part's file."),
    ] = None,
    stdout: Annotated[
        bool, typer.Option("--stdout", help="Print Markdown, write nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, write nothing.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be written.")
    ] = False,
) -> None:
    """Write a study's report: README.md, and report.json with every number unrounded.

    With --synergy, --sensitivity or --pareto, print that part; -o writes it to a file instead.
    """
    from ablate.cli.writing import document_path, folder_path

    part = _part({SYNERGY: synergy, SENSITIVITY: sensitivity, PARETO: pareto}, metric)
    if output is not None:
        output = document_path(output) if part else folder_path(output)
    with _uncollected():
        _report(study, select, _Wanted(part, metric, output, stdout, json, dry_run))


@dataclass(frozen=True)
class _Wanted:
    """What is to be made of the document, and where it goes."""

    part: str
    metric: str | None
    output: Path | None
    stdout: bool
    json: bool
    dry_run: bool


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage: all that is read is kept to the end, and looking takes a third."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _report(study: str | None, select: str | None, wanted: _Wanted) -> None:
    import sys

    from ablate.cli.console import note, print_json, print_page
    from ablate.cli.reading import latest_or, project_store, rule_of, tell_rule

    with project_store() as store:
        found = latest_or(store, study)
        rule = rule_of(store, found, select)
        document = _document(store, found, rule, wanted.part)
    if wanted.json and (wanted.output is None or not wanted.part):
        print_json(document)
        return
    page = _page(document, wanted.part, wanted.metric)
    if wanted.stdout:
        from ablate.report.markdown import render

        sys.stdout.write(render(page))
        return
    tell_rule(found, rule)
    if wanted.part and wanted.output is None:
        print_page(page)
        return
    if found.standin:
        note("stand-in data: the report is not about the real data set")
    _write(document, page, wanted)


def _write(document: dict[str, Any], page: "Page", wanted: _Wanted) -> None:
    from ablate.cli.console import json_text
    from ablate.cli.writing import write_text
    from ablate.project import Project
    from ablate.report.markdown import render

    folder = wanted.output or Project.find().root / "reports" / document["study"]["name"]
    files = {folder / "README.md": False, folder / "report.json": True}
    if wanted.part:
        files = {folder: wanted.json or folder.suffix.lower() == ".json"}
    for path, as_json in files.items():
        if not wanted.dry_run:
            write_text(path, json_text(document) if as_json else render(page))
        typer.echo(f"{'would write' if wanted.dry_run else 'wrote'} {_near(path)}")


def _part(asked: dict[str, bool], metric: str | None) -> str:
    """The one part that is asked for, nothing for the whole report; raises UsageError."""
    from ablate.errors import UsageError

    parts = [name for name, is_asked in asked.items() if is_asked]
    if len(parts) > 1:
        raise UsageError(f"{' and '.join(parts)}: choose one")
    if metric is not None and parts != [SYNERGY]:
        raise UsageError(f"--metric goes with {SYNERGY}: other parts and the report show all")
    return next(iter(parts), "")


def _document(
    store: "Store", study: "Study", rule: "Selection | None", part: str
) -> dict[str, Any]:
    """The document of the whole report, or of a part."""
    from ablate.analysis.cells import cells
    from ablate.audit import inert_of
    from ablate.cli.reading import findings_of
    from ablate.record import State

    records = store.records(study.name, rule)
    findings, notes = findings_of(store, study, rule), store.notes(study.name)
    if part == SENSITIVITY:
        from ablate.report.sensitivity import sensitivity_document

        return sensitivity_document(study, records, findings, notes)
    if part == PARETO:
        from ablate.report.pareto import pareto_document

        return pareto_document(study, records, findings, notes)
    inert = inert_of(study, cells(records))
    if part == SYNERGY:
        from ablate.report.synergy import synergy_document

        return synergy_document(study, records, findings, notes, inert)
    from ablate.report import study_document

    grid = {r.key for r in records if r.role == "grid" and r.state is State.COMPLETED}
    curves = {key: of for key, of in store.all_curves(study.name).items() if key in grid}
    return study_document(study, records, curves, findings, notes, inert)


def _page(document: dict[str, Any], part: str, metric: str | None) -> "Page":
    """The document as a page."""
    if part == SYNERGY:
        from ablate.report.synergy_page import synergy_page

        return synergy_page(document, _metrics(document, metric))
    if part == SENSITIVITY:
        from ablate.report.sensitivity_page import sensitivity_page

        return sensitivity_page(document)
    if part == PARETO:
        from ablate.report.pareto_page import pareto_page

        return pareto_page(document)
    from ablate.report.study_page import study_page

    return study_page(document)


def _metrics(document: dict[str, Any], name: str | None) -> list[str] | None:
    """The metrics to be shown in full; None for the usual choice. Raises UsageError."""
    from ablate.errors import UsageError, not_one_of

    there: list[str] = document["synergy"]["metrics"]
    if name is None:
        return None
    if name == EVERY:
        return there
    titles = {m["name"]: (m["title"] or m["name"]).lower() for m in document["metrics"]}
    found = [m for m in there if m.lower() == name.lower()]
    found = found or [m for m in there if titles[m] == name.lower()]
    if not found:
        declared = {m["name"].lower() for m in document["metrics"]}
        if name.lower() in declared:
            raise UsageError(f"metric {name!r} has no score in study {document['study']['name']}")
        raise UsageError(not_one_of("metric", name, there))
    return found


def _near(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
