"""The eight cells of a published 2x2x2 grid, one run each: every number to 1e-9 of exact fractions.

The file's own figures were computed by other programs and are rounded to 2 to 4 decimals.
"""

import json
from collections.abc import Mapping
from fractions import Fraction
from itertools import combinations, permutations
from pathlib import Path

import pytest

from ablate.analysis.contrast import Rules
from ablate.analysis.effects import (
    Grid,
    Term,
    alone,
    averaged,
    departure,
    last,
    main,
    moebius,
    others_on,
    parts,
    shapley,
)
from ablate.analysis.lenth import lenth, walsh_effects
from ablate.analysis.verdict import judge

REFERENCE = json.loads((Path(__file__).parent / "reference" / "rgbnt201-grid.json").read_text())
MODULES = tuple(REFERENCE["modules"])
METRICS = tuple(REFERENCE["derived"])
SCORES = ("Rank-1", "mAP", "Rank-10")
PAIRS = ("SD", "SL", "DL")
COUNTS = ("", "S", "D", "L", "SD", "SL", "DL", "SDL")
INERT = {frozenset(c): frozenset(c) for c in ("S", "L", "SL")}
TOLERANCE = 1e-9


def exact(metric: str) -> dict[frozenset[str], Fraction]:
    column = REFERENCE["columns"].index(metric)
    return {
        frozenset(m for m, on in zip(MODULES, row, strict=False) if on): Fraction(str(row[column]))
        for row in REFERENCE["cells"]
    }


def grid(metric: str, inert: Mapping[frozenset[str], frozenset[str]] | None = None) -> Grid:
    samples = {c: [(0, float(v))] for c, v in exact(metric).items()}
    return Grid(MODULES, samples, inert or {})


def estimate(term: Term, of: Grid) -> float:
    (answer,) = of.answers([term], Rules())
    return answer.effect.estimate


def near(found: float, fraction: Fraction) -> bool:
    return abs(Fraction(found) - fraction) < TOLERANCE


def double(y: Mapping[frozenset[str], Fraction], pair: str, others: str) -> Fraction:
    """The difference of differences of a pair where `others` are on."""
    a, b = pair
    return (
        y[frozenset(pair + others)]
        - y[frozenset(a + others)]
        - y[frozenset(b + others)]
        + y[frozenset(others)]
    )


def three_way(y: Mapping[frozenset[str], Fraction]) -> Fraction:
    return double(y, "SD", "L") - double(y, "SD", "")


@pytest.mark.parametrize("metric", METRICS)
def test_main_effects_singles_and_last_ones(metric: str) -> None:
    y, of, told = exact(metric), grid(metric), REFERENCE["derived"][metric]
    for m in MODULES:
        steps = [y[c | {m}] - y[c] for c in map(frozenset, COUNTS) if m not in c]
        for found, fraction, printed in (
            (estimate(main(m, of), of), sum(steps) / 4, told["factorial_contrasts"][m]),
            (estimate(alone(m), of), y[frozenset(m)] - y[frozenset()], told["add_one_in"][m]),
            (
                estimate(last(m, MODULES), of),
                y[frozenset("SDL")] - y[frozenset("SDL") - {m}],
                told["leave_one_out"][m],
            ),
        ):
            assert near(found, fraction)
            assert found == pytest.approx(printed, abs=1e-9)
        assert estimate(moebius(m), of) == pytest.approx(told["moebius"][m], abs=1e-9)


@pytest.mark.parametrize("metric", METRICS)
def test_shapley_values_are_means_over_every_order_and_add_up(metric: str) -> None:
    y, of = exact(metric), grid(metric)
    total = 0.0
    for m in MODULES:
        gains = []
        for order in permutations(MODULES):
            before = frozenset(order[: order.index(m)])
            gains.append(y[before | {m}] - y[before])
        found = estimate(shapley(m, of), of)
        total += found
        assert near(found, sum(gains) / 6)
        assert found == pytest.approx(REFERENCE["derived"][metric]["shapley"][m], abs=5.1e-5)
    assert near(total, y[frozenset("SDL")] - y[frozenset()])


@pytest.mark.parametrize("metric", METRICS)
def test_interactions_averaged_with_others_off_and_with_others_on(metric: str) -> None:
    y, of, told = exact(metric), grid(metric), REFERENCE["derived"][metric]
    for pair in PAIRS:
        other = next(m for m in MODULES if m not in pair)
        off, on = double(y, pair, ""), double(y, pair, other)
        found = estimate(averaged(tuple(pair), of), of)
        assert near(found, (off + on) / 2)
        assert found == pytest.approx(told["factorial_contrasts"][pair], abs=1e-9)
        assert near(estimate(moebius(pair), of), off)
        assert estimate(moebius(pair), of) == pytest.approx(told["moebius"][pair], abs=1e-9)
        assert near(estimate(others_on(tuple(pair), MODULES), of), on)
    both = {k: v for k, v in told["conditional_interactions"].items() if not k.endswith("off")}
    for name, value in both.items():
        pair = tuple(name.split(" |")[0].split(","))
        assert estimate(others_on(pair, MODULES), of) == pytest.approx(value, abs=1e-9)
    found = estimate(moebius(MODULES), of)
    assert near(found, three_way(y))
    assert found == pytest.approx(told["moebius"]["SDL"], abs=1e-9)
    assert estimate(averaged(MODULES, of), of) == pytest.approx(found, abs=1e-9)


