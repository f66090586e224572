"""`report --synergy` as a page: the sections of a grid, in order. No numbers are made here."""

from collections.abc import Callable, Iterable, Sequence

from ablate.metric import Metric
from ablate.report import printed, synergy_evidence, synergy_tables
from ablate.report.layout import NONE, Page, Section
from ablate.report.people import notes
from ablate.report.printed import counted_columns
from ablate.report.said import part_page
from ablate.report.synergy_evidence import plain_number
from ablate.report.synergy_words import (
    POOLED,
    POOLED_NOTE,
    Document,
    average,
    claim,
    direction,
    effect,
    has_interval,
    interval,
    interval_head,
    made_table,
    metrics_of,
    module,
    numbers_of,
    p_text,
    size,
    together,
    unit,
    verdict,
)
from ablate.report.tables import some

KINDS: dict[str, Callable[[str, str], str]] = {
    "alone": lambda names, _: f"{names} alone",
    "last": lambda names, _: f"{names} added last",
    "off": lambda names, others: f"{names} with {others} off",
    "on": lambda names, others: f"{names} with {others} on",
    "moebius": lambda names, _: f"the term {names}",
    "departure": lambda *_: "the departure of the full combination",
}
MOST_OPEN = 4
MOST_NAMED = 3
FAMILIES = "Of a module: its main effect. Of a pair: its averaged interaction."
TOGETHER = (
    "Together: the Möbius term of the cost, what the combination costs beyond its parts; a module"
    " that runs only beside another shows here."
)
COUNTED = "Costs are counted: they have no interval."


def synergy_page(document: Document, metrics: Sequence[str] | None = None) -> Page:
    """The grid's page: the primary metric in full and the others in one table.

    `metrics` names those to be shown in full instead.
    """
    sections = (*_all(document, metrics), notes(document["by_hand"]))
    return part_page(document, "synergy", sections, len(document["synergy"]["cells"]))


def _all(document: Document, names: Sequence[str] | None) -> Iterable[Section]:
    every = metrics_of(document)
    full = every[:1] if names is None else [m for m in every if m.name in names]
    for metric in full:
        yield synergy_evidence.evidence(document, metric)
        yield from claims(document, metric)
        yield synergy_evidence.cells(document, metric)
        yield from contributions(document, metric)
    if names is None:
        yield from further(document, every[1:])
    yield from closing(document)


def contributions(document: Document, metric: Metric) -> Iterable[Section]:
    """What each module contributes on one metric, in which contexts, and how they act together."""
    yield synergy_tables.modules(document, metric)
    for part in (synergy_tables.contexts, synergy_tables.synergy):
        section = part(document, metric)
        if section is not None:
            yield section


def closing(document: Document) -> Iterable[Section]:
    """What is no metric's own: costs, what seeds share, where metrics disagree, what is missing."""
    for part in (costs, seeds, disagreements, missing):
        section = part(document)
        if section is not None:
            yield section


def claims(document: Document, metric: Metric) -> Iterable[Section]:
    """One computed sentence per judged effect; nothing where nothing can be said."""
    of = numbers_of(document, metric)
    judged = [(module(document, m["module"]), m["main"]) for m in of["modules"]]
    judged += [(together(document, p["modules"]), p["averaged"]) for p in of["pairs"]]
    if not has_interval(a for _, a in judged):
        return
    lines = tuple(claim(document, metric, n, a) for n, a in judged if a["effect"])
    yield Section(
        f"{metric.label} in words",
        lead=lines,
        notes=(FAMILIES, *_downward([metric]), "Undecided does not mean that there is no effect."),
    )


def further(document: Document, metrics: Sequence[Metric]) -> Iterable[Section]:
    """The main effects and averaged interactions of further metrics, in one table."""
    rows: list[list[str]] = []
    sure = judged = False
    for metric in metrics:
        of, fine = numbers_of(document, metric), average(metric)
        answers = [(module(document, m["module"]), m["main"]) for m in of["modules"]]
        answers += [(together(document, p["modules"]), p["averaged"]) for p in of["pairs"]]
        sure = sure or has_interval(a for _, a in answers)
        judged = judged or any(a["verdict"] or a["inert"] for _, a in answers)
        rows += [
            [
                printed.heading(metric),
                name,
                effect(fine, a),
                interval(document, fine, a),
                p_text(a["p_holm"]),
                verdict(a),
            ]
            for name, a in answers
            if a["effect"]
        ]
    absent = [m.label for m in metrics if _absent(numbers_of(document, m))]
    notes = [FAMILIES, *_downward(metrics)]
    notes += [f"A missing cell leaves them open: {', '.join(absent)}."] if absent else []
    if rows or absent:
        name = document["study"]["name"]
        notes.append(f"In full: ablate report {name} --synergy --metric all.")
    notes += [POOLED_NOTE] if any(POOLED in text for row in rows for text in row) else []
    if not rows:
        if absent:
            yield Section("Further metrics", lead=tuple(notes))
        return
    keep = [True, True, True, sure, sure, judged]
    heads = [("Metric", True), ("Module or pair", True), ("Effect", False)]
    heads += [(interval_head(document), False), ("Holm p", False), ("Verdict", True)]
    rows = [[text for text, kept in zip(row, keep, strict=True) if kept] for row in rows]
    yield Section(
        "Further metrics",
        tables=(made_table([h for h, kept in zip(heads, keep, strict=True) if kept], rows),),
        notes=tuple(notes),
    )


