"""Studies without a defect are passed over in silence, and what is said of noise is rare."""

from collections import Counter

import pytest

from ablate.audit.catalogue import CHECKS
from ablate.audit.check import Check
from tests.audit.clean import clean, noise, sparse

STUDIES = 400
"""Here; `benchmarks/audit_false_findings.py` asks 2,000."""
MOST = 0.02
SILENT = [c for c in CHECKS if c.family != "interpretation"]


@pytest.fixture(scope="module")
def said() -> dict[str, list[str]]:
    """Code -> what is said, study by study, of those that have no defect."""
    found: dict[str, list[str]] = {}
    for make in (clean, sparse):
        for seed in range(STUDIES // 2):
            evidence = make(seed)
            for check in SILENT:
                if one := next(iter(check.findings(evidence)), None):
                    told = f"{make.__name__}({seed}): {one.sentence}"
                    found.setdefault(check.code, []).append(told)
    return found


@pytest.mark.parametrize("check", SILENT, ids=lambda c: c.code)
def test_clean_studies_do_not_have_the_finding(check: Check, said: dict[str, list[str]]) -> None:
    assert len(said.get(check.code, ())) < MOST * STUDIES, said[check.code][:3]


def test_clean_studies_are_of_many_kinds() -> None:
    kinds = Counter[str]()
    for seed in range(STUDIES):
        evidence = clean(seed)
        study, first = evidence.study, evidence.records[0]
        kinds[f"primary {study.primary}"] += 1
        kinds[f"source {first.source}"] += 1
        kinds[f"select {study.selection}"] += 1
        kinds["settings" if evidence.settings else "no settings"] += 1
        kinds["sweep" if study.sweeps else "no sweep"] += 1
        kinds["+".join(sorted({split for split, _ in evidence.curves[first.key]}))] += 1
    assert min(kinds.values()) > STUDIES / 50, kinds
    assert len(kinds) >= 14


def test_a_shift_in_time_is_not_seen_in_noise() -> None:
    (check,) = (c for c in CHECKS if c.code == "W131")

    assert sum(bool(list(check.findings(noise(seed)))) for seed in range(100)) <= 1
