"""The tables of a study's page: costs, scores, times and runs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from ablate.metric import Metric
from ablate.report import printed
from ablate.report.layout import NONE, Section, Text, table
from ablate.report.printed import Spent, metric_of, spent_columns

Document: TypeAlias = Mapping[str, Any]
RATES = "FLOPs are multiply–accumulates of one scored sample, by {}."
LIVE = (
    "{}: those that the scored output depends on; executed are all that run, shown where they"
    " differ."
)
AS_IMPORTED = "as imported"
OWN = "Trainable parameters and operations of the modules that the switch itself brings."
SHARES = ("params", "live_params", "trained_params", *printed.OPERATIONS)
FEW = 4
REASON = 400
"""Characters of an error that a table has room for; the log has the rest."""
UNTOLD = "FLOPs as imported: the source does not say whether they are multiply–accumulates."
ONE_RUN = "One run per configuration: run-to-run variation is unknown, so there is no interval."


def metrics_of(document: Document) -> list[Metric]:
    """The metrics that any cell has a score of, the primary one first."""
    metrics = [metric_of(m) for m in document["metrics"]]
    primary = document["study"]["primary"]
    scored = {n for cell in document["cells"] for n, s in cell["scores"].items() if s["by_seed"]}
    kept = [m for m in metrics if m.name in scored or m.name == primary]
    return sorted(kept, key=lambda m: m.name != primary)


def configurations(document: Document) -> list[Document]:
    """The cells that are no sweep."""
    return [c for c in document["cells"] if c["role"] != "sweep"]


def baseline_in(document: Document) -> Document | None:
    """The cell that others are compared with."""
    return next((c for c in document["cells"] if c["variant"] == document["baseline"]), None)


def best_of(metric: Metric, cells: Sequence[Document]) -> float | None:
    """The best mean of a metric among cells that lost no run to NaN or infinity."""
    means = [s["mean"] for c in cells for s in (c["scores"][metric.name],) if not s["lost"]]
    finite = [m for m in means if m is not None]
    if not finite:
        return None
    return float(max(finite) if metric.direction == "up" else min(finite))


def score_text(metric: Metric, cell: Document, best: float | None) -> Text:
    """A score as a table shows it, bold where it is the best."""
    scores = cell["scores"][metric.name]
    bold = best is not None and not scores["lost"] and scores["mean"] == best
    return Text(printed.score(metric, scores), bold=bold)


def lost_runs(metrics: Sequence[Metric], cells: Sequence[Document]) -> tuple[str, ...]:
    """The note that names the runs whose score is not finite; nothing where there is none."""
    lost = [
        f"{one_line(c['variant'])} {s['lost']} of {s['n'] + s['lost']} runs ({m.label})"
        for m in metrics
        for c in cells
        for s in (c["scores"][m.name],)
        if s["lost"]
    ]
    return (f"Left out, not finite: {', '.join(lost)}.",) if lost else ()


def _finite(metrics: Sequence[Metric], cell: Document) -> str:
    counts = [cell["scores"][m.name]["n"] for m in metrics]
    return ", ".join(map(str, counts if len(set(counts)) > 1 else counts[:1]))


def one_line(text: str) -> str:
    """Text without line breaks."""
    return " ".join(text.split())


def complexity(document: Document) -> Section | None:
    """What each configuration is made of, and how that differs from the baseline."""
    cells, baseline = configurations(document), baseline_in(document)
    columns = spent_columns(cells, (*printed.SIZE, "ops"), others=True)
    if not columns or baseline is None:
        return None
    rows = [
        [
            cell["variant"],
            *(c.text(cell["costs"]) for c in columns),
            *(_more(c, cell, baseline) for c in columns),
        ]
        for cell in cells
    ]
    titles = [c.title for c in columns]
    heads = ["Configuration", *titles, *(f"Δ {t}" for t in titles)]
    return Section(
        "Complexity",
        tables=(table("", heads, rows),),
        notes=(f"Δ: difference from {baseline['variant']}.", *dict.fromkeys(counters(columns))),
    )


def _more(column: Spent, cell: Document, baseline: Document) -> str:
    if cell is baseline:
        return NONE
    return column.difference(cell["costs"], baseline["costs"])


def sizes(cells: Sequence[Document]) -> tuple[list[Spent], list[tuple[str, list[str], list[str]]]]:
    """Columns of what modules add, and a row for each size that a factor's have.

    A row is the factor, the variants where its modules are so large, and a text per column.
    """
    by_size: dict[tuple[str, ...], list[str]] = {}
    owning = [
        (cell["variant"], factor, {"costs": costs})
        for cell in cells
        for factor, costs in cell["shares"].items()
    ]
    columns = spent_columns([own for _, _, own in owning], SHARES)
    for variant, factor, own in owning:
        key = (factor, *(c.text(own["costs"]) for c in columns))
        by_size.setdefault(key, []).append(variant)
    order = list(dict.fromkeys(factor for _, factor, _ in owning))
    keys = sorted(by_size, key=lambda key: order.index(key[0]))
    return columns, [(key[0], by_size[key], list(key[1:])) for key in keys]


def modules(document: Document) -> Section | None:
    """What the modules of each factor add."""
    columns, found = sizes(configurations(document))
    if not found:
        return None
    rows = [[factor, some(variants), *texts] for factor, variants, texts in found]
    return Section(
        "What each module adds",
        tables=(
            table("", ["Module", "Configurations", *(c.title for c in columns)], rows, texts=2),
        ),
        notes=(OWN, *dict.fromkeys(counters(columns))),
    )


def some(names: Sequence[str], few: int = FEW) -> str:
    """A few names, and how many more there are."""
    shown = ", ".join(map(one_line, names[:few]))
    return f"{shown} and {len(names) - few} more" if len(names) > few else shown


def counters(columns: Sequence[Spent]) -> Iterable[str]:
    """What measured each column, as its notes say it."""
    for column in columns:
        if column.counter == AS_IMPORTED and column.name in printed.OPERATIONS:
            yield UNTOLD
        elif column.name in printed.OPERATIONS:
            yield RATES.format(column.counter)
            if column.name == "live_macs":
                yield LIVE.format(column.title)
        elif column.counter != AS_IMPORTED:
            yield f"{column.title}: {column.counter}."


def performance(document: Document) -> Section:
    """Every metric of every configuration, and its difference from the baseline."""
    cells, metrics = configurations(document), metrics_of(document)
    several = document["counts"]["most_runs"] > 1
    best = {m.name: best_of(m, cells) for m in metrics}
    heads = ["Configuration", *(["n"] if several else []), *map(printed.heading, metrics)]
    heads += [f"Δ {m.label}" for m in metrics]
    rows = [
        [
            cell["variant"],
            *([_finite(metrics, cell)] if several else []),
            *(score_text(m, cell, best[m.name]) for m in metrics),
            *(printed.estimate(m, cell["differences"][m.name]) for m in metrics),
        ]
        for cell in cells
    ]
    spread = "Mean ± SD over n finite runs." if several else ONE_RUN
    unit = printed.in_points(metrics)
    notes = (
        f"Bold: best of its column. Δ: difference from {document['baseline']}{unit}.",
        *([spread] if document["counts"]["most_runs"] else []),
        "Every difference is computed from unrounded values.",
        *lost_runs(metrics, cells),
    )
    return Section("Performance", tables=(table("", heads, rows),), notes=notes)


def spending(document: Document) -> Section | None:
    """What each configuration took to run."""
    cells = document["cells"]
    columns = spent_columns(cells, printed.TIMES)
    if not columns:
        return None
    rows = [[c["variant"], *(col.text(c["costs"]) for col in columns)] for c in cells]
    heads = ["Configuration", *(c.title for c in columns)]
    notes = [f"{c.title}: {c.counter}." for c in columns if c.counter != AS_IMPORTED]
    return Section("Time and memory", tables=(table("", heads, rows),), notes=tuple(notes))


def budgets(document: Document) -> Section | None:
    """The study's declared limits, met or not met."""
    rows = [
        [
            entry["cost"],
            entry["variant"],
            entry["counter"],
            "met" if entry["met"] else "not met",
            f"{entry['most']:,.0f}",
            f"{entry['limit']:,.0f}",
        ]
        for entry in document["limits"]
    ]
    if not rows:
        return None
    heads = ["Cost", "Configuration", "Counter", "Limit is", "At most", "Limit"]
    return Section("Limits", tables=(table("", heads, rows, texts=4),))


