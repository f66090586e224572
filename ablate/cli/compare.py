"""`ablate compare`: two configurations side by side."""

from pathlib import Path
from typing import Annotated

import typer

from ablate.cli.options import Select


def compare(
    a: Annotated[str, typer.Argument(help="A configuration's name.")],
    b: Annotated[str, typer.Argument(help="Another one.")],
    study: Annotated[
        str | None,
        typer.Option("--study", help="Look there; else in the latest study that holds both."),
    ] = None,
    select: Select = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write Markdown (or JSON, by suffix) to this file."),
    ] = None,
) -> None:
    """What differs between two configurations: settings first, then costs, then scores."""
    from ablate.analysis.cells import cells
    from ablate.audit import liveness, recorded
    from ablate.cli.console import json_text, note, out, print_json, print_page
    from ablate.cli.reading import holding, project_store, rule_of, tell_rule
    from ablate.cli.writing import write_text
    from ablate.report import comparison_document, render_comparison
    from ablate.report.comparison_page import comparison_page

    with project_store() as store:
        found = holding(store, [a, b], study)
        rule = rule_of(store, found, select)
        by_name = {c.variant: c for c in cells(store.records(found.name, rule))}
        notes = store.notes(found.name)
    keys = {r.key for name in (a, b) for r in by_name[name].records}
    noted = [n for n in notes if n.variant in {a, b} or n.key in keys]
    both = [*by_name[a].completed, *by_name[b].completed]
    document = comparison_document(found, by_name[a], by_name[b], liveness(recorded(both)), noted)
    tell_rule(found, rule)
    if output is not None:
        as_json = json or output.suffix == ".json"
        write_text(output, json_text(document) if as_json else render_comparison(document))
        note(f"wrote {output}")
    elif json:
        print_json(document)
    else:
        out().print(f"study {found.name}: {a} and {b}")
        print_page(comparison_page(document))
