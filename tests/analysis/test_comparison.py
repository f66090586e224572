"""What stands beside a difference, against SciPy, arithmetic by hand and a published score."""

import math
import random

import numpy as np
import pytest
from scipy import stats

from ablate.analysis.comparison import (
    against,
    benjamini_hochberg,
    between,
    chance,
    detection_score,
    hedges,
    relative,
    shared_only,
    verdicts,
)
from ablate.analysis.contrast import Effect, Interval, Rules, Sample
from ablate.analysis.verdict import Verdict

A, B = [1.0, 2.0, 4.0, 3.5], [5.0, 9.0, 2.0]


def runs(*values: float) -> Sample:
    return list(enumerate(values))


def test_the_share_of_better_pairs_is_mann_whitneys_u_over_the_pairs() -> None:
    u = stats.mannwhitneyu(B, A).statistic
    assert chance(np.array(A), np.array(B)) == pytest.approx(u / 12)
    assert chance(np.array(A), np.array(B), -1) == pytest.approx(1 - u / 12)


def test_a_tie_is_half_a_better_pair() -> None:
    assert chance(np.array([1.0, 2.0]), np.array([2.0, 2.0])) == 0.75
    assert chance(np.array([1.0]), np.array([1.0])) == 0.5


def test_hedges_g_is_the_difference_in_pooled_deviations_made_smaller_for_few_runs() -> None:
    pooled = math.sqrt((np.var(A, ddof=1) * 3 + np.var(B, ddof=1) * 2) / 5)
    by_hand = (np.mean(B) - np.mean(A)) / pooled * (1 - 3 / 19)
    assert hedges(np.array(A), np.array(B)) == pytest.approx(by_hand)


def test_there_is_no_g_without_a_replicate_on_either_side_or_where_nothing_varies() -> None:
    assert hedges(np.array([1.0]), np.array(B)) is None
    assert hedges(np.array([1.0, 1.0]), np.array([2.0, 2.0])) is None


def test_a_relative_change_is_over_the_size_of_the_reference() -> None:
    assert relative(0.6575, -0.0178) == pytest.approx(-0.02707, abs=1e-5)
    assert relative(-2.0, 1.0) == 0.5
    assert relative(0.0, 1.0) is None


@pytest.mark.parametrize("seed", range(20))
def test_benjamini_and_hochbergs_p_are_scipys(seed: int) -> None:
    draw = random.Random(seed)
    p = [draw.choice([draw.random(), draw.random() / 50, 0.03]) for _ in range(1 + seed)]
    assert benjamini_hochberg(p) == pytest.approx(list(stats.false_discovery_control(p)))


def test_no_p_values_are_adjusted_to_none() -> None:
    assert benjamini_hochberg([]) == []


def test_the_detection_score_of_the_published_reports_is_made_of_its_parts() -> None:
    baseline = detection_score(0.6575, [0.3353, 0.2493, 0.3339, 0.2715, 0.1899])
    aqr = detection_score(0.6397, [0.3373, 0.2500, 0.3259, 0.2731, 0.1876])
    assert (round(100 * baseline, 2), round(100 * aqr, 2)) == (69.08, 68.25)


def test_an_error_above_one_counts_as_one() -> None:
    assert detection_score(0.5, [1.7, 1.0, 0.5, 0.0, 0.0]) == pytest.approx(0.25 + 0.25)


def test_cells_of_one_function_lend_their_spread_and_have_none_between_them() -> None:
    cells = [runs(1.0), runs(2.0)]
    beside = against(runs(0.0), runs(5.0), cells, Rules(), groups=["f", "g", "f", "f"])
    assert beside is not None
    interval = beside.difference.interval
    assert interval is not None
    # 0, 1, 2: s = 1 with 2 df, and t(2) = 4.3027
    assert (beside.difference.estimate, interval.high) == pytest.approx((5, 5 + 4.302653 * 2**0.5))
    same = against(runs(0.0), runs(5.0), cells, Rules(), groups=["f", "f", "g", "g"])
    assert same is not None
    assert (same.difference.estimate, same.difference.interval, same.difference.p) == (
        5,
        None,
        None,
    )


