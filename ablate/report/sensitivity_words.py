"""What the words and columns of a page on sweeps mean: the section at its end."""

from collections.abc import Iterable, Sequence

from ablate.metric import Metric
from ablate.report import printed
from ablate.report.layout import Section
from ablate.report.significant import size
from ablate.report.tables import Document, metrics_of, some


def reading(document: Document) -> Section:
    """Definitions, the noise with its source, and how intervals and verdicts are made."""
    metrics = metrics_of(document)
    unit = printed.in_points(metrics)
    lines = [
        f"Δ: mean minus that of the default level{unit}. Span: best minus worst mean.",
        "Every difference is computed from unrounded values.",
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
    scales = {
        scale: [s["title"] for s in document["sweeps"] if s["scale"] == scale]
        for scale in ("linear", "log10")
    }
    if scales["log10"]:
        yield (
            f"Per tenfold: {', '.join(dict.fromkeys(scales['log10']))} is taken as its decimal"
            " logarithm, because its levels are spaced by ratios."
        )


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
        f" alone in {1 - level:.0%} of studies. A span is the largest of several differences and"
        " exceeds it more often."
    )
    yield (
        "Best of k: by how much the best of k equal levels looks better than it is, only for"
        " having been chosen: the expected largest of k standard normals times SD / √n. A winner"
        " needs fresh seeds."
    )
    yield from _methods(document)
    yield (
        f"Verdicts at Holm's p < {1 - level:.2g}, within four families per metric: the differences"
        " of one sweep, all slopes, all curvatures, all interactions. None where every"
        " cell that is used has one run."
    )


def _methods(document: Document) -> Iterable[str]:
    used = {
        effect["method"]
        for c in document["cells"]
        for effect in c["means"].values()
        if effect is not None
    } | {
        effect["method"]
        for s in document["sweeps"]
        for row in s["levels"]
        for effect in row["differences"].values()
        if effect is not None
    }
    said = {
        "welch": "Welch–Satterthwaite t where every used cell has three runs",
        "pooled": "t with the variance pooled over all replicated cells where one has fewer",
        "blocked": "t of the differences within each seed, as the study is paired",
    }
    parts = [text for method, text in said.items() if method in used]
    if parts:
        yield f"Intervals: {'; '.join(parts)}. The unit is one training run."
