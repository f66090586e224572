"""What pages of grids say of claims, p values, single runs and pooled intervals."""

from collections.abc import Sequence
from typing import Any

import pytest

from ablate.analysis.effects import Grid
from ablate.record import Record
from ablate.report import printed, study_document
from ablate.report.markdown import render
from ablate.report.study_page import study_page
from ablate.report.synergy import synergy_document
from ablate.report.synergy_page import synergy_page
from ablate.report.synergy_words import claim
from ablate.study import Study
from tests.report.planted import RANK1, runs, study

A, AB, ABC = study("a"), study("a", "b"), study("a", "b", "c")


def flat(on: frozenset[str]) -> float:
    return 0.5 + 0.05 * ("a" in on)


def page_of(of: Study, records: Sequence[Record], **others: object) -> str:
    return render(synergy_page(synergy_document(of, records, **others)))


def section(text: str, title: str) -> str:
    return text.split(f". {title}\n", 1)[1].split("\n## ", 1)[0]


def row(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"| {start} |"))


def test_an_undecided_effect_whose_interval_leaves_out_zero_says_why() -> None:
    document = synergy_document(ABC, runs(ABC, flat, 3))
    answer: dict[str, Any] = {
        "effect": {"estimate": 0.02, "low": 0.002, "high": 0.038, "p": 0.036},
        "inert": [],
        "verdict": "undecided",
        "p_holm": 0.109,
        "smallest": 0.03,
    }
    said = claim(document, RANK1, "a", answer)
    assert ": undecided (p 0.036 by itself, 0.109 after Holm); this design sees 3.00" in said
    answer["effect"] = {"estimate": 0.02, "low": -0.002, "high": 0.042, "p": 0.07}
    assert "by itself" not in claim(document, RANK1, "a", answer)


def test_a_bound_that_rounds_to_zero_keeps_its_sign() -> None:
    found = {"estimate": 0.0, "low": -0.00003, "high": 0.00003}
    assert printed.interval(RANK1, found) == "[−0.0, +0.0]"
    assert printed.interval(RANK1, {**found, "low": 0.0}) == "[±0.0, +0.0]"
    assert printed.estimate(RANK1, {**found, "estimate": -0.00003}) == "±0.0"
    document = synergy_document(ABC, runs(ABC, flat, 3))
    answer = {"effect": {**found, "p": 0.5}, "inert": [], "verdict": "undecided"}
    answer |= {"p_holm": 1.0, "smallest": None}
    assert "interval −0.00 to +0.00" in claim(document, RANK1, "a", answer)


@pytest.mark.parametrize(
    ("of", "seeds", "left_out", "said"),
    [
        (ABC, 3, "", "Holm within each family: 3 main effects; 3 averaged interactions |"),
        (AB, 3, "", "Holm within each family: 2 main effects; 1 averaged interaction |"),
        (A, 3, "", "Holm within each family: 1 main effect |"),
        (ABC, 1, "", "nothing was tested: no cell has two runs that differ |"),
        (ABC, 3, "b", "nothing was tested: cells are missing |"),
    ],
)
def test_the_claims_count_what_was_tested(of: Study, seeds: int, left_out: str, said: str) -> None:
    records = [r for r in runs(of, flat, seeds) if r.variant != left_out]
    assert row(page_of(of, records), "Claims").endswith(said)
    assert said in render(study_page(study_document(of, records)))


def test_an_effect_that_is_noise_is_not_counted_as_tested() -> None:
    text = page_of(AB, runs(AB, flat, 3), inert={"b": frozenset("b")})
    assert "Holm within each family: 1 main effect |" in row(text, "Claims")
    every = {"a": frozenset("a"), "b": frozenset("b"), "full": frozenset("ab")}
    text = page_of(AB, runs(AB, flat, 3), inert=every)
    assert "nothing was tested: no effect has an interval |" in row(text, "Claims")


def test_the_least_significant_difference_says_which_variance_it_uses() -> None:
    records = runs(ABC, flat, 3)
    own = "by one variance pooled over 8 cells; intervals use each cell's own)"
    assert own in page_of(ABC, records)
    pairs = page_of(ABC, [r for r in records if r.seed < 2])
    assert "by one variance pooled over 8 cells)" in pairs
    single = [r for r in records if r.seed == 0 or r.variant == "full"]
    marked = "pooled over 1 cell; intervals without † use each cell's own)"
    assert marked in page_of(ABC, single)
    paired = study("a", "b", "c", paired=True)
    said = "pooled over 8 cells; blocked intervals use differences within seeds)"
    assert said in page_of(paired, runs(paired, flat, 3))


def test_the_noise_is_pooled_over_distinct_cells_of_replicated_functions() -> None:
    base, a, b = frozenset[str](), frozenset("a"), frozenset("b")
    one, other, two = [(0, 0.5)], [(1, 0.6)], [(0, 0.5), (1, 0.6)]
    assert Grid(("a", "b"), {base: one, a: one, b: two}).replicated == 1
    assert Grid(("a", "b"), {base: one, a: other, b: two}, {a: a}).replicated == 3
    assert Grid(("a", "b"), {base: one, a: one, b: two}, {a: a}).replicated == 1


def test_pooled_intervals_beside_others_are_marked() -> None:
    every = runs(ABC, flat, 3)
    uneven = [r for r in every if (r.variant, r.seed) != ("a", 2)]
    text = page_of(ABC, uneven)
    cells = section(text, "Cells")
    assert "] † |" in row(cells, "●·· | a")
    assert "†" not in row(cells, "··· | baseline")
    assert "Interval: by the cell's own runs; †: by the variance pooled over the cells." in cells
    modules = section(text, "What each module contributes")
    assert "] † |" in row(modules, "a | Alone")
    assert "†" not in row(modules, "a | Last")
    assert "†: Intervals by the variance pooled" in modules
    assert "†" in row(section(text, "Further metrics"), "Loss ↓ | a")
    assert "†: by the variance pooled" in section(text, "Further metrics")
    for alike in (every, [r for r in every if r.seed < 2]):
        assert "†" not in page_of(ABC, alike)
    assert "Interval: by the cell's own runs." in section(page_of(ABC, every), "Cells")
    pairs = [r for r in every if r.seed < 2]
    assert "Interval: by the variance pooled over the cells." in page_of(ABC, pairs)
    one = page_of(ABC, [r for r in every if r.seed == 0])
    assert "Interval:" not in one