def _downward(metrics: Sequence[Metric]) -> list[str]:
    """What positive means, for each metric of which less is better."""
    return [direction(m) for m in metrics if m.direction == "down"]


def _absent(of: Document) -> bool:
    return any(m["main"]["missing_count"] for m in of["modules"])


def costs(document: Document) -> Section | None:
    """Whether parameters and operations add up over the grid."""
    found = document["synergy"]["costs"]
    if not found:
        return None
    columns = counted_columns(found)
    heads = [("Module", True)]
    for title, _ in columns:
        heads += [(f"{title} alone", False), (f"{title} last", False)]
    rows = [
        [
            module(document, m["module"]),
            *(
                text(of["modules"][i][k])
                for of, (_, text) in zip(found, columns, strict=True)
                for k in ("alone", "last")
            ),
        ]
        for i, m in enumerate(document["synergy"]["modules"])
    ]
    lead = []
    for of, (title, _) in zip(found, columns, strict=True):
        if of["additive"] is not None:
            what = "add up exactly" if of["additive"] else "do not add up: see the terms below"
            what = "no module adds any" if _free(of) else f"modules {what}"
            lead.append(f"{title}: {what}.")
    lead += _idle(document)
    if all(map(_free, found)):
        return Section("Do costs add up?", lead=tuple(lead))
    tables = [made_table(heads, rows)]
    odd = [(of, c) for of, c in zip(found, columns, strict=True) if of["additive"] is False]
    if odd:
        values = {id(of): {tuple(t["modules"]): t["value"] for t in of["terms"]} for of, _ in odd}
        sets = list(dict.fromkeys(k for of in values.values() for k in of))
        tables.append(
            made_table(
                [("Together", True), *((title, False) for _, (title, _) in odd)],
                [
                    [
                        together(document, s),
                        *(text(values[id(of)].get(s)) for of, (_, text) in odd),
                    ]
                    for s in sets
                    if any(values[id(of)].get(s) for of, _ in odd)
                ],
                "Beyond the sum",
            )
        )
    return Section(
        "Do costs add up?",
        lead=tuple(lead),
        tables=tuple(tables),
        notes=(*([TOGETHER] if odd else []), COUNTED),
    )


def _idle(document: Document) -> Iterable[str]:
    """What it means that modules add parameters to some cells and no operations."""
    found = document["synergy"]["idle"]
    if found is None:
        return
    modules = dict.fromkeys(module(document, m) for c in found["cells"] for m in c["modules"])
    cells = [c["variant"] for c in found["cells"]]
    kept = dict.fromkeys(c["same_as"] for c in found["cells"])
    said = (
        f"Parameters and no operations are what {', '.join(modules)} add in {some(cells)}: either"
        " the counter misses them, or they are not run there. In the second case these cells repeat"
        f" {some(list(kept))}"
    )
    noise = [
        f"{size(average(m), n['sd'])}{unit(m)} of {m.label} ({n['df']} degrees of freedom)"
        for m in metrics_of(document)
        for n in [found["noise"].get(m.name)]
        if n
    ]
    yield f"{said}, and one run has an SD of {', '.join(noise)}." if noise else f"{said}."


def _free(of: Document) -> bool:
    """Whether no module changes a cost, alone or last."""
    return not any(m[k] for m in of["modules"] for k in ("alone", "last"))


