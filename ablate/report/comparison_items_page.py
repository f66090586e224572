"""A comparison's scores by class, query or image as a section of its page."""

from collections.abc import Iterable, Mapping, Sequence

from ablate.metric import Metric
from ablate.report import printed
from ablate.report.comparison_words import (
    Document,
    interval_head,
    labels,
    listed,
    many,
    metrics_in,
    mixed,
    p_text,
    side_of,
)
from ablate.report.layout import NONE, Section, Table, table

ROWS = 24
"""Rows of classes that a page shows; of more, the largest losses and gains."""


def items(document: Document, pair: Document) -> Section | None:
    """One table of classes, or of samples of items, whichever the scores have."""
    known = metrics_in(document)
    found = [e for e in pair["items"] if e["metric"] in known]
    rest = [e["name"] for e in pair["items"] if e not in found]
    samples = [e for e in found if e["resampled"] is not None]
    scored = {split for s in document["sides"] for split in s["splits"]}
    order = {name: i for i, name in enumerate(known)}
    classes = sorted(
        (e for e in found if e["rows"]),
        key=lambda e: (order[e["metric"]], e["split"] not in scored),
    )
    names = labels(document)
    title = f"By item: {names[pair['b']]} against {names[pair['a']]}"
    tables: list[Table] = []
    notes: list[str] = []
    if samples:
        tables.append(_samples(document, pair, samples, known))
        notes += dict.fromkeys(n for e in samples for n in _sampled_notes(e))
        notes += [*_left_out(samples), *_few_runs(document, pair, samples)]
        notes += _mismatch(document, pair, samples)
    if classes:
        tables += _classes(document, pair, classes[0], known)
        notes += _class_notes(document, pair, classes[0], known)
        rest = [e["name"] for e in classes[1:]] + rest
    if rest:
        also = "Also stored" if tables else "Stored"
        notes.append(f"{also} by item, in --json: {listed(list(dict.fromkeys(rest)), 12)}.")
    if not notes:
        return None
    return Section(title, tables=tuple(tables), notes=tuple(notes))


def _samples(
    document: Document, pair: Document, found: Sequence[Document], known: Mapping[str, Metric]
) -> Table:
    names = labels(document)
    rows = []
    for entry in found:
        metric = known[entry["metric"]]
        up = metric.direction == "up"
        rows.append(
            [
                f"{entry['name']} ({entry['split']})",
                metric.text(entry["a"]),
                metric.text(entry["b"]),
                metric.difference(entry["difference"]),
                printed.interval(metric, entry["resampled"] | {"estimate": entry["difference"]}),
                str(entry["higher" if up else "lower"]),
                str(entry["lower" if up else "higher"]),
            ]
        )
    heads = ["Mean over items", names[pair["a"]], names[pair["b"]], "Δ"]
    return table("", [*heads, interval_head(document), "better", "worse"], rows)


def _sampled_notes(entry: Document) -> Iterable[str]:
    """What the interval of a sample of items is made of; the same for scores of the same items."""
    drawn = entry["resampled"]
    by = {
        "--cluster": "by --cluster",
        "[groups.items]": "as [groups.items] says",
        "names": "told by the items' names",
        "": "no identity is known, so each item is its own",
    }[drawn["by"]]
    what = "runs and clusters" if drawn["runs"] else "clusters"
    wider = ", stretched for few runs" if drawn["runs"] else ""
    yield (
        f"{entry['count']} items in {many(drawn['clusters'], 'cluster')} ({by}); better, worse:"
        f" items by their mean over runs. Interval: bootstrap over {what} of items,"
        f" {drawn['resamples']:,} resamples, percentile{wider}."
    )
    if not drawn["runs"]:
        yield (
            "These checkpoints only: with one run of a side the interval is about other items,"
            " not about other trainings of these configurations."
        )


def _left_out(found: Iterable[Document]) -> Iterable[str]:
    for entry in found:
        if entry["left_out"]:
            yield (
                f"{entry['name']}: {many(len(entry['left_out']), 'item')} left out, not scored with"
                f" a finite value in every run: {listed(entry['left_out'])}."
            )


def _few_runs(document: Document, pair: Document, found: Iterable[Document]) -> Iterable[str]:
    """That some completed runs have no items, where every one would be used."""
    if document["study"]["paired"]:
        return
    for entry in found:
        for name, seeds in zip((pair["a"], pair["b"]), entry["seeds"], strict=True):
            runs = side_of(document, name)["runs"]
            if len(seeds) < runs:
                yield f"{entry['name']}: by item in {len(seeds)} of {many(runs, 'run')} of {name}."


