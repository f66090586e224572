"""`ablate show`: a study's leader board, a configuration, or one trial."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ablate.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.metric import Metric
    from ablate.record import Note, Record
    from ablate.store import Store
    from ablate.study import Study

LAST_POINTS = 3


def show(
    ref: Annotated[
        str | None, typer.Argument(help="A study, a configuration, or a trial's key.")
    ] = None,
    study: Annotated[str | None, typer.Option("--study", help="Look in this study.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of this seed.")] = None,
    tokens: Annotated[
        bool, typer.Option("--tokens", help="Where the trial's picture of kept tokens lies.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="With --tokens: copy the PNG to FILE.")
    ] = None,
    json: Json = False,
) -> None:
    """Show a study's leader board, or the settings, scores, costs and attempts of a trial."""
    from ablate.cli.artifacts import show_tokens
    from ablate.cli.reading import banner, latest_or, project_store
    from ablate.errors import UsageError

    if output is not None and not tokens:
        raise UsageError("--output means something with --tokens only")
    with project_store() as store:
        names = store.studies()
        if ref is None or (ref in names and study is None):
            if seed is not None:
                raise UsageError("--seed is of a configuration: name one (ablate ls)")
            if tokens:
                raise UsageError("--tokens shows one trial's picture: name the trial (ablate ls)")
            found = latest_or(store, ref or study)
            _board(found, store.records(found.name), json)
            if not json:
                _notes([n for n in store.notes(found.name) if n.study and not n.variant])
            return
        found, records = _meant(store, ref, study, seed)
        if tokens:
            show_tokens(store, records, output)
            return
        if not json:
            banner(found)
        _trials(store, found, records, json)


def _meant(
    store: "Store", ref: str, study: str | None, seed: int | None
) -> "tuple[Study, list[Record]]":
    """The trials that a key or a configuration means, and their study; raises UsageError."""
    from ablate.cli.reading import holding, looks_like_key, record_of
    from ablate.errors import UsageError

    if looks_like_key(ref) and store.find_trial(ref):
        found, record = record_of(store, ref, study)
        records = [record]
    else:
        found = holding(store, [ref], study)
        records = [r for r in store.records(found.name) if r.variant == ref]
    of_seed = [r for r in records if seed in {None, r.seed}]
    if not of_seed:
        raise UsageError(f"{ref!r} has no trial at seed {seed}")
    return found, of_seed


def _board(study: "Study", records: "list[Record]", json: bool) -> None:
    from ablate.cli.console import Column, out, print_json, print_table
    from ablate.cli.reading import banner
    from ablate.report.document import board_document
    from ablate.report.printed import SIZE, estimate, metric_of, score, spent_columns

    document = board_document(study, records)
    cells, primary = document["cells"], study.metric(study.primary)
    ranked = sorted(cells, key=lambda c: _worst_last(c["scores"][primary.name], primary))
    if json:
        print_json({"schema": "ablate.show/1", "study": document["study"], "board": ranked})
        return
    banner(study)
    metrics = [metric_of(m) for m in document["metrics"]]
    metrics = sorted(metrics, key=lambda m: m.name != primary.name)
    spent = spent_columns(cells, SIZE)
    columns = [Column("#", right=True), Column("Configuration"), Column("n", right=True, drop=1)]
    columns += [Column(f"{primary.label} {primary.arrow}", right=True), Column("Δ", right=True)]
    columns += [
        Column(f"{m.label} {m.arrow}", right=True, drop=10 + i) for i, m in enumerate(metrics[1:])
    ]
    columns += [Column(c.title, right=True, drop=100 + i) for i, c in enumerate(spent)]
    rows = [
        [
            "–" if c["scores"][primary.name]["lost"] else str(i + 1),
            c["variant"],
            str(c["scores"][primary.name]["n"]),
            score(primary, c["scores"][primary.name]),
            estimate(primary, c["differences"][primary.name]),
            *(score(m, c["scores"][m.name]) for m in metrics[1:]),
            *(s.text(c["costs"]) for s in spent),
        ]
        for i, c in enumerate(ranked)
    ]
    counts = document["counts"]
    out().print(
        f"{study.name}: {counts['completed']} done, {counts['failed']} failed,"
        + (f" {counts['incomplete']} incomplete," if counts["incomplete"] else "")
        + f" {counts['missing']} missing",
        soft_wrap=True,
    )
    print_table(columns, rows)


def _worst_last(scores: "Mapping[str, Any]", metric: "Metric") -> tuple[bool, float]:
    """Configurations that lost runs to NaN or infinity come last: their mean is of the rest."""
    mean = scores["mean"]
    if mean is None or scores["lost"]:
        return True, 0.0
    return False, -mean if metric.direction == "up" else mean


def _trials(store: "Store", study: "Study", records: "list[Record]", json: bool) -> None:
    from ablate.cli.console import out, print_json

    documents = [_trial(store, study, r) for r in records]
    if json:
        print_json({"schema": "ablate.show/1", "study": study.name, "trials": documents})
        return
    for record, document in zip(records, documents, strict=True):
        for line in _lines(study, record, document):
            out().print(line, soft_wrap=True)
    keys = {r.key for r in records}
    _notes([n for n in store.notes(study.name) if n.key in keys or n.variant == record.variant])


