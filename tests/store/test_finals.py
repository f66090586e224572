import math
from dataclasses import replace

import pytest

from ablate.metric import Metric
from ablate.record import Ending, Scalar, State
from ablate.selection import Score, Selection
from ablate.store import Store
from ablate.store.finals import select
from ablate.study import Placement, Study


def complete(store: Store, placement: Placement, ending: Ending) -> None:
    attempt = store.claim(placement.trial.key, "me")
    assert attempt is not None
    assert store.finish(attempt, ending)


def test_scores_carry_the_rule_the_step_and_the_split_that_made_them(
    store: Store, study: Study, placements: list[Placement], ending: Ending
) -> None:
    store.put_study(study, placements)
    complete(store, placements[0], ending)
    assert store.records("small")[0].scores == {
        "rank1": Score("rank1", 0.4, 2, "test", "last"),
        "loss": Score("loss", math.inf, 1, "train", "last"),
        "NDS": Score("NDS", 0.71, None, "", "reported"),
    }


@pytest.mark.parametrize(
    ("rule", "value", "step"),
    [("best:rank1", 0.5, 1), ("best:rank1@test", 0.5, 1), ("last", 0.4, 2)],
)
def test_another_rule_is_applied_to_the_curves_and_not_stored(  # noqa: PLR0913, PLR0917 - a table's columns and fixtures
    rule: str,
    value: float,
    step: int,
    store: Store,
    study: Study,
    placements: list[Placement],
    ending: Ending,
) -> None:
    store.put_study(study, placements)
    complete(store, placements[0], ending)
    selection = Selection.parse(rule, study.directions)
    score = store.records("small", selection)[0].scores["rank1"]
    assert score == Score("rank1", value, step, "test", rule)
    assert store.records("small", selection)[0].scores["NDS"].selection == "reported"
    assert store.records("small")[0].scores["rank1"].selection == "last"


def test_a_study_with_a_new_rule_gets_its_finals_made_anew(
    store: Store, study: Study, placements: list[Placement], ending: Ending
) -> None:
    store.put_study(study, placements)
    complete(store, placements[0], ending)
    store.put_study(replace(study, selection=Selection("rank1", "val")), placements)
    assert store.records("small")[0].scores["rank1"] == Score(
        "rank1", 0.5, 1, "test", "best:rank1@val"
    )


def test_a_study_that_declares_another_metric_gets_its_finals_made_anew(
    store: Store, study: Study, placements: list[Placement], ending: Ending
) -> None:
    store.put_study(replace(study, metrics=(Metric("rank1"),)), placements)
    complete(store, placements[0], ending)
    assert "loss" not in store.records("small")[0].scores
    store.put_study(study, placements)
    assert store.records("small")[0].scores["loss"].value == math.inf


def test_a_trial_that_did_not_complete_has_no_scores(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_study(study, placements)
    points = (Scalar(0, "test", "rank1", 0.9),)
    complete(store, placements[0], Ending(State.TIMEOUT, 1.0, "", scalars=points))
    assert store.records("small")[0].scores == {}
    assert store.records("small", Selection("rank1"))[0].scores == {}
    assert store.curves(placements[0].trial.key) == {("test", "rank1"): {0: 0.9}}


def test_a_reported_score_never_replaces_a_curve() -> None:
    curves = {("test", "rank1"): {0: 0.1}}
    reported = {"Rank1": 0.9, "MAP": 0.3}
    found = select(curves, reported, Selection(), {"rank1": "up", "mAP": "up"})
    assert found == {
        "rank1": Score("rank1", 0.1, 0, "test", "last"),
        "mAP": Score("mAP", 0.3, None, "", "reported"),
    }


def test_a_curve_of_training_does_not_stand_for_a_score_that_was_reported() -> None:
    curves = {("train", "loss"): {1: 1.4, 2: 1.2}}
    found = select(curves, {"loss": 0.387}, Selection(), {"loss": "down"})
    assert found == {"loss": Score("loss", 0.387, None, "", "reported")}
    assert select(curves, {}, Selection(), {"loss": "down"})["loss"].value == 1.2


def test_a_best_that_was_never_finite_gives_no_score() -> None:
    curves = {("val", "rank1"): {0: math.nan}, ("test", "rank1"): {0: 0.5}}
    assert select(curves, {}, Selection("rank1"), {"rank1": "up"}) == {}
