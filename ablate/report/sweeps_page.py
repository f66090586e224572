"""The section of a study's page on its sweeps: scores level by level, no trend, no verdict."""

from collections.abc import Mapping

from ablate.report import printed
from ablate.report.layout import NONE, Section, Table, Text, table
from ablate.report.tables import Document, best_of, lost_runs, metrics_of, score_text


def settings(document: Document) -> Section | None:
    """Every sweep of a study's document; None where there is none."""
    found = document["sweeps"]
    if not found:
        return None
    cells = {c["variant"]: c for c in document["cells"]}
    tables = tuple(_sweep(document, s, cells) for s in found)
    around = ", ".join(dict.fromkeys(s["around"] for s in found))
    metrics = metrics_of(document)
    own = list(dict.fromkeys(row["variant"] for s in found for row in s["levels"]))
    unit = printed.in_points(metrics)
    return Section(
        "Settings, one at a time",
        lead=(f"Moved around: {around}. Nothing is said about other configurations.",),
        tables=tables,
        notes=(
            f"Bold: best of its table. Δ: difference from the default level{unit}.",
            *lost_runs(metrics, [cells[name] for name in own]),
        ),
    )


def _sweep(document: Document, sweep: Document, cells: Mapping[str, Document]) -> Table:
    metrics = metrics_of(document)
    own = [cells[row["variant"]] for row in sweep["levels"]]
    best = {m.name: best_of(m, own) for m in metrics}
    heads = [sweep["title"]]
    for m in metrics:
        heads += [printed.heading(m), "Δ"]
    rows = []
    for row in sweep["levels"]:
        cell, default = cells[row["variant"]], row["variant"] == sweep["around"]
        texts: list[str | Text] = [
            printed.level_text(row["level"]) + (" (default)" if default else "")
        ]
        for m in metrics:
            change = NONE if default else printed.estimate(m, row["differences"][m.name])
            texts += [score_text(m, cell, best[m.name]), change]
        rows.append(texts)
    return table(f"{sweep['title']} around {sweep['around']}", heads, rows)
