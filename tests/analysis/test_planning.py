"""What designs can see: the tables of the specification, and equivalence power from elsewhere."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import integrate, stats

from ablate.analysis import planning
from ablate.analysis.effects import subsets
from ablate.analysis.planning import Assumed, Question, of_grid

MODULES = ("sacr", "sdtps", "lif")
FULL = tuple(subsets(MODULES))
CUBE = {q.asks: q for q in of_grid(MODULES, FULL)}

# kind: Var / (sigma^2 / n), power in % at n = 3, 5, 10 and seeds at sigma 0.7, then at sigma 1.3,
# smallest effects at sigma 1.3 and n = 3, 5, 10
TABLE = {
    "off": (4, (21, 34, 61), 16, (10, 13, 22), 54, (4.5, 3.4, 2.3)),
    "averaged": (2, (38, 59, 88), 8, (14, 22, 40), 27, (3.2, 2.4, 1.65)),
    "alone": (2, (38, 59, 88), 8, (14, 22, 40), 27, (3.2, 2.4, 1.65)),
    "last": (2, (38, 59, 88), 8, (14, 22, 40), 27, (3.2, 2.4, 1.65)),
    "shapley": (5 / 9, (88, 99, 100), 3, (39, 61, 90), 8, (1.7, 1.25, 0.87)),
    "main": (1 / 2, (91, 99, 100), 3, (43, 66, 92), 7, (1.6, 1.2, 0.83)),
    "moebius": (8, (13, 20, 35), 32, (7, 9, 14), 107, (6.3, 4.8, 3.3)),
}


@pytest.mark.parametrize("kind", TABLE)
def test_the_specifications_power_table(kind: str) -> None:
    spread, few, seeds_few, many, seeds_many, least = TABLE[kind]
    question = CUBE[kind]
    assert question.spread == pytest.approx(spread)
    for sigma, chances, seeds in ((0.7, few, seeds_few), (1.3, many, seeds_many)):
        assumed = Assumed(sigma)
        assert planning.seeds_for(question, 1.0, assumed) == seeds
        for n, chance in zip((3, 5, 10), chances, strict=True):
            se, df = planning.error(question, n, assumed)
            wrong_side = stats.nct.cdf(-stats.t.ppf(0.975, df), df, 1 / se)
            found = planning.power(1.0, se, df) + wrong_side
            assert 100 * found == pytest.approx(chance, abs=0.55), (sigma, n)
    for n, effect in zip((3, 5, 10), least, strict=True):
        found = planning.smallest(question, n, Assumed(1.3))
        assert found == pytest.approx(effect, abs=0.055)


def test_two_configurations_show_negligible_as_often_as_in_the_specifications_simulation() -> None:
    # A difference of two configurations at its own 2(n - 1) degrees of freedom, margin 1 point.
    def chance(sigma: float, n: int) -> float:
        found = planning.negligible(planning.TWO, n, Assumed(sigma, margin=1.0))
        assert found is not None
        return 100 * found

    assert [chance(0.7, n) for n in (3, 5, 10)] == pytest.approx([13, 36, 85], abs=0.8)
    assert [chance(1.3, n) for n in (3, 5, 10, 20, 30)] == pytest.approx([1, 1, 9, 54, 81], abs=0.8)


def test_an_averaged_interaction_is_negligible_as_often_as_simulated() -> None:
    rng = np.random.default_rng(5)
    n, sigma, draws = 5, 0.7, 40_000
    runs = rng.normal(0, sigma, (draws, 8, n))
    estimate = runs.mean(2) @ np.array([1, -1, -1, 1] * 2) / 2
    s = np.sqrt(runs.var(2, ddof=1).mean(1))
    within = np.abs(estimate) + stats.t.ppf(0.95, 8 * (n - 1)) * s * math.sqrt(2 / n) < 1
    found = planning.negligible(CUBE["averaged"], n, Assumed(sigma, margin=1.0))
    assert found == pytest.approx(within.mean(), abs=4 * math.sqrt(0.25 / draws))


@pytest.mark.parametrize(("cv", "n", "expected"), [(0.30, 40, 0.815845), (0.25, 28, 0.807439)])
def test_equivalence_power_is_that_of_powertosts_bioequivalence_trials(
    cv: float, n: int, expected: float
) -> None:
    # sampleN.TOST(CV, theta0 = 0.95): two periods, two sequences, limits 0.80 to 1.25
    se = math.sqrt(math.log(1 + cv**2) * 2 / n)
    found = planning.equivalence(math.log(1.25), se, n - 2, 0.05, math.log(0.95))
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("df", [1, 2, 16, 4000])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.5, 0.7])
def test_equivalence_power_agrees_with_adaptive_quadrature(df: int, alpha: float) -> None:
    margin, se, effect = 1.0, 0.4, 0.2
    t = stats.t.ppf(1 - alpha, df)

    def inside(u: float) -> float:
        high, low = (margin - effect) / se - t * u, t * u - (margin + effect) / se
        density = stats.chi.pdf(u * math.sqrt(df), df) * math.sqrt(df)
        return float(max(stats.norm.cdf(high) - stats.norm.cdf(low), 0) * density)

    top = margin / (t * se) if t > 0 else math.inf
    ends = max(0.0, 1 - 9 / math.sqrt(2 * df)), min(top, 1 + 9 / math.sqrt(2 * df))
    expected = integrate.quad(inside, *ends, limit=400)[0] if ends[0] < ends[1] else 0.0
    found = planning.equivalence(margin, se, df, alpha, effect)
    assert found == pytest.approx(expected, abs=1e-6)


def test_seeds_that_show_negligible_are_the_fewest() -> None:
    assumed = Assumed(1.3, margin=1.0)
    seeds = planning.seeds_for_negligible(CUBE["averaged"], assumed)
    assert seeds == 30
    chances = [planning.negligible(CUBE["averaged"], n, assumed) or 0 for n in (29, 30)]
    assert chances[0] < 0.8 <= chances[1]


def test_one_seed_sees_nothing_and_no_margin_shows_nothing() -> None:
    main = CUBE["main"]
    assert planning.smallest(main, 1, Assumed(1.3)) is None
    assert planning.smallest_by_welch(main, 1, Assumed(1.3)) is None
    assert planning.negligible(main, 1, Assumed(1.3, margin=1.0)) is None
    assert planning.negligible(main, 3, Assumed(1.3)) is None
    assert planning.seeds_for_negligible(main, Assumed(1.3)) is None


def test_more_seeds_than_a_hundred_thousand_are_no_answer() -> None:
    assert planning.seeds_for(planning.TWO, 1.0, Assumed(70.0)) is not None
    assert planning.seeds_for(planning.TWO, 1.0, Assumed(1000.0)) is None


def test_welch_has_the_degrees_of_freedom_of_the_cells_compared() -> None:
    # Alone: two cells of three runs, df 4; three-way: all eight, df 16.
    assumed = Assumed(1.0)
    alone = planning.smallest_by_welch(CUBE["alone"], 3, assumed)
    assert alone == pytest.approx(planning.detectable(4) * math.sqrt(2 / 3))
    three = planning.smallest_by_welch(CUBE["moebius"], 3, assumed)
    assert three == pytest.approx(planning.smallest(CUBE["moebius"], 3, assumed) or 0)


def test_blocking_shrinks_the_error_and_leaves_the_seeds_as_degrees_of_freedom() -> None:
    se, df = planning.error(CUBE["main"], 5, Assumed(1.0, blocked=0.36))
    assert (se, df) == (pytest.approx(0.8 * math.sqrt(0.5 / 5)), 4)
    assert planning.smallest_by_welch(CUBE["main"], 5, Assumed(1.0, blocked=0.36)) is None


def _about(modules: Sequence[str], *corners: Sequence[str]) -> dict[str, tuple[float, object]]:
    questions = of_grid(tuple(modules), [frozenset(c) for c in corners])
    return {q.asks: (q.spread, q.about) for q in questions}


def test_incomplete_designs_answer_what_their_cells_allow() -> None:
    assert _about("abc", "", "a", "b", "c") == {"alone": (2, ())}
    assert _about("abc", "abc", "ab", "ac", "bc") == {"last": (2, ())}
    assert _about("abc", "", "a", "b", "c", "ab", "ac", "bc") == {
        "alone": (2, ()),
        "context": (2, ()),
        "off": (4, ()),
    }
    assert _about("abc", "", "a", "ab", "abc") == {
        "alone": (2, (("a",),)),
        "last": (2, (("c",),)),
        "context": (2, (("b",),)),
    }
    assert _about("abc", "") == {}


def test_small_grids_ask_no_question_twice() -> None:
    assert list(_about("a", "", "a")) == ["alone"]
    assert list(_about("ab", "", "a", "b", "ab")) == ["main", "averaged", "alone", "last"]


def test_the_line_of_three_even_levels_is_the_difference_of_its_ends() -> None:
    level, line = planning.of_sweep("beta", [0.2, 0.4, 0.6], 10)
    assert (level.asks, level.spread, level.cells) == ("level", 2, 10)
    assert (line.asks, line.cells) == ("linear", 10)
    assert line.spread == pytest.approx(2)
    uneven = planning.of_sweep("keep", [0.5, 0.7, 0.8], 3)[1]
    # range 0.3, sum of squares about the mean 0.14 / 3
    assert uneven.spread == pytest.approx(0.09 / (0.14 / 3))


@pytest.mark.parametrize("levels", [[1, 2], [1, 1, 2], ["a", "b", "c"], [True, False]])
def test_two_levels_or_names_have_no_line(levels: list[int | str | bool]) -> None:
    assert [q.asks for q in planning.of_sweep("x", levels, 4)] == ["level"]


def test_a_grid_of_ten_modules_is_quick_and_right() -> None:
    modules = tuple("abcdefghij")
    found = {q.asks: q for q in of_grid(modules, tuple(subsets(modules)))}
    assert found["main"] == Question(
        "main", pytest.approx(4 / 1024), pytest.approx(16 / 1024**3), 1024
    )
    assert found["averaged"].spread == pytest.approx(16 / 1024)
