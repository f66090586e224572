"""Intervals, p values and Shapley values against programs that nobody here wrote."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ablate.analysis.contrast import Rules, Sample, contrasts, noise
from ablate.analysis.effects import (
    Corner,
    Grid,
    Term,
    averaged,
    departure,
    main,
    moebius,
    shapley,
    subsets,
)
from ablate.analysis.power import detectable, power
from ablate.analysis.verdict import holm

HERE = Path(__file__).parent / "reference"
CASE = json.loads((HERE / "stats-reference-case.json").read_text())
MEANS = {
    "": 76.3,
    "S": 77.6,
    "D": 80.1,
    "L": 77.2,
    "SL": 74.6,
    "SD": 78.0,
    "DL": 75.1,
    "SDL": 78.8,
}
REFERENCE = Grid(
    ("S", "D", "L"),
    {frozenset(c): list(enumerate((m - 1.3, m, m + 1.3))) for c, m in MEANS.items()},
)


def random_grid(k: int, seed: int, *, balanced: bool, least: int = 2) -> Grid:
    rng = np.random.default_rng([seed, k])
    modules = tuple("abcde"[:k])
    samples = {}
    for corner in subsets(modules):
        runs = 3 if balanced else int(rng.integers(least, 7))
        samples[corner] = list(enumerate(rng.normal(rng.normal(), 0.5, runs).tolist()))
    return Grid(modules, samples)


def term_of(name: str) -> Term:
    kind, modules = name.split(" ")
    return {
        "moebius": lambda: moebius(modules),
        "three-way": lambda: moebius(modules),
        "averaged": lambda: averaged(modules, REFERENCE),
        "main": lambda: main(modules, REFERENCE),
        "additive": lambda: departure(modules),
    }[kind]()


@pytest.mark.parametrize("name", [k for k in CASE if isinstance(CASE[k], dict)])
def test_the_reference_case_to_1e_4(name: str) -> None:
    told = CASE[name]
    term = term_of(name.replace("additive residual", "additive"))
    (answer,) = REFERENCE.answers([term], Rules(pool=True))
    effect = answer.effect
    assert effect.df == CASE["df"]
    assert effect.estimate == pytest.approx(told["est"], abs=1e-4)
    assert effect.se == pytest.approx(told["se"], abs=1e-4)
    assert (effect.interval.low, effect.interval.high) == pytest.approx(told["ci"], abs=1e-4)
    assert effect.p == pytest.approx(told["p"], abs=1e-9)


def test_the_reference_cases_noise() -> None:
    found = REFERENCE.noise()
    assert found.sd == pytest.approx(CASE["sigma_hat"], abs=1e-9)
    assert found.df == CASE["df"]


def test_a_noise_has_the_chi_square_interval_of_its_pooled_variance() -> None:
    rng = np.random.default_rng(3)
    runs = [rng.normal(size=n) for n in (3, 5, 1, 2)]
    found = noise([list(enumerate(r.tolist())) for r in runs])
    df = 2 + 4 + 1
    variance = sum((r.size - 1) * r.var(ddof=1) for r in runs if r.size > 1) / df
    assert found.df == df
    assert found.sd == pytest.approx(variance**0.5)
    ends = [(df * variance / stats.chi2.ppf(p, df)) ** 0.5 for p in (0.975, 0.025)]
    assert [found.interval.low, found.interval.high] == pytest.approx(ends)
    assert found.least_difference(3, 4, 0.01) == pytest.approx(
        stats.t.ppf(0.995, df) * found.sd * (1 / 3 + 1 / 4) ** 0.5
    )


def terms(grid: Grid) -> list[Term]:
    pairs = list(combinations(grid.modules, 2))
    return [
        *(main(m, grid) for m in grid.modules),
        *(shapley(m, grid) for m in grid.modules),
        *(averaged(of, grid) for of in pairs),
        *(moebius(of) for of in subsets(grid.modules, 2)),
        departure(grid.modules),
    ]


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_pooled_contrasts_are_those_of_least_squares(k: int, *, balanced: bool) -> None:
    api = pytest.importorskip("statsmodels.api")
    grid = random_grid(k, 1, balanced=balanced)
    corners = list(grid.samples)
    y = [v for c in corners for _, v in grid.samples[c]]
    own = [i for i, c in enumerate(corners) for _ in grid.samples[c]]
    fit = api.OLS(np.array(y), np.eye(len(corners))[own]).fit()
    asked = terms(grid)
    weights = np.array([[t.weights.get(c, 0.0) for c in corners] for t in asked])
    told = fit.t_test(weights)
    ends = told.conf_int(0.1)
    for i, answer in enumerate(grid.answers(asked, Rules(alpha=0.1, pool=True))):
        effect = answer.effect
        assert effect.estimate == pytest.approx(told.effect[i], abs=1e-10)
        assert effect.se == pytest.approx(np.ravel(told.sd)[i], rel=1e-9)
        assert effect.df == fit.df_resid
        assert effect.p == pytest.approx(np.ravel(told.pvalue)[i], rel=1e-6, abs=1e-12)
        assert (effect.interval.low, effect.interval.high) == pytest.approx(tuple(ends[i]))


@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_main_effects_and_interactions_are_the_coefficients_of_plus_minus_one_coding(
    k: int,
) -> None:
    api = pytest.importorskip("statsmodels.api")
    grid = random_grid(k, 2, balanced=True)
    every = list(subsets(grid.modules))
    rows, y = [], []
    for corner, sample in grid.samples.items():
        signs = [np.prod([1 if m in corner else -1 for m in of]) for of in every]
        rows += [signs] * len(sample)
        y += [v for _, v in sample]
    fit = api.OLS(np.array(y), np.array(rows)).fit()
    asked = [averaged(tuple(of), grid) for of in every if of]
    for at, answer in enumerate(grid.answers(asked, Rules(pool=True)), start=1):
        scale = 2 ** len(every[at])
        assert answer.effect.estimate == pytest.approx(scale * fit.params[at], abs=1e-10)
        assert answer.effect.se == pytest.approx(scale * fit.bse[at], rel=1e-9)
        assert answer.effect.p == pytest.approx(fit.pvalues[at], rel=1e-6)


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_shapley_values_are_those_of_shapiq(k: int, *, balanced: bool) -> None:
    shapiq = pytest.importorskip("shapiq")
    grid = random_grid(k, 3, balanced=balanced)
    exact = shapiq.ExactComputer(game=game(grid), n_players=k)
    values = exact("SV", order=1)
    answers = grid.answers([shapley(m, grid) for m in grid.modules], Rules())
    for i, answer in enumerate(answers):
        assert answer.effect.estimate == pytest.approx(values[(i,)], abs=1e-10)


def test_with_three_modules_an_averaged_interaction_is_the_shapley_interaction_index() -> None:
    shapiq = pytest.importorskip("shapiq")
    grid = random_grid(3, 4, balanced=False)
    index = shapiq.ExactComputer(game=game(grid), n_players=3)("SII", order=2)
    for pair in combinations(range(3), 2):
        (answer,) = grid.answers([averaged([grid.modules[i] for i in pair], grid)], Rules())
        assert answer.effect.estimate == pytest.approx(index[pair], abs=1e-10)


def game(grid: Grid):  # noqa: ANN201 - a function of the oracle's arrays
    def mean(corner: Corner) -> float:
        return sum(v for _, v in grid.samples[corner]) / len(grid.samples[corner])

    def value(coalitions: np.ndarray) -> np.ndarray:
        return np.array(
            [
                mean(frozenset(m for m, on in zip(grid.modules, row, strict=True) if on))
                for row in coalitions
            ]
        )

    return value


@pytest.mark.parametrize("size", [1, 2, 3, 7, 40])
def test_holms_p_values_are_those_of_statsmodels(size: int) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    rng = np.random.default_rng(size)
    p = np.concatenate([rng.random(size) ** 3, [0.04, 0.04]])
    expected = multitest.multipletests(p, method="holm")[1]
    assert holm(p) == pytest.approx(expected)
    assert holm(np.stack([p, p[::-1]]))[1] == pytest.approx(expected[::-1])


def runs(values: np.ndarray, first: int = 0) -> Sample:
    return list(enumerate(values.tolist(), start=first))


@pytest.mark.parametrize(("a", "b"), [(3, 3), (3, 9), (20, 4)])
@pytest.mark.parametrize("pool", [True, False])
def test_two_cells_are_compared_as_by_scipy(a: int, b: int, *, pool: bool) -> None:
    rng = np.random.default_rng([a, b])
    x, y = rng.normal(0, 1, a), rng.normal(1, 3, b)
    told = stats.ttest_ind(y, x, equal_var=pool)
    ends = told.confidence_interval(0.99)
    (effect,) = contrasts([[-1, 1]], [runs(x), runs(y)], Rules(alpha=0.01, pool=pool))
    assert effect.method == ("pooled" if pool else "welch")
    assert effect.p == pytest.approx(told.pvalue)
    assert effect.df == pytest.approx(told.df)
    assert (effect.interval.low, effect.interval.high) == pytest.approx((ends.low, ends.high))


def test_two_cells_are_blocked_as_by_scipys_paired_test_over_the_seeds_they_share() -> None:
    rng = np.random.default_rng(9)
    shared = rng.normal(size=8)
    x, y = shared + rng.normal(size=8) / 4, shared + 1 + rng.normal(size=8) / 4
    told = stats.ttest_rel(y[2:6], x[2:6])
    ends = told.confidence_interval(0.95)
    a, b = runs(x[:6]), list(reversed(runs(y[2:], 2)))
    (effect,) = contrasts([[-1, 1]], [a, b], Rules(paired=True))
    assert (effect.method, effect.df, effect.runs) == ("blocked", 3, 8)
    assert effect.estimate == pytest.approx((y - x)[2:6].mean())
    assert effect.p == pytest.approx(told.pvalue)
    assert (effect.interval.low, effect.interval.high) == pytest.approx((ends.low, ends.high))


@pytest.mark.parametrize("df", [1, 2, 2.7, 16, 1000])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_power_and_the_smallest_effect_are_those_of_scipys_noncentral_t(
    df: float, alpha: float
) -> None:
    critical = stats.t.isf(alpha / 2, df)
    for effect in (0.5, 3.0, -3.0):
        told = stats.nct.sf(critical, df, abs(effect) / 0.7)
        assert power(effect, 0.7, df, alpha) == pytest.approx(told, abs=1e-7)
    for chance in (0.5, 0.8, 0.95):
        at = detectable(df, alpha, chance)
        assert stats.nct.sf(critical, df, at) == pytest.approx(chance, abs=1e-5)


@pytest.mark.parametrize("df", [1, 2, 3])
def test_power_at_extreme_error_rates_joins_the_ordinary_one(df: float) -> None:
    # Where the critical value is 1,000 standard errors the normal part is 1e-6 of the power.
    alpha = 2 * stats.t.sf(999.0, df)
    below, above = detectable(df, alpha * 1.01), detectable(df, alpha * 0.99)
    assert below < above < 1.03 * below
    assert 0 < detectable(df, 1e-12) < float("inf")
    assert power(1e9, 1.0, df, 0.05) == 1.0
