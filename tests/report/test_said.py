"""How many findings a page says in full, in which order, and with what words."""

from collections.abc import Sequence

import pytest

from ablate.record import Finding, Note, Severity
from ablate.report.document import findings_document
from ablate.report.said import findings, remarks

FAMILIES = {
    **dict.fromkeys(["W101", "W102", "W104"], "design"),
    **dict.fromkeys(["W120", "W121"], "measurement"),
    **dict.fromkeys(["W140", "W141", "W204", "E205"], "execution"),
    "W240": "interpretation",
}


def page(*found: str, notes: Sequence[Note] = ()) -> dict[str, object]:
    """A document with one finding of each code, the order as given."""
    severity: dict[str, Severity] = {"E": "error", "W": "warning", "N": "note"}
    made = [
        Finding(
            code, severity[code[0]], f"fact {code}", f"do {code}", family=FAMILIES.get(code, "")
        )
        for code in found
    ]
    return {"study": {"name": "a study"}, "findings": findings_document(made, notes)}


def codes(lines: Sequence[str]) -> list[str]:
    return [line.partition(":")[0] for line in lines]


def test_errors_stand_before_warnings_and_both_before_notes_by_number() -> None:
    document = page("N112", "W210", "E205", "W101", "N204")
    assert codes([*findings(document)]) == ["E205", "W101", "W210"]
    assert codes([*remarks(document)]) == ["N112", "N204"]
    assert next(iter(findings(document))) == "E205: fact E205 (do E205)."


def test_the_first_of_each_family_stands_before_the_second_of_any() -> None:
    document = page("W101", "W102", "W120", "W204")
    assert codes([*findings(document)]) == ["W204", "W120", "W101", "W102"]


def test_a_dead_module_stands_before_all_else_of_its_severity() -> None:
    found = ["W140", "W120", "W104", "W240", "W141", "W204"]
    assert codes([*findings(page(*found))])[:5] == ["W204", "W120", "W104", "W240", "W140"]
    errors = page("E152", "E205", "W204", "W101")
    assert codes([*findings(errors)]) == ["E205", "E152", "W204", "W101"]


@pytest.mark.parametrize(
    ("found", "warned", "noted"),
    [
        (["W101", "W102", "W103", "W104", "W110"], 5, 0),
        (["W101", "W102", "W103", "W104", "N112", "N204"], 4, 2),
        (["W101", "W102", "W103", "W104", "W110", "N112"], 5, 1),
        (["W101", "W102", "W103", "W104", "W110", "W111", "N112"], 6, 0),
        ([f"N{n}" for n in range(101, 110)], 0, 6),
    ],
)
def test_five_findings_are_said_and_a_sixth_line_counts_the_others(
    found: list[str], warned: int, noted: int
) -> None:
    document = page(*found)
    lines = [*findings(document), *remarks(document)]
    assert (len([*findings(document)]), len([*remarks(document)])) == (warned, noted)
    left = len(found) - 5
    many = "1 more finding" if left == 1 else f"{left} more findings"
    assert lines[5:] == ([f"{many}: ablate audit 'a study'"] if left else [])


def test_who_acknowledged_a_finding_stands_with_it() -> None:
    notes = [
        Note("by the code", "Ada", "2026-01-02", study="a study", finding="w101"),
        Note("another", "Ada", "2026-01-02", study="a study", finding="W102"),
        Note("no finding", "Ada", "2026-01-02", study="a study"),
    ]
    (line,) = findings(page("W101", notes=notes))
    assert line == "W101: fact W101 (do W101). Acknowledged by Ada, 2026-01-02: by the code"


def test_a_finding_without_a_command_has_no_empty_brackets() -> None:
    found = findings_document([Finding("W101", "warning", "a fact")], ())
    assert [*findings({"study": {"name": "s"}, "findings": found})] == ["W101: a fact."]