@pytest.mark.parametrize("metric", METRICS)
def test_departures_are_the_sums_of_their_parts(metric: str) -> None:
    y, of, told = exact(metric), grid(metric), REFERENCE["derived"][metric]
    base = y[frozenset()]
    for on in (*PAIRS, "SDL"):
        fraction = y[frozenset(on)] - base - sum(y[frozenset(m)] - base for m in on)
        found = estimate(departure(on), of)
        assert near(found, fraction)
        assert found == pytest.approx(told["additive_residual"][on], abs=1e-9)
        assert sum(estimate(t, of) for t in parts(on)) == pytest.approx(found, abs=TOLERANCE)


def test_the_departure_of_all_three_is_minus_3_5_and_not_3_6() -> None:
    of = grid("Rank-1")
    found = [round(estimate(departure(on), of), 9) for on in ("SL", "DL", "SD", "SDL")]
    assert found == [-3.9, -5.9, -3.4, -3.5]
    assert [round(estimate(t, of), 9) for t in parts("SDL")] == [-3.4, -3.9, -5.9, 9.7]


@pytest.mark.parametrize("metric", METRICS)
def test_lenths_margin(metric: str) -> None:
    effects, told = walsh_effects(grid(metric)), REFERENCE["derived"][metric]["lenth"]
    printed = told["effects(mean+ - mean-)"]
    assert {"".join(k) for k in effects} == printed.keys()
    for modules, effect in effects.items():
        assert effect == pytest.approx(printed["".join(modules)], abs=1e-9)
    found = lenth(list(effects.values()))
    assert found.pse == pytest.approx(told["PSE"], abs=5.1e-4)
    assert found.margin == pytest.approx(told["ME95"], abs=1.1e-3)


def test_lenths_margin_of_effects_that_are_all_zero_is_zero() -> None:
    assert lenth([0.0] * 7).margin == 0
    with pytest.raises(ValueError, match="at least one"):
        lenth([])


def test_an_incomplete_grid_has_no_walsh_effects() -> None:
    samples = dict(grid("mAP").samples)
    del samples[frozenset("S")]
    assert walsh_effects(Grid(MODULES, samples)) == {}


def every(of: Grid) -> list[Term]:
    return [
        *(t for m in MODULES for t in (main(m, of), alone(m), last(m, MODULES), shapley(m, of))),
        *(t for p in PAIRS for t in (averaged(p, of), moebius(p), others_on(p, MODULES))),
        *map(departure, (*PAIRS, "SDL")),
        moebius("SDL"),
    ]


@pytest.mark.parametrize("metric", SCORES)
def test_one_run_a_cell_has_neither_interval_nor_verdict(metric: str) -> None:
    of, rules = grid(metric), Rules(margin=100.0)
    effects = [a.effect for a in of.answers(every(of), rules)]
    assert of.noise() is None
    assert {(e.method, e.interval, e.p, e.se) for e in effects} == {("none", None, None, None)}
    assert {j.verdict for j in judge(effects, rules)} == {None}


@pytest.mark.parametrize("metric", SCORES)
def test_four_runs_of_one_function_are_the_noise_of_the_grid(metric: str) -> None:
    told, of = REFERENCE["inert"][metric], grid(metric, INERT)
    noise = of.noise()
    assert noise.df == 3
    assert noise.sd == pytest.approx(told["sd"], abs=5.1e-5)
    ends = (noise.interval.low, noise.interval.high)
    assert ends == pytest.approx(told["sd_ci95"], abs=5.1e-4)
    least = told["least_significant_difference_two_single_runs"]
    assert noise.least_difference(1, 1) == pytest.approx(least, abs=5.1e-3)
    terms = {
        "main D": main("D", of),
        "last L": last("L", MODULES),
        "last S": last("S", MODULES),
        "on SL": others_on("SL", MODULES),
    }
    answers = of.answers(list(terms.values()), Rules())
    for name, answer in zip(terms, answers, strict=True):
        test, effect = told["tests"][name], answer.effect
        assert effect.method == "pooled"
        assert effect.df == 3
        assert effect.estimate == pytest.approx(test["diff"], abs=1e-9)
        assert effect.se == pytest.approx(test["se"], abs=5.1e-4)
        assert effect.p == pytest.approx(test["p"], abs=5.1e-5)
        assert (effect.interval.low, effect.interval.high) == pytest.approx(
            test["ci95"], abs=5.1e-3
        )


@pytest.mark.parametrize("metric", SCORES)
def test_terms_about_inert_modules_keep_their_estimates_and_have_no_interval(metric: str) -> None:
    plain, of = grid(metric), grid(metric, INERT)
    terms = every(of)
    before, after = plain.answers(terms, Rules()), of.answers(terms, Rules())
    for a, b in zip(before, after, strict=True):
        assert b.effect.estimate == a.effect.estimate
        assert bool(b.inert) == (b.effect.interval is None)
    silent = {(b.term.kind, *b.term.modules) for b in after if b.inert}
    assert {("main", "S"), ("main", "L"), ("alone", "S"), ("shapley", "L")} <= silent
    assert {("averaged", *p) for p in PAIRS} <= silent
    told = {(b.term.kind, *b.term.modules) for b in after if not b.inert}
    assert {("main", "D"), ("shapley", "D"), *(("last", m) for m in MODULES)} <= told


def test_a_conditional_interaction_of_the_file_is_the_moebius_term_where_the_third_is_off() -> None:
    for pair in combinations(MODULES, 2):
        printed = REFERENCE["derived"]["Rank-1"]["conditional_interactions"]
        names = [",".join(pair), ",".join(reversed(pair))]
        value = next(v for k, v in printed.items() if k.endswith("| off") and k[:3] in names)
        assert estimate(moebius(pair), grid("Rank-1")) == pytest.approx(value, abs=1e-9)
