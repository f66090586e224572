"""The sentences of a page on sweeps: notes beside its tables, and what its columns mean."""

from collections.abc import Iterable, Sequence

from ablate.metric import Metric
from ablate.report import printed
from ablate.report.layout import Section
from ablate.report.significant import probability, significant, size
from ablate.report.tables import Document, lost_runs, metrics_of, some


def reading(document: Document) -> Section:
    """Definitions, the noise with its source, and how intervals and verdicts are made."""
    metrics = metrics_of(document)
    unit = printed.in_points(metrics)
    lines = [
        f"Δ: mean minus that of the default level{unit}. Span: best minus worst mean.",
        "Bold, in Markdown: best of its table. Every difference is computed from unrounded values.",
        *_scales(document),
    ]
    noises = [(m, document["noise"][m.name]) for m in metrics if document["noise"][m.name]]
    if noises:
        lines += _certain(document, noises)
    if any(m.direction == "down" for m in metrics):
        lines.append("Of ↓ metrics lower is better, and positive means better; rises is worse.")
    return Section("How to read this", lead=tuple(lines))


def _scales(document: Document) -> Iterable[str]:
    trends = [t for s in document["sweeps"] for t in s["trends"].values() if t["linear"]]
    if not trends:
        return
    yield (
        "Linear: slope of the straight line through the levels' means, each level counting once;"
        " quadratic: coefficient of the square in the parabola, by the second orthogonal polynomial"
        " of the levels as they are spaced."
    )
    found = [
        (t["scale"], s["title"])
        for s in document["sweeps"]
        for t in s["trends"].values()
        if t["linear"]
    ]
    named = {of: some(list(dict.fromkeys(t for s, t in found if s == of))) for of, _ in found}
    if "log10" in named:
        yield (
            f"Per tenfold: {named['log10']} is taken by its decimal logarithm, because its levels"
            " are spaced by ratios."
        )
    if "linear" in named:
        yield f"Per 1: {named['linear']} is taken as it is; its levels are not spaced by ratios."


def _certain(document: Document, noises: Sequence[tuple[Metric, Document]]) -> Iterable[str]:
    level = document["study"]["level"]
    yield (
        "Noise, SD of one run: "
        + ", ".join(
            f"{m.label} {size(m, n['sd'])} [{size(m, n['low'])}, {size(m, n['high'])}]"
            f" (df {n['df']})"
            for m, n in noises
        )
        + f"; pooled over the study's replicated cells: {some(noises[0][1]['cells'])}."
    )
    yield (
        f"LSD, least significant difference: what two levels, chosen beforehand, exceed by noise"
        f" alone in {100 * (1 - level):.2g} % of studies. A span is the largest of several"
        " differences and exceeds it more often."
    )
    yield _one_variance(document, noises)
    yield (
        "Best of k: by how much the best of k equal levels looks better than it is, only for"
        " having been chosen: the expected largest of k standard normals times SD / √n. A winner"
        " needs fresh seeds."
    )
    yield from _methods(document)
    yield (
        f"Verdicts at Holm's p < {1 - level:.2g}, within families of one metric: the differences"
        " of one sweep, all slopes, all curvatures, all interactions. None where every"
        " cell that is used has one run."
    )


def _one_variance(document: Document, noises: Sequence[tuple[Metric, Document]]) -> str:
    """Why a difference above the LSD may be undecided."""
    sizes = {(len(n["cells"]), n["df"]) for _, n in noises}
    cells, df = max(sizes)
    free = f"df {df}" if len(sizes) == 1 else "df as above"
    text = (
        f"The LSD is by one variance, pooled over {cells} configuration{'s' if cells > 1 else ''}"
        f" ({free}); "
    )
    if document["paired"]:
        return text + (
            "intervals are by the differences within each seed, as the study is paired. The LSD,"
            " and what is said to be within noise, are not paired."
        )
    if "welch" in _used(document):
        text += "intervals are by each cell's own where every used cell has three runs, and "
    return text + "verdicts are after Holm. So they may differ."


