"""`ablate ls`: studies, or the trials of one."""

from typing import TYPE_CHECKING, Annotated

import typer

from ablate.cli.options import Select

if TYPE_CHECKING:
    from ablate.record import Record
    from ablate.study import Study


def ls(
    study: Annotated[
        str | None, typer.Argument(help="List this study's trials; the studies without.")
    ] = None,
    sort: Annotated[
        str | None, typer.Option("--sort", metavar="METRIC", help="Best of this metric first.")
    ] = None,
    select: Select = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the studies, or the trials of one study with their scores and costs."""
    from ablate.cli.console import note, print_json
    from ablate.cli.reading import banner, project_store, rule_of, tell_rule
    from ablate.errors import UsageError

    with project_store() as store:
        if study is None:
            if sort is not None or select is not None:
                raise UsageError("--sort and --select are about the trials of one study: name it")
            _studies([(store.study(n), store.records(n)) for n in store.studies()[:limit]], json)
            return
        asked = store.study(study)
        rule = rule_of(store, asked, select)
        records = store.records(study, rule)
    if sort is not None:
        records = _sorted(asked, records, sort)
    if json:
        from ablate.report.document import trial_document

        print_json(
            {
                "schema": "ablate.ls/1",
                "study": asked.name,
                "selection": str(rule or asked.selection),
                "trials": [trial_document(r) for r in records[:limit]],
            }
        )
        return
    banner(asked)
    tell_rule(asked, rule)
    _trials(asked, records[:limit], sort)
    if limit is not None and limit < len(records):
        note(f"{limit} of {len(records)} trials shown")


def _studies(found: "list[tuple[Study, list[Record]]]", json: bool) -> None:
    from ablate.cli.console import Column, print_json, print_table

    rows = [
        {
            "name": study.name,
            "title": study.title,
            "system": study.system,
            "done": sum(r.state == "completed" for r in records),
            "trials": len(records),
            "standin": study.standin,
            "data": "stand-in" if study.standin else study.data,
        }
        for study, records in found
    ]
    if json:
        print_json({"schema": "ablate.ls/1", "studies": rows})
        return
    columns = [
        Column("Study"),
        Column("System"),
        Column("Done", right=True),
        Column("Trials", right=True),
        Column("Data"),
        Column("Title", drop=1),
    ]
    texts = [
        [
            str(r["name"]),
            str(r["system"]),
            str(r["done"]),
            str(r["trials"]),
            str(r["data"]),
            str(r["title"]),
        ]
        for r in rows
    ]
    print_table(columns, texts)


def _sorted(study: "Study", records: "list[Record]", name: str) -> "list[Record]":
    import math

    from ablate.errors import UsageError, not_one_of

    try:
        metric = study.metric(name)
    except KeyError:
        raise UsageError(not_one_of("metric", name, study.directions)) from None
    sign = -1 if metric.direction == "up" else 1

    def place(record: "Record") -> tuple[bool, float]:
        score = record.scores.get(metric.name)
        if score is None or math.isnan(score.value):
            return True, 0.0
        return False, sign * score.value

    return sorted(records, key=place)


def _trials(study: "Study", records: "list[Record]", sort: str | None) -> None:
    from ablate.cli.console import Column, print_table
    from ablate.report.document import trial_document
    from ablate.report.printed import SIZE, TIMES, spent_columns

    documents = [trial_document(r) for r in records]
    spent = spent_columns(documents, (*SIZE, *TIMES))
    shown_first = study.metric(sort or study.primary)
    metrics = sorted(study.metrics, key=lambda m: m != shown_first)
    brought = any(r.source != "run" for r in records)
    columns = [
        Column("Trial"),
        Column("Configuration"),
        Column("Seed", right=True),
        Column("State", drop=90),
        *(Column(f"{m.label} {m.arrow}", right=True, drop=i) for i, m in enumerate(metrics)),
        *(Column(c.title, right=True, drop=100 + i) for i, c in enumerate(spent)),
        *([Column("Source", drop=200)] if brought else []),
    ]
    rows = [
        [
            r.key[:8],
            r.variant,
            str(r.seed),
            str(r.state),
            *(m.text(r.scores[m.name].value) if m.name in r.scores else "–" for m in metrics),
            *(c.text(d["costs"]) for c in spent),
            *([r.source] if brought else []),
        ]
        for r, d in zip(records, documents, strict=True)
    ]
    print_table(columns, rows)