def seeds(document: Document) -> Section | None:
    """What runs of one seed share, and what blocking by seed would make of the intervals."""
    metrics = metrics_of(document)
    found = [(m, numbers_of(document, m)["seeds"]) for m in metrics]
    shared = [of["intraclass"] for _, of in found]
    notes = [
        "Blocked where the cells used share two seeds, because the study says paired = true."
        if any(of["paired"] for _, of in found)
        else "Intervals treat runs of one seed as unrelated; [claims] paired = true in the study"
        " file, decided before the runs, blocks them.",
    ]
    rows = [
        [
            m.label,
            plain_number(of["intraclass"]["value"]),
            _between(of["intraclass"]),
            plain_number(of["ends"]["value"]),
        ]
        for m, of in found
    ]
    heads = [("Metric", True), ("Intraclass", False)]
    heads += [(interval_head(document), False), ("r", False)]
    tables = [made_table(heads, rows)]
    reasons = [of["intraclass"]["reason"] for _, of in found if of["intraclass"]["reason"]]
    reasons += [f"r: {of['ends']['reason']}" for _, of in found if of["ends"]["reason"]]
    told = [f"Not defined: {reason}." for reason in dict.fromkeys(reasons)]
    if all(of["value"] is None for _, s in found for of in (s["intraclass"], s["ends"])):
        return Section("What seeds share", lead=tuple(told))
    notes += told
    alike, own = (_span([s[k] for s in shared]) for k in ("seeds", "cells"))
    both = _span([s["ends"]["n"] for _, s in found])
    lead = (
        f"Intraclass correlation over {alike} seeds that {own} cells share; r: Pearson's, of"
        f" baseline and full over seeds, n = {both}."
    )
    if any(of[k] for _, of in found for k in ("main", "averaged")):
        heads = [("Blocked ÷ unblocked", True), ("Main SE", False), ("Main width", False)]
        heads += [("Averaged SE", False), ("Averaged width", False)]
        tables.append(made_table(heads, [[m.label, *_ratios(of)] for m, of in found]))
        notes.append(
            "Intraclass: the share of a run's variance that its seed brings to every cell. Ratios"
            " of main effects and averaged interactions: of standard errors (root mean square),"
            " and of mean widths of intervals, which also pay for the degrees of freedom lost."
        )
    return Section("What seeds share", lead=(lead,), tables=tuple(tables), notes=tuple(notes))


def _span(counts: Sequence[int]) -> str:
    """A count, or the smallest and the largest of several."""
    return " to ".join(str(n) for n in dict.fromkeys((min(counts), max(counts))))


def _between(shared: Document) -> str:
    if shared["low"] is None:
        return NONE
    return f"[{plain_number(shared['low'])}, {plain_number(shared['high'])}]"


def _ratios(of: Document) -> list[str]:
    return [
        plain_number(of[kind][ratio]) if of[kind] else NONE
        for kind in ("main", "averaged")
        for ratio in ("se", "width")
    ]


def disagreements(document: Document) -> Section | None:
    """The effects whose sign depends on the metric, and each metric's best cell."""
    found, metrics = document["synergy"]["disagreements"], metrics_of(document)
    if len(metrics) < 2:  # noqa: PLR2004 - one alone agrees
        return None
    labels = {m.name: m.label for m in metrics}
    lead = [
        f"{together(document, e['modules'])}"
        f" ({'main effect' if e['kind'] == 'main' else 'averaged interaction'}): better on"
        f" {', '.join(labels[m] for m in e['better'])}; worse on"
        f" {', '.join(labels[m] for m in e['worse'])}."
        for e in found["effects"]
    ]
    best = {name: some(of) for name, of in found["best"].items()}
    if len(set(best.values())) > 1:
        lead.append("Best cell: " + "; ".join(f"{labels[n]} {of}" for n, of in best.items()) + ".")
    elif best:
        lead.append(f"Best cell on every metric: {next(iter(best.values()))}.")
    if not found["effects"] and not all(_absent(numbers_of(document, m)) for m in metrics):
        lead.insert(0, "No effect changes its sign between metrics.")
    note = "By estimates alone"
    if found["effects"] and not any(e["decided"] for e in found["effects"]):
        note += ": none of these effects is decided both as better and as worse"
    return Section("Where metrics disagree", lead=tuple(lead), notes=(f"{note}.",))


def missing(document: Document) -> Section | None:
    """The cells without a finite run and the questions that wait for them."""
    of = document["synergy"]["missing"]
    if not of["count"]:
        return None
    rows = [[c["variant"], _why(c), _open(document, c)] for c in of["cells"]]
    more = of["count"] - len(rows)
    notes = ["Any missing cell leaves main effects, Shapley shares and averaged interactions open."]
    if more:
        notes.append(f"{more:,} more cells are missing.")
    heads = [("Cell", True), ("Why", True), ("Further questions it would answer", True)]
    return Section("Missing cells", tables=(made_table(heads, rows),), notes=tuple(notes))


def _why(cell: Document) -> str:
    if not cell["placed"]:
        return "not in the design"
    return "no finite score" if cell["completed"] else "no completed run"


def _open(document: Document, cell: Document) -> str:
    asked = []
    every = document["study"]["modules"]
    for of in cell["for"]:
        rest = [module(document, m) for m in every if m not in of["modules"]]
        others = (", ".join(rest) or "nothing") if len(rest) <= MOST_NAMED else "all others"
        asked.append(KINDS[of["kind"]](together(document, of["modules"]), others))
    told = list(dict.fromkeys(asked))
    more = f" and {len(told) - MOST_OPEN} more" if len(told) > MOST_OPEN else ""
    return ("; ".join(told[:MOST_OPEN]) + more) or NONE