def _used(document: Document) -> set[str]:
    """How intervals are made."""
    means = [e for c in document["cells"] for e in c["means"].values()]
    rows = [row for s in document["sweeps"] for row in s["levels"]]
    differences = [e for row in rows for e in row["differences"].values()]
    return {e["method"] for e in (*means, *differences) if e is not None}


def _methods(document: Document) -> Iterable[str]:
    used = _used(document)
    said = {
        "welch": "Welch–Satterthwaite t where every used cell has three runs",
        "pooled": "t with the variance pooled over all replicated cells where one has fewer",
        "blocked": "t of the differences within each seed, as the study is paired",
    }
    parts = [text for method, text in said.items() if method in used]
    if parts:
        yield f"Intervals: {'; '.join(parts)}. The unit is one training run."


def sweep_notes(document: Document, sweep: Document) -> Iterable[str]:
    """What must be said of a sweep beside its tables."""
    metrics = metrics_of(document)
    cells = {c["variant"]: c for c in document["cells"]}
    own = [cells[row["variant"]] for row in sweep["levels"]]
    yield from _uncertain(own, metrics)
    yield from _by_holm(metrics, sweep)
    yield from _smallest(metrics, sweep)
    yield from _chosen(metrics, sweep)
    yield from _disagreements(metrics, sweep)
    yield from lost_runs(metrics, own)
    yield from _untold(metrics, sweep)


def _uncertain(own: Sequence[Document], metrics: Sequence[Metric]) -> Iterable[str]:
    """Why there is no verdict, or no interval either."""
    single = all(c["scores"][m.name]["n"] <= 1 for c in own for m in metrics)
    known = any(bounded(c["means"][m.name]) for c in own for m in metrics)
    if single and known:
        yield (
            "One run per level: intervals take their variance from the study's replicated"
            " cells; there is no verdict."
        )
    elif single:
        yield "One run per level: run-to-run variation is unknown; no interval, no verdict."
    elif not known:
        yield "No interval, no verdict: no run differs from another of its level."


def _chosen(metrics: Sequence[Metric], sweep: Document) -> Iterable[str]:
    """What must be said of a best level: that it ends the range, or leads by no more than noise."""
    found = [(m, best) for m in metrics for best in (sweep["best"][m.name],) if best]
    edges = [
        f"{m.label} at {levels_text(best['levels'])}, the {best['edge']}"
        for m, best in found
        if best["edge"]
    ]
    if edges:
        yield f"Best at the edge of the range, so the optimum may lie beyond: {'; '.join(edges)}."
    close = [
        f"{m.label} at {levels_text(best['levels'])} by {size(m, abs(best['lead']))}"
        f" (LSD {size(m, best['lead_least'])})"
        for m, best in found
        if best["within_noise"]
    ]
    if close:
        yield f"Ahead of the default within noise: {'; '.join(close)}."


def _disagreements(metrics: Sequence[Metric], sweep: Document) -> Iterable[str]:
    labels = {m.name: m.label for m in metrics}
    others = []
    for found in sweep["disagreements"]:
        if found["metric"] in labels:
            text = f"{labels[found['metric']]} at {levels_text(found['others_best'])}"
            if 2 * found["opposed"] > found["pairs"]:
                text += (
                    f" ({found['opposed']} of {found['pairs']} pairs of levels in reverse order)"
                )
            others.append(text)
    if others:
        best = levels_text(sweep["disagreements"][0]["best"])
        yield f"Metrics disagree: {metrics[0].label} is best at {best}; {', '.join(others)}."


