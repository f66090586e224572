"""A comparison's curves as sections of its page: common steps, loss terms, gradient norms."""

from collections.abc import Iterable, Sequence

from ablate.metric import Metric, signed
from ablate.report.comparison_words import (
    Document,
    figures,
    labels,
    listed,
    many,
    metrics_in,
    number,
)
from ablate.report.layout import Section, Table, table

CHUNK = 6
"""Steps that stand side by side."""
NAMED = 12


def curves(document: Document) -> Section | None:
    """Means at common steps, of the primary metric and of total losses."""
    found, missing = document["curves"], document["without_curves"]
    if not found and not 0 < len(missing) < len(document["sides"]):
        return None
    tables = [t for curve in found for t in _tables(document, curve)]
    notes = list(dict.fromkeys(line for curve in found for line in _curve_notes(document, curve)))
    if any(side["runs"] > 1 for curve in found for side in curve["sides"].values()):
        notes.append("Means over runs.")
    if missing:
        notes.append(f"No curve is stored of {listed(missing)}.")
    return Section("Learning curves at common steps", tables=tuple(tables), notes=tuple(notes))


def _tables(document: Document, curve: Document) -> Iterable[Table]:
    steps = curve["steps"]
    for begin in range(0, len(steps), CHUNK):
        part = range(begin, min(begin + CHUNK, len(steps)))
        title = f"{curve['name']} ({curve['split']})" if not begin else ""
        heads = ["Step", *(str(steps[i]) for i in part)]
        yield table(title, heads, _rows(document, curve, part))


def _rows(document: Document, curve: Document, part: Sequence[int]) -> list[list[str]]:
    names, sides = labels(document), curve["sides"]
    metric = _scale(document, curve)
    first = document["sides"][0]["variant"]
    rows = []
    for variant, side in sides.items():
        rows.append([names[variant], *(metric.text(side["means"][i]) for i in part)])
        if variant != first and first in sides:
            gaps = [side["means"][i] - sides[first]["means"][i] for i in part]
            rows.append(["Δ" if len(sides) == 2 else f"Δ {names[variant]}"])  # noqa: PLR2004 - a pair
            rows[-1] += [metric.difference(gap) for gap in gaps]
    return rows


def _scale(document: Document, curve: Document) -> Metric:
    """How a curve's values are printed: as its metric's, else with four figures."""
    known = metrics_in(document).get(curve["name"])
    if known is not None:
        return known
    values = [v for side in curve["sides"].values() for v in side["means"]]
    return Metric(curve["name"], display="number", digits=figures(values))


def _curve_notes(document: Document, curve: Document) -> Iterable[str]:
    metric = _scale(document, curve)
    names = labels(document)
    ranges = [
        f"{names[v]} {metric.text(s['smallest'])} to {metric.text(s['largest'])}, last"
        f" {metric.text(s['last'])}{_lost(s)}"
        for v, s in curve["sides"].items()
        if s["smallest"] is not None
    ]
    yield (
        f"{curve['name']} ({curve['split']}) over all its steps"
        f" ({curve['common']} in common): {'; '.join(ranges)}."
    )
    if curve["asked_in_vain"]:
        asked = ", ".join(map(str, curve["asked_in_vain"]))
        yield (
            f"{curve['name']}: not every run logged step {asked}; the nearest that all have stand"
            " instead."
        )


def _lost(side: Document) -> str:
    lost = side["nan"] + side["inf"]
    return f" ({lost} not finite)" if lost else ""


def terms(document: Document) -> Section | None:
    """Every training loss at the last step that all have."""
    found = document["terms"]
    own = [r for r in found["rows"] if not r["auxiliary"]]
    if len(own) < 2 and not found["lacking"]:  # noqa: PLR2004 - one total has no terms
        return None
    names = labels(document)
    variants = list(own[0]["means"]) if own else []
    rows = [[r["name"], *_beside([r["means"][v] for v in variants])] for r in own]
    heads = ["Term", *([names[variants[0]]] if variants else [])]
    for v in variants[1:]:
        heads += [names[v], "Δ"]
    lead = (f"At step {found['step']}, the last that all have.",) if rows else ()
    tables = (table("", heads, rows),) if rows else ()
    return Section("Loss terms", lead=lead, tables=tables, notes=tuple(_term_notes(document)))


def _beside(values: Sequence[float]) -> list[str]:
    digits = figures(values)
    texts = [number(values[0], digits)]
    for value in values[1:]:
        texts += [number(value, digits), signed(value - values[0], digits)]
    return texts


def _term_notes(document: Document) -> Iterable[str]:
    found = document["terms"]
    auxiliary = [r["name"] for r in found["rows"] if r["auxiliary"]]
    if auxiliary:
        yield (
            f"{many(len(auxiliary), 'auxiliary term')} ({auxiliary[0]}, …) in --json: the same"
            " terms behind a prefix."
        )
    lacking: dict[str, list[str]] = {}
    for variant, names in found["lacking"].items():
        lacking.setdefault(listed(names, NAMED), []).append(variant)
    for terms_of, variants in lacking.items():
        yield (
            f"No {terms_of} of {' and '.join(variants)}: totals that are sums of other terms cannot"
            " be compared."
        )


def gradients(document: Document) -> Section | None:
    """The range of gradient norms, and the values that are no number."""
    found = document["gradients"]
    if not found:
        return None
    names = labels(document)
    rows = []
    for entry in found:
        values = [s[k] for s in entry["sides"].values() for k in ("low", "largest")]
        digits = figures(values)
        rows += [
            [
                entry["name"],
                names[v],
                *(number(s[k], digits) for k in ("low", "high", "largest")),
                str(len(s["nan"])),
                str(len(s["inf"])),
            ]
            for v, s in entry["sides"].items()
        ]
    heads = ["Norm", "Of", "p5", "p95", "largest", "nan", "inf"]
    steps = [line for entry in found for line in _bad_steps(names, entry)]
    note = "p5, p95, largest: of the finite values that were logged, all runs together."
    return Section(
        "Gradient norms",
        tables=(table("", heads, rows, texts=2),),
        notes=(note, *steps),
    )


def _bad_steps(names: dict[str, str], entry: Document) -> Iterable[str]:
    for v, side in entry["sides"].items():
        told = [
            f"{kind} at step {listed([str(s) for s in side[kind]])}"
            for kind in ("nan", "inf")
            if side[kind]
        ]
        if told:
            yield f"{entry['name']} of {names[v]}: {'; '.join(told)}."


def one_sided(document: Document) -> Section | None:
    """The curves that some variant lacks."""
    found = document["one_sided"]
    if not found:
        return None
    groups: dict[tuple[str, ...], list[str]] = {}
    for entry in found:
        groups.setdefault(tuple(entry["in"]), []).append(f"{entry['name']} ({entry['split']})")
    lines = [f"Only {' and '.join(having)}: {listed(of, NAMED)}." for having, of in groups.items()]
    return Section("Curves that not all have", lead=tuple(lines))
