"""A study's document as a page: what is said and in which order. No numbers are made here."""

from collections.abc import Iterable, Mapping, Sequence

from ablate.metric import Metric, plain
from ablate.report import printed
from ablate.report.facts import facts
from ablate.report.layout import NONE, Page, Section, table
from ablate.report.people import externals, notes
from ablate.report.printed import metric_of
from ablate.report.sweeps_page import settings
from ablate.report.tables import (
    ONE_RUN,
    Document,
    all_runs,
    budgets,
    complexity,
    configurations,
    lost_runs,
    metrics_of,
    modules,
    one_line,
    performance,
    some,
    spending,
    unfinished,
)

SHOWN_STEPS = 8
BAR = 32
STANDIN = "the generated stand-in of the data, not the real data set; no number here is about it."


def study_page(document: Document) -> Page:
    """The whole report of a study."""
    study = document["study"]
    sections = (
        complexity(document),
        modules(document),
        performance(document),
        _effects(document),
        _training(document),
        _ranking(document),
        settings(document),
        _seeds(document),
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


def _noted(document: Document) -> Iterable[str]:
    if document["study"]["note"]:
        yield f"A note in the study file, written by its author: {document['study']['note']}"


def doubts(document: Document, everything: int) -> Iterable[str]:
    """What trainings and readers noted of runs, each once, of `everything` variants."""
    for note in document["notes"]:
        where = "every configuration"
        if len(note["variants"]) < everything:
            where = some(note["variants"])
        yield f"Noted of the runs of {where}: {note['text']}"


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


def findings(document: Document) -> Iterable[str]:
    """What the audit warns of, with the command that settles it."""
    return (_audited(f) for f in document["findings"] if f["severity"] != "note")


def remarks(document: Document) -> Iterable[str]:
    """What the audit has noted and does not warn of."""
    return (_audited(f) for f in document["findings"] if f["severity"] == "note")


def _audited(finding: Mapping[str, str]) -> str:
    return f"{finding['code']}: {finding['sentence']} ({finding['command']})."


def _points(metric: Metric, effect: Document) -> str:
    unit = f" {metric.unit}" if metric.unit else ""
    return f"{printed.estimate(metric, effect)}{unit} {printed.interval(metric, effect)}"


def _effects(document: Document) -> Section | None:
    metrics = metrics_of(document)[:2]
    by = {(e["module"], e["metric"]): e for e in document["effects"]}
    modules = list(dict.fromkeys(e["module"] for e in document["effects"]))
    if not modules:
        return None
    level = f"{document['study']['level']:.0%}"
    heads = ["Module"]
    for m in metrics:
        heads += [f"{m.label} alone", f"{m.label} main effect", f"{level} interval", "Runs"]
    rows = []
    for module in modules:
        row = [_module(document, module)]
        for m in metrics:
            row += _contribution(m, by[module, m.name])
        rows.append(row)
    notes = [
        f"Alone: minus the baseline{printed.in_points(metrics)}.",
        "Main effect: mean with the module on minus mean with it off, over all others' settings.",
    ]
    mains = {m.name: by[modules[0], m.name]["main"] for m in metrics}
    notes += dict.fromkeys(_certainty(document, n, main, len(modules)) for n, main in mains.items())
    grid = {c["variant"] for of in document["corners"].values() for c in of}
    notes += lost_runs(metrics, [c for c in document["cells"] if c["variant"] in grid])
    return Section(
        "What each module contributes", tables=(table("", heads, rows),), notes=tuple(notes)
    )


def _module(document: Document, name: str) -> str:
    """A module of the grid as its cells name it: with its level, where it is no switch."""
    on = document["study"]["modules"][name]
    return name if on is True else f"{name}={printed.level_text(on)}"


def _certainty(document: Document, metric: str, main: Document | None, modules: int) -> str:
    """How the intervals of one metric are made, or why there is none.

    Every main effect of a metric uses all cells of the grid, so they share the reason.
    """
    grid = document["corners"][metric]
    if main is None and len(grid) < 2**modules:
        return "A main effect needs every combination of the modules."
    if main is None:
        empty = ", ".join(one_line(c["variant"]) for c in grid if not c["n"])
        return f"A main effect needs a finite run of every combination; none of {empty}."
    if main["low"] is not None:
        return _method([main])
    if all(c["n"] + c["lost"] == 1 for c in grid):
        return ONE_RUN
    short = ", ".join(one_line(c["variant"]) for c in grid if c["n"] == 1)
    if short:
        return f"No interval: that needs two finite runs of every cell; {short} has one."
    return "No interval: no run differs from another of its cell."


def _contribution(metric: Metric, entry: Document) -> list[str]:
    main = entry["main"]
    return [
        printed.estimate(metric, entry["alone"]),
        printed.estimate(metric, main),
        printed.interval(metric, main),
        str(main["runs"]) if main else NONE,
    ]


def _method(mains: Sequence[Document | None]) -> str:
    methods = {m["method"] for m in mains if m is not None}
    if "pooled" in methods:
        return "Intervals: t, variance pooled over the cells (two runs each; three allow Welch's)."
    return "Intervals: Welch–Satterthwaite t over the grid's cells; the unit is one training run."


def _training(document: Document) -> Section | None:
    courses = document["courses"]
    if not courses:
        return None
    metrics = {m["name"]: metric_of(m) for m in document["metrics"]}
    metric = metrics[courses[0]["metric"]]
    steps = _spread_out(list(courses[0]["steps"]))
    rows = [
        [
            _module(document, c["module"]),
            *(printed.estimate(metric, c["steps"][s]) for s in steps),
            f"{printed.estimate(metric, c['peak'])} at {c['peak_step']}",
        ]
        for c in courses
    ]
    return Section(
        "Effects along training",
        lead=(f"Main effect on {metric.label} at logged steps{printed.in_points([metric])}.",),
        tables=(table("", ["Module", *(f"step {s}" for s in steps), "Largest"], rows),),
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


def _seeds(document: Document) -> Section | None:
    r = document["correlation"]
    if r is None:
        return None
    metrics = {m["name"]: metric_of(m) for m in document["metrics"]}
    label = metrics[r["metric"]].label
    value = (
        f"r = {plain(r['value'], 2)}" if r["value"] is not None else f"not defined ({r['reason']})"
    )
    return Section(
        "What seeds share",
        lead=(
            f"Correlation of {label} of {r['a']} and {r['b']} over seeds: {value}, n = {r['n']}.",
            "Intervals treat runs of one seed as unrelated.",
        ),
    )
