"""The words and numbers of a grid's sections: names, effects in points, what an answer lacks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from ablate.metric import Metric, plain
from ablate.report import printed
from ablate.report.layout import NONE, Heading, Table, Text
from ablate.report.printed import metric_of

Document: TypeAlias = Mapping[str, Any]
TIMES = " \N{MULTIPLICATION SIGN} "
ON, OFF = "\N{BLACK CIRCLE}", "\N{MIDDLE DOT}"
SMALL_P = 0.001
MARK = " *"
POOLED = "\N{NO-BREAK SPACE}\N{DAGGER}"
POOLED_NOTE = "\N{DAGGER}: by the variance pooled over the cells."
NOISE = "noise: module not in the output"


def metrics_of(document: Document) -> list[Metric]:
    """The metrics of the grid, the primary one first."""
    by_name = {m["name"]: metric_of(m) for m in document["metrics"]}
    return [by_name[name] for name in document["synergy"]["metrics"]]


def numbers_of(document: Document, metric: Metric) -> Document:
    """The grid's numbers of one metric."""
    of: Document = document["synergy"]["by_metric"][metric.name]
    return of


def level(document: Document) -> str:
    """The level of intervals: `95 %`."""
    return f"{100 * document['study']['level']:g} %"


def interval_head(document: Document) -> str:
    """The heading of a column of intervals; the level is not broken off its sign."""
    return level(document).replace(" ", "\N{NO-BREAK SPACE}") + " interval"


def average(metric: Metric) -> Metric:
    """The metric with one digit more: what is averaged over cells resolves more than a score."""
    return replace(metric, digits=metric.digits + 1)


def module(document: Document, name: str) -> str:
    """A module as the grid's cells name it: with its level, where it is no switch."""
    on = document["study"]["modules"][name]
    return name if on is True else f"{name}={printed.level_text(on)}"


def together(document: Document, modules: Sequence[str]) -> str:
    """Modules that act together, with a sign of multiplication between them."""
    return TIMES.join(module(document, m) for m in modules)


def unit(metric: Metric) -> str:
    """The unit of a difference in a sentence, with its space."""
    return f" {metric.unit}" if metric.unit else ""


def size(metric: Metric, value: float) -> str:
    """A difference without its sign, as a sentence has it."""
    return plain(metric.shown(value), metric.digits)


def effect(metric: Metric, answer: Document | None) -> str:
    """An answer's estimate, marked where a module is not in the output of a cell used."""
    if answer is None:
        return NONE
    return printed.estimate(metric, answer["effect"]) + (MARK if answer["inert"] else "")


def interval(document: Document, metric: Metric, answer: Document | None) -> str:
    """An answer's interval, marked where it is pooled and others of the metric are not."""
    if answer is None or answer["effect"] is None:
        return NONE
    found = answer["effect"]
    return printed.interval(metric, found) + pooled_mark(numbers_of(document, metric), found)


def pooled_mark(of: Document, found: Document) -> str:
    """The mark of an interval that is pooled, where others of the metric are not."""
    return POOLED * (found["method"] == "pooled" and bool({"welch", "blocked"} & {*of["methods"]}))


def p_text(p: float | None) -> str:
    """A p value; nothing smaller than a thousandth is told apart."""
    if p is None:
        return NONE
    return f"<{SMALL_P:g}" if p < SMALL_P else plain(p, 3)


def verdict(answer: Document) -> str:
    """The verdict, or why there is none."""
    if answer["inert"]:
        return NOISE
    return answer["verdict"] or NONE


def sees(metric: Metric, answer: Document) -> str:
    """The smallest effect that the design finds with a power of 80 %."""
    if answer["p_holm"] is None:
        return NONE
    smallest = answer["smallest"]
    return "nothing" if smallest is None else size(metric, smallest)


def has_interval(answers: Iterable[Document | None]) -> bool:
    """Whether any of the answers has an interval."""
    return any(a is not None and a["effect"] and a["effect"]["low"] is not None for a in answers)


def answered(answers: Iterable[Document]) -> bool:
    """Whether any of the answers is known."""
    return any(a["effect"] is not None for a in answers)


def made_table(
    headings: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str | Text]], title: str = ""
) -> Table:
    """A table of columns that are texts (True) or numbers, in any order."""
    return Table(
        tuple(Heading(text, right=not of_text) for text, of_text in headings),
        tuple(tuple(c if isinstance(c, Text) else Text(c) for c in row) for row in rows),
        title,
    )


def direction(metric: Metric) -> str:
    """Which way is better, and what `positive` then means."""
    if metric.direction == "up":
        return f"{metric.label}: higher is better."
    return f"{metric.label}: lower is better; positive means better, that is a difference below 0."


def claim(document: Document, metric: Metric, name: str, answer: Document) -> str:
    """One plain sentence about one effect, with its interval and what may be said."""
    fine, found = average(metric), answer["effect"]
    said = f"{name}: {printed.estimate(fine, found)}{unit(metric)}"
    if answer["inert"]:
        absent = ", ".join(module(document, m) for m in answer["inert"])
        return f"{said}: noise, {absent} is not in the output of a cell used."
    if found["low"] is None:
        return f"{said}: no interval, no verdict."
    said += (
        f", {level(document)} interval {printed.bound(fine, found['low'])} to"
        f" {printed.bound(fine, found['high'])}: {answer['verdict']}"
    )
    if answer["verdict"] == "undecided":
        least = sees(fine, answer)
        seen = "nothing" if least == "nothing" else f"{least}{unit(metric)} or more"
        return f"{said}{_corrected(answer)}; this design sees {seen} (80 % power)."
    if answer["verdict"] == "negligible":
        margin = size(fine, numbers_of(document, metric)["margin"])
        return f"{said}, within {margin}{unit(metric)} of 0."
    return f"{said}, Holm p {p_text(answer['p_holm'])}."


def _corrected(answer: Document) -> str:
    """Why an effect is undecided although its interval leaves out 0."""
    found = answer["effect"]
    if found["low"] <= 0 <= found["high"]:
        return ""
    return f" (p {p_text(found['p'])} by itself, {p_text(answer['p_holm'])} after Holm)"
