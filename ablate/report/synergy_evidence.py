"""What the numbers of one metric over a grid rest on: scores, noise, cells, intervals."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ablate.metric import Metric, plain
from ablate.report import printed
from ablate.report.layout import NONE, Section, Table
from ablate.report.printed import spent_columns
from ablate.report.synergy_words import (
    OFF,
    ON,
    POOLED,
    POOLED_NOTE,
    Document,
    average,
    has_interval,
    interval_head,
    level,
    made_table,
    module,
    numbers_of,
    pooled_mark,
    size,
    together,
    unit,
)
from ablate.report.tables import FEW, some

LIBERAL = (
    "That is as good as its supposition: simulated at 95 %, such intervals miss the truth in 5 % of"
    " cases with normal errors, in 8 to 13 % with heavy or skewed ones or a cell that is noisier."
)
STILL = (
    "*: noise: the module is not in the output of a cell used, so that there is no interval and no"
    " verdict."
)


def evidence(document: Document, metric: Metric) -> Section:
    """What the numbers of one metric rest on."""
    of, study = numbers_of(document, metric), document["study"]
    facts = [
        ("Study", study["name"]),
        *_repeated(document),
        ("Scores", _scores(study, metric, of)),
        ("Cells", _cells_there(document, of)),
        *_noise(document, metric, of),
        ("Claims", _claims(document, metric, of)),
    ]
    heads = [("Metric", True), (printed.heading(metric), True)]
    return Section("What the numbers rest on", tables=(made_table(heads, facts),))


def _repeated(document: Document) -> Iterable[tuple[str, str]]:
    """Which repetition of the grid the numbers are of, where an axis repeats it."""
    for axis in document["synergy"]["repeated"]:
        shown, *others = (printed.level_text(level) for level in axis["levels"])
        yield "Repetition", f"{axis['factor']} = {shown} alone; not shown: {', '.join(others)}"


def _scores(study: Document, metric: Metric, of: Document) -> str:
    splits = ", ".join(s for s in of["splits"] if s)
    on = f"on {splits}, " if splits else ""
    kept = [r for r in study["selection"] if r != "reported"]
    rules = [f"selected by {', '.join(kept)}"] if kept else []
    rules += ["as the source reports"] if len(kept) < len(study["selection"]) else []
    primary = "; the primary metric" if metric.name == study["primary"] else ""
    points = "; differences in points" if metric.unit else ""
    better = "higher" if metric.direction == "up" else "lower"
    return f"{on}{', '.join(rules)}; {better} is better{points}{primary}"


def _cells_there(document: Document, of: Document) -> str:
    few, many = of["fewest"], of["most"]
    runs = f"{few}" if few == many else f"{few} to {many}"
    each = f", {runs} run{'' if many == 1 else 's'} each" if many else ""
    return f"{of['present']} of {document['synergy']['needed']} have a finite run{each}"


def _noise(document: Document, metric: Metric, of: Document) -> list[tuple[str, str]]:
    noise, fine = of["noise"], average(metric)
    if noise is None:
        return [("Noise of one run", "unknown: no cell has two runs that differ")]
    spread = (
        f"SD {size(fine, noise['sd'])}{unit(metric)}, {level(document)} interval"
        f" {size(fine, noise['low'])} to {size(fine, noise['high'])}"
        f" (pooled over the cells, {noise['df']} degrees of freedom)"
    )
    n, cells = noise["runs"], noise["cells"]
    least = (
        f"by {size(fine, noise['least_difference'])}{unit(metric)} or more at n = {n} each, to be"
        " told apart by this noise (least significant difference, by one variance pooled over"
        f" {cells} cell{'' if cells == 1 else 's'}{_others_use(of['methods'])})"
    )
    return [("Noise of one run", spread), ("Two cells differ", least)]


def _claims(document: Document, metric: Metric, of: Document) -> str:
    alpha = document["synergy"]["rules"]["alpha"]
    margin = "no margin, so nothing is called negligible"
    if of["margin"] is not None:
        margin = f"margin {size(average(metric), of['margin'])}{unit(metric)}"
    tested = {
        "main effect": [m["main"] for m in of["modules"]],
        "averaged interaction": [p["averaged"] for p in of["pairs"]],
    }
    counts = {name: sum(a["p_holm"] is not None for a in each) for name, each in tested.items()}
    families = [f"{n} {name}{'' if n == 1 else 's'}" for name, n in counts.items() if n]
    if not families:
        return f"alpha {alpha:g}, {margin}; nothing was tested: {_untested(of)}"
    return f"alpha {alpha:g}, {margin}; Holm within each family: {'; '.join(families)}"


def _untested(of: Document) -> str:
    """Why no effect of a family has been tested."""
    if any(m["main"]["missing_count"] for m in of["modules"]):
        return "cells are missing"
    if of["noise"] is None:
        return "no cell has two runs that differ"
    return "no effect has an interval"


def _others_use(methods: Sequence[str]) -> str:
    """What the intervals use instead of the pooled variance, where they do."""
    if "blocked" in methods:
        return "; blocked intervals use differences within seeds"
    marked = f" without {POOLED.strip()}" if "pooled" in methods else ""
    return f"; intervals{marked} use each cell's own" if "welch" in methods else ""


def cells(document: Document, metric: Metric) -> Section:
    """Every cell of the grid with its runs of one metric and its costs."""
    of, grid = numbers_of(document, metric), document["synergy"]
    means = [c["mean"] for c in of["cells"] if c["mean"] is not None and not c["lost"]]
    best = (max if metric.direction == "up" else min)(means, default=None)
    spread, sure, inert = (
        any(c["sd"] is not None for c in of["cells"]),
        has_interval({"effect": c} for c in of["cells"]),
        any(c["inert"] for c in grid["cells"]),
    )
    every = spent_columns(grid["cells"], printed.SIZE)
    texts = {c.title: dict.fromkeys(c.text(cell["costs"]) for cell in grid["cells"]) for c in every}
    columns = [c for c in every if len(texts[c.title]) > 1]
    headings = [("On", True), ("Cell", True), ("n", False), (printed.heading(metric), False)]
    headings += [("SD", False)] * spread + [(interval_head(document), False)] * sure
    headings += [("Same function as", True)] * inert
    rows = []
    for cell, scored in zip(grid["cells"], of["cells"], strict=True):
        row: list[str] = [
            "".join(ON if m["module"] in cell["on"] else OFF for m in grid["modules"]),
            cell["variant"],
            str(scored["n"]) + (f" ({scored['lost']} lost)" if scored["lost"] else ""),
            NONE if scored["mean"] is None else metric.text(scored["mean"]),
        ]
        row += [_plain(metric, scored["sd"])] * spread
        row += [_range(metric, of, scored)] * sure
        row += [cell["same_as"] or NONE] * inert
        rows.append([*row, *(c.text(cell["costs"]) for c in columns)])
    made = made_table([*headings, *((c.title, False) for c in columns)], rows)
    order = ", ".join(module(document, m["module"]) for m in grid["modules"])
    notes = [f"On: {order}, in this order."]
    alike = [f"{title} {next(iter(of))}" for title, of in texts.items() if len(of) == 1]
    notes += [_by(of)] if sure else []
    notes += [f"In every cell: {', '.join(alike)}."] if alike else []
    if best is not None:
        names = [c["variant"] for c in of["cells"] if c["mean"] == best and not c["lost"]]
        notes.append(f"Best mean: {some(names)}{_better(metric, of, best)}.")
    if inert:
        notes.append(
            "Same function as: its further modules are not in the output (W204); its runs are"
            " replicates of that cell's, unless they agree to the last digit."
        )
    return Section("Cells", tables=(_droppable(made, len(columns)),), notes=tuple(notes))


def _better(metric: Metric, of: Document, best: float) -> str:
    """The cells of a better mean that are not called best, because they lost runs."""
    sign = 1 if metric.direction == "up" else -1
    passed = [
        f"{c['variant']}, {metric.text(c['mean'])}, lost {_runs(c['lost'])}"
        for c in of["cells"]
        if c["lost"] and c["mean"] is not None and sign * c["mean"] > sign * best
    ]
    return f" ({'; '.join(passed)})" if passed else ""


def _runs(count: int) -> str:
    return "a run" if count == 1 else f"{count} runs"


def _droppable(made: Table, costs: int) -> Table:
    """The table with its last columns, of costs, as those that a narrow terminal drops."""
    kept = len(made.columns) - costs
    dropping = (replace(c, drop=i + 1) for i, c in enumerate(made.columns[kept:]))
    return replace(made, columns=(*made.columns[:kept], *dropping))


def _plain(metric: Metric, value: float | None) -> str:
    return NONE if value is None else size(average(metric), value)


def _by(of: Document) -> str:
    """How the intervals of the cells' means were made."""
    own, pooled = ({"welch"} & {c["method"] for c in of["cells"]}, POOLED_NOTE[3:])
    if not own:
        return f"Interval: {pooled}"
    said = "Interval: by the cell's own runs"
    marked = any(pooled_mark(of, c) for c in of["cells"])
    return f"{said}; {POOLED_NOTE}" if marked else f"{said}."


