"""Items of two cells: matched by name, screened, and resampled with the error rate that is said."""

import re

import numpy as np
import pytest
from scipy import stats

from ablate.analysis.contrast import Rules
from ablate.analysis.items import (
    Table,
    clusters,
    group_means,
    resampled,
    sampled,
    screened,
    table,
)

QUERIES, IDENTITIES = 836, 30


def made(a: "np.ndarray", b: "np.ndarray") -> Table:
    names = tuple(f"{i:04d}_id{i % IDENTITIES}" for i in range(a.shape[1]))
    return Table(names, (tuple(range(len(a))), tuple(range(len(b)))), a, b)


def of(items: Table) -> list[str]:
    found = clusters(items.items)
    assert found is not None
    return found


def test_items_are_matched_by_name_and_runs_by_seed_whatever_their_order() -> None:
    a = {2: {"x": 0.2, "y": 0.3}, 0: {"x": 0.1, "y": 0.5}}
    b = {0: {"y": 0.9, "x": 0.4}}
    both = table(a, b)
    assert both is not None
    assert both.items == ("x", "y")
    assert both.seeds == ((0, 2), (0,))
    assert both.a.tolist() == [[0.1, 0.5], [0.2, 0.3]]
    assert both.b.tolist() == [[0.4, 0.9]]
    assert both.differences == pytest.approx([0.25, 0.5])


def test_only_shared_seeds_are_kept_where_runs_are_paired() -> None:
    a = {0: {"x": 1.0}, 1: {"x": 2.0}, 5: {"x": 9.0}}
    b = {1: {"x": 3.0}, 0: {"x": 4.0}}
    both = table(a, b, paired=True)
    assert both is not None
    assert both.seeds == ((0, 1), (0, 1))
    assert both.a.tolist() == [[1.0], [2.0]]
    assert both.b.tolist() == [[4.0], [3.0]]


def test_an_item_that_a_run_lacks_or_scored_nan_is_left_out_and_named() -> None:
    a = {0: {"x": 0.1, "y": float("nan"), "z": 0.3}}
    b = {0: {"x": 0.2, "y": 0.3, "w": 0.4}}
    both = table(a, b)
    assert both is not None
    assert both.items == ("x",)
    assert both.lost == ("w", "y", "z")


def test_cells_that_share_no_finite_item_have_no_table() -> None:
    assert table({0: {"x": 1.0}}, {0: {"y": 1.0}}) is None
    assert table({0: {"x": float("inf")}}, {0: {"x": 1.0}}) is None
    assert table({}, {0: {"x": 1.0}}) is None


def test_many_numbered_items_are_a_sample_and_classes_are_not() -> None:
    assert sampled([f"{i:04d}_id{i}" for i in range(240)])
    assert not sampled(["car", "truck", "traffic_cone"])
    assert not sampled([f"id{i}" for i in range(10)])
    assert not sampled([f"class {'x' * i}" for i in range(80)])


def test_identities_and_scenes_are_told_by_names() -> None:
    assert clusters(["0000_id0_cam0", "0007_id12_cam1"]) == ["id0", "id12"]
    assert clusters(["scene-0061/a.jpg", "scene-0103/b.jpg"]) == ["scene-0061", "scene-0103"]
    assert clusters(["0000_id0_cam0", "video_3"]) is None
    assert clusters(["p1_s2", "p2_s2"], re.compile(r"s(\d)")) == ["2", "2"]


def test_the_estimate_is_the_mean_over_items_and_runs() -> None:
    rng = np.random.default_rng(1)
    both = made(rng.random((3, 60)), rng.random((4, 60)))
    found = resampled(both, of(both), rng)
    assert found.estimate == pytest.approx(both.b.mean() - both.a.mean())
    assert found.clusters == IDENTITIES
    assert found.runs
    assert found.interval.low < found.estimate < found.interval.high


def test_one_run_a_side_resamples_clusters_only() -> None:
    """The interval is that of 30 equal clusters' means: their bootstrap, done by itself."""
    rng = np.random.default_rng(2)
    both = made(rng.random((1, 600)), rng.random((3, 600)))
    found = resampled(both, of(both), np.random.default_rng(3), resamples=20_000)
    assert not found.runs
    gaps = both.differences.reshape(-1, IDENTITIES).mean(0)
    alone = stats.bootstrap((gaps,), np.mean, n_resamples=20_000, method="percentile", rng=4)
    assert found.interval.low == pytest.approx(alone.confidence_interval.low, abs=0.002)
    assert found.interval.high == pytest.approx(alone.confidence_interval.high, abs=0.002)