def unfinished(document: Document) -> Section | None:
    """The trials without a result, with the reason."""
    rows = [
        [
            t["variant"],
            str(t["seed"]),
            t["state"],
            t["key"][:8],
            one_line(t["error"].strip().partition("\n\n")[0])[:REASON] or NONE,
        ]
        for t in document["trials"]
        if t["state"] != "completed"
    ]
    if not rows:
        return None
    heads = ["Configuration", "Seed", "State", "Trial", "Error"]
    return Section("Failed and missing", tables=(table("", heads, rows, texts=5),))


def all_runs(document: Document) -> Section:
    """Every trial, one row each."""
    metrics, trials = metrics_of(document), document["trials"]
    columns = spent_columns(trials, printed.SIZE)
    heads = ["#", "Trial", "Configuration", "Seed", "State", *(c.title for c in columns)]
    heads += [printed.heading(m) for m in metrics]
    rows = [
        [
            str(t["number"]),
            t["key"][:8],
            t["variant"],
            str(t["seed"]),
            t["state"],
            *(c.text(t["costs"]) for c in columns),
            *(
                m.text(t["scores"][m.name]["value"]) if m.name in t["scores"] else NONE
                for m in metrics
            ),
        ]
        for t in trials
    ]
    return Section("All runs", tables=(table("", heads, rows, texts=5),))
