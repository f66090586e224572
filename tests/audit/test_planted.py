"""Every check finds the defect that is planted for it, in any study that can have it."""

import re

import pytest

from ablate.audit.catalogue import CHECKS
from ablate.audit.check import Check
from tests.audit.clean import clean
from tests.audit.planted import plants

STUDIES = range(20)
FEWEST = 4
"""Of these random studies, a plant must fit so many."""
PLANTS = plants()
SILENT = {"design", "execution", "measurement", "provenance"}


def test_there_is_a_plant_for_every_check_and_a_check_for_every_plant() -> None:
    assert {c.code for c in CHECKS} == set(PLANTS)


def test_no_two_checks_have_one_code() -> None:
    assert len({c.code for c in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.code)
def test_the_planted_defect_is_found_every_time_and_its_twin_has_none(check: Check) -> None:
    for module, plant in PLANTS.get(check.code, {}).items():
        fits = 0
        for seed in STUDIES:
            twin = clean(seed)
            planted = plant(twin)
            if planted is None:
                continue
            fits += 1
            assert list(check.findings(planted)), f"{module} in clean({seed}) is not found"
            if check.family in SILENT:
                assert [f.sentence for f in check.findings(twin)] == [], f"clean({seed})"
        assert fits >= FEWEST, f"{module} fits {fits} of {len(STUDIES)} studies"


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.code)
def test_what_is_said_of_a_planted_defect_is_complete(check: Check) -> None:
    plant = next(iter(PLANTS[check.code].values()))
    evidence = next(e for seed in STUDIES if (e := plant(clean(seed))) is not None)
    known = {r.key for r in evidence.records}
    findings = list(check.findings(evidence))

    names = [f.name for f in findings]
    assert len(set(names)) == len(names), "one name for two findings"
    for finding in findings:
        assert finding.sentence
        assert finding.chinese
        assert finding.sentence != finding.chinese
        assert finding.sentence.strip() == finding.sentence
        assert not finding.sentence.endswith(".")
        assert not finding.chinese.endswith("。")
        assert not re.search(r"(?<![\w.-])-\d", finding.sentence), "a hyphen for a minus sign"
        # words and no command where nothing that can be run settles it: then in both languages
        assert finding.command.startswith("ablate ") is not bool(finding.chinese_command)
        assert "STUDY" not in finding.command
        assert "TRIAL" not in finding.command
        assert set(finding.keys) <= known


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.code)
def test_every_check_is_explained_in_both_languages(check: Check) -> None:
    for text in (check.title, check.why, check.settle):
        assert text.en
        assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh)
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in text.en)
    assert check.code[0] == {"error": "E", "warning": "W", "note": "N"}[check.severity]
    assert check.why.en.endswith(".")
