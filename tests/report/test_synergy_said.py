"""What pages of grids say of claims, p values, single runs and pooled intervals."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ablate.analysis.effects import Grid
from ablate.record import Cost, Note, Record
from ablate.report import printed, study_document
from ablate.report.markdown import render
from ablate.report.study_page import study_page
from ablate.report.synergy import synergy_document
from ablate.report.synergy_page import synergy_page
from ablate.report.synergy_words import claim
from ablate.study import Study
from tests.report.planted import LOSS, RANK1, runs, study

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


def test_what_people_wrote_stands_on_the_page_of_the_grid_too() -> None:
    words = Note("trained on the old split", "somebody", "2026-01-31", study=ABC.name)
    assert "trained on the old split" in page_of(ABC, runs(ABC, flat, 1), notes=[words])


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


def scored(records: Sequence[Record], variant: str, seed: int, value: float) -> list[Record]:
    """The records with one run's Rank-1 replaced."""
    return [
        replace(r, scores={**r.scores, "rank1": replace(r.scores["rank1"], value=value)})
        if (r.variant, r.seed) == (variant, seed)
        else r
        for r in records
    ]


def test_the_departure_has_its_interval_and_single_runs_are_called_so() -> None:
    records = runs(ABC, flat, 3)
    document = synergy_document(ABC, records)
    found = document["synergy"]["by_metric"]["rank1"]["departure"]["effect"]
    interval = printed.interval(RANK1, found)
    lead = section(render(synergy_page(document)), "Synergy")
    assert f" points {interval}, not corrected: " in lead
    assert "single runs" not in lead
    one = section(page_of(ABC, [r for r in records if r.seed == 0]), "Synergy")
    assert "By single runs, full departs from additivity by " in one
    assert "not corrected" not in one


def test_the_sentences_come_before_the_tables() -> None:
    records = runs(ABC, flat, 3)
    part = [s.title for s in synergy_page(synergy_document(ABC, records)).sections]
    assert part[:3] == ["What the numbers rest on", "Rank-1 in words", "Cells"]
    whole = [s.title for s in study_page(study_document(ABC, records)).sections]
    at = whole.index("Rank-1 in words")
    assert whole[at - 1] == "What the numbers rest on"
    assert whole[at + 1] == "What each module contributes"


def test_a_better_mean_that_lost_a_run_is_named_beside_the_best() -> None:
    records = runs(ABC, lambda on: 0.5 + 0.1 * len(on), 3)
    assert "Best mean: full." in page_of(ABC, records)
    text = page_of(ABC, scored(records, "full", 0, float("nan")))
    mean = row(text, "●●● | full").split(" | ")[3]
    assert f" (full, {mean}, lost a run)." in section(text, "Cells")
    worse = page_of(ABC, scored(records, "baseline", 0, float("nan")))
    assert "Best mean: full." in worse
    of = replace(AB, metrics=(LOSS, RANK1), primary="loss")
    lower = [
        replace(r, scores={**r.scores, "loss": replace(r.scores["loss"], value=float("nan"))})
        if r.variant == "full" and r.seed < 2
        else r
        for r in runs(of, lambda on: 0.5 + 0.1 * len(on), 3)
    ]
    assert ", lost 2 runs)." in page_of(of, lower)


def test_what_rests_on_estimates_alone_says_so() -> None:
    records = runs(ABC, flat, 3)
    assert "Better in and Sign are by estimates alone." in section(
        page_of(ABC, records), "Contexts"
    )
    told = "By estimates alone: none of these effects is decided both as better and as worse."
    title = "Where metrics disagree"
    assert section(page_of(ABC, records), title).endswith("By estimates alone.\n")
    turned = [
        replace(r, scores={**r.scores, "loss": replace(r.scores["loss"], value=v)})
        for r in records
        for v in (r.scores["rank1"].value,)
    ]
    assert "a (main effect): better on Rank-1; worse on Loss." in page_of(ABC, turned)
    assert told not in page_of(ABC, turned)
    assert told in page_of(ABC, [r for r in turned if r.seed == 0])


def test_costs_that_add_up_have_no_note_on_terms() -> None:
    def spent(beyond: float) -> str:
        sizes = [5.0, 6.0, 7.0 + beyond]
        records = [
            replace(r, costs={"params": Cost("params", sizes[sum(map(bool, on))], "", "tree")})
            for r in runs(AB, flat, 3)
            for on in (r.levels.values(),)
        ]
        return section(page_of(AB, records), "Do costs add up?")

    assert "Together:" not in spent(0)
    assert "Costs are counted" in spent(0)
    assert "Together: the Möbius term of the cost" in spent(3)