def test_items_of_clusters_drawn_twice_count_twice_above_and_below() -> None:
    names = tuple(f"{'a' if i < 3 else 'b'}{i}" for i in range(4))
    both = Table(names, ((0,), (0,)), np.zeros((1, 4)), np.array([[1.0, 1.0, 1.0, 0.0]]))
    told = resampled(both, ["a", "a", "a", "b"], np.random.default_rng(0))
    # the only three draws of two clusters have means of 1, 3/4 and 0
    assert (told.interval.low, told.interval.high) == (0.0, 1.0)
    assert told.estimate == 0.75


def test_clusters_make_the_interval_wider_where_items_of_one_go_together() -> None:
    rng = np.random.default_rng(5)
    own = rng.normal(size=IDENTITIES)[np.arange(QUERIES) % IDENTITIES]
    both = made(np.zeros((1, QUERIES)), (own + rng.normal(0, 0.1, QUERIES))[None])
    wide = resampled(both, of(both), np.random.default_rng(6)).interval
    narrow = resampled(both, both.items, np.random.default_rng(6)).interval
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


@pytest.mark.parametrize("n", [3, 5])
def test_where_only_runs_vary_its_interval_is_that_of_the_t_test(n: int) -> None:
    """Plain resampling of three runs a side rejects a true null in 19 % of studies."""
    rng, studies, wrong = np.random.default_rng(7), 1000, 0
    for _ in range(studies):
        a, b = (rng.normal(0, 1, (n, 1)) + np.zeros(IDENTITIES) for _ in "ab")
        both = made(a, b)
        wrong += resampled(both, of(both), rng, resamples=400).interval.excludes_zero
    assert wrong / studies < 0.075


def test_one_draw_for_both_cancels_what_paired_seeds_share() -> None:
    rng = np.random.default_rng(8)
    shared = rng.normal(0, 1, (6, 1)) + np.zeros(60)
    both = made(shared, shared + 0.1 + rng.normal(0, 0.01, (6, 60)))
    apart = resampled(both, of(both), np.random.default_rng(9)).interval
    together = resampled(both, of(both), np.random.default_rng(9), paired=True).interval
    assert not apart.excludes_zero
    assert together.low > 0.08


def test_the_same_generator_gives_the_same_digits() -> None:
    rng = np.random.default_rng(10)
    both = made(rng.random((3, 60)), rng.random((3, 60)))
    first = resampled(both, of(both), np.random.default_rng(11))
    assert resampled(both, of(both), np.random.default_rng(11)) == first


def test_a_screening_has_each_items_interval_and_p_over_the_items() -> None:
    rng = np.random.default_rng(13)
    a, b = rng.random((3, 5)), rng.random((3, 5)) + np.array([0, 0, 3.0, 0, 0])
    rows = screened(made(a, b), Rules())
    assert [r.effect.estimate for r in rows] == sorted(r.effect.estimate for r in rows)
    p = {r.item: r.effect.p for r in rows}
    last = made(a, b).items[2]
    assert rows[-1].item == last
    expected = stats.ttest_ind(b[:, 2], a[:, 2], equal_var=False)
    assert p[last] == pytest.approx(float(expected.pvalue))
    ordered = [r.effect.p for r in rows]
    adjusted = stats.false_discovery_control([p for p in ordered if p is not None])
    assert [r.p_adjusted for r in rows] == pytest.approx(list(adjusted))


def test_with_one_run_of_a_side_items_have_no_interval() -> None:
    rows = screened(made(np.array([[0.5, 0.6]]), np.array([[0.4, 0.9], [0.2, 0.8]])), Rules())
    assert [r.effect.interval for r in rows] == [None, None]
    assert [r.p_adjusted for r in rows] == [None, None]
    assert [r.effect.estimate for r in rows] == pytest.approx([-0.2, 0.25])


def test_a_groups_mean_is_of_its_members_that_are_there() -> None:
    both = Table(("bus", "car"), ((0,), (0,)), np.array([[0.5, 0.7]]), np.array([[0.4, 0.9]]))
    found = group_means(both, {"all": ("bus", "car", "tram"), "none": ("tram",)})
    assert list(found) == ["all"]
    assert found["all"] == pytest.approx((0.6, 0.65, 2))
