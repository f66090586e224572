"""A comparison's verdicts, metrics and score split as sections of its page."""

from collections.abc import Iterable, Sequence

from ablate.metric import Metric, plain, signed
from ablate.report import printed
from ablate.report.comparison_words import (
    Document,
    change,
    fits,
    interval_head,
    interval_of,
    labels,
    level,
    listed,
    many,
    metrics_in,
    mixed,
    p_text,
    relative,
    replicates,
    side_of,
    without,
)
from ablate.report.layout import NONE, Section, Table, table

FEWEST = 2


def in_short(document: Document) -> Section:
    """What the numbers come to, a sentence for each further variant; then all differences."""
    lines = [line for pair in document["pairs"] for line in _sentences(document, pair)]
    tables = _overview(document)
    notes = ["Δ: minus the first."] if tables else []
    if len(document["pairs"]) > 1:
        notes.append("Verdicts are of each pair by itself: Holm over its metrics, not over pairs.")
    return Section("In short", lead=tuple(lines), tables=tables, notes=tuple(notes))


def _sentences(document: Document, pair: Document) -> Iterable[str]:
    a, b = (side_of(document, pair[side]) for side in ("a", "b"))
    unrun = [s["variant"] for s in (a, b) if not s["runs"]]
    if unrun:
        yield f"No completed run of {listed(unrun)}: there is nothing to compare."
        return
    if not pair["metrics"]:
        yield f"Neither {a['variant']} nor {b['variant']} has a score."
        return
    counts = pair["tally"]
    of = sum(counts.values())
    more = f", unknown on {counts['unknown']}" if counts["unknown"] else ""
    told = [e for e in pair["metrics"] if e["difference"] is not None]
    main = [e for e in told if e["metric"] in _main(document, pair)]
    changes = ", ".join(_change(document, pair, e) for e in main)
    yield (
        f"By its means {b['variant']} is better than {a['variant']} on {counts['better']} of"
        f" {many(of, 'metric')}, worse on {counts['worse']}, the same on {counts['same']}{more}"
        + (f"; {changes}" if changes else "")
        + f"; {_verdict(document, pair)}."
    )


def _change(document: Document, pair: Document, entry: Document) -> str:
    """A metric's difference as the sentence says it; that of the first with all that is known."""
    metric = metrics_in(document)[entry["metric"]]
    text = change(metric, entry)
    if entry is pair["metrics"][0] and _sure(entry):
        effect = entry["difference"]
        text += (
            f", {interval_of(document)} {printed.interval(metric, effect)},"
            f" p {p_text(effect['p'])}, {p_text(entry['p_holm'])} after Holm"
        )
    return f"{text}{without(pair, entry)}"


def _main(document: Document, pair: Document) -> Sequence[str]:
    """The metrics that the sentence names: the first, and what it is made of."""
    first = pair["metrics"][0]["metric"]
    names = {m.lower(): m for m in metrics_in(document)}
    return [first, names["map"]] if pair["score_split"] else [first]


def _verdict(document: Document, pair: Document) -> str:
    entry = pair["metrics"][0]
    metric = metrics_in(document)[entry["metric"]]
    if entry["verdict"] is None:
        return _no_verdict(document, pair, metric)
    text = f"verdict on {metric.label}: {entry['verdict']}"
    if entry["verdict"] != "undecided":
        return text
    if entry["difference"]["p"] < document["study"]["alpha"]:
        return f"{text} (Holm's p decides)"
    if entry["smallest"] is None:
        return text
    least = _size(metric, entry["smallest"])
    return f"{text} (the smallest effect that this design can see is {least})"


def _no_verdict(document: Document, pair: Document, metric: Metric) -> str:
    runs = max(side_of(document, pair[side])["runs"] for side in ("a", "b"))
    if pair["one_function"]:
        return "both are one function, what stands between them is noise: no verdict"
    if runs >= FEWEST:
        return "no interval: no verdict"
    noise = pair["metrics"][0]["least_difference"]
    known = "" if noise is None else f" (noise ±{_size(metric, noise)})"
    return f"one run a side: no verdict{known}"


