import math

import pytest

from ablate.selection import LAST, Selection

UP = {"rank1": "up", "mAP": "up"}


def test_last_reads_every_metric_at_its_last_step_on_the_test_split() -> None:
    curves = {("test", "rank1"): {1: 0.9, 2: 0.5}, ("val", "rank1"): {3: 0.7}}
    score = LAST.apply(curves, UP)["rank1"]
    assert (score.value, score.step, score.split, score.selection) == (0.5, 2, "test", "last")


def test_best_is_decided_on_val_where_it_is_logged_and_read_on_test() -> None:
    curves = {
        ("val", "mAP"): {1: 0.6, 2: 0.4},
        ("test", "mAP"): {1: 0.3, 2: 0.9},
        ("test", "rank1"): {1: 0.1, 2: 0.2},
    }
    rule = Selection.parse("best:mAP", UP)
    scores = rule.apply(curves, UP)
    assert (scores["mAP"].value, scores["rank1"].value) == (0.3, 0.1)
    assert rule.chosen_on(curves) == "val"


def test_without_val_the_best_is_decided_on_test() -> None:
    curves = {("test", "mAP"): {1: 0.3, 2: 0.9, 3: 0.1}}
    rule = Selection.parse("best:mAP", UP)
    assert rule.apply(curves, UP)["mAP"].step == 2
    assert rule.chosen_on(curves) == "test"


def test_ties_go_to_the_later_step() -> None:
    curves = {("test", "mAP"): {1: 0.9, 2: 0.9, 3: 0.1}}
    assert Selection("mAP").apply(curves, UP)["mAP"].step == 2


def test_a_metric_that_goes_down_is_best_where_it_is_lowest() -> None:
    curves = {("test", "loss"): {1: 0.9, 2: 0.2, 3: 0.4}}
    assert Selection("loss").apply(curves, {"loss": "down"})["loss"].step == 2


def test_nan_is_never_the_best_step() -> None:
    curves = {("test", "mAP"): {1: math.nan, 2: 0.2, 3: math.inf}}
    assert Selection("mAP").apply(curves, UP)["mAP"].step == 2


def test_where_nothing_is_finite_nothing_is_selected() -> None:
    assert Selection("mAP").apply({("test", "mAP"): {1: math.nan}}, UP) == {}


def test_a_metric_that_was_never_logged_is_absent() -> None:
    assert set(LAST.apply({("test", "mAP"): {1: 0.1}}, UP)) == {"mAP"}


def test_a_rule_reads_back_as_it_was_written_and_ignores_case() -> None:
    for text in ("last", "best:mAP", "best:rank1@val"):
        assert str(Selection.parse(text, UP)) == text
    assert str(Selection.parse("best:MAP@test", UP)) == "best:mAP@test"


@pytest.mark.parametrize("text", ["", "first", "best", "best:", "best:@val", "best:F1", "last:mAP"])
def test_an_unknown_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is neither|is not a metric"):
        Selection.parse(text, UP)
