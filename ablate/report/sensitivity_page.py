"""A document of sweeps as a page: levels, trends, the best of them, tables of two factors."""

from ablate.report.facts import rules
from ablate.report.layout import Page
from ablate.report.study_page import STANDIN, findings, remarks
from ablate.report.tables import Document


def sensitivity_page(document: Document) -> Page:
    """What moving one factor at a time does."""
    study = document["study"]
    return Page(
        title=f"{study['title'] or study['name']}: sensitivity",
        standin=STANDIN if study["standin"] else "",
        warnings=tuple(findings(document)),
        remarks=tuple(remarks(document)),
        facts=(("Study", study["name"]), ("Selection", rules(study))),
    )
