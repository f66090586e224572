"""A document of sweeps as a page: levels, trends, the best of them, tables of two factors."""

from collections.abc import Iterable, Sequence

from ablate.metric import Metric
from ablate.report import printed
from ablate.report.facts import rules
from ablate.report.layout import NONE, Page, Section, Table, Text, table
from ablate.report.people import notes
from ablate.report.sensitivity_words import reading
from ablate.report.significant import amounts, probability, significant, size
from ablate.report.study_page import STANDIN, doubts, findings, remarks
from ablate.report.tables import (
    Document,
    best_of,
    lost_runs,
    metrics_of,
    one_line,
    score_text,
)

BESIDE = 4
"""So many metrics have room beside each other, where there are no intervals."""
DEFAULT = " *"
RISE = {"positive": 1, "negative": -1}
KINDS = {"linear": ("falls", "rises"), "quadratic": ("bends down", "bends up")}
UNIT = {"linear": ("per 1", "per tenfold"), "quadratic": ("per 1²", "per tenfold²")}


def sensitivity_page(document: Document) -> Page:
    """What moving one factor at a time does, and two at once where they were."""
    study = document["study"]
    sections = (
        _overview(document),
        *(_sweep(document, s) for s in document["sweeps"]),
        *(_crossed(document, t) for t in document["tables"]),
        reading(document),
        notes(document["by_hand"]),
    )
    return Page(
        title=f"{study['title'] or study['name']}: sensitivity",
        standin=STANDIN if study["standin"] else "",
        warnings=(*doubts(document, len(document["cells"])), *findings(document)),
        remarks=tuple(remarks(document)),
        facts=(("Study", study["name"]), ("Selection", rules(study))),
        sections=tuple(s for s in sections if s is not None),
    )


def _overview(document: Document) -> Section | None:
    """Every sweep on the primary metric, one row each, where there are several."""
    metric = metrics_of(document)[0]
    found = [s for s in document["sweeps"] if s["best"][metric.name]]
    if len(found) < 2:  # noqa: PLR2004 - one stands by itself
        return None
    noisy = document["noise"][metric.name] is not None
    heads = ["Factor", "Around", "Best at", "Δ default", "Span", *(["LSD"] if noisy else [])]
    rows = []
    for sweep in found:
        best = sweep["best"][metric.name]
        rows.append(
            [
                sweep["title"],
                one_line(sweep["around"]),
                _levels(best["levels"]) + (DEFAULT if best["default"] else ""),
                NONE if best["lead"] is None else metric.difference(best["lead"]),
                size(metric, best["span"]),
                *([size(metric, best["span_least"])] if noisy else []),
                *_slope(metric, sweep),
            ]
        )
    heads += ["Slope"] if noisy else []
    rows = [row if noisy else row[:-1] for row in rows]
    return Section(
        f"All sweeps on {printed.heading(metric)}",
        tables=(table("", heads, rows, texts=3),),
        notes=("*: the default is the best level.",),
    )


def _slope(metric: Metric, sweep: Document) -> list[str]:
    return [_word("linear", sweep["trends"][metric.name]["linear"])]


def _sweep(document: Document, sweep: Document) -> Section:
    metrics = metrics_of(document)
    cells = {c["variant"]: c for c in document["cells"]}
    own = [cells[row["variant"]] for row in sweep["levels"]]
    default = printed.level_text(sweep["default"])
    lead = (
        f"Moved around {one_line(sweep['around'])}, where it is {default} (*)."
        " Nothing is said about other configurations."
    )
    tables = [*_levels_tables(document, sweep, own), *_trends(document, sweep)]
    return Section(
        f"{sweep['title']} around {one_line(sweep['around'])}",
        lead=(lead,),
        tables=(*tables, *_bests(document, sweep)),
        notes=(
            *_single(own, metrics),
            *_smallest(metrics, sweep),
            *_chosen(metrics, sweep),
            *_disagreements(metrics, sweep),
            *lost_runs(metrics, own),
            *_untold(metrics, sweep),
        ),
    )


def _levels_tables(document: Document, sweep: Document, own: Sequence[Document]) -> Iterable[Table]:
    """One table per metric with its intervals; without any, metrics stand side by side."""
    metrics = metrics_of(document)
    if any(_bounded(c["means"][m.name]) for c in own for m in metrics):
        for m in metrics:
            yield _level_table(document, m, sweep, own)
        return
    for start in range(0, len(metrics), BESIDE):
        some = metrics[start : start + BESIDE]
        heads = [sweep["title"]]
        for m in some:
            heads += [printed.heading(m), "Δ"]
        best = {m.name: best_of(m, own) for m in some}
        rows = []
        for row, cell in zip(sweep["levels"], own, strict=True):
            texts: list[str | Text] = [_level(sweep, row)]
            for m in some:
                difference = row["differences"][m.name]
                texts += [score_text(m, cell, best[m.name]), printed.estimate(m, difference)]
            rows.append(texts)
        yield table("", heads, rows)


