"""A tenth of `benchmarks/calibration.py`, by the same functions: its bars, less chance."""

import pytest

from ablate.analysis.contrast import Rules
from benchmarks import calibration as sim

GRIDS = 2_000
HELD = [case for case, held in sim.cases() if held]


def within(share: float, bar: float, *, at_least: bool = False) -> bool:
    return sim.Bar("", share, bar, at_least).met(sim.SLACK, GRIDS)


@pytest.mark.parametrize("case", HELD, ids=repr)
def test_without_an_effect_few_verdicts_are_said_and_reports_say_the_same(case: sim.Case) -> None:
    shares, same = sim.null(case, GRIDS, 1)
    assert same
    for false, covered, any_ in (shares[:3], shares[3:]):
        assert within(false, 0.065)
        assert within(covered, 0.935, at_least=True)
        assert within(any_, 0.06)


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("paired", [False, True])
def test_normal_errors_are_neither_missed_nor_overdone(n: int, *, paired: bool) -> None:
    shares, _ = sim.null(sim.Case("normal", n, paired), GRIDS, 2)
    assert shares[0] > 0.03
    assert shares[3] > 0.03


@pytest.mark.parametrize("case", [c for c in HELD if c.n == 3], ids=repr)
def test_an_effect_as_large_as_the_margin_is_seldom_called_negligible(case: sim.Case) -> None:
    worst, reached, same = sim.negligible(case, GRIDS, 1)
    assert same
    assert within(worst, 0.055)
    assert reached > 0.5


def test_one_noisy_cell_breaks_the_pooled_interval_and_not_welchs() -> None:
    case = sim.Case("one cell 3x", 3)
    y = sim.draw(case, GRIDS, sim.stream(1))
    false = [
        float((sim.tell(y[..., :n], Rules()).p < 0.05).mean())
        for n in (2, 3)  # two runs a cell: pooled
    ]
    assert false[0] > 0.065 > false[1]


def test_an_averaged_interaction_of_2_44_sd_is_found_in_seven_of_ten_studies() -> None:
    alone, after = sim.power(sim.Case("normal", 3), 2.44, GRIDS, 1)
    assert alone > 0.70
    assert 0.45 < after < alone


def test_single_runs_get_no_verdict() -> None:
    assert sim.silent(200, 1) == 0


def test_single_cells_beside_a_replicated_baseline_keep_the_error_rate_of_normal_errors() -> None:
    for base in (3, 5):
        shares, same = sim.null(sim.Case("normal", 1, base=base), GRIDS, 1)
        assert same
        assert within(shares[0], 0.065)
