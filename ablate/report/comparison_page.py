"""A comparison's document as a page: configuration, then scores, curves and costs."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ablate.metric import plain
from ablate.report import printed
from ablate.report.comparison_costs_page import costs, runs, sentence
from ablate.report.comparison_curves_page import curves, gradients, one_sided, terms
from ablate.report.comparison_items_page import items
from ablate.report.comparison_metrics_page import in_short, metrics, score_split
from ablate.report.comparison_words import (
    Document,
    apart,
    fits,
    labels,
    legend,
    listed,
    many,
    metrics_in,
)
from ablate.report.facts import rules
from ablate.report.layout import Page, Section, Table, table
from ablate.report.people import externals, notes
from ablate.report.said import STANDIN, doubts, findings, remarks
from ablate.report.tables import one_line

SETTINGS = 12
"""Settings that a page shows; --json has them all."""
PATHS = 6


def comparison_page(document: Document) -> Page:
    """What differs, what it comes to, and on what that rests; the first is the reference."""
    names = [s["variant"] for s in document["sides"]]
    pairs = document["pairs"]
    sections: list[Section | None] = [_configuration(document), _short(document), _runs(document)]
    told: set[str] = set()
    for pair in pairs:
        own = (metrics(document, pair), score_split(document, pair), items(document, pair))
        sections += [_once(section, told) for section in own]
    sections += [curves(document), terms(document), gradients(document), one_sided(document)]
    sections += [_once(costs(document, pair), told) for pair in pairs]
    sections += [
        externals(document["externals"], document["metrics"]),
        notes(document["by_hand"]),
    ]
    return Page(
        title=" and ".join([", ".join(names[:-1]), names[-1]]),
        standin=STANDIN if document["study"]["standin"] else "",
        warnings=(
            *doubts(document, everything=len(names)),
            *_mixed(document),
            *findings(document),
        ),
        remarks=tuple(remarks(document)),
        facts=(
            ("Study", document["study"]["name"]),
            ("Reference", names[0]),
            ("Selection", rules(document["study"])),
        ),
        sections=tuple(s for s in sections if s is not None),
    )


def _once(section: Section | None, told: set[str]) -> Section | None:
    """A section without the notes that an earlier pair's has already; `told` gains the others."""
    if section is None:
        return None
    fresh = tuple(line for line in section.notes if line not in told)
    told.update(fresh)
    return replace(section, notes=fresh)


def _configuration(document: Document) -> Section:
    tables = _level_tables(document)
    notes = [line for pair in document["pairs"] for line in _path(document, pair)]
    for pair in document["pairs"]:
        notes += _settings_notes(pair)
        shown = _settings_table(document, pair)
        tables += [shown] if shown is not None else []
    lead = list(legend(document))
    notes = [*_fixed(document), *notes]
    if not document["differs"]:
        lead.append("No factor differs.")
    return Section("Configuration", tuple(lead), tuple(tables), notes=tuple(notes))


def _mixed(document: Document) -> Iterable[str]:
    """That the runs of a side are not of one configuration."""
    for side in document["sides"]:
        levels = "; ".join(
            f"{name} is {' and '.join(map(printed.level_text, of))}"
            for name, of in side["mixed"].items()
        )
        if levels:
            yield (
                f"The runs of {side['variant']} are not of one configuration ({levels}): its means"
                " and differences describe none of them."
            )


def _fixed(document: Document) -> Iterable[str]:
    """The settings that the study fixes and that stand elsewhere only where they mean nothing."""
    fixed = document["study"]["fixed"]
    told = [f"{n} = {printed.level_text(fixed[n])}" for n in document["differs"] if n in fixed]
    if told:
        yield f"Fixed by the study wherever it means anything: {', '.join(told)}."


def _level_tables(document: Document) -> list[Table]:
    """The factors that differ, a column for each variant; one table a pair where that is wide."""
    whole = _levels(document, [s["variant"] for s in document["sides"]])
    if not whole.rows:
        return []
    if fits(whole):
        return [whole]
    return [_levels(document, [p["a"], p["b"]]) for p in document["pairs"] if p["moved"]]


def _levels(document: Document, variants: Sequence[str]) -> Table:
    names = labels(document)
    rows = [
        [factor, *(printed.level_text(levels[v]) for v in variants)]
        for factor, levels in document["differs"].items()
        if factor not in document["study"]["fixed"] and len({repr(levels[v]) for v in variants}) > 1
    ]
    return table("", ["Factor", *(names[v] for v in variants)], rows, texts=1 + len(variants))


