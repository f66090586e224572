from collections.abc import Callable

import numpy as np

from ablate.analysis.training import Runs, course

STEPS = range(1, 11)


def runs(effect_at: Callable[[int], float], noise: float = 0.2, seeds: int = 3) -> Runs:
    rng = np.random.default_rng(7)

    def curve(*, on: bool) -> dict[int, float]:
        level = rng.normal(scale=1.0)
        return {s: level + (effect_at(s) if on else 0.0) + rng.normal(scale=noise) for s in STEPS}

    return {
        frozenset(): {s: curve(on=False) for s in range(seeds)},
        frozenset({"m"}): {s: curve(on=True) for s in range(seeds)},
    }


def test_an_effect_that_is_gone_at_the_end_fades() -> None:
    found = course("m", ["m"], runs(lambda s: 20.0 if s < 6 else 2.0))
    assert found.fades
    assert found.peak_step < 6
    assert found.last_step == 10
    assert abs(found.drop.estimate - 18) < 1


def test_an_effect_that_stays_does_not_fade() -> None:
    assert not course("m", ["m"], runs(lambda _: 20.0)).fades


def test_noise_alone_does_not_fade() -> None:
    assert not course("m", ["m"], runs(lambda _: 0.0)).fades


def test_an_effect_that_grows_does_not_fade() -> None:
    assert not course("m", ["m"], runs(lambda s: 2.0 * s)).fades


def test_harm_that_goes_away_fades_too() -> None:
    assert course("m", ["m"], runs(lambda s: -20.0 if s < 6 else -1.0)).fades


def test_one_run_per_cell_cannot_show_fading() -> None:
    assert not course("m", ["m"], runs(lambda s: 20.0 if s < 6 else 2.0, seeds=1)).fades


def test_only_steps_that_every_run_logged_with_a_finite_value_count() -> None:
    found = runs(lambda _: 1.0)
    found[frozenset()][0][5] = float("nan")
    del found[frozenset({"m"})][1][7]
    assert set(course("m", ["m"], found).steps) == set(STEPS) - {5, 7}


def test_a_run_without_a_curve_leaves_no_course() -> None:
    found = runs(lambda _: 1.0)
    found[frozenset()][0] = {}
    assert course("m", ["m"], found) is None
