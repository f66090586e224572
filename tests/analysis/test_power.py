"""Seeds that a 2x2x2 grid needs for a difference of one point: the specification's table."""

from itertools import count

import pytest

from ablate.analysis.contrast import quantile
from ablate.analysis.effects import (
    Grid,
    Term,
    alone,
    averaged,
    last,
    main,
    moebius,
    others_off,
    shapley,
    subsets,
)
from ablate.analysis.power import detectable, power

MODULES = ("a", "b", "c")
CUBE = Grid(MODULES, {c: [(0, 0.0)] for c in subsets(MODULES)})
CELLS = 8
# Term, sum of squared weights, seeds at sigma 0.7 and 1.3, smallest effect at 3/5/10 and 1.3.
TABLE: dict[str, tuple[Term, float, tuple[int, int], tuple[float, float, float]]] = {
    "simple": (others_off("ab"), 4, (16, 54), (4.5, 3.4, 2.3)),
    "averaged": (averaged("ab", CUBE), 2, (8, 27), (3.2, 2.4, 1.65)),
    "alone": (alone("a"), 2, (8, 27), (3.2, 2.4, 1.65)),
    "last": (last("a", MODULES), 2, (8, 27), (3.2, 2.4, 1.65)),
    "shapley": (shapley("a", CUBE), 5 / 9, (3, 8), (1.7, 1.25, 0.87)),
    "main": (main("a", CUBE), 1 / 2, (3, 7), (1.6, 1.2, 0.83)),
    "three-way": (moebius("abc"), 8, (32, 107), (6.3, 4.8, 3.3)),
}


def error(term: Term, sigma: float, n: int) -> tuple[float, float]:
    return sigma * (sum(w**2 for w in term.weights.values()) / n) ** 0.5, CELLS * (n - 1)


@pytest.mark.parametrize("name", TABLE)
def test_the_seeds_that_find_one_point_with_80_percent(name: str) -> None:
    term, squares, seeds, _ = TABLE[name]
    assert sum(w**2 for w in term.weights.values()) == pytest.approx(squares)
    for sigma, told in zip((0.7, 1.3), seeds, strict=True):
        found = next(n for n in count(2) if power(1.0, *error(term, sigma, n)) >= 0.8)
        assert found == told


@pytest.mark.parametrize("name", TABLE)
def test_the_smallest_effect_at_sigma_1_3(name: str) -> None:
    term, *_, told = TABLE[name]
    for n, least in zip((3, 5, 10), told, strict=True):
        se, df = error(term, 1.3, n)
        assert se * detectable(df) == pytest.approx(least, abs=0.055)


@pytest.mark.parametrize(("n", "told"), [(3, 2.27), (5, 1.46), (10, 0.94)])
def test_the_least_significant_difference_of_two_configurations(n: int, told: float) -> None:
    assert quantile(2 * (n - 1), 0.05) * (2 / n) ** 0.5 == pytest.approx(told, abs=0.006)