def _path(document: Document, pair: Document) -> Iterable[str]:
    """That several factors differ, and which variants between the two would tell them apart."""
    count, found = len(pair["moved"]), pair["path"]
    if count < 2:  # noqa: PLR2004 - one factor is credited
        return
    of = f"{pair['b']}: " if len(document["pairs"]) > 1 else ""
    yield f"{of}{count} factors differ: the difference cannot be credited to one of them."
    if found is None or not found["complete"]:
        return
    present = [c["variant"] for c in found["present"]]
    unrun = [c["variant"] for c in found["unrun"]]
    missing = [" + ".join(factors) for factors in found["missing"]]
    total = len(present) + len(unrun) + len(missing)
    if not total:
        return
    parts = [f"{len(present)} of {total} with runs" + (f" ({_some(present)})" if present else "")]
    parts += [f"placed without a run: {_some(unrun)}"] if unrun else []
    parts += [f"not in the study: {_some(missing)}"] if missing else []
    a, b = (one_line(pair[side]) for side in ("a", "b"))
    yield f"Between {a} and {b}, by the levels changed: {'; '.join(parts)}."


def _some(names: Sequence[str]) -> str:
    return listed(names, PATHS)


def _settings_notes(pair: Document) -> Iterable[str]:
    found = pair["settings"]
    if len(found["lacking"]) == 1:
        yield (
            f"{found['lacking'][0]} has no resolved configuration in the store: settings beyond"
            " the factors cannot be compared."
        )
    elif found["differ"]:
        more = len(found["differ"]) - SETTINGS
        cut = f"; {more} more in --json" if more > 0 else ""
        yield (
            f"Resolved settings: {many(len(found['differ']), 'key')} of"
            f" {len(found['differ']) + found['same']} differ between {pair['a']} and"
            f" {pair['b']}{cut}."
        )
    elif found["same"]:
        yield f"Resolved settings: all {found['same']} keys agree."


def _settings_table(document: Document, pair: Document) -> Table | None:
    names, differ = labels(document), pair["settings"]["differ"]
    if not differ:
        return None
    rows = [[row["key"], *apart(row["a"], row["b"], "not set")] for row in differ[:SETTINGS]]
    heads = ["Resolved setting", names[pair["a"]], names[pair["b"]]]
    return table("", heads, rows, texts=3)


def _short(document: Document) -> Section:
    section = in_short(document)
    spent = [s for s in (sentence(document, pair) for pair in document["pairs"]) if s is not None]
    return Section(section.title, (*section.lead, *spent), section.tables, notes=section.notes)


def _runs(document: Document) -> Section:
    section = runs(document)
    lines = [f"Selection: {rules(document['study'])}."]
    for pair in document["pairs"]:
        lines += [*_shared(document, pair), *_provenance(pair)]
    return Section(section.title, section.lead, section.tables, notes=tuple(lines))


def _shared(document: Document, pair: Document) -> Iterable[str]:
    """The seeds that two share, and what sharing them made the scores share."""
    sides = {s["variant"]: s for s in document["sides"]}
    if not all(sides[pair[s]]["runs"] for s in ("a", "b")):
        return
    count = len(pair["shared_seeds"])
    how = "Runs are not paired."
    if document["study"]["paired"]:
        how = "Paired by them: no other run is used."
        if count < 2:  # noqa: PLR2004 - a spread needs two
            how = "The study pairs runs by seed, which needs two: not paired."
    primary = document["study"]["primary"]
    entry = next((e for e in pair["metrics"] if e["metric"] == primary), None)
    text = f"{pair['a']} and {pair['b']} share {many(count, 'seed')}. {how}"
    if entry is not None and entry["correlation"] is not None:
        label = metrics_in(document)[primary].label
        text += f" Correlation of {label} over them: r = {plain(entry['correlation'], 2)}."
    yield text
    if pair["agreeing_seeds"]:
        told = len(pair["agreeing_seeds"])
        agree = "all" if told == count else f"{told} of {count}"
        yield (
            f"On {agree} shared seeds every score of the two agrees to the last digit: what was"
            " changed may not reach the scored output."
        )


def _provenance(pair: Document) -> Iterable[str]:
    for name, values in pair["provenance"].items():
        a, b = apart(values["a"], values["b"], "not recorded")
        yield f"{name} differs: {pair['a']} {a}; {pair['b']} {b}."
