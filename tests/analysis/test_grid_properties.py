"""What must hold of every grid, on grids drawn at random; and groups, twins and blocks by hand."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from ablate.analysis.contrast import Effect, Rules, Sample, contrasts, noise
from ablate.analysis.effects import (
    Corner,
    Grid,
    Term,
    alone,
    averaged,
    context,
    departure,
    last,
    main,
    moebius,
    others_off,
    others_on,
    parts,
    shapley,
    subsets,
)
from ablate.analysis.verdict import judge

RULES = (Rules(), Rules(pool=True), Rules(paired=True))
OFF: Corner = frozenset()
A, B, AB = frozenset("a"), frozenset("b"), frozenset("ab")


def drawn(seed: int, k: int | None = None, *, scale: float = 1.0) -> Grid:
    rng = np.random.default_rng(seed)
    modules = tuple("abcde"[: k or int(rng.integers(2, 6))])
    samples = {
        corner: [(int(s), float(scale * rng.normal())) for s in rng.permutation(6)[:n]]
        for corner in subsets(modules)
        for n in [int(rng.integers(3, 7))]
    }
    return Grid(modules, samples)


def every(grid: Grid) -> list[Term]:
    modules = grid.modules
    singles = (
        t for m in modules for t in (main(m, grid), alone(m), last(m, modules), shapley(m, grid))
    )
    pairs = (
        t
        for p in combinations(modules, 2)
        for t in (averaged(p, grid), others_off(p), others_on(p, modules), departure(p))
    )
    return [*singles, *pairs, departure(modules), moebius(modules)]


def effects(grid: Grid, terms: list[Term], rules: Rules = RULES[0]) -> list[Effect]:
    return [a.effect for a in grid.answers(terms, rules)]


def value(grid: Grid, term: Term) -> float:
    return effects(grid, [term])[0].estimate


def numbers(effect: Effect) -> list[float]:
    return [effect.estimate, effect.se, effect.df, effect.p, *_ends(effect)]


def _ends(effect: Effect) -> tuple[float, float]:
    return effect.interval.low, effect.interval.high


@pytest.mark.parametrize("seed", range(8))
def test_shapley_values_add_up_to_full_minus_baseline(seed: int) -> None:
    grid = drawn(seed)
    total = sum(value(grid, shapley(m, grid)) for m in grid.modules)
    ends = Term("context", grid.modules, {frozenset(grid.modules): 1.0, OFF: -1.0})
    assert total == pytest.approx(value(grid, ends), abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_a_departure_is_the_sum_of_its_parts(seed: int) -> None:
    grid = drawn(seed)
    for of in subsets(grid.modules, 2):
        modules = tuple(sorted(of))
        told = sum(value(grid, t) for t in parts(modules))
        assert value(grid, departure(modules)) == pytest.approx(told, abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_a_main_effect_is_the_mean_of_its_contexts_and_an_interaction_theirs(seed: int) -> None:
    grid = drawn(seed)
    a, b, *rest = grid.modules
    pairs = [value(grid, context(a, others)) for others in subsets([b, *rest])]
    assert value(grid, main(a, grid)) == pytest.approx(np.mean(pairs), abs=1e-12)
    double = [
        value(grid, context(a, others | {b})) - value(grid, context(a, others))
        for others in subsets(rest)
    ]
    assert value(grid, averaged((a, b), grid)) == pytest.approx(np.mean(double), abs=1e-12)


@pytest.mark.parametrize("rules", RULES, ids=("welch", "pooled", "blocked"))
@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_runs_and_cells_is_nothing(seed: int, rules: Rules) -> None:
    grid, rng = drawn(seed), np.random.default_rng(seed)
    keys = [list(grid.samples)[i] for i in rng.permutation(len(grid.samples))]
    mixed = {c: [grid.samples[c][i] for i in rng.permutation(len(grid.samples[c]))] for c in keys}
    terms = every(grid)
    for one, two in zip(
        effects(grid, terms, rules),
        effects(Grid(grid.modules, mixed), terms, rules),
        strict=True,
    ):
        assert (one.method, one.runs) == (two.method, two.runs)
        if one.interval:
            assert numbers(one) == pytest.approx(numbers(two), rel=1e-9, abs=1e-9)


def test_unpaired_the_numbers_of_the_seeds_are_nothing_and_blocked_they_are() -> None:
    grid, rng = drawn(1, 3), np.random.default_rng(0)
    other = {
        c: [(int(s), v) for s, (_, v) in zip(rng.permutation(6), runs, strict=False)]
        for c, runs in grid.samples.items()
    }
    terms, renamed = every(grid), Grid(grid.modules, other)
    assert effects(grid, terms) == effects(renamed, terms)
    assert effects(grid, terms, RULES[2]) != effects(renamed, terms, RULES[2])


@pytest.mark.parametrize("rules", RULES, ids=("welch", "pooled", "blocked"))
@pytest.mark.parametrize("scale", [-3.0, 0.01, 1e-80, 1e120])
def test_scores_in_another_unit_give_the_same_in_that_unit(scale: float, rules: Rules) -> None:
    one, other = drawn(5, 3), drawn(5, 3, scale=scale)
    terms = every(one)
    for a, b in zip(effects(one, terms, rules), effects(other, terms, rules), strict=True):
        assert b.method == a.method
        assert b.estimate == pytest.approx(scale * a.estimate, rel=1e-9, abs=1e-12 * abs(scale))
        if a.interval:
            assert b.se == pytest.approx(abs(scale) * a.se)
            assert (b.df, b.p) == pytest.approx((a.df, a.p))
            assert sorted(x / scale for x in _ends(b)) == pytest.approx(_ends(a), rel=1e-6)


def cell(*values: float, first: int = 0) -> Sample:
    return list(enumerate(values, first))


BASE, ON = cell(1.0, 2.0, 4.0), cell(7.0, 9.0, 8.0)


def two(on: Sample, *, inert: bool) -> Grid:
    samples = {OFF: BASE, A: on, B: ON, AB: cell(3.0, 6.0, 6.5)}
    return Grid(("a", "b"), samples, {A: A} if inert else {})


def test_replicates_of_one_function_have_one_mean_and_one_variance() -> None:
    grid = two(cell(1.5, 2.5, 6.0), inert=True)
    (effect,) = effects(grid, [main("b", grid)])
    six = np.var([1.0, 2.0, 4.0, 1.5, 2.5, 6.0], ddof=1)
    parts_of = [six * 2 / 12, np.var([7.0, 9, 8], ddof=1) / 12, np.var([3, 6, 6.5], ddof=1) / 12]
    assert effect.estimate == pytest.approx((8 + 15.5 / 3 - 7 / 3 - 10 / 3) / 2)
    assert effect.se == pytest.approx(sum(parts_of) ** 0.5)
    free = sum(v**2 / n for v, n in zip(parts_of, (5, 2, 2), strict=True))
    assert effect.df == pytest.approx(sum(parts_of) ** 2 / free)
    assert grid.noise().df == 5 + 2 + 2


def test_a_training_done_twice_is_one_run() -> None:
    grid = two(list(reversed(BASE)), inert=True)
    (effect,) = effects(grid, [main("b", grid)])
    same, on, both = (np.var(v, ddof=1) for v in ([1.0, 2, 4], [7.0, 9, 8], [3, 6, 6.5]))
    # The shared three runs weigh one half twice: w = 1 of one mean, not 1/2 of two.
    assert effect.se == pytest.approx((same / 3 + on / 12 + both / 12) ** 0.5)
    assert effect.runs == 9
    assert grid.noise().df == 6
    assert len(grid.distinct()) == 3
    (none,) = effects(grid, [alone("a")])
    assert (none.estimate, none.interval) == (0.0, None)


def test_a_twin_with_more_seeds_keeps_its_own_mean() -> None:
    grid = two([*BASE, (3, 5.0)], inert=True)
    first, second = effects(grid, [main("b", grid), context("b", A)])
    four = np.var([1.0, 2, 4, 5], ddof=1)
    on, both = np.var([7.0, 9, 8], ddof=1), np.var([3, 6, 6.5], ddof=1)
    # Weights of single runs: -1/2/3 - 1/2/4 three times, -1/2/4 once.
    load = 3 * (1 / 6 + 1 / 8) ** 2 + (1 / 8) ** 2
    assert first.se == pytest.approx((four * load + on / 12 + both / 12) ** 0.5)
    assert first.estimate == pytest.approx((8 + 15.5 / 3 - 7 / 3 - 3) / 2)
    assert first.runs == 10
    assert second.estimate == pytest.approx(15.5 / 3 - 3)


def test_equal_runs_of_two_functions_are_runs_of_their_own() -> None:
    grid = two(list(BASE), inert=False)
    (effect,) = effects(grid, [alone("a")])
    assert effect.estimate == 0
    assert effect.se == pytest.approx((2 * np.var([1.0, 2, 4], ddof=1) / 3) ** 0.5)


def test_cells_that_agree_at_one_seed_only_by_chance_stay_replicates() -> None:
    grid = two(cell(1.0, 2.5, 6.0), inert=True)
    assert grid.noise().df == 5 + 2 + 2


def test_a_third_cell_may_join_two_that_share_no_seed() -> None:
    samples = [cell(1.0), cell(5.0, first=1), [(0, 1.0), (1, 5.0)]]
    found = noise(samples, groups=["f"] * 3)
    assert (found.df, found.sd) == (1, pytest.approx(8**0.5))
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        (effect,) = contrasts([[1, 1, 1]], [samples[i] for i in order], groups=["f"] * 3)
        assert effect.runs == 2
        # Each run: 1 of its own cell and 1/2 of the shared one.
        assert effect.se == pytest.approx((2 * 1.5**2 * 8) ** 0.5)


def test_blocked_and_twins_count_a_run_once() -> None:
    grid = two(list(BASE), inert=True)
    (effect,) = effects(grid, [main("b", grid)], Rules(paired=True))
    each = [(7 + 3) / 2 - 1.0, (9 + 6) / 2 - 2, (8 + 6.5) / 2 - 4]
    told = stats.ttest_1samp(each, 0)
    assert (effect.method, effect.runs, effect.df) == ("blocked", 9, 2)
    assert effect.p == pytest.approx(told.pvalue)


def test_a_grid_is_blocked_over_the_seeds_that_all_its_cells_have() -> None:
    grid = drawn(15, 2)
    shared = set.intersection(*(set(dict(s)) for s in grid.samples.values()))
    assert 2 <= len(shared) < 6
    (effect,) = effects(grid, [averaged("ab", grid)], Rules(paired=True))
    y = {c: dict(s) for c, s in grid.samples.items()}
    each = [y[AB][s] - y[A][s] - y[B][s] + y[OFF][s] for s in shared]
    told = stats.ttest_1samp(each, 0)
    assert (effect.df, effect.runs) == (len(shared) - 1, 4 * len(shared))
    assert (effect.estimate, effect.p) == pytest.approx((np.mean(each), told.pvalue))


def test_one_shared_seed_cannot_block() -> None:
    a, b = cell(1.0, 2.0, 4.0), cell(5.0, 9.0, 2.0, first=2)
    blocked, plain = (contrasts([[-1, 1]], [a, b], Rules(paired=p))[0] for p in (True, False))
    assert blocked == plain
    assert blocked.method == "welch"


@pytest.mark.parametrize("rules", RULES, ids=("welch", "pooled", "blocked"))
def test_rounding_is_not_a_spread(rules: Rules) -> None:
    # The mean of three 0.1 is not 0.1 in floating point; nor are 0.3 - 0.2 and 0.2 - 0.1 equal.
    same = contrasts([[-1, 1]], [cell(0.1, 0.1, 0.1), cell(0.7, 0.7, 0.7)], rules)
    assert [e.interval for e in same] == [None]
    assert judge(same, rules)[0].verdict is None
    assert noise([cell(0.1, 0.1, 0.1)]) is None


def test_blocked_differences_that_are_equal_but_for_rounding_have_no_interval() -> None:
    a, b = cell(0.1, 0.2, 0.3), cell(0.2, 0.3, 0.4)
    (effect,) = contrasts([[-1, 1]], [a, b], Rules(paired=True))
    assert effect.estimate == pytest.approx(0.1)
    assert effect.interval is None


def test_where_only_some_cells_vary_the_others_add_nothing() -> None:
    (effect,) = contrasts([[-1, 1]], [cell(1.0, 1.0, 1.0), cell(2.0, 5.0, 8.0)])
    assert (effect.method, effect.df) == ("welch", pytest.approx(2))
    assert effect.se == pytest.approx(3 / 3**0.5)


def test_a_cell_of_two_runs_makes_only_the_terms_that_use_it_pooled() -> None:
    grid = drawn(15, 2)
    samples = dict(grid.samples) | {A: cell(1.0, 2.0)}
    grid = Grid(("a", "b"), samples)
    found = effects(grid, [alone("a"), alone("b"), main("a", grid)])
    assert [e.method for e in found] == ["pooled", "welch", "pooled"]
    assert found[0].df == sum(len(s) - 1 for s in samples.values())


def test_the_error_rate_of_the_study_is_that_of_its_intervals() -> None:
    a, b = cell(1.0, 2.0, 4.0, 3.0), cell(5.0, 9.0, 2.0)
    for alpha in (1e-20, 0.001, 0.3):
        (effect,) = contrasts([[-1, 1]], [a, b], Rules(alpha=alpha))
        half = stats.t.isf(alpha / 2, effect.df) * effect.se
        low, high = _ends(effect)
        assert high - low == pytest.approx(2 * half, rel=1e-6)
        assert (effect.p < alpha) == effect.interval.excludes_zero


def test_nothing_is_ever_not_a_number() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        k, spread = int(rng.integers(1, 4)), 10.0 ** rng.integers(-12, 12)
        modules = tuple("abc"[:k])
        samples = {
            c: [(s, 0.5 + spread * round(rng.normal(), 1)) for s in range(int(rng.integers(1, 5)))]
            for c in subsets(modules)
        }
        inert = {c: c for c in subsets(modules[:1], 1) if rng.random() < 0.3}
        grid = Grid(modules, samples, inert)
        rules = Rules(margin=spread, paired=bool(rng.integers(2)))
        found = effects(grid, [*map(alone, modules), *(main(m, grid) for m in modules)], rules)
        for effect, told in zip(found, judge(found, rules), strict=True):
            assert (effect.interval is None) == (told.verdict is None)
            if effect.interval:
                assert np.isfinite([*numbers(effect), told.p_holm, told.smallest]).all()
                assert effect.se > 0
                assert effect.df >= 1 - 1e-9
