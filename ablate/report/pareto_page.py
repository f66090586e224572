"""A document of scores against costs as a page: fronts, gains per cost, sums of costs."""

from collections.abc import Iterable, Mapping, Sequence

from ablate.metric import Metric, plain, signed
from ablate.report import printed
from ablate.report.facts import rules
from ablate.report.layout import NONE, Page, Section, Text, table
from ablate.report.people import notes
from ablate.report.printed import EVERYTHING, Spent, metric_of, spent_columns
from ablate.report.said import part_page
from ablate.report.significant import amount, probability, significant
from ablate.report.synergy_words import interval_head
from ablate.report.tables import AS_IMPORTED, Document, budgets, counters, one_line, some

NAMED = 6
"""So many configurations are named in a sentence."""
UNITS = {1e3: "thousand", 1e6: "million", 1e9: "billion"}
CLEAR = " *"
PAIR = 2
MEASURED = ("seconds", "step", "memory")
NEAR = 0.01
"""Measured costs that differ by less than this share are said to."""


def pareto_page(document: Document) -> Page:
    """Scores against costs."""
    study = document["study"]
    columns = _columns(document)
    sections = (
        *(_front(document, f, columns) for f in document["fronts"]),
        *(_gains(document, g, columns) for g in document["gains"]),
        *(_sums(s, columns) for s in document["sums"]),
        budgets(document),
        _reading(document, columns),
        notes(document["by_hand"]),
    )
    facts = (("Study", study["name"]), ("Selection", rules(study)))
    return part_page(document, "scores against costs", sections, len(document["cells"]), facts)


def _columns(document: Document) -> Mapping[tuple[str, str], Spent]:
    """How every cost is printed, by its name and counter."""
    found = spent_columns(document["cells"], EVERYTHING, others=True)
    return {(c.name, c.counter): c for c in found}


def _front(
    document: Document, front: Document, columns: Mapping[tuple[str, str], Spent]
) -> Section | None:
    metric = _metric(document, front["metric"])
    column = columns[front["cost"], front["counter"]]
    if not front["points"]:
        return None
    title = f"{metric.label} against {column.title}"
    if front["spread"] and front["spread"]["noise"]:
        return Section(title, lead=(_ranks_noise(front, column),))
    cells = {c["variant"]: c for c in document["cells"]}
    place = {p["variant"]: i for i, p in enumerate(front["points"], 1)}
    bounded = any(p["difference"] and p["difference"]["low"] is not None for p in front["points"])
    heads = ["Configuration", column.title, metric.label, "Beaten by", "Δ"]
    heads += [interval_head(document)] if bounded else []
    rows: list[list[str | Text]] = []
    for p in front["points"]:
        on = p["dominated_by"] is None
        row: list[str | Text] = [
            Text(f"#{place[p['variant']]} {one_line(p['variant'])}", bold=on),
            plain(p["cost"] / column.scale, column.digits),
            metric.text(p["score"]),
            "front" if on else f"#{place[p['dominated_by']]}",
            printed.estimate(metric, p["difference"]),
        ]
        if bounded:
            row += [printed.interval(metric, p["difference"]) + (CLEAR if p["clear"] else "")]
        rows.append(row)
    return Section(
        title,
        lead=(
            f"{printed.heading(metric)} and {column.title}, cheapest first, {_runs(front, cells)}.",
        ),
        tables=(table("", heads, rows),),
        notes=tuple(_front_notes(document, front, bounded=bounded)),
    )


def _ranks_noise(front: Document, column: Spent) -> str:
    """Why a cost has no front: it would be one of how the runs happened to go."""
    costs = [p["cost"] / column.scale for p in front["points"]]
    sd = significant(front["spread"]["sd"] / column.scale)
    return (
        f"Left out: its front would rank noise. Runs of one configuration vary with SD {sd},"
        f" and means from {significant(min(costs))} to {significant(max(costs))} are not told"
        f" apart by that (analysis of variance, p {probability(front['spread']['p'])})."
    )


def _runs(front: Document, cells: Mapping[str, Document]) -> str:
    n = [cells[p["variant"]]["scores"][front["metric"]]["n"] for p in front["points"]]
    span = str(min(n)) if min(n) == max(n) else f"{min(n)} to {max(n)}"
    return f"mean of {span} run{'s' if max(n) > 1 else ''} each"


def _metric(document: Document, name: str) -> Metric:
    return next(metric_of(m) for m in document["metrics"] if m["name"] == name)


