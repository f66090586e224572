"""`report --synergy` where cells are missing, and what seeds share over a grid."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ablate.analysis.contrast import DEFAULT, contrasts, means
from ablate.analysis.correlation import blocking, intraclass
from ablate.analysis.effects import Grid, main
from ablate.errors import UsageError
from ablate.record import Record, State
from ablate.report.markdown import render
from ablate.report.synergy import synergy_document
from ablate.report.synergy_page import synergy_page
from ablate.study import Arm, Modules, Study, Sweep, real
from tests.report.planted import record, runs, study

ABC = study("a", "b", "c")
EVERY = runs(ABC, lambda on: 0.5 + 0.1 * ("a" in on), 3)


def only(names: Iterable[str]) -> list[Record]:
    kept = set(names)
    return [r for r in EVERY if r.variant in kept]


def numbers(of: Study, records: list[Record]) -> dict[str, Any]:
    found: dict[str, Any] = synergy_document(of, records)["synergy"]
    return found


def test_an_add_one_design_answers_alone_and_names_what_the_others_wait_for() -> None:
    of = replace(ABC, modules=Modules(("a", "b", "c"), "add-one"))
    document = synergy_document(of, only(["baseline", "a", "b", "c"]))
    grid = document["synergy"]["by_metric"]["rank1"]
    assert [m["alone"]["effect"] is not None for m in grid["modules"]] == [True] * 3
    assert [m["main"]["effect"] for m in grid["modules"]] == [None] * 3
    assert document["synergy"]["missing"]["count"] == 4
    text = render(synergy_page(document))
    assert "4 of 8 have a finite run" in text
    assert "| a+b | not in the design | c added last; a × b with c off; a × c with b on;" in text
    assert "full | not in the design | a added last; b added last; c added last;" in text
    assert "need a finite run of every cell; missing: a+b, a+c, b+c, full." in text
    assert "changes its sign" not in text


def test_a_leave_one_out_design_answers_last() -> None:
    document = numbers(ABC, only(["full", "a+b", "a+c", "b+c"]))
    modules = document["by_metric"]["rank1"]["modules"]
    assert [100 * m["last"]["effect"]["estimate"] for m in modules] == pytest.approx(
        [10, 0, 0], abs=1
    )
    assert [m["alone"]["effect"] for m in modules] == [None] * 3
    assert set(modules[0]["alone"]["missing"]) == {"baseline", "a"}


def test_a_failed_cell_is_missing_because_no_run_completed() -> None:
    records = [replace(r, state=State.FAILED, scores={}) if r.variant == "b" else r for r in EVERY]
    document = synergy_document(ABC, records)
    assert "| b | no completed run |" in render(synergy_page(document))
    pairs = document["synergy"]["by_metric"]["rank1"]["pairs"]
    assert [p["off"]["effect"] is None for p in pairs] == [True, False, True]
    assert [p["on"]["effect"] is None for p in pairs] == [False, True, False]


def test_an_arm_of_just_its_levels_stands_for_a_missing_corner() -> None:
    rate = real("rate", 0.5)
    of = study("a", "b", factors=(*study("a", "b").factors, rate), arms=(Arm("both", {}),))
    of = replace(of, modules=Modules(("a", "b"), "add-one"))
    plain = runs(study("a", "b"), lambda on: 0.5 + 0.1 * len(on), 3)
    records = [replace(r, levels={**r.levels, "rate": 0.5}) for r in plain]
    arm = [replace(r, variant="both", role="arm") if r.variant == "full" else r for r in records]
    assert numbers(of, arm)["by_metric"]["rank1"]["present"] == 4
    other = [
        replace(r, levels={**r.levels, "rate": 0.9}) if r.variant == "both" else r for r in arm
    ]
    assert numbers(of, other)["by_metric"]["rank1"]["present"] == 3


def test_a_study_without_a_grid_says_what_it_has() -> None:
    sweep = replace(ABC, modules=None, sweeps=(Sweep("baseline", "a", (True,)),))
    records = [replace(r, role="sweep") for r in EVERY]
    with pytest.raises(UsageError, match=r"no on/off grid.*sweeps .*--sensitivity"):
        synergy_document(sweep, records)
    with pytest.raises(UsageError, match=r"arms \(ablate compare A B\)"):
        synergy_document(sweep, [replace(r, role="arm") for r in EVERY])


def test_without_any_result_there_is_a_page() -> None:
    records = [replace(r, state=State.PENDING, scores={}) for r in EVERY]
    text = render(synergy_page(synergy_document(ABC, records)))
    assert "No cell has a finite run." in text
    assert "0 of 8 have a finite run" in text


def test_one_module_has_an_effect_and_no_synergy() -> None:
    of = study("a")
    text = render(synergy_page(synergy_document(of, runs(of, lambda on: 0.5 + 0.1 * len(on), 3))))
    assert "positive" in text
    assert "Synergy\n" not in text


def test_a_large_grid_lists_the_ends_of_its_contexts_and_sums_its_terms_by_order() -> None:
    of = study(*(f"m{i}" for i in range(7)))
    document = synergy_document(of, runs(of, lambda on: 0.5 + 0.01 * len(on), 2))
    grid = document["synergy"]["by_metric"]["rank1"]
    contexts = grid["modules"][0]["contexts"]
    assert (contexts["pairs"], contexts["complete"], len(contexts["listed"])) == (64, False, 2)
    departure = grid["departure"]
    assert departure["parts"] == []
    assert [o["terms"] for o in departure["orders"]] == [21, 35, 35, 21, 7, 1]
    total = sum(o["sum"] for o in departure["orders"])
    assert total == pytest.approx(departure["effect"]["estimate"], abs=1e-9)
    assert "the worst and the best of 448 contexts" in render(synergy_page(document))


def test_intraclass_is_that_of_the_seeds_by_cells_layout() -> None:
    # Shrout and Fleiss (1979), table 2: six targets, four judges; ICC(3,1) = 0.71
    judged = np.array(
        [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    )
    found = intraclass([list(enumerate(map(float, column))) for column in judged.T])
    assert (found.seeds, found.cells) == (6, 4)
    assert found.value == pytest.approx(0.7148, abs=1e-4)
    f = 11.242 / 1.019
    low, high = stats.f.ppf(0.975, 5, 15), stats.f.ppf(0.975, 15, 5)
    ends = [(r - 1) / (r + 3) for r in (f / low, f * high)]
    assert found.interval is not None
    assert [found.interval.low, found.interval.high] == pytest.approx(ends, abs=2e-3)


def test_intraclass_is_of_shared_seeds_and_says_why_there_is_none() -> None:
    a, b = [(0, 1.0), (1, 2.0), (2, 5.0)], [(2, 9.0), (1, 6.0), (7, 0.0)]
    assert intraclass([a, b]).seeds == 2
    assert intraclass([a, [(5, 1.0)]]).reason == "fewer than two seeds that all cells share"
    assert intraclass([a]).reason == "fewer than two cells"
    same = [(0, 0.7), (1, 0.7), (2, 0.7)]
    assert intraclass([same, same]).reason == "no run differs from another of its cell"


def test_blocking_is_compared_contrast_by_contrast() -> None:
    shared = {frozenset[str](): 0.0, frozenset({"a"}): 0.3}
    samples = {
        c: [(s, v + s + (-1) ** s * len(c) / 10) for s in range(4)] for c, v in shared.items()
    }
    grid = Grid(("a",), samples)
    terms = [main("a", grid)]
    either = [
        [a.effect for a in grid.answers(terms, replace(DEFAULT, paired=paired))]
        for paired in (True, False)
    ]
    found = blocking(*either)
    assert found is not None
    # per seed 0.3 + (-1)^s / 10: SD 0.11547, se 0.057735; unblocked from the cells' variances
    own = [np.var([v for _, v in s], ddof=1) / 4 for s in samples.values()]
    assert found.se == pytest.approx(0.0577350 / sum(own) ** 0.5, rel=1e-5)
    assert blocking([None], [None]) is None


def test_twenty_modules_one_at_a_time_are_answered_without_listing_a_million_cells() -> None:
    of = study(*(f"m{i}" for i in range(20)))
    sets = [frozenset[str](), *(frozenset({m}) for m in of.on)]
    records = [
        record(of, on, seed, {"rank1": 0.5 + 0.01 * seed + 0.1 * len(on)})
        for on in sets
        for seed in range(3)
    ]
    document = synergy_document(of, records)
    assert document["synergy"]["missing"]["count"] == 2**20 - 21
    text = render(synergy_page(document))
    assert "m0 × m1 with all others off" in text
    assert "1,048,543 more cells are missing" in text


def test_the_mean_of_a_cell_has_the_interval_of_a_contrast_of_it_alone() -> None:
    samples = [[(0, 0.1), (1, 0.4), (2, 0.3)], [(0, 0.5), (1, 0.9)], [(3, 0.2)]]
    for rules in (DEFAULT, replace(DEFAULT, pool=True), replace(DEFAULT, paired=True)):
        unpaired = replace(rules, paired=False)
        assert means(samples, rules, [0, 1, 2]) == contrasts(np.eye(3), samples, unpaired)
    spread = stats.t.interval(0.95, 2, 0.8 / 3, stats.sem([0.1, 0.4, 0.3]))
    (first, *_) = means(samples, DEFAULT, [0, 1, 2])
    assert first.interval is not None
    assert (first.interval.low, first.interval.high) == pytest.approx(spread)


def test_the_records_of_one_seed_share_nothing_by_themselves() -> None:
    of = study("a", "b")
    rng = np.random.default_rng(3)
    records = [
        record(of, frozenset(on), seed, {"rank1": float(rng.normal(0.5, 0.01))})
        for on in ("", "a", "b", "ab")
        for seed in range(40)
    ]
    shared = numbers(of, records)["by_metric"]["rank1"]["seeds"]["intraclass"]
    assert shared["low"] < 0 < shared["high"]
    assert abs(shared["value"]) < 0.2
