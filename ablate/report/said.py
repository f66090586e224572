"""What stands before the sections of a page: stand-in data, doubts of trainings, findings."""

from collections.abc import Iterable, Mapping, Sequence

from ablate.report.layout import Page, Section
from ablate.report.tables import Document, some

STANDIN = "the generated stand-in of the data, not the real data set; no number here is about it."


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
    """What the audit warns of, with the command that settles it."""
    return (_audited(f) for f in document["findings"] if f["severity"] != "note")


def remarks(document: Document) -> Iterable[str]:
    """What the audit has noted and does not warn of."""
    return (_audited(f) for f in document["findings"] if f["severity"] == "note")


def _audited(finding: Mapping[str, str]) -> str:
    return f"{finding['code']}: {finding['sentence']} ({finding['command']})."