def _front_notes(document: Document, front: Document, *, bounded: bool) -> Iterable[str]:
    points = front["points"]
    if len({p["cost"] for p in points}) == 1:
        yield "All cost the same: the front is the best score alone."
    elif front["cost"] in MEASURED and (share := _range(points)) < NEAR:
        yield f"All costs lie within {100 * share:.2g} % of each other."
    cells = {c["variant"]: c for c in document["cells"]}
    if all(cells[p["variant"]]["scores"][front["metric"]]["n"] == 1 for p in points):
        yield "One run each decides nothing: another seed may put others on the front."
    elif not bounded:
        yield "No interval: no difference varies over the runs."
    yield from _beaten(points)
    if front["left_out"]:
        yield (
            "Left out, without a score, with one that is not finite, or without this counter:"
            f" {some(front['left_out'], NAMED)}."
        )
    within = [e for e in document["limits"] if e["cost"] == front["cost"]]
    over = [e["variant"] for e in within if not e["met"]]
    if within:
        kept = "met by all" if not over else f"not met by {some(over, NAMED)}"
        yield f"The limit of {within[0]['limit']:,.0f} is {kept}."
    if front["hardware"]:
        yield f"Not of one kind of machine ({some(front['hardware'])}): times are not comparable."


def _range(points: Sequence[Document]) -> float:
    """The largest cost minus the smallest, as a share of the largest."""
    costs = [p["cost"] for p in points]
    return float((max(costs) - min(costs)) / max(costs)) if max(costs) > 0 else 1.0


def _beaten(points: Sequence[Document]) -> Iterable[str]:
    """How many of those off the front are proven to be, and the least p of all."""
    found = [p for p in points if p["p_holm"] is not None]
    if found:
        clear, least = sum(bool(p["clear"]) for p in found), min(p["p_holm"] for p in found)
        yield (
            f"Clearly beaten: {clear} of {len(found)}; the smallest p after Holm over"
            f" {'it alone' if len(found) == 1 else f'these {len(found)}'} is {probability(least)}."
        )


def _gains(
    document: Document, gains: Document, columns: Mapping[tuple[str, str], Spent]
) -> Section | None:
    primary = document["study"]["primary"]
    metric = _metric(document, primary)
    column = columns[gains["cost"], gains["counter"]]
    rows = [r for r in gains["rows"] if primary in r["gains"]]
    if not rows:
        return None
    cells = {c["variant"]: c for c in document["cells"]}
    baseline = cells[document["baseline"]]
    heads = ["Configuration", f"Δ {metric.label}", f"Δ {column.title}", "per unit"]
    told = any(r["gains"][primary]["low"] is not None for r in rows)
    heads += [interval_head(document)] if told else []
    texts = [
        [
            one_line(r["variant"]),
            metric.difference(r["gains"][primary]["gain"]),
            column.difference(cells[r["variant"]]["costs"], baseline["costs"]),
            amount(_share(metric, column, gains, r["gains"][primary]["per_unit"])),
            *([_interval(metric, column, gains, r["gains"][primary])] if told else []),
        ]
        for r in rows
    ]
    unit, points = _unit(column), f"{metric.unit} of " if metric.unit else ""
    return Section(
        f"{metric.label} gained per {unit}",
        lead=(f"Gained on {document['baseline']}: {points}{metric.label} per {unit} more.",),
        tables=(table("", heads, texts),),
        notes=tuple(_singles(gains, metric, column)),
    )


def _unit(column: Spent) -> str:
    noun = "parameter" if column.name == "params" else "operation"
    return noun if column.scale == 1 else f"{UNITS[column.scale]} {noun}s"


def _share(metric: Metric, column: Spent, gains: Document, value: float | None) -> float | None:
    """A gain per unit of cost in the units that its metric and its cost are shown in."""
    return None if value is None else metric.shown(value) * column.scale / gains["unit"]


def _interval(metric: Metric, column: Spent, gains: Document, gain: Document) -> str:
    if gain["low"] is None:
        return NONE
    ends = (amount(_share(metric, column, gains, gain[end])) for end in ("low", "high"))
    return f"[{', '.join(ends)}]"


