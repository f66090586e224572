"""What stands before the sections of a page: stand-in data, doubts of trainings, findings."""

from collections.abc import Iterable, Mapping

from ablate.report.tables import Document, some

STANDIN = "the generated stand-in of the data, not the real data set; no number here is about it."


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