def _range(metric: Metric, of: Document, scored: Document) -> str:
    if scored["low"] is None:
        return NONE
    return f"[{metric.text(scored['low'])}, {metric.text(scored['high'])}]{pooled_mark(of, scored)}"


def how(document: Document, metric: Metric) -> list[str]:
    """How the intervals of one metric were made, or why there is none."""
    of = numbers_of(document, metric)
    answers = [m[k] for m in of["modules"] for k in ("main", "shapley", "alone", "last")]
    answers += [p[k] for p in of["pairs"] for k in ("averaged", "off", "on")]
    known = [a for a in answers if a["effect"]]
    methods = {a["effect"]["method"] for a in known}
    said = [*_made(of, methods), *_missing(of), *_lost(metric, of)]
    if not methods - {"none"}:
        said.append(_none(of, known))
    elif any(a["effect"]["method"] == "none" and not a["inert"] for a in known):
        said.append(f"{NONE}: no interval, for no run of the cells used differs from another.")
    if of["lenth"] is not None:
        margin = of["lenth"]["margin"]
        said.append(
            "A hint and no test: were most effects nothing, chance alone would keep a main effect"
            f" within {size(average(metric), margin)}{unit(metric)} and an averaged interaction"
            f" within {size(average(metric), 2 * margin)} (Lenth's margin, from the grid's own"
            f" effects). {_beyond(document, of)}"
        )
    if any(a["inert"] for a in known):
        said.append(STILL)
    return said