def _singles(gains: Document, metric: Metric, column: Spent) -> Iterable[str]:
    """The modules that cost more by themselves, the most gained for its cost first."""
    alone = gains["alone"]
    if len(alone) < 2:  # noqa: PLR2004 - one has no order
        return
    least = alone[-1]["module"]
    parts = [
        f"{a['module']} {amount(_share(metric, column, gains, a['per_unit']))}"
        + (f" ({plain(a['times'], 0)} × {least})" if a["times"] is not None else "")
        for a in alone
    ]
    more = ""
    if alone[-1]["per_unit"] and all(a["times"] is None for a in alone):
        more = f" No multiples: {least} may gain nothing, or loses."
    yield f"Modules alone: {', '.join(parts)}.{more}"


def _sums(sums: Document, columns: Mapping[tuple[str, str], Spent]) -> Section:
    column = columns[sums["cost"], sums["counter"]]
    rows = [
        [
            one_line(r["variant"]),
            plain(r["expected"] / column.scale, column.digits),
            plain(r["measured"] / column.scale, column.digits),
            signed(r["departure"] / column.scale, column.digits),
        ]
        for r in sums["rows"]
    ]
    away = [r for r in sums["rows"] if not r["adds_up"]]
    heads = ["Configuration", "By addition", "Measured", "Departure"]
    return Section(
        f"Do costs add up: {column.title}",
        tables=(table("", heads, rows),),
        notes=(
            *(_split(r, column) for r in away if len(r["modules"]) > PAIR),
            *(() if away else ("They add up exactly.",)),
        ),
    )


def _split(row: Document, column: Spent) -> str:
    """A departure as the sum of its Möbius terms, of which those that are 0 are not named.

    Where cells are missing, the terms that use them are not known one by one.
    """
    if row["unknown"]:
        return (
            f"{one_line(row['variant'])}: not split, because cells that"
            f" {some(row['unknown'], NAMED)} need are missing or have no such cost."
        )
    terms = [
        f"{signed(term / column.scale, column.digits)} ({name})"
        for name, term in row["terms"].items()
        if name not in row["nothing"]
    ]
    return (
        f"{one_line(row['variant'])}: {signed(row['departure'] / column.scale, column.digits)} ="
        f" {', '.join(terms)}."
    )


def _methods(document: Document) -> Iterable[str]:
    """Which runs tell the noise of a difference."""
    used = {
        p["difference"]["method"]
        for f in document["fronts"]
        for p in f["points"]
        if p["difference"]
    }
    said = {
        "welch": "by the two configurations' own variances (Welch), from three runs each",
        "pooled": "by one variance, pooled over all replicated configurations of the study",
        "blocked": "by the differences within each seed",
    }
    parts = [text for method, text in said.items() if method in used]
    if parts:
        yield f"Intervals of Δ: {'; '.join(parts)}. The unit is one training run."


def _reading(document: Document, columns: Mapping[tuple[str, str], Spent]) -> Section:
    """What the words and columns mean."""
    lines = [
        "Front: no other configuration scores as well at the same cost or less, and leads in one.",
        "Beaten by: of the configurations that do, the best; Δ: the score minus that one's.",
    ]
    if document["paired"]:
        lines.append(
            "The study is paired: Δ is of the seeds that both have, its interval by the differences"
            " within them; fronts are by means."
        )
    lines += _methods(document)
    fronts = document["fronts"]
    if any(p["clear"] is not None for f in fronts for p in f["points"]):
        alpha = f"{1 - document['study']['level']:.2g}"
        lines.append(
            f"*: clearly beaten, a worse score at Holm's p < {alpha} over all differences of its"
            " front. Without it, behind within noise: it may as well be on the front. What beats"
            " is the best of several, so its lead is partly luck. Costs are compared by mean."
        )
    if document["gains"]:
        lines.append(
            "Per unit: difference of the score over difference of the cost, both to the"
            " baseline; – where the cost is the same. A cost is never better by itself."
        )
    if any(r["more"] < 0 for g in document["gains"] for r in g["rows"]):
        lines.append(
            "Of what costs less than the baseline, a positive share means that score and cost"
            " both fall; it is in no order with the others."
        )
    if document["sums"]:
        lines.append(
            "By addition: the baseline plus what each module alone adds to it. A departure is a"
            " cost that arises only where modules meet."
        )
    shown = {(f["cost"], f["counter"]) for f in fronts}
    own = [c for key, c in columns.items() if key in shown]
    lines += dict.fromkeys(counters(own))
    if any(c.counter == AS_IMPORTED for c in own):
        lines.append("Costs as imported were counted by their source, by a rule unknown here.")
    if any(_metric(document, f["metric"]).direction == "down" for f in fronts):
        lines.append("Of ↓ metrics lower is better.")
    return Section("How to read this", lead=tuple(lines))
