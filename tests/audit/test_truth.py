"""Every interpretation that the audit makes of random studies is arithmetically true."""

from collections import Counter

import pytest

from ablate.audit.catalogue import CHECKS
from ablate.audit.evidence import Evidence
from tests.audit.clean import clean, noise, tangled
from tests.audit.plants.interpretation_results import few
from tests.audit.truth import assert_true, kind

INTERPRETATION = [c for c in CHECKS if c.family == "interpretation"]
STUDIES = 240
KINDS = (
    *("W201 winner", "W201 module", "W201 trend", "W220 effect", "W220 interaction"),
    *("W240", "N240", "W241"),
)


def pairs(seed: int) -> Evidence:
    """Two configurations of two runs."""
    return few(noise(seed))


@pytest.fixture(scope="module")
def said() -> Counter[str]:
    """How often each kind of sentence was said, and was so."""
    found = Counter[str]()
    for make in (clean, noise, tangled, pairs):
        for seed in range(STUDIES):
            evidence = make(seed)
            for check in INTERPRETATION:
                for finding in check.findings(evidence):
                    assert_true(evidence, finding)
                    found[kind(evidence, finding)] += 1
    return found


@pytest.mark.parametrize("of", KINDS)
def test_what_is_said_is_so_and_is_said_often_enough_to_tell(of: str, said: Counter[str]) -> None:
    assert said[of] >= 8


def test_every_kind_of_sentence_is_known(said: Counter[str]) -> None:
    assert set(said) <= {*KINDS}
