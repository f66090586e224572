"""`ablate report`: a study's report as Markdown and JSON."""

from pathlib import Path
from typing import Annotated

import typer

from ablate.cli.options import Select


def report(
    study: Annotated[str | None, typer.Argument(help="A study's name; the latest without.")] = None,
    select: Select = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The folder (reports/STUDY).")
    ] = None,
    stdout: Annotated[
        bool, typer.Option("--stdout", help="Print Markdown, write nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, write nothing.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be written.")
    ] = False,
) -> None:
    """Write a study's report: README.md, and report.json with every number unrounded."""
    import sys

    from ablate.audit import unseeded
    from ablate.audit.seeds import CODE as UNSEEDED
    from ablate.cli.console import json_text, note, print_json
    from ablate.cli.reading import latest_or, project_store, rule_of, tell_rule
    from ablate.cli.writing import write_text
    from ablate.project import Project
    from ablate.record import State
    from ablate.report import render_study, study_document

    with project_store() as store:
        found = latest_or(store, study)
        rule = rule_of(store, found, select)
        records = store.records(found.name, rule)
        grid = {r.key for r in records if r.role == "grid" and r.state is State.COMPLETED}
        # Also of runs that were imported, which no `run` has looked at.
        alike = unseeded(found, records, store.curves)
        known = [f for f in store.findings(found.name) if f.code != UNSEEDED]
        document = study_document(
            found,
            records,
            {key: store.curves(key) for key in grid},
            [*known, *alike],
            store.notes(found.name),
        )
    if json:
        print_json(document)
        return
    if stdout:
        sys.stdout.write(render_study(document))
        return
    tell_rule(found, rule)
    folder = output or Project.find().root / "reports" / found.name
    if found.standin:
        note("stand-in data: the report is not about the real data set")
    files = {"README.md": render_study(document), "report.json": json_text(document)}
    for name, text in files.items():
        if not dry_run:
            write_text(folder / name, text)
        typer.echo(f"{'would write' if dry_run else 'wrote'} {_near(folder / name)}")


def _near(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