def _mismatch(document: Document, pair: Document, found: Iterable[Document]) -> Iterable[str]:
    """Where the items' mean difference is printed as another number than the metric's."""
    known = metrics_in(document)
    effects = {e["metric"]: e["difference"] for e in pair["metrics"]}
    for entry in found:
        metric, effect = known[entry["metric"]], effects.get(entry["metric"])
        if effect is None:
            continue
        own, whole = (metric.difference(v) for v in (entry["difference"], effect["estimate"]))
        if own != whole:
            yield (
                f"{entry['name']}: the items' mean differs by {own}, {metric.label} by {whole}: the"
                " items are rounded, of another step, or not all that the metric counts."
            )


def _classes(
    document: Document, pair: Document, entry: Document, known: Mapping[str, Metric]
) -> list[Table]:
    names, metric = labels(document), known[entry["metric"]]
    rows = entry["rows"]
    shown = rows if len(rows) <= ROWS else [*rows[: ROWS // 2], *rows[-ROWS // 2 :]]
    sure = any(r["p_adjusted"] is not None for r in rows)
    tiers = bool(document["study"]["tiers"])
    heads = [("Item", False), (names[pair["a"]], True), (names[pair["b"]], True), ("Δ", True)]
    heads += [(interval_head(document), True), ("p BH", True)] if sure else []
    heads += [("Tier", False)] if tiers else []
    body = [_class_row(metric, r, sure=sure, tiers=tiers) for r in shown]
    mean = ["mean", metric.text(entry["a"]), metric.text(entry["b"])]
    mean += [metric.difference(entry["difference"]), *([NONE, NONE] if sure else [])]
    body.append([*mean, *([NONE] if tiers else [])])
    tables = [mixed(f"{entry['name']} ({entry['split']})", heads, body)]
    if entry["groups"]:
        tables.append(_groups(document, pair, entry, metric))
    return tables


def _class_row(metric: Metric, row: Document, *, sure: bool, tiers: bool) -> list[str]:
    texts = [row["item"], metric.text(row["a"]), metric.text(row["b"])]
    texts.append(printed.estimate(metric, row["difference"]))
    if sure:
        texts += [printed.interval(metric, row["difference"]), p_text(row["p_adjusted"])]
    return [*texts, *([row["tier"] or NONE] if tiers else [])]


def _groups(document: Document, pair: Document, entry: Document, metric: Metric) -> Table:
    names = labels(document)
    heads = [("Group", False), ("Items", True), (names[pair["a"]], True), (names[pair["b"]], True)]
    heads += [("Δ", True), *([("Tier", False)] if document["study"]["tiers"] else [])]
    rows = [
        [
            g["group"],
            str(g["count"]),
            metric.text(g["a"]),
            metric.text(g["b"]),
            metric.difference(g["b"] - g["a"]),
            *([g["tier"] or NONE] if document["study"]["tiers"] else []),
        ]
        for g in entry["groups"]
    ]
    return mixed("Means of the study's [groups.classes]", heads, rows)


def _class_notes(
    document: Document, pair: Document, entry: Document, known: Mapping[str, Metric]
) -> Iterable[str]:
    metric, rows = known[entry["metric"]], entry["rows"]
    more = len(rows) - ROWS
    cut = f" The {ROWS} largest of {len(rows)} differences." if more > 0 else ""
    yield (
        f"Sorted by Δ{printed.in_points([metric])}. Each of the {entry['count']} items brings Δ /"
        f" {entry['count']} of the mean's difference.{cut}"
    )
    if any(r["p_adjusted"] is not None for r in rows):
        yield (
            "A screening table: intervals are of one item by itself (t, pooled at two runs a side,"
            " Welch's from three); p BH is Benjamini and Hochberg's over the items."
        )
    elif min(map(len, entry["seeds"])) < 2:  # noqa: PLR2004 - a spread needs two
        yield "One run of a side: no interval by item."
    tiers = document["study"]["tiers"]
    if tiers:
        bounds = ", ".join(f"{word} from {least:g}" for word, least in _ordered(tiers))
        yield f"Tier: the study's own words for the size of Δ, in display units: {bounds}."
    yield from _left_out([entry])
    yield from _few_runs(document, pair, [entry])
    yield from _mismatch(document, pair, [entry])


def _ordered(tiers: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(tiers.items(), key=lambda t: t[1])