def _notes(notes: "list[Note]") -> None:
    from ablate.cli.console import out
    from ablate.cli.note import line

    if notes:
        out().print("Notes (by hand)")
    for note in notes:
        out().print(f"  {line(note)}", soft_wrap=True)


def _trial(store: "Store", study: "Study", record: "Record") -> dict[str, object]:
    from ablate.cli.artifacts import artifacts
    from ablate.report.document import costs_of, trial_document

    curves = store.curves(record.key)
    return trial_document(record) | {
        "levels": dict(record.levels),
        "shares": {f: [costs_of([c]) for c in of.values()] for f, of in record.shares.items()},
        "artifacts": {n: str(path) for n, path in artifacts(store, record).items()},
        "curves": [
            {"split": split, "name": name, "points": {str(s): v for s, v in points.items()}}
            for (split, name), points in curves.items()
        ],
        "attempts": [
            {
                "number": a.number,
                "state": str(a.state),
                "host": a.host,
                "device": a.device,
                "started": a.started,
                "ended": a.ended,
                "seconds": a.seconds,
                "exit_code": a.exit_code,
                "error": a.error or a.error_type,
                "folder": a.folder,
                "provenance": dict(a.provenance),
            }
            for a in store.attempts(record.key)
        ],
        "settings": store.settings(record.key),
        "standin": study.standin,
    }


def _lines(study: "Study", record: "Record", document: dict[str, object]) -> list[str]:
    from ablate.report.people import said
    from ablate.report.printed import EVERYTHING, level_text, spent_columns

    lines = [f"{record.variant}, seed {record.seed}: {record.state}", f"  trial     {record.key}"]
    lines += [
        f"  level     {n} = {level_text(v)}{'' if n in record.changed else ' (reference)'}"
        for n, v in record.levels.items()
    ]
    for metric in study.metrics:
        score = record.scores.get(metric.name)
        if score is not None:
            at = f" at step {score.step} of {score.split}" if score.step is not None else ""
            lines.append(
                f"  score     {metric.label} {metric.text(score.value)}{at}, {score.selection}"
            )
    percent = {m.name for m in study.metrics if m.display == "percent"}
    lines += [
        f"  elsewhere {e.metric} {said(e.value, percent=e.metric in percent)}"
        f"{f' on {e.split}' if e.split else ''}, {e.source}, {e.date}"
        for e in record.externals
    ]
    costs = [c | {} for c in document["costs"]] if isinstance(document["costs"], list) else []
    columns = spent_columns([{"costs": costs}], EVERYTHING, others=True)
    lines += [f"  cost      {c.title} {c.text(costs)} ({c.counter})" for c in columns]
    lines += _share_lines(document)
    settings = document["settings"]
    assert isinstance(settings, dict)
    if settings:
        lines.append(f"  settings  {len(settings)} as its program resolved them (--json)")
    artifacts = document["artifacts"]
    assert isinstance(artifacts, dict)
    lines += [f"  artifact  {name} {path}" for name, path in artifacts.items()]
    return lines + _attempt_lines(document) + _curve_lines(document)


def _share_lines(document: dict[str, object]) -> list[str]:
    from ablate.report.printed import EVERYTHING, spent_columns

    shares = document["shares"]
    assert isinstance(shares, dict)
    lines = []
    for factor, costs in shares.items():
        columns = spent_columns([{"costs": costs}], EVERYTHING, others=True)
        shown = ", ".join(f"{c.title} {c.text(costs)}" for c in columns)
        lines.append(f"  of it     {factor}: {shown}")
    return lines


def _attempt_lines(document: dict[str, object]) -> list[str]:
    from ablate.report.document import NOTES

    lines = []
    attempts = document["attempts"]
    assert isinstance(attempts, list)
    for a in attempts:
        seconds = f", {a['seconds']:.1f} s" if a["seconds"] is not None else ""
        where = " on ".join(filter(None, [a["device"], a["host"]]))
        lines.append(f"  attempt   {a['number']} {a['state']}{seconds} {where}".rstrip())
        if a["error"]:
            lines.append(f"            {a['error'].strip().splitlines()[-1]}")
        facts = dict(a["provenance"])
        lines += [f"            noted: {doubt}" for doubt in facts.pop(NOTES, "").splitlines()]
        lines += [f"            {n}: {v}" for n, v in facts.items()]
    return lines


def _curve_lines(document: dict[str, object]) -> list[str]:
    curves = document["curves"]
    assert isinstance(curves, list)
    lines = []
    for curve in curves:
        points = list(curve["points"].items())[-LAST_POINTS:]
        last = ", ".join(f"{step}: {value:.4g}" for step, value in points)
        lines.append(f"  curve     {curve['split']}.{curve['name']}  … {last}")
    return lines
