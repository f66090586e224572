"""Curves side by side: steps that all have, ranges, values that are not finite."""

import math

import numpy as np
import pytest

from ablate.analysis.curves import (
    common_steps,
    mean_at,
    mean_of,
    nearest,
    spaced,
    spread,
)

NAN, INF = math.nan, math.inf


def test_common_steps_are_those_of_every_curve_in_order() -> None:
    assert common_steps([{3: 0.0, 1: 0.0, 2: NAN}, {2: 1.0, 3: 1.0, 9: 1.0}]) == [2, 3]
    assert common_steps([]) == []


def test_few_steps_are_all_shown() -> None:
    assert spaced([1, 2, 3]) == [1, 2, 3]


def test_spaced_steps_hold_the_first_and_last_and_grow_by_about_one_factor() -> None:
    steps = spaced(list(range(50, 4001, 50)))
    assert steps == [50, 100, 300, 700, 1650, 4000]
    assert set(steps) <= set(range(50, 4001, 50))


def test_steps_that_begin_at_zero_are_spaced_too() -> None:
    steps = spaced(list(range(0, 1001, 10)))
    assert (steps[0], steps[-1], len(steps)) == (0, 1000, 6)
    gaps = np.diff(steps)
    assert (np.diff(gaps) > 0).all()


def test_the_nearest_steps_stand_for_those_asked_once_each() -> None:
    assert nearest([50, 100, 150], [60, 74, 149, 9000]) == [50, 150]
    assert nearest([50, 100], [75]) == [50]
    assert nearest([], [1.0]) == []


def test_a_mean_over_runs_is_nan_where_one_is() -> None:
    assert mean_at([{1: 2.0}, {1: 4.0}], 1) == 3.0
    assert math.isnan(mean_at([{1: 2.0}, {1: NAN}], 1))


def test_a_mean_over_points_leaves_out_what_is_not_finite() -> None:
    assert mean_of([{1: 2.0, 2: INF}, {1: 4.0, 2: 8.0}]) == 4.0
    assert mean_of([{1: NAN}]) is None
    assert mean_of([]) is None


def test_a_spread_has_percentiles_of_finite_values_and_the_steps_of_the_others() -> None:
    curve: dict[int, float] = {step: float(step) for step in range(1, 102)}
    found = spread([curve | {3: NAN, 7: INF}, {9: -INF, 2: 500.0}])
    assert (found.nan, found.inf) == ((3,), (7, 9))
    finite = [float(s) for s in range(1, 102) if s not in {3, 7}] + [500.0]
    assert found.n == len(finite)
    assert found.low == pytest.approx(float(np.percentile(finite, 5)))
    assert found.high == pytest.approx(float(np.percentile(finite, 95)))
    assert (found.smallest, found.largest) == (1.0, 500.0)


def test_a_spread_without_a_finite_value_is_unknown_and_still_counts() -> None:
    found = spread([{1: NAN, 2: INF}])
    assert (found.n, found.low, found.largest) == (0, None, None)
    assert (found.nan, found.inf) == ((1,), (2,))
