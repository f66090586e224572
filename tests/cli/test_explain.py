"""`ablate explain`: what the catalogue says of a code, as words and as JSON."""

import json
from collections.abc import Callable

import pytest
from typer.testing import Result

from ablate.audit.catalogue import CHECKS, check_of
from ablate.errors import UsageError

Call = Callable[..., Result]


def test_a_code_is_explained_with_what_settles_it(call: Call) -> None:
    check = check_of("W204")
    said = " ".join(call("explain", "w204").stdout.split())
    assert said == (
        "W204 A module that is not in the scored output warning, execution "
        f"{check.why.en} What settles it: {check.settle.en} "
        "Asked of a plan, too, before anything is trained (ablate plan)."
    )
    assert "ablate plan)" not in call("explain", "W152").stdout


def test_a_code_is_explained_in_chinese(call: Call) -> None:
    said = call("explain", "W204", "--lang", "zh").stdout
    assert said.startswith(f"W204  {check_of('W204').title.zh}（警告，执行）")
    assert f"如何查明：{check_of('W204').settle.zh[:9]}" in said


def test_a_finding_is_explained_by_the_name_that_the_audit_prints(call: Call) -> None:
    assert call("explain", "W204:sacr").stdout == call("explain", "W204").stdout
    assert call("explain", "w104:full step").stdout == call("explain", "W104").stdout


def test_without_a_code_all_are_listed_by_family_and_number(call: Call) -> None:
    rows = [line.split() for line in call("explain", width=100).stdout.splitlines()[2:]]
    assert [row[0] for row in rows[:4]] == ["W101", "W102", "W103", "W104"]
    assert len(rows) == len(CHECKS)
    assert [row[:3] for row in rows if row[0] == "E205"] == [["E205", "error", "execution"]]


def test_the_document_has_every_text_in_both_languages(call: Call) -> None:
    document = json.loads(call("explain", "w204:sacr", "--json").stdout)
    check = check_of("W204")
    assert document == {
        "schema": "ablate.explain/1",
        "checks": [
            {
                "code": "W204",
                "severity": "warning",
                "family": "execution",
                "planned": True,
                "title": {"en": check.title.en, "zh": check.title.zh},
                "why": {"en": check.why.en, "zh": check.why.zh},
                "settle": {"en": check.settle.en, "zh": check.settle.zh},
            }
        ],
    }
    every = json.loads(call("explain", "--json").stdout)["checks"]
    assert {c["code"] for c in every} == {c.code for c in CHECKS}


@pytest.mark.parametrize("code", ["W20", "W20:sacr"])
def test_an_unknown_code_is_one_line_with_the_nearest(call: Call, code: str) -> None:
    unknown = call("explain", code).exception
    assert isinstance(unknown, UsageError)
    assert "there is no check 'W20' (did you mean W2" in str(unknown)
