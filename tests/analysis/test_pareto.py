"""Fronts against brute force; costs in exact arithmetic."""

import numpy as np
import pytest
from scipy import stats

from ablate.analysis.effects import departure, moebius
from ablate.analysis.pareto import apart, dominators, exact, per_unit


def dominates(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return a[0] <= b[0] and a[1] >= b[1] and a != b


@pytest.mark.parametrize("seed", range(40))
def test_the_front_is_that_of_comparing_every_pair(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Few different values, so that most points tie in cost, in score or in both.
    costs, scores = rng.integers(0, rng.integers(2, 30), size=(2, 60)).astype(float)
    points = list(zip(costs.tolist(), scores.tolist(), strict=True))
    found = dominators(costs, scores)
    for i, (point, by) in enumerate(zip(points, found, strict=True)):
        over = [j for j, other in enumerate(points) if dominates(other, point)]
        assert (by is None) == (not over)
        if by is not None:
            best = min(over, key=lambda j: (-points[j][1], points[j][0], j))
            assert by == best, (i, point)
            assert found[by] is None


def test_points_alike_in_both_do_not_dominate_each_other() -> None:
    assert dominators(np.array([1.0, 1.0]), np.array([2.0, 2.0])) == [None, None]


def test_the_dearer_of_two_equal_scores_and_the_worse_of_two_equal_costs_are_dominated() -> None:
    assert dominators(np.array([2.0, 1.0, 1.0]), np.array([5.0, 5.0, 4.0])) == [1, None, 1]


def test_no_points_have_no_front() -> None:
    assert dominators(np.array([]), np.array([])) == []


BASE, S, D, SD = frozenset(), frozenset("S"), frozenset("D"), frozenset("SD")


def test_seed_000s_operations_of_sacr_and_sdtps_are_3_22_more_than_they_add_up_to() -> None:
    mega = {BASE: 34_280.0, S: 34_280.0, D: 34_330.0, SD: 37_550.0}
    assert exact(departure(("S", "D")), mega) == 3_220.0
    assert exact(moebius(("S", "D")), mega) == 3_220.0


def test_whole_numbers_add_up_to_the_last_digit_beyond_what_floats_sum() -> None:
    big = float(2**53)
    costs = {BASE: 1.0, S: big, D: big, SD: big + 2}
    # big + 2 - big - big + 1: a float sum of 2 big + 1 would lose the 1.
    assert exact(departure(("S", "D")), costs) == -(2**53) + 3


def test_a_missing_cost_leaves_a_sum_undefined() -> None:
    assert exact(departure(("S", "D")), {BASE: 1.0, S: 1.0, SD: 1.0}) is None


@pytest.mark.parametrize(
    ("gain", "spent", "value"), [(3.8, 0.63, 6.03), (0.9, 0.17, 5.29), (1.3, 8.39, 0.155)]
)
def test_points_per_million_parameters_are_the_audits(
    gain: float, spent: float, value: float
) -> None:
    assert per_unit(gain, spent * 1e6, 1e6) == pytest.approx(value, rel=5e-3)


def test_a_gain_per_cost_keeps_its_sign_and_needs_a_cost() -> None:
    assert per_unit(-1.0, 2.0, 1.0) == -0.5
    assert per_unit(1.0, -2.0, 1.0) == -0.5
    assert per_unit(1.0, 0.0, 1.0) is None


def test_costs_are_told_apart_by_the_analysis_of_variance_of_their_runs() -> None:
    runs = [[5.1, 4.9, 5.3], [5.0, 5.4], [6.1, 5.2, 5.6, 5.9]]
    found = apart(runs)
    assert found is not None
    expected = stats.f_oneway(*runs)
    assert found[1] == pytest.approx(float(expected.pvalue))
    # Squares about the means 5.1, 5.2, 5.7: 0.08 + 0.08 + 0.46 over six degrees of freedom.
    assert found[0] == pytest.approx((0.62 / 6) ** 0.5)


@pytest.mark.parametrize("runs", [[[1.0], [2.0]], [[1.0, 1.0], [2.0, 2.0]], [[1.0, 2.0]], []])
def test_costs_that_do_not_vary_or_stand_alone_need_no_test(runs: list[list[float]]) -> None:
    assert apart(runs) is None
