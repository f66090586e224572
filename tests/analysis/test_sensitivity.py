"""Weights of trends against polynomial fits; the best of k against tables and simulation."""

import numpy as np
import pytest
from scipy import stats

from ablate.analysis.contrast import contrasts
from ablate.analysis.sensitivity import (
    curvature,
    edge_of,
    expected_best,
    opposed,
    positions,
    scale_of,
    slope,
    twist,
)

SPACINGS = [
    [0.2, 0.4, 0.6],
    [0.5, 0.7, 0.8],
    [1.0, 2.0, 3.0, 10.0],
    [1e-5, 3e-4, 1e-3],
    [-4.0, 0.0, 1.0, 2.5, 100.0],
]


@pytest.mark.parametrize("levels", SPACINGS)
def test_the_weights_give_the_coefficients_of_a_polynomial_fit_of_the_means(
    levels: list[float],
) -> None:
    x = np.array(levels)
    for means in np.random.default_rng(0).normal(size=(20, len(levels))):
        line, parabola = np.polyfit(x, means, 1), np.polyfit(x, means, 2)
        assert slope(x) @ means == pytest.approx(line[0], rel=1e-6)
        assert curvature(x) @ means == pytest.approx(parabola[0], rel=1e-6)


def test_with_as_many_runs_at_every_level_the_slope_is_that_of_all_runs() -> None:
    levels = np.array([0.5, 0.7, 0.8])
    runs = np.random.default_rng(1).normal(size=(3, 4))
    samples = [list(enumerate(map(float, of))) for of in runs]
    found = contrasts([slope(levels)], samples)[0]
    fit = stats.linregress(np.repeat(levels, 4), runs.ravel())
    assert found.estimate == pytest.approx(fit.slope)


def test_the_standard_error_of_a_slope_is_that_of_hand_arithmetic() -> None:
    # Levels 1, 2, 3: weights -1/2, 0, 1/2. Variances of both ends 1, n = 3: se^2 = 2 / 4 / 3.
    samples = [[(0, 4.0), (1, 5.0), (2, 6.0)], [(0, 9.0)], [(0, 6.0), (1, 7.0), (2, 8.0)]]
    found = contrasts([slope(np.array([1.0, 2.0, 3.0]))], samples)[0]
    assert found.estimate == pytest.approx(1.0)
    assert found.se == pytest.approx((1 / 6) ** 0.5)
    # The middle level has no weight: its single run neither counts nor asks for pooling.
    assert (found.method, found.runs, found.df) == ("welch", 6, pytest.approx(4.0))


def test_a_middle_level_of_uneven_decimals_has_no_weight_left_by_rounding() -> None:
    assert slope(np.array([0.2, 0.4, 0.6]))[1] == 0
    assert curvature(np.array([0.0, 1.0, 2.0, 3.0])).sum() == pytest.approx(0, abs=1e-12)


def test_the_interaction_is_the_coefficient_of_the_product() -> None:
    x, y = np.array([0.0, 1.0, 4.0]), np.array([1.0, 2.0])
    grid = 3 + 2 * x[:, None] - 5 * y + 0.7 * x[:, None] * y + x[:, None] ** 2
    assert (twist(x, y) * grid).sum() == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("levels", "scale"),
    [
        ([0.2, 0.4, 0.6], "linear"),
        ([0.5, 0.7, 0.8], "linear"),
        ([1.0, 2.0, 4.0], "linear"),
        ([1e-4, 1e-3, 1e-2], "log10"),
        ([1.0, 3.0, 10.0, 30.0], "log10"),
        ([3e-4, 1e-3, 3e-3], "log10"),
        ([3e-3, 1e-2, 3e-2], "log10"),
        ([1e-4, 2e-4, 4e-4, 8e-4], "log10"),
        ([10.0, 20.0, 50.0], "log10"),
        ([1.0, 3.4, 8.0], "log10"),
        ([1.0, 2.0, 3.0], "linear"),
        ([0.1, 0.2, 0.4], "linear"),
        ([0.04, 0.09, 0.19], "linear"),
        ([0.7, 0.8, 1.1], "linear"),
        ([90.0, 100.0, 130.0], "linear"),
        ([1.0, 2.0, 4.0, 6.0, 8.0], "linear"),
        ([1e-3, 1e-2], "linear"),
        ([0.0, 1.0, 10.0], "linear"),
        ([-1.0, 1.0, 10.0], "linear"),
        ([1.0, 10.0, 11.0], "linear"),
    ],
)
def test_levels_spaced_by_ratios_are_taken_as_logarithms(levels: list[float], scale: str) -> None:
    assert scale_of(levels) == scale


def test_logarithms_are_decimal() -> None:
    assert positions([1e-3, 1e-2, 1.0], "log10") == pytest.approx([-3, -2, 0])


@pytest.mark.parametrize(
    ("k", "value"), [(1, 0.0), (2, 0.5642), (3, 0.8463), (5, 1.1630), (10, 1.5388), (100, 2.5076)]
)
def test_the_expected_best_is_that_of_tables_of_normal_order_statistics(
    k: int, value: float
) -> None:
    # Harter (1961), Biometrika 48, table 1.
    assert expected_best(k) == pytest.approx(value, abs=5e-5)


def test_opposed_pairs_are_those_that_kendall_counts_against() -> None:
    assert opposed([79.3, 78.8, 76.9], [74.6, 74.7, 75.5]) == (3, 3)
    assert opposed([1.0, 2.0, 3.0], [1.0, 1.0, 2.0]) == (0, 2)
    rng = np.random.default_rng(2)
    for a, b in rng.normal(size=(20, 2, 7)):
        against, pairs = opposed(list(a), list(b))
        assert (pairs - 2 * against) / pairs == pytest.approx(stats.kendalltau(a, b).statistic)


def test_the_best_at_an_end_is_named_unless_two_levels_tie_or_two_are_all() -> None:
    levels = [0.5, 0.7, 0.8]
    assert edge_of(levels, [0.8]) == "largest"
    assert edge_of(levels, [0.5]) == "smallest"
    assert edge_of(levels, [0.7]) is None
    assert edge_of(levels, [0.5, 0.8]) is None
    assert edge_of([1.0, 2.0], [2.0]) is None