def _level_table(
    document: Document, metric: Metric, sweep: Document, own: Sequence[Document]
) -> Table:
    level = f"{document['study']['level']:.0%}"
    best = best_of(metric, own)
    heads = [sweep["title"], "n", "mean ± SD", f"{level} interval", "Δ", f"{level} interval"]
    rows: list[list[str | Text]] = []
    for row, cell in zip(sweep["levels"], own, strict=True):
        difference, mean = row["differences"][metric.name], cell["means"][metric.name]
        rows.append(
            [
                _level(sweep, row),
                str(cell["scores"][metric.name]["n"]),
                score_text(metric, cell, best),
                _range(metric, mean),
                printed.estimate(metric, difference),
                printed.interval(metric, difference),
                _verdict(difference),
            ]
        )
    return table(printed.heading(metric), [*heads, "Verdict"], rows)


def _level(sweep: Document, row: Document) -> str:
    return printed.level_text(row["level"]) + (DEFAULT if row["variant"] == sweep["around"] else "")


def _levels(levels: Sequence[bool | float | str]) -> str:
    return " and ".join(map(printed.level_text, levels))


def _bounded(effect: Document | None) -> bool:
    return effect is not None and effect["low"] is not None


def _range(metric: Metric, mean: Document | None) -> str:
    if mean is None or mean["low"] is None:
        return NONE
    return f"[{metric.text(mean['low'])}, {metric.text(mean['high'])}]"


def _verdict(difference: Document | None) -> str:
    return (difference and difference["verdict"]) or NONE


def _word(kind: str, trend: Document | None) -> str:
    """Which way a trend goes: verdicts are of better and worse, this is of up and down."""
    if trend is None or trend["verdict"] is None:
        return NONE
    if trend["verdict"] not in RISE:
        return "undecided"
    return KINDS[kind][trend["estimate"] > 0]


def _trends(document: Document, sweep: Document) -> Iterable[Table]:
    metrics = metrics_of(document)
    level = f"{document['study']['level']:.0%}"
    rows = []
    for metric in metrics:
        found = sweep["trends"][metric.name]
        for kind in KINDS:
            trend = found[kind]
            if trend is None:
                continue
            texts = amounts(metric, trend)
            rows.append(
                [
                    metric.label,
                    f"{kind}, {UNIT[kind][found['scale'] == 'log10']}",
                    texts.estimate,
                    texts.interval,
                    probability(trend["p_holm"]),
                    _word(kind, trend),
                ]
            )
    if not rows:
        return
    heads = ["Metric", "Trend", "Estimate", f"{level} interval", "p (Holm)", "Verdict"]
    if all(row[3] == NONE for row in rows):
        heads, rows = heads[:3], [row[:3] for row in rows]
    yield table(f"Trends over {sweep['title']}{printed.in_points(metrics)}", heads, rows, texts=2)


def _bests(document: Document, sweep: Document) -> Iterable[Table]:
    rows, noisy = [], False
    for metric in metrics_of(document):
        best = sweep["best"][metric.name]
        if best is None:
            continue
        noisy |= best["optimism"] is not None
        rows.append(
            [
                metric.label,
                _levels(best["levels"]) + (DEFAULT if best["default"] else ""),
                NONE if best["lead"] is None else metric.difference(best["lead"]),
                size(metric, best["lead_least"]),
                size(metric, best["span"]),
                size(metric, best["span_least"]),
                size(metric, best["optimism"]),
            ]
        )
    heads = ["Metric", "Best at", "Δ default", "LSD of Δ", "Span", "LSD of span", "Best of k"]
    if not noisy:
        keep = (0, 1, 2, 4)
        heads, rows = [heads[i] for i in keep], [[row[i] for i in keep] for row in rows]
    if rows:
        yield table("The best level", heads, rows, texts=2)


def _single(own: Sequence[Document], metrics: Sequence[Metric]) -> Iterable[str]:
    if all(c["scores"][m.name]["n"] <= 1 for c in own for m in metrics):
        if any(_bounded(c["means"][m.name]) for c in own for m in metrics):
            yield (
                "One run per level: intervals take their variance from the study's replicated"
                " cells; there is no verdict."
            )
        else:
            yield "One run per level: run-to-run variation is unknown; no interval, no verdict."


