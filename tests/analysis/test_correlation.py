import pytest

from ablate.analysis.correlation import across_seeds


def test_seeds_are_matched_by_their_number_and_not_by_their_order() -> None:
    found = across_seeds({0: 1.0, 1: 2.0, 2: 4.0}, {2: 8.0, 1: 4.0, 0: 2.0, 9: 0.0})
    assert found.n == 3
    assert found.value == pytest.approx(1.0)


def test_two_shared_seeds_have_no_correlation() -> None:
    assert across_seeds({0: 1.0, 1: 2.0}, {0: 2.0, 1: 1.0}).value is None


def test_scores_that_do_not_vary_have_no_correlation() -> None:
    found = across_seeds({0: 1.0, 1: 1.0, 2: 1.0}, {0: 1.0, 1: 2.0, 2: 3.0})
    assert found.value is None
    assert "does not vary" in found.reason


def test_a_run_that_is_not_finite_is_left_out() -> None:
    nan = float("nan")
    assert across_seeds({0: 1.0, 1: 2.0, 2: nan}, {0: 1.0, 1: 2.0, 2: 3.0}).n == 2


def test_pearsons_r_of_anscombes_first_set_is_0_816() -> None:
    x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
    y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
    found = across_seeds(dict(enumerate(map(float, x))), dict(enumerate(y)))
    assert found.value == pytest.approx(0.81642, abs=1e-5)
