"""Intervals against the reference case (three runs per cell, SD exactly 1.3) and SciPy."""

import math

import pytest
from scipy import stats

from ablate.analysis.contrast import Effect, Rules, Sample, contrasts
from ablate.analysis.effects import Grid, main

SD = 1.3
MEANS = {
    (): 76.3,
    ("sacr",): 77.6,
    ("sdtps",): 80.1,
    ("lif",): 77.2,
    ("sacr", "lif"): 74.6,
    ("sacr", "sdtps"): 78.0,
    ("sdtps", "lif"): 75.1,
    ("sacr", "sdtps", "lif"): 78.8,
}
MODULES = ("sacr", "sdtps", "lif")


def runs(*values: float) -> Sample:
    return list(enumerate(values))


GRID = {frozenset(on): runs(mean - SD, mean, mean + SD) for on, mean in MEANS.items()}


def contrast(weights: list[float], samples: list[list[float]]) -> Effect:
    return contrasts([weights], [runs(*s) for s in samples])[0]


def main_effect(module: str, samples: dict[frozenset[str], Sample]) -> Effect | None:
    grid = Grid(MODULES, samples)
    return grid.answers([main(module, grid)], Rules())[0].effect


@pytest.mark.parametrize(("module", "value"), [("sacr", 0.075), ("sdtps", 1.575), ("lif", -1.575)])
def test_a_main_effect_has_the_reference_cases_estimate_and_interval(
    module: str, value: float
) -> None:
    effect = main_effect(module, GRID)
    assert effect is not None
    assert effect.estimate == pytest.approx(value, abs=1e-9)
    assert effect.se == pytest.approx(0.5307, abs=5e-5)
    assert effect.df == pytest.approx(16)
    assert effect.runs == 24
    assert effect.interval is not None
    half = 2.1199 * 0.5307
    assert effect.interval.low == pytest.approx(value - half, abs=2e-4)
    assert effect.interval.high == pytest.approx(value + half, abs=2e-4)


def test_two_cells_give_scipys_welch_interval() -> None:
    a, b = [1.0, 2.0, 4.0, 3.5], [5.0, 9.0, 2.0]
    expected = stats.ttest_ind(b, a, equal_var=False)
    ends = expected.confidence_interval(0.95)
    effect = contrast([-1, 1], [a, b])
    assert effect.method == "welch"
    assert effect.df == pytest.approx(expected.df)
    assert (effect.interval.low, effect.interval.high) == pytest.approx((ends.low, ends.high))


def test_with_two_runs_in_a_cell_the_variance_is_pooled_as_in_students_test() -> None:
    a, b = [1.0, 2.0], [5.0, 9.0, 2.0]
    expected = stats.ttest_ind(b, a)
    ends = expected.confidence_interval(0.95)
    effect = contrast([-1, 1], [a, b])
    assert effect.method == "pooled"
    assert effect.df == 3
    assert (effect.interval.low, effect.interval.high) == pytest.approx((ends.low, ends.high))


def test_a_single_run_beside_a_replicated_cell_takes_its_variance() -> None:
    effect = contrast([-1, 1], [[76.3], [80.1, 80.3, 79.9]])
    assert effect.estimate == pytest.approx(3.8)
    # One replicated cell: its variance is taken for both, said by the method.
    assert (effect.method, effect.df) == ("pooled", 2)


def test_runs_that_do_not_vary_give_no_interval() -> None:
    assert contrast([-1, 1], [[1.0] * 3, [2.0] * 3]).interval is None


def test_an_empty_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one run"):
        contrast([-1, 1], [[], [2.0]])


def test_a_missing_corner_leaves_a_main_effect_undefined() -> None:
    partial = {corner: v for corner, v in GRID.items() if corner != frozenset({"sacr", "lif"})}
    assert main_effect("sdtps", partial) is None


def test_the_interval_covers_its_truth_as_often_as_it_says() -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(1000):
        cells = rng.normal(size=(2, 5))
        effect = contrast([-1, 1], [list(cells[0]), list(cells[1])])
        covered += not effect.interval.excludes_zero
    assert abs(covered / 1000 - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 1000)
