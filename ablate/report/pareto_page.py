"""A document of scores against costs as a page: fronts, gains per cost, sums of costs."""

from ablate.report.facts import rules
from ablate.report.layout import Page
from ablate.report.study_page import STANDIN, findings, remarks
from ablate.report.tables import Document


def pareto_page(document: Document) -> Page:
    """Scores against costs."""
    study = document["study"]
    return Page(
        title=f"{study['title'] or study['name']}: scores against costs",
        standin=STANDIN if study["standin"] else "",
        warnings=tuple(findings(document)),
        remarks=tuple(remarks(document)),
        facts=(("Study", study["name"]), ("Selection", rules(study))),
    )
