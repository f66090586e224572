"""`ablate compare`: configurations side by side, the first the reference."""

from pathlib import Path
from typing import Annotated

import typer

from ablate.cli.options import Select


def compare(
    variants: Annotated[
        list[str],
        typer.Argument(metavar="A B [C]...", help="Configurations' names; the first is reference."),
    ],
    study: Annotated[
        str | None,
        typer.Option("--study", help="Look there; else in the latest study that holds them all."),
    ] = None,
    select: Select = None,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", help="Only this metric; may be repeated. Holm is over those."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="STEPS", help="Steps of the curves: 50,600,1200."),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="REGEX",
            help="Its first group tells an item's cluster (identity, scene) from its name.",
        ),
    ] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-if",
            metavar="CONDITION",
            help="'mAP < -0.5': exit 1 where the difference to A, in display units (or with %,"
            " relative), is so for any variant; may be repeated.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write Markdown (or JSON, by suffix) to this file."),
    ] = None,
) -> None:
    """What differs between configurations: settings first, then scores, curves and costs.

    --fail-if tests the estimated difference, as printed under Δ but unrounded; its message says
    whether the interval excludes the bound. Exit code 1: a condition holds. 2: one cannot be
    tested, because a side has no finite score of its metric.
    """
    from ablate.analysis.cells import cells
    from ablate.audit.liveness import functions
    from ablate.cli.compare_asked import (
        check_clusters,
        check_steps,
        conditions,
        distinct,
        doubts,
        evidence,
        metrics_named,
        pattern,
        steps,
    )
    from ablate.cli.console import json_text, note, out, print_json, print_page
    from ablate.cli.reading import holding, project_store, rule_of, tell_rule
    from ablate.cli.writing import document_path, write_text
    from ablate.report import comparison_document, render_comparison
    from ablate.report.comparison import Asked
    from ablate.report.comparison_page import comparison_page

    names = distinct(variants)
    output = None if output is None else document_path(output)
    asked_steps, asked_cluster = steps(at), pattern(cluster)
    with project_store() as store:
        found = holding(store, names, study)
        asked = Asked(asked_steps, metrics_named(found, metric or ()), asked_cluster)
        failing = conditions(found, fail_if or (), asked.metrics)
        rule = rule_of(store, found, select)
        by_name = {c.variant: c for c in cells(store.records(found.name, rule))}
        chosen = [by_name[n] for n in names]
        left = evidence(store, chosen)
        doubted = doubts(store, found, chosen, rule)
        notes = store.notes(found.name)
    records = [r for c in chosen for r in c.records]
    keys = {r.key for r in records}
    noted = [
        n
        for n in notes
        if n.variant in names or n.key in keys or any(n.acknowledges(f) for f in doubted)
    ]
    document = comparison_document(
        found,
        chosen,
        [c for c in by_name.values() if c.variant not in names],
        evidence=left,
        asked=asked,
        findings=doubted,
        notes=noted,
        functions=functions(found, by_name.values()),
    )
    check_clusters(document, cluster)
    check_steps(document, at)
    failed = [line for condition in failing for line in condition.failures(document)]
    tell_rule(found, rule)
    if output is not None:
        as_json = json or output.suffix.lower() == ".json"
        write_text(output, json_text(document) if as_json else render_comparison(document))
        note(f"wrote {output}")
    elif json:
        print_json(document)
    else:
        out().print(f"study {found.name}: {' and '.join([', '.join(names[:-1]), names[-1]])}")
        print_page(comparison_page(document))
    for line in failed:
        note(line)
    if failed:
        raise typer.Exit(1)
