"""What is said of a family of contrasts, and what is not."""

import math

import numpy as np
import pytest
from scipy import stats

from ablate.analysis.contrast import Effect, Interval, Rules, contrasts
from ablate.analysis.power import detectable, power
from ablate.analysis.verdict import ORDER, Verdict, decide, holm, judge, rules_of
from ablate.metric import Metric
from ablate.study import Claims


def effect(estimate: float, se: float = 1.0, df: float = 16.0) -> Effect:
    half = stats.t.isf(0.025, df) * se
    p = 2 * stats.t.sf(abs(estimate) / se, df)
    return Effect(estimate, 8, "welch", se, df, Interval(estimate - half, estimate + half), p)


def one(found: Effect, rules: Rules = Rules(margin=1.0), sign: int = 1) -> Verdict | None:  # noqa: B008
    return judge([found], rules, sign)[0].verdict


def test_positive_is_better_in_either_direction() -> None:
    assert one(effect(3.0)) is Verdict.POSITIVE
    assert one(effect(-3.0)) is Verdict.NEGATIVE
    assert one(effect(3.0), sign=-1) is Verdict.NEGATIVE
    assert one(effect(-3.0), sign=-1) is Verdict.POSITIVE


def test_an_effect_that_is_clear_is_not_called_negligible_though_it_is_within_the_margin() -> None:
    assert one(effect(0.5, 0.1)) is Verdict.POSITIVE
    assert one(effect(-0.5, 0.1)) is Verdict.NEGATIVE


def test_negligible_is_said_where_both_one_sided_tests_at_alpha_reject() -> None:
    for estimate in (0.0, 0.3, -0.3):
        for se in np.linspace(0.05, 1.0, 96):
            found = effect(estimate, float(se))
            lower = stats.t.sf((estimate + 1.0) / se, found.df)
            upper = stats.t.cdf((estimate - 1.0) / se, found.df)
            said = one(found)
            assert said in (Verdict.POSITIVE, Verdict.NEGATIVE) or (
                (said is Verdict.NEGLIGIBLE) == (max(lower, upper) < 0.05)
            )


def test_no_effect_is_never_inferred_from_a_large_p() -> None:
    assert one(effect(0.0, 0.7)) is Verdict.UNDECIDED
    assert one(effect(0.0, 0.01), Rules()) is Verdict.UNDECIDED
    assert one(effect(0.0, 0.01), Rules(margin=0.0)) is Verdict.UNDECIDED


@pytest.mark.parametrize("alpha", [0.5, 0.9, 0.999])
def test_an_estimate_outside_the_margin_is_not_negligible_at_any_error_rate(alpha: float) -> None:
    # At 0.5 and above the one-sided t quantile is not positive.
    codes = decide(
        np.array([1.2]), np.array([2.0]), np.array([4.0]), np.array([1.0]), Rules(alpha, 1.0)
    )
    assert ORDER[codes[0]] is Verdict.UNDECIDED


def test_the_smallest_effect_is_seen_with_a_chance_of_80_percent_at_alpha_before_holm() -> None:
    for alpha, df in ((0.05, 16.0), (0.01, 3.3), (0.05, 1.0)):
        told = judge([effect(0.0, 0.4, df)] * 3, Rules(alpha))
        for judged in told:
            at = judged.smallest / 0.4
            assert stats.nct.sf(stats.t.isf(alpha / 2, df), df, at) == pytest.approx(0.8, abs=1e-4)
            assert power(judged.smallest, 0.4, df, alpha) == pytest.approx(0.8, abs=1e-4)
    assert detectable(16.0) > detectable(1e6) > stats.norm.isf(0.025)


def test_holm_asks_more_of_a_larger_family() -> None:
    found = effect(2.3)
    assert found.p < 0.05 < 3 * found.p
    assert one(found, Rules()) is Verdict.POSITIVE
    told = judge([found, effect(0.1), effect(0.2)], Rules())
    assert told[0].verdict is Verdict.UNDECIDED
    assert told[0].p_holm == pytest.approx(3 * found.p)


def test_a_family_is_of_those_that_have_an_interval() -> None:
    found = effect(2.3)
    told = judge([None, found, Effect(5.0, 2), None], Rules())
    assert told[1].verdict is Verdict.POSITIVE
    assert told[1].p_holm == pytest.approx(found.p)
    for i in (0, 2, 3):
        assert (told[i].verdict, told[i].p_holm, told[i].smallest) == (None, None, None)
    assert [j.verdict for j in judge([Effect(5.0, 2)], Rules())] == [None]
    assert judge([], Rules()) == []


def test_single_runs_are_silent_however_far_apart() -> None:
    found = contrasts([[-1, 1]], [[(0, 0.0)], [(0, 1000.0)]], Rules(margin=5000.0))
    assert judge(found, Rules(margin=5000.0))[0].verdict is None


def test_the_error_rate_of_the_study_is_that_of_its_verdicts() -> None:
    found = effect(2.3)
    assert 0.02 < found.p < 0.05
    assert one(found, Rules(alpha=0.02)) is Verdict.UNDECIDED
    assert one(found, Rules(alpha=0.05)) is Verdict.POSITIVE


def test_holms_p_by_hand() -> None:
    # 4 x 0.005, 3 x 0.01, 2 x 0.03, 1 x 0.04 raised to the one before it.
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.6, 0.7])) == pytest.approx([1, 1])


def test_equal_p_values_are_treated_alike() -> None:
    assert holm(np.array([0.02, 0.02, 0.5])) == pytest.approx([0.06, 0.06, 0.5])


def test_a_margin_is_of_scores_in_percent_unless_it_is_named() -> None:
    rank1, loss = Metric("rank1"), Metric("loss", direction="down", display="number")
    claims = Claims(0.1, 0.5, paired=True)
    assert rules_of(claims, rank1) == Rules(0.1, pytest.approx(0.005), paired=True)
    assert rules_of(claims, loss).margin is None
    own = Claims(margins={"Loss": 0.02, "RANK1": 2.0})
    assert rules_of(own, loss).margin == 0.02
    assert rules_of(own, rank1).margin == pytest.approx(0.02)
    assert math.isclose(rules_of(own, Metric("mAP")).margin, 0.005)