def _chosen(metrics: Sequence[Metric], sweep: Document) -> Iterable[str]:
    """What must be said of a best level: that it ends the range, or leads by no more than noise."""
    found = [(m, best) for m in metrics for best in (sweep["best"][m.name],) if best]
    edges = [
        f"{m.label} at {_levels(best['levels'])}, the {best['edge']}"
        for m, best in found
        if best["edge"]
    ]
    if edges:
        yield f"Best at the edge of the range, so the optimum may lie beyond: {'; '.join(edges)}."
    close = [
        f"{m.label} at {_levels(best['levels'])} by {size(m, abs(best['lead']))}"
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
            text = f"{labels[found['metric']]} at {_levels(found['others_best'])}"
            if 2 * found["opposed"] > found["pairs"]:
                text += (
                    f" ({found['opposed']} of {found['pairs']} pairs of levels in reverse order)"
                )
            others.append(text)
    if others:
        best = _levels(sweep["disagreements"][0]["best"])
        yield f"Metrics disagree: {metrics[0].label} is best at {best}; {', '.join(others)}."


def _smallest(metrics: Sequence[Metric], sweep: Document) -> Iterable[str]:
    """What `undecided` leaves open."""
    parts = []
    for metric in metrics:
        seen = sweep["smallest"][metric.name]
        if seen["difference"] is not None:
            slope = seen["linear"]
            more = f", slope {significant(metric.shown(slope))}" if slope is not None else ""
            parts.append(f"{metric.label} {size(metric, seen['difference'])}{more}")
    if parts:
        yield (
            "Smallest difference, and slope, that this design sees with a power of 80 %: "
            f"{'; '.join(parts)}."
        )


def _untold(metrics: Sequence[Metric], sweep: Document) -> Iterable[str]:
    """Why there is no trend, and which levels it leaves out."""
    if sweep["scale"] is None:
        yield "Its levels are no numbers: there is no trend."
        return
    left: dict[str, list[str]] = {}
    for metric in metrics:
        used = sweep["trends"][metric.name]["levels"]
        without = [r["level"] for r in sweep["levels"] if r["level"] not in used]
        if without:
            left.setdefault(_levels(without), []).append(metric.label)
    for levels, of in left.items():
        yield f"Without a finite run: {levels} ({', '.join(of)}); the trend is that of the others."
    if len(sweep["levels"]) == 2:  # noqa: PLR2004 - a straight line needs three
        yield "Two levels: their difference is all there is; a trend needs three."


def _crossed(document: Document, crossed: Document) -> Section:
    metrics = metrics_of(document)
    cells = {c["variant"]: c for c in document["cells"]}
    rows, columns = crossed["rows"], crossed["columns"]
    primary = metrics[0]
    found = [cells[v] for of in crossed["variants"] for v in of if v is not None]
    best = best_of(primary, found)
    heads = [rows["title"], *(_head(columns, level) for level in columns["levels"])]
    texts: list[list[str | Text]] = [
        [
            _head(rows, level),
            *(NONE if v is None else score_text(primary, cells[v], best) for v in of),
        ]
        for level, of in zip(rows["levels"], crossed["variants"], strict=True)
    ]
    title = f"{rows['title']} by {columns['title']}"
    return Section(
        f"{title} around {one_line(crossed['around'])}",
        lead=(f"Both moved around {one_line(crossed['around'])}; * marks its own levels.",),
        tables=(
            table(f"{printed.heading(primary)}; across: {columns['title']}", heads, texts),
            *_twists(document, crossed, metrics),
        ),
        notes=tuple(_gaps(crossed, metrics)),
    )


def _head(side: Document, level: bool | float | str) -> str:  # noqa: FBT001 - a level may be a switch
    return printed.level_text(level) + (DEFAULT if level == side["default"] else "")


def _twists(document: Document, crossed: Document, metrics: Sequence[Metric]) -> Iterable[Table]:
    told = [(m, t) for m in metrics for t in (crossed["interactions"][m.name],) if t is not None]
    if not told:
        return
    level = f"{document['study']['level']:.0%}"
    rows = [
        [
            m.label,
            (texts := amounts(m, t)).estimate,
            texts.interval,
            probability(t["p_holm"]),
            _word("linear", t),
        ]
        for m, t in told
    ]
    heads = ["Metric", "Estimate", f"{level} interval", "p (Holm)", "Verdict"]
    sides = [
        f"{UNIT['linear'][s['scale'] == 'log10'].removeprefix('per ')} of {s['title']}"
        for s in (crossed["rows"], crossed["columns"])
    ]
    yield table(f"Linear × linear interaction per {sides[0]} and per {sides[1]}", heads, rows)


def _gaps(crossed: Document, metrics: Sequence[Metric]) -> Iterable[str]:
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
