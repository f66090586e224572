"""What people wrote: notes, and scores that were measured elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ablate.metric import MINUS
from ablate.report.layout import NONE, Section, table

Document = Mapping[str, Any]


def notes(written: Sequence[Document]) -> Section | None:
    """The notes of people, each with its author and date."""
    if not written:
        return None
    rows = [[_on(n), n["text"], n["author"], n["date"]] for n in written]
    return Section(
        "Notes (by hand)",
        tables=(table("", ["On", "Note", "By", "Date"], rows, texts=4),),
        notes=("Written by people; no number of this report depends on them.",),
    )


def _on(note: Document) -> str:
    if note["finding"]:
        return f"finding {note['finding']}"
    seed = "" if note["seed"] is None else f" s{note['seed']}"
    return f"{note['variant']}{seed}" or "the study"


def externals(trials: Iterable[Document], metrics: Sequence[Document]) -> Section | None:
    """The scores that were measured elsewhere, each with who said so and when."""
    percent = {m["name"] for m in metrics if m["display"] == "percent"}
    rows = [
        [
            t["variant"],
            str(t["seed"]),
            e["metric"],
            e["split"] or NONE,
            e["source"],
            e["date"],
            said(e["value"], percent=e["metric"] in percent),
        ]
        for t in trials
        for e in t["externals"]
    ]
    if not rows:
        return None
    heads = ["Configuration", "Seed", "Score", "Split", "Source", "Date", "Value"]
    return Section(
        "Scores measured elsewhere",
        tables=(table("", heads, rows, texts=6),),
        notes=("Recorded by hand; no mean, difference or ranking of this report has them.",),
    )


def said(value: float, *, percent: bool) -> str:
    """A recorded value with every digit it was given, as percent where its metric is."""
    number = Decimal(repr(value)) * (100 if percent else 1)
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", MINUS) + (" %" if percent else "")