def _size(metric: Metric, value: float) -> str:
    unit = f" {metric.unit}" if metric.unit else ""
    return f"{plain(metric.shown(value), metric.digits)}{unit}"


def _overview(document: Document) -> tuple[Table, ...]:
    """Every variant's differences in one table, where there are three variants or more.

    Verdicts stand beside them where there are any and the terminal has room for them.
    """
    if len(document["pairs"]) < FEWEST:
        return ()
    judged = any(e["verdict"] for p in document["pairs"] for e in p["metrics"])
    tables = [_differences(document, judged=True)] if judged else []
    tables.append(_differences(document, judged=False))
    return tuple([t for t in tables if t.rows and fits(t)][:1])


def _differences(document: Document, *, judged: bool) -> Table:
    names, metrics = labels(document), metrics_in(document)
    by_metric: dict[str, dict[str, Document]] = {}
    for pair in document["pairs"]:
        for entry in pair["metrics"]:
            by_metric.setdefault(entry["metric"], {})[pair["b"]] = entry
    rows = []
    for name, of in by_metric.items():
        metric = metrics[name]
        row = [printed.heading(metric), printed.score(metric, next(iter(of.values()))["a"])]
        for pair in document["pairs"]:
            entry = of.get(pair["b"])
            row.append(NONE if entry is None else printed.estimate(metric, entry["difference"]))
            if judged:
                row.append(NONE if entry is None else entry["verdict"] or NONE)
        rows.append(row)
    heads = [("Metric", False), (names[document["sides"][0]["variant"]], True)]
    for pair in document["pairs"]:
        heads += [(f"Δ {names[pair['b']]}", True), *([("Verdict", False)] if judged else [])]
    return mixed("", heads, rows)


def metrics(document: Document, pair: Document) -> Section:
    """One pair's scores and differences, and how sure they are."""
    names, known = labels(document), metrics_in(document)
    title = f"Metrics: {names[pair['b']]} against {names[pair['a']]}"
    entries = pair["metrics"]
    if not entries:
        return Section(title, lead=("Neither has a score.",))
    tables = _scores(document, pair)
    sure = [e for e in entries if _sure(e)]
    if sure:
        tables.append(_certainty(document, sure, [known[e["metric"]] for e in sure]))
    notes = [*_explained(document, pair), *_reasons(document, pair)]
    if sure:
        notes += _terms(document, pair, sure)
    return Section(title, tables=tuple(tables), notes=tuple(notes))


def _sure(entry: Document) -> bool:
    """Whether an entry has an interval of its own: a replicate on a side."""
    effect = entry["difference"]
    return effect is not None and effect["low"] is not None and entry["verdict"] is not None


def _band(entry: Document) -> bool:
    """Whether the study's noise is all that there is beside a difference: one run a side."""
    single = max(entry["a"]["n"], entry["b"]["n"]) < FEWEST
    return single and entry["verdict"] is None and entry["least_difference"] is not None


def _scores(document: Document, pair: Document) -> list[Table]:
    """Means beside differences; two tables where one is too wide."""
    names, known = labels(document), metrics_in(document)
    entries = pair["metrics"]
    judged = any(e["verdict"] for e in entries)
    band = not judged and any(map(_band, entries))
    rows = []
    for entry in entries:
        metric = known[entry["metric"]]
        row = [
            printed.heading(metric),
            _score(metric, entry["a"]),
            _score(metric, entry["b"]),
            printed.estimate(metric, entry["difference"]),
            relative(metric, entry["relative"]),
        ]
        if judged:
            row.append(entry["verdict"] or NONE)
        if band:
            row.append(_plus_minus(metric, entry["least_difference"]) if _band(entry) else NONE)
        rows.append(row)
    heads = [("Metric", False), (names[pair["a"]], True), (names[pair["b"]], True)]
    heads += [("Δ", True), ("rel. %", True)]
    heads += [("Verdict", False)] if judged else []
    heads += [("noise", True)] if band else []
    whole = mixed("", heads, rows)
    if fits(whole):
        return [whole]
    means, rest = [0, 1, 2], [0, *range(3, len(heads))]
    return [
        mixed("", [heads[i] for i in part], [[row[i] for i in part] for row in rows])
        for part in (means, rest)
    ]


