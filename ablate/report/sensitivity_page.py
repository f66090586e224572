"""A document of sweeps as a page: levels, trends, the best of them, tables of two factors."""

from collections.abc import Iterable, Sequence

from ablate.metric import Metric
from ablate.report import printed
from ablate.report.facts import rules
from ablate.report.layout import NONE, Page, Section, Table, Text, table
from ablate.report.people import notes
from ablate.report.said import part_page
from ablate.report.sensitivity_words import (
    bounded,
    levels_text,
    next_step,
    reading,
    sweep_notes,
    table_notes,
)
from ablate.report.significant import amounts, probability, size
from ablate.report.synergy_words import interval_head
from ablate.report.tables import (
    Document,
    best_of,
    metrics_of,
    one_line,
    score_text,
)

BESIDE = 4
"""So many metrics have room beside each other, where there are no intervals."""
DEFAULT = " *"
RISE = {"positive": 1, "negative": -1}
KINDS = {"linear": ("falls", "rises"), "quadratic": ("bends down", "bends up")}
SCALES = {"linear": "linear scale", "log10": "logarithmic scale"}
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
    facts = (("Study", study["name"]), ("Selection", rules(study)))
    return part_page(document, "sensitivity", sections, len(document["cells"]), facts)


def _overview(document: Document) -> Section | None:
    """Every sweep on the primary metric, one row each, where there are several."""
    metric = metrics_of(document)[0]
    found = [s for s in document["sweeps"] if s["best"][metric.name]]
    if len(found) < 2:  # noqa: PLR2004 - one stands by itself
        return None
    noisy = document["noise"][metric.name] is not None
    heads = ["Factor", "Around", "Best at", "Δ default", "Span"]
    heads += ["LSD", "Slope"] if noisy else []
    rows = []
    for sweep in found:
        best = sweep["best"][metric.name]
        rows.append(
            [
                sweep["title"],
                one_line(sweep["around"]),
                _best_at(best),
                NONE if best["lead"] is None else metric.difference(best["lead"]),
                size(metric, best["span"]),
            ]
        )
        if noisy:
            slope = _word("linear", sweep["trends"][metric.name]["linear"])
            rows[-1] += [size(metric, best["span_least"]), slope]
    return Section(
        f"All sweeps on {printed.heading(metric)}",
        tables=(table("", heads, rows, texts=3),),
        notes=("*: the default is the best level.",),
    )


def _sweep(document: Document, sweep: Document) -> Section:
    cells = {c["variant"]: c for c in document["cells"]}
    own = [cells[row["variant"]] for row in sweep["levels"]]
    default = printed.level_text(sweep["default"])
    lead = (
        f"Moved around {one_line(sweep['around'])}, where it is {default} (*)."
        " Nothing is said about other configurations."
    )
    return Section(
        f"{sweep['title']} around {one_line(sweep['around'])}",
        lead=(lead,),
        tables=(
            *_levels_tables(document, sweep, own),
            *_trends(document, sweep),
            *_bests(document, sweep),
        ),
        notes=(*sweep_notes(document, sweep), *next_step(document, sweep)),
    )


def _levels_tables(document: Document, sweep: Document, own: Sequence[Document]) -> Iterable[Table]:
    """One table per metric with its intervals; without any, metrics stand side by side."""
    metrics = metrics_of(document)
    if any(bounded(c["means"][m.name]) for c in own for m in metrics):
        for m in metrics:
            yield _level_table(document, m, sweep, own)
        return
    for start in range(0, len(metrics), BESIDE):
        some = metrics[start : start + BESIDE]
        heads = ["Level"]
        for m in some:
            heads += [printed.heading(m), "Δ"]
        best = {m.name: best_of(m, own) for m in some}
        rows = []
        for row, cell in zip(sweep["levels"], own, strict=True):
            texts: list[str | Text] = [_level(sweep, row)]
            for m in some:
                difference = row["differences"][m.name]
                texts += [_score(m, cell, best[m.name]), printed.estimate(m, difference)]
            rows.append(texts)
        yield table("", heads, rows)


def _level_table(
    document: Document, metric: Metric, sweep: Document, own: Sequence[Document]
) -> Table:
    best = best_of(metric, own)
    heads = ["Level", "n", "mean ± SD", interval_head(document), "Δ", interval_head(document)]
    rows: list[list[str | Text]] = []
    for row, cell in zip(sweep["levels"], own, strict=True):
        difference, mean = row["differences"][metric.name], cell["means"][metric.name]
        rows.append(
            [
                _level(sweep, row),
                _finite(cell["scores"][metric.name]),
                _score(metric, cell, best),
                _range(metric, mean),
                printed.estimate(metric, difference),
                printed.interval(metric, difference),
                _verdict(difference),
            ]
        )
    return table(printed.heading(metric), [*heads, "Verdict"], rows)


def _score(metric: Metric, cell: Document, best: float | None) -> Text:
    """A score without the count of runs that are not finite, for which a note has more room."""
    scores = cell["scores"][metric.name]
    return Text(
        printed.score(metric, scores | {"lost": 0}), bold=score_text(metric, cell, best).bold
    )


def _finite(scores: Document) -> str:
    lost = scores["lost"]
    return f"{scores['n']} of {scores['n'] + lost}" if lost else str(scores["n"])


