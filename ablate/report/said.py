"""What stands before the sections of a page: stand-in data, doubts of trainings, findings."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from shlex import quote
from typing import Any

from ablate.report.layout import Page, Section
from ablate.report.tables import Document, some

STANDIN = "the generated stand-in of the data, not the real data set; no number here is about it."
FULL = 5
"""Findings that a page has in full; `ablate audit` prints the others."""
_ORDER = ("error", "warning", "note")
_FIRST = ("W204", "E205")
"""A module that is never called, or not taught: nothing else of its study matters before that."""
_FAMILIES = ("execution", "measurement", "design", "interpretation", "provenance")


def part_page(
    document: Document,
    what: str,
    sections: Iterable[Section | None],
    everything: int,
    facts: Sequence[tuple[str, str]] = (),
) -> Page:
    """The page of a study's part called `what`, of `everything` variants."""
    study = document["study"]
    return Page(
        title=f"{study['title'] or study['name']}: {what}",
        standin=STANDIN if study["standin"] else "",
        warnings=(*doubts(document, everything), *findings(document)),
        remarks=tuple(remarks(document)),
        facts=tuple(facts),
        sections=tuple(s for s in sections if s is not None),
    )


def doubts(document: Document, everything: int) -> Iterable[str]:
    """What trainings and readers noted of runs, each once, of `everything` variants."""
    for note in document["notes"]:
        where = "every configuration"
        if len(note["variants"]) < everything:
            where = some(note["variants"])
        yield f"Noted of the runs of {where}: {note['text']}"


def findings(document: Document) -> Iterable[str]:
    """What the audit warns of, errors first, with the command that settles it.

    Of all findings at most `FULL` are said, then how many more there are.
    """
    shown, left = _parted(document)
    yield from (_audited(f) for f in shown if f["severity"] != "note")
    if any(f["severity"] != "note" for f in left):
        yield _more(document, left)


def remarks(document: Document) -> Iterable[str]:
    """What the audit has noted and does not warn of, as far as that is said in full."""
    shown, left = _parted(document)
    yield from (_audited(f) for f in shown if f["severity"] == "note")
    if left and all(f["severity"] == "note" for f in left):
        yield _more(document, left)


def _parted(document: Document) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """The findings that are said in full, and the others: errors, warnings, notes.

    Of each severity dead modules come first. Then the first of each family comes before the second
    of any, so that many findings of one kind leave room for those of others.
    """
    turns: Counter[tuple[str, str]] = Counter()
    ranked: list[tuple[int, bool, int, int, int, Mapping[str, Any]]] = []
    for f in sorted(document["findings"], key=_listed):
        of = f["severity"], f["family"]
        place = _FAMILIES.index(f["family"]) if f["family"] in _FAMILIES else len(_FAMILIES)
        later, *_ = _listed(f)
        ranked.append((_ORDER.index(f["severity"]), later, turns[of], place, len(ranked), f))
        turns[of] += 1
    found = [f for *_, f in sorted(ranked, key=itemgetter(slice(5)))]
    return found[:FULL], found[FULL:]


def _listed(finding: Mapping[str, Any]) -> tuple[bool, str, str]:
    return finding["code"] not in _FIRST, finding["code"], finding["subject"]


def _more(document: Document, left: Sequence[Mapping[str, Any]]) -> str:
    many = "1 more finding" if len(left) == 1 else f"{len(left)} more findings"
    return f"{many}: ablate audit {quote(document['study']['name'])}"


def _audited(finding: Mapping[str, Any]) -> str:
    command = f" ({finding['command']})" if finding["command"] else ""
    said = f"{finding['code']}: {finding['sentence']}{command}."
    for note in finding["acknowledged"]:
        said += f" Acknowledged by {note['author']}, {note['date']}: {note['text']}"
    return said