def _score(metric: Metric, scores: Document) -> str:
    """Mean ± SD, with the number of finite runs and of others."""
    if scores["mean"] is None:
        return printed.score(metric, scores)
    lost = f", {scores['lost']} lost" if scores["lost"] else ""
    return f"{printed.score(metric, {**scores, 'lost': 0})} ({scores['n']}{lost})"


def _plus_minus(metric: Metric, value: float) -> str:
    return f"±{_bare(metric, value)}"


def _certainty(document: Document, entries: Sequence[Document], known: Sequence[Metric]) -> Table:
    least = any(map(_unpaired, entries))
    rows = [
        [
            m.label,
            printed.interval(m, e["difference"]),
            p_text(e["difference"]["p"]),
            p_text(e["p_holm"]),
            NONE if e["hedges_g"] is None else signed(e["hedges_g"], 2),
            plain(e["better_share"], 2),
            *([_bare(m, e["least_difference"] if _unpaired(e) else None)] if least else []),
            _bare(m, e["smallest"]),
        ]
        for m, e in zip(known, entries, strict=True)
    ]
    heads = ["Metric", interval_head(document), "p", "p Holm", "g", "P (better)"]
    return table("", [*heads, *(["LSD"] if least else []), "Smallest effect"], rows)


def _unpaired(entry: Document) -> bool:
    """Whether a difference is one of unpaired runs, as the least significant one is."""
    return entry["noise"] is not None and entry["difference"]["method"] != "blocked"


def _bare(metric: Metric, value: float | None) -> str:
    return NONE if value is None else plain(metric.shown(value), metric.digits)


def _explained(document: Document, pair: Document) -> Iterable[str]:
    known = [metrics_in(document)[e["metric"]] for e in pair["metrics"]]
    b, a = pair["b"], pair["a"]
    yield (
        f"Mean ± SD (finite runs). Δ: {b} minus {a}{printed.in_points(known)};"
        f" rel. %: Δ over the mean of {a}."
    )
    if any(e[side]["lost"] and e[side]["n"] for e in pair["metrics"] for side in ("a", "b")):
        yield "lost: runs whose score is NaN or infinite; they are left out."
    judged = sum(e["verdict"] is not None for e in pair["metrics"])
    if judged:
        lower = "; where ↓, lower is better" if any(m.direction == "down" for m in known) else ""
        yield (
            f"Verdict: positive or negative where Holm's p over the"
            f" {many(judged, 'metric')} judged is below"
            f" {document['study']['alpha']:g}; positive is better{lower}."
        )


def _reasons(document: Document, pair: Document) -> Iterable[str]:
    """Why a row has no difference, no interval or fewer runs."""
    known = metrics_in(document)
    for name in (pair["a"], pair["b"]):
        lacking = [known[e["metric"]].label for e in pair["metrics"] if name in e["lacking"]]
        if lacking:
            yield f"{name} has no score of {listed(lacking)}."
    yield from replicates(document, pair)
    rest = [e for e in pair["metrics"] if e["difference"] is not None and e["verdict"] is None]
    single = [e for e in rest if max(e["a"]["n"], e["b"]["n"]) < FEWEST]
    bands = [e for e in single if _band(e)]
    if bands:
        single_runs = "" if pair["one_function"] else "One run a side: no verdict. "
        yield (
            f"{single_runs}noise: the difference that two such runs of one"
            f" configuration stay within in {level(document['study']['level'])} of cases,"
            f" {_from_noise(document, bands)}"
        )
    elif single and not pair["one_function"]:
        yield (
            "One run a side, and no replicated configuration in the study whose runs differ:"
            " run-to-run variation is unknown, so there is no interval and no verdict."
        )
    if any(e not in single for e in rest) and not pair["one_function"]:
        together = document["study"]["paired"] and len(pair["shared_seeds"]) >= FEWEST
        yield (
            "No interval: the difference is the same at every shared seed."
            if together
            else "No interval: no run differs from another of its configuration."
        )


