"""What a design can see, in the terminal."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from ablate.cli.hours import Hours
    from ablate.metric import Metric

Json: TypeAlias = Mapping[str, Any]
LABELS = {
    "main": "Main effect",
    "shapley": "Shapley share",
    "averaged": "Averaged interaction",
    "alone": "Alone",
    "last": "Added last",
    "context": "Added to some",
    "off": "Pair, others off",
    "on": "Pair, others on",
    "moebius": "Three-way term",
    "level": "Level against default",
    "linear": "Line",
    "arm": "Arm against its parent",
    "difference": "Two configurations",
}
TOGETHER = {("alone", "last"): "Alone, or added last", ("off", "on"): "Pair, others off or on"}
SHORT = {"main": "Main", "averaged": "Averaged", "off": "Pair", "alone": "Alone", "last": "Last"}
OVER = ">100,000"
WELCH = 3
EFFECTS = {
    "option": "",
    "point": " (another: --effect)",
    "margin": ", the study's margin (another: --effect)",
    "sigma": ", one sigma (another: --effect)",
}
NONE = "–"
UNTOLD = "no test"


def show(document: Json, study: str, hours: "Hours") -> None:
    """Print what is assumed, what the design sees, what more costs, and designs of equal cost."""
    from ablate.report.printed import metric_of

    metric = metric_of(document["metric"])
    _say("", "Assumed", *_assumed(document, metric, study))
    rows = _rows(document["questions"])
    if not rows:
        _say(
            "",
            "Nothing to see: there is one configuration, and effects are differences between"
            " configurations.",
        )
        return
    _print_seen(document, metric, rows)
    _print_needed(document, metric, rows, hours)
    if document["designs"]:
        _print_designs(document, metric)


def _say(*paragraphs: str) -> None:
    """Paragraphs, each wrapped at the terminal's width."""
    from textwrap import fill

    from ablate.cli.console import out

    console = out()
    for paragraph in paragraphs:
        console.print(fill(paragraph, console.width, break_on_hyphens=False), soft_wrap=True)


def _assumed(document: Json, metric: "Metric", study: str) -> list[str]:
    sigma = document["sigma"]
    if sigma["study"] is None:
        size = given(metric, sigma["value"])
        first = f"One run's {metric.label} has a standard deviation (sigma) of {size}: --sigma."
    else:
        size = amount(metric, sigma["value"]) + _unit(metric)
        ends = f"{amount(metric, sigma['low'])} to {amount(metric, sigma['high'])}"
        of = f"study {sigma['study']}"
        if sigma["study"] != study:
            of += ", another of the same system, scale and data"
        first = (
            f"One run's {metric.label} has a standard deviation (sigma) of {size}, 95 % interval"
            f" {ends}: pooled over {_many(sigma['cells'], 'configuration')} of {of}"
            f" ({sigma['df']} degrees of freedom). In brackets: at the ends of that interval."
        )
    lines = [first]
    if sigma["unseeded"]:
        names = ", ".join(sigma["unseeded"])
        lines.append(f"Left out, because their seeds made identical runs (W126): {names}.")
    lines.append(
        f"t tests at alpha {_percent(document['alpha'])}, two-sided, before Holm; power"
        f" {_percent(document['power'])}; independent runs."
    )
    if document["blocked"] is not None:
        lines.append(_blocked(document))
    return lines


def _blocked(document: Json) -> str:
    r, known = document["blocked"], document["sigma"]["shared_by_seed"] is not None
    source = f"r = {r:.2f} as measured" if known else "r = 0, as none is measured"
    return (
        "The study says paired = true: blocking by seed multiplies a standard error by"
        f" sqrt(1 − r), r the seeds' share of the variance, and leaves n − 1 degrees of freedom;"
        f" here {source}."
    )


def _rows(questions: Sequence[Json]) -> list[tuple[str, Json]]:
    """A label for each question; neighbours that are alike but for the name share one."""
    found: list[tuple[str, Json]] = []
    for q in questions:
        before = found[-1][1] if found else None
        both = TOGETHER.get((before["asks"], q["asks"])) if before else None
        if before and both and not before["about"] and not q["about"]:
            found[-1] = both, before
        else:
            found.append((_label(q), q))
    return found


def _label(question: Json) -> str:
    label = LABELS[question["asks"]]
    names = ["+".join(of) for of in question["about"]]
    if not names or question["asks"] in {"level", "arm"}:
        return label
    more = f", {len(names) - 1} more" if names[1:] else ""
    return f"{label} ({names[0]}{more})"


def _print_seen(document: Json, metric: "Metric", rows: Sequence[tuple[str, Json]]) -> None:
    from ablate.cli.console import Column, print_table

    n, margin = document["seeds"], document["margin"]
    _say("", f"Smallest effects that {_many(n, 'seed')} can see{_in(metric)}")
    if n == 1:
        _say(
            "None: without a second run nothing tells an effect from noise, so there is no verdict."
        )
        return
    columns = [
        Column("Effect"),
        Column("Pooled" if document["blocked"] is None else "Blocked", right=True),
    ]
    welch = n >= WELCH and document["blocked"] is None
    columns += [Column("Welch", right=True)] if welch else []
    columns += [Column("Negligible", right=True)] if margin else []
    cells = []
    for label, q in rows:
        row = [label, _amounts(metric, q["smallest"])]
        row += [_amounts(metric, q["smallest_by_welch"])] if welch else []
        row += [_chances(q["negligible"])] if margin else []
        cells.append(row)
    print_table(columns, cells)
    if document["blocked"] is None:
        _say(_variances(document, welch=welch))
    if any(q["asks"] == "linear" for q in document["questions"]):
        _say(
            "Line: the straight line's rise from the lowest level to the highest; over logarithms"
            " where levels are spaced by ratios, as in reports."
        )
    if margin:
        _say(
            "Negligible: the chance that an effect of 0 is shown to lie within the margin of"
            f" {given(metric, margin)}."
        )
    else:
        _say("The study names no margin for this metric: nothing can be shown to be negligible.")


