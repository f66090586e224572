"""A comparison's costs as a section of its page, and the sentence that sums them up."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ablate.metric import plain, signed
from ablate.report import printed
from ablate.report.comparison_words import (
    Document,
    figures,
    labels,
    listed,
    many,
    number,
    side_of,
)
from ablate.report.layout import NONE, Section, table
from ablate.report.printed import Spent, spent_columns
from ablate.report.tables import counters

TOLD = ("seconds", "step", "memory", "params", "live_macs", "macs")
"""The costs whose ratio the first sentence gives, by the first counter that both have."""
HARDWARE = frozenset({"device", "gpu", "cpu", "cores", "threads", "platform"})


def costs(document: Document, pair: Document) -> Section:
    """What each of two spends: difference, ratio and relative change."""
    a, b = (side_of(document, pair[s]) for s in ("a", "b"))
    names = labels(document)
    title = f"Costs: {names[b['variant']]} against {names[a['variant']]}"
    columns = spent_columns([a, b], printed.EVERYTHING, others=True)
    rows = [_row(c, a["costs"], b["costs"]) for c in columns]
    pace = [document["pace"].get(s["variant"]) for s in (a, b)]
    rows += _pace_row(pace)
    if not rows:
        return Section(title, lead=("None is recorded.",))
    notes = ["Ratio and rel. %: of the second to the first.", *dict.fromkeys(counters(columns))]
    notes += [*_pace_notes((a, b), pace), *_hardware(pair)]
    heads = ["Cost", names[a["variant"]], names[b["variant"]], "Δ", "Ratio", "rel. %"]
    return Section(title, tables=(table("", heads, rows),), notes=tuple(notes))


def _row(column: Spent, a: Sequence[Document], b: Sequence[Document]) -> list[str]:
    x, y = column.of(a), column.of(b)
    means = (x["mean"] if x else None, y["mean"] if y else None)
    return [column.title, column.text(a), column.text(b), column.difference(b, a), *_ratio(*means)]


def _ratio(a: float | None, b: float | None) -> list[str]:
    """The ratio of `b` to `a`, and the relative change in percent."""
    if a is None or b is None or not a or not math.isfinite(b / a):
        return [NONE, NONE]
    return [f"{plain(b / a, 2)}×", signed(100 * (b - a) / a, 1)]


def _pace_row(pace: Sequence[Mapping[str, Any] | None]) -> list[list[str]]:
    values = [p["seconds"] if p else None for p in pace]
    if all(v is None for v in values):
        return []
    digits = figures(values)
    a, b = values
    gap = NONE if a is None or b is None else signed(b - a, digits)
    texts = [number(v, digits) for v in values]
    return [["Seconds / iteration", *texts, gap, *_ratio(a, b)]]


def _pace_notes(
    sides: Sequence[Document], pace: Sequence[Mapping[str, Any] | None]
) -> Iterable[str]:
    """What seconds per iteration are, and whether they make up the time in all."""
    told = [(s, p) for s, p in zip(sides, pace, strict=True) if p and p["seconds"]]
    if not told:
        return
    first = told[0][1]
    yield f"Seconds / iteration: mean of the logged curve {first['curve']}."
    checks = []
    for side, own in told:
        total = next((c["mean"] for c in side["costs"] if c["name"] == "seconds"), None)
        made = own["seconds"] * own["iterations"]
        text = f"{side['variant']} {plain(own['iterations'], 0)} × {plain(own['seconds'], 3)} s"
        whole = (
            f" of {plain(total, 0)} s in all ({plain(100 * made / total, 0)} %)" if total else ""
        )
        checks.append(f"{text} = {plain(made, 0)} s{whole}")
    yield f"Logged iterations times that: {'; '.join(checks)}."


def _hardware(pair: Document) -> Iterable[str]:
    differ = [n for n in pair["provenance"] if n in HARDWARE]
    if differ:
        yield f"Times are of different hardware ({listed(differ)}): not comparable."


def sentence(document: Document, pair: Document) -> str | None:
    """The ratios of the main costs that the same counter measured on both sides."""
    a, b = (side_of(document, pair[s]) for s in ("a", "b"))
    columns = spent_columns([a, b], TOLD)
    told: dict[str, str] = {}
    for column in columns:
        x, y = column.of(a["costs"]), column.of(b["costs"])
        kind = "macs" if column.name in printed.OPERATIONS else column.name
        ratio = _ratio(x["mean"], y["mean"])[0] if x and y else NONE
        if ratio != NONE:
            told.setdefault(kind, f"{column.title.split(' (')[0]} {ratio}")
    if not told:
        return None
    return f"Costs of {b['variant']} over {a['variant']}: {', '.join(told.values())}."


def runs(document: Document) -> Section:
    """How many runs stand behind each side, of which seeds and from where."""
    names = labels(document)
    rows = [
        [
            names[s["variant"]],
            str(s["runs"]),
            listed([str(seed) for seed in s["seeds"]], 10) or NONE,
            ", ".join(split or "unknown" for split in s["splits"]) or NONE,
            s["trials"][0][:8] + (f" +{len(s['trials']) - 1}" if s["trials"][1:] else "")
            if s["trials"]
            else NONE,
        ]
        for s in document["sides"]
    ]
    heads = ["Of", "Runs", "Seeds", "Scored", "Trials"]
    lead = [
        f"{s['variant']}: {many(s['placed'], 'run')} placed, none completed"
        f" ({', '.join(s['states'])})."
        for s in document["sides"]
        if not s["runs"]
    ]
    unfinished = [s for s in document["sides"] if 0 < s["runs"] < s["placed"]]
    lead += [f"{s['variant']}: {s['runs']} of {s['placed']} runs completed." for s in unfinished]
    return Section("Runs", lead=tuple(lead), tables=(table("", heads, rows, texts=5),))