def _beyond(document: Document, of: Document) -> str:
    """The effects beyond Lenth's margin, by name; an averaged interaction has twice the margin."""
    margin = of["lenth"]["margin"]
    sized = [(module(document, m["module"]), m["main"], margin) for m in of["modules"]]
    sized += [(together(document, p["modules"]), p["averaged"], 2 * margin) for p in of["pairs"]]
    names = [n for n, a, most in sized if abs(a["effect"]["estimate"]) > most]
    return f"Beyond it: {', '.join(names)}." if names else "None of them is beyond it."


def _made(of: Document, methods: set[str]) -> Iterable[str]:
    """The sentence of each method that made an interval."""
    if "blocked" in methods:
        yield "Blocked by seed, as the study says (paired = true): formed within each seed." + (
            ""
            if of["aligned"]
            else " Runs of seeds that not all cells used have are left out of it; means, worst and"
            " best, expected and observed are of all runs."
        )
    elif of["seeds"]["paired"] and methods - {"none"}:
        yield "Not blocked (paired = true), for the cells used do not share two seeds."
    marked = f"{POOLED.strip()}: " if {"welch", "blocked"} & {*of["methods"]} else ""
    if "welch" in methods:
        yield "Intervals: Welch–Satterthwaite t over the cells used; the unit is one training run."
    if "pooled" in methods and of["fewest"] == 1:
        yield (
            f"{marked}Intervals by the variance pooled over the cells, because a cell used has one"
            " run, whose variance is taken from the replicated cells. " + LIBERAL
        )
    elif "pooled" in methods:
        yield (
            f"{marked}Intervals by the variance pooled over the cells, because a cell used has two"
            " runs (three allow Welch's)."
        )


def _missing(of: Document) -> Iterable[str]:
    absent = next(m["main"] for m in of["modules"])
    if absent["missing_count"]:
        names, more = absent["missing"][:FEW], absent["missing_count"] - FEW
        further = f" and {more:,} more" if more > 0 else ""
        yield (
            "A main effect, a Shapley share and an averaged interaction need a finite run of every"
            f" cell; missing: {', '.join(names)}{further}."
        )


def _lost(metric: Metric, of: Document) -> Iterable[str]:
    lost = [
        f"{c['variant']} {c['lost']} of {c['n'] + c['lost']} runs" for c in of["cells"] if c["lost"]
    ]
    if lost:
        yield f"Left out, not finite: {', '.join(lost)} ({metric.label})."


def _none(of: Document, known: Sequence[Document]) -> str:
    if not of["most"]:
        return "No cell has a finite run."
    if not known:
        return "No question of this section has all the cells that it needs."
    if of["noise"] is None and of["most"] == 1:
        return (
            "One run per cell: run-to-run variation is unknown, so there is no interval and no"
            " verdict."
        )
    if of["noise"] is None:
        return "No interval: no run differs from another of its cell."
    return "No interval: the cells used are of one function, or no run of them differs."


def plain_number(value: float | None, digits: int = 2) -> str:
    """A ratio or correlation, with a true minus sign."""
    return NONE if value is None else plain(value, digits)
