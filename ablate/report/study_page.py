"""A study's document as a page: what is said and in which order. No numbers are made here."""

from collections.abc import Iterable, Sequence

from ablate.metric import Metric
from ablate.report import printed
from ablate.report.facts import facts
from ablate.report.layout import Page, Section, table
from ablate.report.people import externals, notes
from ablate.report.printed import metric_of
from ablate.report.said import STANDIN, doubts, findings, remarks
from ablate.report.sweeps_page import settings
from ablate.report.synergy_evidence import STILL, evidence
from ablate.report.synergy_page import claims, closing, contributions, further
from ablate.report.synergy_words import MARK, module
from ablate.report.synergy_words import metrics_of as grid_metrics
from ablate.report.tables import (
    Document,
    all_runs,
    budgets,
    complexity,
    configurations,
    metrics_of,
    modules,
    one_line,
    performance,
    spending,
    unfinished,
)

SHOWN_STEPS = 8
BAR = 32


def study_page(document: Document) -> Page:
    """The whole report of a study."""
    study = document["study"]
    sections = (
        complexity(document),
        modules(document),
        performance(document),
        *_grid(document),
        _training(document),
        _ranking(document),
        settings(document),
        *(closing(document) if document["synergy"] else ()),
        spending(document),
        budgets(document),
        externals(document["trials"], document["metrics"]),
        notes(document["by_hand"]),
        unfinished(document),
        all_runs(document),
    )
    return Page(
        title=study["title"] or study["name"],
        standin=STANDIN if study["standin"] else "",
        warnings=(
            *_noted(document),
            *doubts(document, len(document["cells"])),
            *_mixed(document),
            *_fading(document),
            *findings(document),
        ),
        remarks=tuple(remarks(document)),
        facts=tuple(facts(document)),
        sections=tuple(s for s in sections if s is not None),
    )


def _grid(document: Document) -> Iterable[Section]:
    """The same sections as `report --synergy` has: the primary metric in full."""
    if document["synergy"] is None:
        return
    primary, *others = grid_metrics(document)
    yield evidence(document, primary)
    yield from claims(document, primary)
    yield from contributions(document, primary)
    yield from further(document, others)


def _noted(document: Document) -> Iterable[str]:
    if document["study"]["note"]:
        yield f"A note in the study file, written by its author: {document['study']['note']}"


def _mixed(document: Document) -> Iterable[str]:
    for entry in document["mixed"]:
        levels = "; ".join(
            f"{name} is {' and '.join(map(printed.level_text, of))}"
            for name, of in entry["levels"].items()
        )
        yield (
            f"Configurations mixed: the runs of {entry['variant']} are not of one configuration "
            f"({levels}). Its means and differences describe none of them."
        )


def _fading(document: Document) -> Iterable[str]:
    metrics = {m["name"]: metric_of(m) for m in document["metrics"]}
    for course in document["courses"]:
        if not course["fades"]:
            continue
        metric = metrics[course["metric"]]
        yield (
            f"The effect of {course['module']} on {metric.label} fades with training: "
            f"{_points(metric, course['peak'])} at step {course['peak_step']}, "
            f"{_points(metric, course['last'])} at the last step, {course['last_step']} "
            f"(n = {course['last']['runs']} runs). The tables below are of the selected step."
        )


def _points(metric: Metric, effect: Document) -> str:
    unit = f" {metric.unit}" if metric.unit else ""
    return f"{printed.estimate(metric, effect)}{unit} {printed.interval(metric, effect)}"


def _training(document: Document) -> Section | None:
    courses = document["courses"]
    if not courses:
        return None
    metrics = {m["name"]: metric_of(m) for m in document["metrics"]}
    metric = metrics[courses[0]["metric"]]
    steps = _spread_out(list(courses[0]["steps"]))
    rows = [
        [
            module(document, c["module"]),
            *(printed.estimate(metric, c["steps"][s]) + MARK * c["inert"] for s in steps),
            f"{printed.estimate(metric, c['peak'])}{MARK * c['inert']} at {c['peak_step']}",
        ]
        for c in courses
    ]
    return Section(
        "Effects along training",
        lead=(f"Main effect on {metric.label} at logged steps{printed.in_points([metric])}.",),
        tables=(table("", ["Module", *(f"step {s}" for s in steps), "Largest"], rows),),
        notes=(STILL,) if any(c["inert"] for c in courses) else (),
    )


def _spread_out(steps: Sequence[str]) -> list[str]:
    if len(steps) <= SHOWN_STEPS:
        return list(steps)
    last = len(steps) - 1
    return [steps[round(i * last / (SHOWN_STEPS - 1))] for i in range(SHOWN_STEPS)]


def _ranking(document: Document) -> Section | None:
    metric = metrics_of(document)[0]
    scored = [c for c in configurations(document) if c["scores"][metric.name]["by_seed"]]
    cells = [c for c in scored if not c["scores"][metric.name]["lost"]]
    if len(cells) < 2:  # noqa: PLR2004 - one alone has no rank
        return None
    means = [c["scores"][metric.name]["mean"] for c in cells]
    worst = min(means) if metric.direction == "up" else max(means)
    span = max(abs(m - worst) for m in means) or 1.0
    ranked = sorted(
        cells, key=lambda c: abs(c["scores"][metric.name]["mean"] - worst), reverse=True
    )
    width = max(len(c["variant"]) for c in ranked)
    lines = [
        (
            f"{i + 1:>2}. {one_line(c['variant']):<{width}}  {metric.text(mean):>7}  "
            + printed.bar(abs(mean - worst) / span, BAR)
        ).rstrip()
        for i, c in enumerate(ranked)
        for mean in (c["scores"][metric.name]["mean"],)
    ]
    start = f"Bars start at {metric.text(worst)}, the worst, not at 0."
    lead = f"By mean {printed.heading(metric)}. {start}"
    notes = tuple(
        f"Not ranked: {one_line(c['variant'])}, {s['lost']} of {len(s['by_seed'])} runs not finite."
        for c in scored
        for s in (c["scores"][metric.name],)
        if s["lost"]
    )
    return Section("Ranking", lead=(lead,), lines=tuple(lines), notes=notes)