def _from_noise(document: Document, entries: Sequence[Document]) -> str:
    metric = metrics_in(document)[entries[0]["metric"]]
    own = entries[0]["noise"]
    over = f"{many(own['cells'], 'replicated configuration')} of the study"
    if own["functions"] < own["cells"]:
        over = f"{own['cells']} configurations of {many(own['functions'], 'function')}"
    return (
        f"t s √(1/n + 1/n) by one variance, pooled over {over}"
        f" ({metric.label}: s = {_bare(metric, own['sd'])}, {own['df']} df)."
    )


_METHODS = {
    "welch": "Interval: Welch–Satterthwaite t; one training run is the unit.",
    "pooled": (
        "Interval: t, variance pooled over all replicates of the study, because a side has fewer"
        " than three runs; a side of one is taken to vary as those do."
    ),
    "blocked": "Interval: paired by seed, as the study declares; only shared seeds are used.",
}


def _terms(document: Document, pair: Document, entries: Sequence[Document]) -> Iterable[str]:
    """What each column of the second table is."""
    for method in dict.fromkeys(e["difference"]["method"] for e in entries):
        yield _METHODS[method]
    if any(e["hedges_g"] is not None for e in entries):
        yield "g: Hedges' g, Δ / s (1 − 3 / (4 df − 1)), s pooled over both, df = n + n − 2."
    yield (
        f"P (better): share of pairs of runs in which {pair['b']} is better, ties as half."
        " A description."
    )
    noisy = [e for e in entries if _unpaired(e)]
    if noisy:
        yield (
            "LSD, least significant difference of unpaired runs, before Holm:"
            f" {_from_noise(document, noisy)}"
        )
        yield from _beyond(document, noisy)
    yield (
        "Smallest effect: what these runs find with a power of 80 % at"
        f" p < {document['study']['alpha']:g}, before Holm."
    )


def _beyond(document: Document, entries: Iterable[Document]) -> Iterable[str]:
    """Why a difference above its LSD is undecided."""
    known, alpha = metrics_in(document), document["study"]["alpha"]
    above = [
        e
        for e in entries
        if e["verdict"] == "undecided" and abs(e["difference"]["estimate"]) > e["least_difference"]
    ]
    for holm, why in (
        (False, "its interval goes by the variances of these two alone, with fewer df."),
        (True, "p is below alpha by itself, and the verdict goes by Holm's p."),
    ):
        told = [e for e in above if (e["difference"]["p"] < alpha) is holm]
        if told:
            yield f"{listed([known[e['metric']].label for e in told])}: Δ exceeds LSD, yet {why}"


def score_split(document: Document, pair: Document) -> Section | None:
    """The detection score's difference as the sum of what mAP and the errors bring."""
    split = pair["score_split"]
    if split is None:
        return None
    names, known = labels(document), metrics_in(document)
    by_lower = {m.name.lower(): m for m in known.values()}
    nds, precision = by_lower["nds"], by_lower["map"]
    rows = [[f"0.5 × {precision.label}", nds.difference(split["from_map"])]]
    rows += [[f"−0.1 × {known[n].label}", nds.difference(v)] for n, v in split["of_errors"].items()]
    rows += [["sum", nds.difference(split["difference"])]]
    a, b = pair["a"], pair["b"]
    whole = (
        f"{nds.label} {nds.difference(split['difference'])} ="
        f" {nds.difference(split['from_map'])} from {precision.label},"
        f" {nds.difference(split['from_errors'])} from the errors{printed.in_points([nds])}."
    )
    made = ", ".join(
        f"{name} {nds.text(split[side]['recomputed'])} (stored: {nds.text(split[side]['printed'])})"
        for side, name in (("a", a), ("b", b))
    )
    again = f"Made again of its parts: {made}."
    note = (
        "(5 mAP + Σ (1 − min(1, error))) / 10 over the five errors: the nuScenes detection score,"
        " Caesar et al. (2020)."
    )
    title = f"Parts of {nds.label}: {names[b]} against {names[a]}"
    return Section(
        title, lead=(whole, again), tables=(table("", ["Part", "of Δ"], rows),), notes=(note,)
    )