def test_blocking_is_said_to_be_decided_before_the_runs() -> None:
    text = page_of(ABC, runs(ABC, flat, 3))
    assert "[claims] paired = true in the study file, decided before the runs, blocks them." in text
    assert "of mean widths of intervals" in text


def test_of_two_modules_what_is_one_number_is_printed_once() -> None:
    text = section(page_of(AB, runs(AB, flat, 3)), "Synergy")
    for gone in ("Others off", "Others on", "departs from additivity", "Möbius"):
        assert gone not in text
    assert text.count("| a × b |") == 2
    assert "| Pair | Expected | Observed |" in text
    assert "Of two modules the interaction with the others off or on, and the departure" in text
    one = section(page_of(AB, runs(AB, flat, 1)), "Synergy")
    assert "| Pair | Averaged | Expected | Observed |" in one
    assert one.count("| a × b |") == 1
    assert "Of two modules" not in page_of(ABC, runs(ABC, flat, 3))


@pytest.mark.parametrize("seeds", [1, 3])
def test_of_one_module_there_is_one_effect(seeds: int) -> None:
    text = page_of(A, runs(A, flat, seeds))
    part = section(text, "What each module contributes")
    assert part.count("\n| a |") == 1
    assert "Shapley share:" not in part
    assert "Of one module the Shapley share, the effect alone and the effect last" in part
    assert ". Contexts\n" not in text


def test_questions_that_a_missing_cell_leaves_open_have_no_rows() -> None:
    every = runs(ABC, flat, 3)
    text = page_of(ABC, [r for r in every if r.variant in {"baseline", "a", "b", "c"}])
    part = section(text, "What each module contributes")
    assert "| a | Alone |" in part
    for gone in ("Main effect |", "Shapley share |", "| Last |", "Main effect:", "Shapley share:"):
        assert gone not in part
    assert ". Synergy\n" not in text
    lone = page_of(ABC, [r for r in every if r.variant in {"baseline", "a"}])
    assert "0 of 0" not in lone
    assert "| – | – | – |" not in section(lone, "What each module contributes")
    one = page_of(ABC, [r for r in every if r.variant != "a" and r.seed == 0])
    pairs = section(one, "Synergy")
    assert "| Pair | Others off | Others on | Expected | Observed |" in pairs


def test_the_page_of_one_metric_names_the_option_for_all() -> None:
    said = "In full: ablate report planted --synergy --metric all."
    records = runs(ABC, flat, 3)
    assert said in page_of(ABC, records)
    assert said in render(study_page(study_document(ABC, records)))
    assert said in page_of(ABC, [r for r in records if r.variant != "b"])
    every = render(synergy_page(synergy_document(ABC, records), ["rank1", "loss"]))
    assert said not in every
    alone = replace(ABC, metrics=(RANK1,))
    assert said not in page_of(alone, records)


def test_effects_beyond_lenths_margin_are_named() -> None:
    records = runs(ABC, lambda on: 0.5 + 0.2 * ("a" in on), 1)
    assert "(Lenth's margin, from the grid's own effects). Beyond it: a." in page_of(ABC, records)
    both = runs(ABC, lambda on: 0.5 + 0.2 * ({"a", "b"} <= on), 1)
    assert "Beyond it: a, b, a × b." in page_of(ABC, both)
    noise = page_of(ABC, runs(ABC, lambda _: 0.5, 1))
    assert "None of them is beyond it." in noise


def test_further_metrics_have_the_p_that_their_verdicts_rest_on() -> None:
    document = synergy_document(ABC, runs(ABC, flat, 3))
    told = document["synergy"]["by_metric"]["loss"]["modules"][1]["main"]
    text = section(render(synergy_page(document)), "Further metrics")
    assert "| Holm p | Verdict |" in text
    assert f"| {told['p_holm']:.3f} | {told['verdict']} |" in row(text, "Loss ↓ | b")
    one = section(page_of(ABC, runs(ABC, flat, 1)), "Further metrics")
    assert "Holm p" not in one


def test_an_averaged_interaction_has_twice_the_margin() -> None:
    document = synergy_document(ABC, runs(ABC, lambda on: 0.5 + 0.2 * ({"a", "b"} <= on), 1))
    of = document["synergy"]["by_metric"]["rank1"]
    size = abs(of["pairs"][0]["averaged"]["effect"]["estimate"])
    for share, named in ((0.4, True), (0.6, False)):
        of["lenth"]["margin"] = share * size
        beyond = render(synergy_page(document)).split("Beyond it: ")[-1].split(".\n")[0]
        assert ("a × b" in beyond) is named