def test_a_pair_of_runs_borrows_the_spread_of_the_studys_other_cells() -> None:
    alone = against(runs(1.0), runs(2.0), (), Rules())
    assert alone is not None
    assert alone.difference.interval is None
    beside = against(runs(1.0), runs(2.0), [runs(0.0, 0.2, 0.4)], Rules())
    assert beside is not None
    assert beside.difference.estimate == 1.0
    assert beside.difference.interval is not None
    half = stats.t.ppf(0.975, 2) * 0.2 * math.sqrt(2)
    assert beside.difference.interval.high == pytest.approx(1 + half)


def test_three_runs_a_side_do_not_borrow() -> None:
    own = against(runs(*A), runs(*B), (), Rules())
    beside = against(runs(*A), runs(*B), [runs(0.0, 90.0)], Rules())
    assert own is not None
    assert own == beside
    expected = stats.ttest_ind(B, A, equal_var=False)
    assert own.difference.p == pytest.approx(float(expected.pvalue))


def test_a_side_without_a_finite_run_has_no_difference() -> None:
    assert against(runs(), runs(1.0), (), Rules()) is None
    assert against(runs(1.0), runs(), (), Rules()) is None


def test_shared_runs_are_those_of_seeds_that_both_have_by_seed() -> None:
    a: Sample = [(7, 0.7), (1, 0.1), (4, 0.4)]
    b: Sample = [(1, 0.11), (9, 0.99), (7, 0.77)]
    assert shared_only(a, b) == ([(1, 0.1), (7, 0.7)], [(1, 0.11), (7, 0.77)])


def effect(estimate: float, se: float, df: float = 10) -> Effect:
    half = float(stats.t.ppf(0.975, df)) * se
    p = float(2 * stats.t.sf(abs(estimate) / se, df))
    return Effect(estimate, 12, "welch", se, df, Interval(estimate - half, estimate + half), p)


def test_verdicts_hold_holms_p_over_the_metrics_with_each_ones_direction_and_margin() -> None:
    family = [effect(5.0, 1.0), effect(5.0, 1.0), None, effect(2.3, 1.0), effect(0.0, 0.1)]
    rules = [Rules(margin=0.5)] * 5
    told = verdicts(family, rules, [1, -1, 1, 1, 1])
    assert [j.verdict for j in told] == [
        Verdict.POSITIVE,
        Verdict.NEGATIVE,
        None,
        Verdict.UNDECIDED,
        Verdict.NEGLIGIBLE,
    ]
    p = stats.t.sf(5.0, 10) * 2
    assert told[0].p_holm == pytest.approx(4 * p)
    assert told[3].p_holm == pytest.approx(2 * 2 * stats.t.sf(2.3, 10))
    # seen alone it would be significant: p = 0.044
    assert stats.t.sf(2.3, 10) * 2 < 0.05


def test_a_metric_without_a_margin_is_never_negligible() -> None:
    (told,) = verdicts([effect(0.0, 0.1)], [Rules(margin=None)], [1])
    assert told.verdict is Verdict.UNDECIDED
    assert told.smallest is not None
    assert told.smallest > 0.1


def test_an_effect_out_of_reach_of_the_tables_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ablate.analysis.comparison.detectable", lambda *_: math.inf)
    (told,) = verdicts([effect(0.0, 0.1)], [Rules()], [1])
    assert told.smallest is None


def test_between_two_are_all_proper_parts_of_what_differs() -> None:
    parts = between(["a", "b", "c"])
    assert len(parts) == 6
    assert parts[0] == {"a"}
    assert frozenset({"a", "b", "c"}) not in parts
    assert between(["a"]) == []
    assert between(list("abcdefg")) == []