def _variances(document: Json, *, welch: bool) -> str:
    """Which runs tell the noise of one."""
    asked = {q["asks"] for q in document["questions"]}
    found = []
    if asked - {"level", "linear", "arm", "difference"}:
        found.append("all cells of the grid")
    if asked & {"level", "linear"}:
        found.append("all configurations for a sweep")
    if asked & {"arm", "difference"}:
        found.append("the two compared" + (" for an arm" if "arm" in asked else ""))
    text = f"Pooled: by one variance, that of {', '.join(found)}."
    if not welch:
        return text
    return text + (
        " Welch: by those of the cells compared, as reports do from three seeds on; as sample"
        " variances differ, its power is somewhat below what is asked."
    )


def _print_needed(
    document: Json, metric: "Metric", rows: Sequence[tuple[str, Json]], hours: "Hours"
) -> None:
    from ablate.cli.console import Column, print_table

    effect = document["effect"]
    size = given(metric, effect["value"])
    _say("", f"Seeds that see an effect of {size}{EFFECTS[effect['source']]}")
    known, margin = bool(hours.seconds), document["margin"]
    columns = [Column("Effect"), Column("Seeds", right=True), Column("Runs", right=True)]
    columns += [Column(hours.unit, right=True)] if known else []
    columns += [Column("Negligible", right=True)] if margin else []
    cells = []
    for label, q in rows:
        runs = q["runs_to_do"]
        row = [label, _seeds(q["seeds"]), NONE if runs is None else f"{runs:,}"]
        row += [NONE if q["hours"] is None else hours.text(q["hours"])] if known else []
        row += [_seeds(q["seeds_for_negligible"])] if margin else []
        cells.append(row)
    print_table(columns, cells)
    if document["blocked"] is None:
        _say("Seeds: by the pooled variance; by Welch's there may be one or two more.")
    _say("Runs: still to do, of the configurations that the effect is measured in.")
    if margin:
        _say("Negligible: the seeds that show an effect of 0 to lie within the margin.")
    if not known:
        _say(f"Hours ({hours.unit}): unknown until a trial of this study has run.")


def _print_designs(document: Json, metric: "Metric") -> None:
    from ablate.cli.console import Column, print_table

    designs = document["designs"]
    n, own = document["seeds"], document["grid_cells"]
    title = f"Designs as near to {own * n:,} runs as seeds allow: smallest effects"
    _say("", title + _in(metric))
    columns = [Column("Design"), *(Column(t, right=True) for t in ("Cells", "Seeds", "Runs"))]
    columns += [Column(title, right=True) for title in SHORT.values()]
    cells = []
    for d in designs:
        if not d["seeds"]:
            cells.append([d["design"], f"{d['cells']:,}", *[NONE] * (2 + len(SHORT))])
            continue
        by_kind = {a["asks"]: a["smallest"] for a in d["answers"]}
        row = [d["design"] + (" (this)" if d["own"] else "")]
        row += [f"{d[key]:,}" for key in ("cells", "seeds", "runs")]
        for kind in SHORT:
            answer = by_kind.get(kind)
            unseen = UNTOLD if kind in by_kind else NONE
            row.append(amount(metric, answer["value"]) if answer else unseen)
        cells.append(row)
    print_table(columns, cells)
    lines = [
        "Pair: two modules' interaction, the others off. " + NONE + ": no answer in that design."
    ]
    if any(d["seeds"] == 1 for d in designs):
        lines.append(f"{UNTOLD[0].upper()}{UNTOLD[1:]}: with one run of each cell there is none.")
    if any(not d["seeds"] for d in designs):
        lines.append("Without seeds: one of them alone costs more.")
    _say(*lines)


def amount(metric: "Metric", value: float) -> str:
    """A size in display units, in the metric's decimals and at least two digits that count."""
    import math

    from ablate.metric import plain

    shown = metric.shown(value)
    if not math.isfinite(shown):
        return "none"
    digits = 1 - math.floor(math.log10(shown)) if shown else 0
    return plain(shown, max(metric.digits, digits))


def given(metric: "Metric", value: float) -> str:
    """A size that somebody stated, as it was, with its unit."""
    shown = metric.shown(value)
    unit = metric.unit.removesuffix("s") if shown == 1 else metric.unit
    return f"{shown:.6g} {unit}".rstrip()


def _amounts(metric: "Metric", answer: Json | None) -> str:
    return _between(answer, lambda v: NONE if v is None else amount(metric, v))


def _chances(answer: Json | None) -> str:
    return _between(answer, lambda v: f"{100 * v:.0f}", swap=True, unit=" %")


def _seeds(answer: Json | None) -> str:
    if answer is None:
        return OVER
    return _between(answer, lambda v: OVER if v is None else f"{v:,}")


def _between(
    answer: Json | None, text: Callable[[Any], str], *, swap: bool = False, unit: str = ""
) -> str:
    """A value, and in brackets what it is at the ends of sigma's interval, the smaller first."""
    if answer is None:
        return NONE
    value = text(answer["value"])
    ends = [text(answer[key]) for key in ("at_low_sigma", "at_high_sigma") if key in answer]
    if set(ends) <= {value}:
        return value + unit
    return f"{value}{unit} ({'–'.join(reversed(ends) if swap else ends)})"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _unit(metric: "Metric") -> str:
    return f" {metric.unit}" if metric.unit else ""


def _in(metric: "Metric") -> str:
    return f" ({metric.unit} of {metric.label})" if metric.unit else f" ({metric.label})"


def _many(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