def _smallest(metrics: Sequence[Metric], sweep: Document) -> Iterable[str]:
    """What `undecided` leaves open."""
    parts = []
    for metric in metrics:
        seen = sweep["smallest"][metric.name]
        if seen["difference"] is not None:
            ends = [size(metric, seen[key]) for key in ("difference_least", "difference")]
            text = f"{metric.label} {' to '.join(dict.fromkeys(ends))}"
            text += ", by level" if ends[0] != ends[1] else ""
            if seen["linear"] is not None:
                per = "tenfold" if sweep["trends"][metric.name]["scale"] == "log10" else "1"
                text += f", slope {significant(metric.shown(seen['linear']))} per {per}"
            parts.append(text)
    if parts:
        yield (
            "Smallest difference from the default, and slope, that this design sees with a power"
            f" of 80 %: {'; '.join(parts)}."
        )


def next_step(document: Document, sweep: Document) -> Iterable[str]:
    """Where to go from `undecided`: said once, at the first sweep that has one."""
    first = next((s for s in document["sweeps"] if _undecided(s)), None)
    if first is sweep:
        yield f"Seeds for an effect: ablate plan {document['study']['name']} --power."


def _undecided(sweep: Document) -> list[tuple[str, Document, Document]]:
    """Every undecided difference, with its metric and its row."""
    return [
        (name, row, of)
        for row in sweep["levels"]
        for name, of in row["differences"].items()
        if of is not None and of["verdict"] == "undecided"
    ]


def _by_holm(metrics: Sequence[Metric], sweep: Document) -> Iterable[str]:
    """The differences that are undecided though their interval excludes 0."""
    labels = {m.name: m.label for m in metrics}
    parts = [
        f"{labels[name]} at {printed.level_text(row['level'])} (p {probability(of['p'])} by itself,"
        f" {probability(of['p_holm'])} after Holm)"
        for name, row, of in _undecided(sweep)
        if name in labels and bounded(of) and not of["low"] <= 0 <= of["high"]
    ]
    if parts:
        yield f"Undecided, though the interval excludes 0: {'; '.join(parts)}."


def _untold(metrics: Sequence[Metric], sweep: Document) -> Iterable[str]:
    """Why there is no trend, and which levels it leaves out."""
    if sweep["scale"] is None:
        yield "Its levels are no numbers: there is no trend."
        return
    told = any(trend["linear"] for trend in sweep["trends"].values())
    left: dict[str, list[str]] = {}
    for metric in metrics:
        used = sweep["trends"][metric.name]["levels"]
        without = [r["level"] for r in sweep["levels"] if r["level"] not in used]
        if without:
            left.setdefault(levels_text(without), []).append(metric.label)
    for levels, of in left.items():
        trend = "the trend is that of the others" if told else "the others are too few for a trend"
        yield f"Without a finite run: {levels} ({', '.join(of)}); {trend}."
    if len({row["level"] for row in sweep["levels"]}) == 2:  # noqa: PLR2004 - a line needs three
        yield "Two levels: their difference is all there is; a trend needs three."


def table_notes(document: Document, crossed: Document) -> Iterable[str]:
    """What a table of two factors lacks."""
    metrics = metrics_of(document)
    cells = {c["variant"]: c for c in document["cells"]}
    found = [cells[v] for of in crossed["variants"] for v in of if v is not None]
    yield from lost_runs(metrics[:1], found)
    by: dict[str, list[str]] = {}
    rows, columns = crossed["rows"], crossed["columns"]
    for metric in metrics:
        missing = [
            f"{rows['factor']}={printed.level_text(a)} {columns['factor']}={printed.level_text(b)}"
            for a, b in crossed["missing"][metric.name]
        ]
        if missing:
            by.setdefault("; ".join(missing), []).append(metric.label)
    for missing_text, labels in by.items():
        yield f"Missing ({', '.join(labels)}): {missing_text}. The interaction needs every cell."
    if None in {rows["scale"], columns["scale"]}:
        yield "Levels that are no numbers have no linear × linear interaction."


def bounded(effect: Document | None) -> bool:
    """Whether an effect has an interval."""
    return effect is not None and effect["low"] is not None


def levels_text(levels: Sequence[bool | float | str]) -> str:
    """Levels that are alike in something."""
    return " and ".join(map(printed.level_text, levels))
