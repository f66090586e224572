"""A comparison's document as a page: configuration, then costs, then metrics; no verdicts."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from ablate.report import printed
from ablate.report.facts import rules
from ablate.report.layout import Page, Section, table
from ablate.report.people import externals, notes
from ablate.report.printed import metric_of, spent_columns
from ablate.report.study_page import STANDIN, doubts, findings, remarks
from ablate.report.tables import counters

Document: TypeAlias = Mapping[str, Any]


def comparison_page(document: Document) -> Page:
    """What differs between two configurations, what each spends and what each scores."""
    a, b = document["a"]["variant"], document["b"]["variant"]
    sections = (
        _configuration(document),
        _costs(document),
        _metrics(document),
        externals(document["externals"], document["metrics"]),
        notes(document["by_hand"]),
    )
    return Page(
        title=f"{a} and {b}",
        standin=STANDIN if document["study"]["standin"] else "",
        warnings=(*doubts(document, everything=2), *findings(document)),
        remarks=tuple(remarks(document)),
        facts=(
            ("Study", document["study"]["name"]),
            ("Selection", rules(document["study"])),
            ("Runs", f"{a}: {document['a']['runs']} · {b}: {document['b']['runs']}"),
        ),
        sections=tuple(s for s in sections if s is not None),
    )


def _configuration(document: Document) -> Section:
    a, b = document["a"]["variant"], document["b"]["variant"]
    rows = [
        [name, printed.level_text(levels["a"]), printed.level_text(levels["b"])]
        for name, levels in document["differs"].items()
    ]
    if not rows:
        return Section("Configuration", lead=("No factor differs.",))
    return Section("Configuration", tables=(table("", ["Factor", a, b], rows),))


def _costs(document: Document) -> Section:
    a, b = document["a"], document["b"]
    columns = spent_columns([a, b], printed.EVERYTHING, others=True)
    rows = [
        [c.title, c.text(a["costs"]), c.text(b["costs"]), c.difference(b["costs"], a["costs"])]
        for c in columns
    ]
    if not rows:
        return Section("Costs", lead=("None is recorded.",))
    notes = dict.fromkeys(counters(columns))
    heads = ["Cost", a["variant"], b["variant"], "Difference"]
    return Section("Costs", tables=(table("", heads, rows),), notes=tuple(notes))


def _metrics(document: Document) -> Section:
    a, b = document["a"]["variant"], document["b"]["variant"]
    level = f"{document['study']['level']:.0%}"
    rows, shown, reasons = [], [], []
    for entry in document["metrics"]:
        metric = metric_of(entry)
        if not (entry["a"]["by_seed"] or entry["b"]["by_seed"]):
            continue
        shown.append(metric)
        reasons += _no_interval(entry)
        rows.append(
            [
                printed.heading(metric),
                f"{printed.score(metric, entry['a'])} ({entry['a']['n']})",
                f"{printed.score(metric, entry['b'])} ({entry['b']['n']})",
                printed.estimate(metric, entry["difference"]),
                printed.interval(metric, entry["difference"]),
            ]
        )
    if not rows:
        return Section("Metrics", lead=("Neither has a score yet.",))
    heads = ["Metric", a, b, "Difference", f"{level} interval"]
    note = f"Mean ± SD (runs){printed.in_points(shown)}."
    notes = (note, *dict.fromkeys(reasons))
    return Section("Metrics", tables=(table("", heads, rows),), notes=notes)


def _no_interval(entry: Document) -> list[str]:
    effect = entry["difference"]
    if effect is not None and effect["low"] is not None:
        return []
    if min(entry["a"]["n"], entry["b"]["n"]) < 2:  # noqa: PLR2004 - a spread needs two values
        return ["No interval: that needs two finite runs or more on either side."]
    return ["No interval: no run differs from another of its configuration."]