def _level(sweep: Document, row: Document) -> str:
    text = printed.level_text(row["level"])
    if row["variant"] == sweep["around"]:
        return text + DEFAULT
    alike = [other for other in sweep["levels"] if other["level"] == row["level"]]
    return f"{text} ({one_line(row['variant'])})" if alike[1:] else text


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


def _bare(sweep: Document) -> bool:
    """Whether no trend of a sweep has an interval: its trends then stand beside the best level."""
    found = list(sweep["trends"].values())
    alike = len({t["scale"] for t in found if t["linear"]}) == 1
    return alike and not any(bounded(t[kind]) for t in found for kind in KINDS)


def _trends(document: Document, sweep: Document) -> Iterable[Table]:
    metrics = metrics_of(document)
    rows = []
    for metric in metrics:
        found = sweep["trends"][metric.name]
        for kind in KINDS:
            trend = found[kind]
            if trend is None:
                continue
            texts = amounts(metric, trend)
            unit = UNIT[kind][found["scale"] == "log10"]
            row = [metric.label, f"{kind}, {unit}", texts.estimate, texts.interval]
            rows.append([*row, probability(trend["p_holm"]), _word(kind, trend)])
    if not rows or _bare(sweep):
        return
    heads = ["Metric", "Trend", "Estimate", interval_head(document), "p (Holm)", "Verdict"]
    title = f"Trends over {sweep['title']} ({_scales(sweep)}){printed.in_points(metrics)}"
    yield table(title, heads, rows, texts=2)


def _scales(sweep: Document) -> str:
    """How a factor was taken; the metrics may have runs at other levels."""
    used = dict.fromkeys(t["scale"] for t in sweep["trends"].values() if t["linear"])
    return " or ".join(SCALES[scale] for scale in used)


def _bests(document: Document, sweep: Document) -> Iterable[Table]:
    metrics = metrics_of(document)
    found = [(m, best) for m in metrics for best in (sweep["best"][m.name],) if best is not None]
    if not found:
        return
    noisy = any(best["optimism"] is not None for _, best in found)
    heads = ["Metric", "Best at", "Δ default", *(["LSD of Δ"] if noisy else []), "Span"]
    heads += ["LSD of span", "Best of k"] if noisy else []
    bare, title = _bare(sweep), "The best level"
    if bare:
        heads += [f"{k.capitalize()} {UNIT[k][_logarithmic(sweep)]}" for k in KINDS]
        title += f" and trends over {sweep['title']} ({_scales(sweep)}){printed.in_points(metrics)}"
    rows = []
    for metric, best in found:
        row = [metric.label, _best_at(best)]
        row += [NONE if best["lead"] is None else metric.difference(best["lead"])]
        row += [size(metric, best["lead_least"])] if noisy else []
        row += [size(metric, best["span"])]
        row += [size(metric, best[key]) for key in ("span_least", "optimism")] if noisy else []
        trends = [sweep["trends"][metric.name][kind] for kind in KINDS] if bare else []
        rows.append([*row, *(NONE if t is None else amounts(metric, t).estimate for t in trends)])
    yield table(title, heads, rows, texts=2)


def _logarithmic(sweep: Document) -> bool:
    return any(t["scale"] == "log10" for t in sweep["trends"].values() if t["linear"])


def _best_at(best: Document) -> str:
    """The best levels; all of them are none."""
    if best["span"] == 0:
        return "all alike"
    return levels_text(best["levels"]) + (DEFAULT if best["default"] else "")


def _crossed(document: Document, crossed: Document) -> Section:
    metrics = metrics_of(document)
    cells = {c["variant"]: c for c in document["cells"]}
    rows, columns = crossed["rows"], crossed["columns"]
    primary = metrics[0]
    found = [cells[v] for of in crossed["variants"] for v in of if v is not None]
    best = best_of(primary, found)
    heads = ["Level", *(_head(columns, level) for level in columns["levels"])]
    texts: list[list[str | Text]] = [
        [
            _head(rows, level),
            *(NONE if v is None else _score(primary, cells[v], best) for v in of),
        ]
        for level, of in zip(rows["levels"], crossed["variants"], strict=True)
    ]
    title = f"{rows['title']} by {columns['title']}"
    return Section(
        f"{title} around {one_line(crossed['around'])}",
        lead=(f"Both moved around {one_line(crossed['around'])}; * marks its own levels.",),
        tables=(
            table(
                f"{printed.heading(primary)}; down: {rows['title']}, across: {columns['title']}",
                heads,
                texts,
            ),
            *_twists(document, crossed, metrics),
        ),
        notes=tuple(table_notes(document, crossed)),
    )


def _head(side: Document, level: bool | float | str) -> str:  # noqa: FBT001 - a level may be a switch
    return printed.level_text(level) + (DEFAULT if level == side["default"] else "")


def _twists(document: Document, crossed: Document, metrics: Sequence[Metric]) -> Iterable[Table]:
    told = [(m, t) for m in metrics for t in (crossed["interactions"][m.name],) if t is not None]
    if not told:
        return
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
    heads = ["Metric", "Estimate", interval_head(document), "p (Holm)", "Verdict"]
    sides = [
        f"{UNIT['linear'][s['scale'] == 'log10'].removeprefix('per ')} of {s['title']}"
        for s in (crossed["rows"], crossed["columns"])
    ]
    yield table(f"Linear × linear interaction per {sides[0]} and per {sides[1]}", heads, rows)
