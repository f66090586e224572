"""A comparison's curves, loss terms and gradient norms as numbers."""

from dataclasses import replace

import pytest

from ablate.report import comparison_document
from ablate.report.comparison import Asked, Evidence
from tests.report.comparing import DETECTOR, STUDY, cell, detector, side

ON, OFF = {"a": True}, {"a": False}


def test_steps_are_those_that_every_run_has_and_asked_ones_move_to_the_nearest() -> None:
    chosen, evidence = detector()
    document = comparison_document(
        DETECTOR, chosen, evidence=evidence, asked=Asked(at=(50, 700, 4000))
    )
    (curve,) = document["curves"]
    assert curve["steps"] == [50, 600, 4000]
    assert curve["asked_in_vain"] == [700]
    assert curve["sides"]["aqr"]["means"] == [13.35, 10.63, 10.12]
    assert document["terms"]["step"] == 4000
    rows = {r["name"]: r for r in document["terms"]["rows"]}
    assert rows["loss_cls"]["means"] == pytest.approx({"baseline": 0.0856, "aqr": 0.0833})
    assert [n for n, r in rows.items() if r["auxiliary"]] == ["d0.loss_cls"]


def test_gradient_norms_count_nan_and_inf_with_their_steps() -> None:
    chosen, evidence = detector()
    (found,) = comparison_document(DETECTOR, chosen, evidence=evidence)["gradients"]
    assert found["sides"]["baseline"]["nan"] == (50,)
    assert found["sides"]["baseline"]["inf"] == (2000,)
    assert found["sides"]["aqr"]["nan"] == (50, 600)
    assert found["sides"]["aqr"]["inf"] == ()
    assert found["sides"]["aqr"]["largest"] == 61.5


def test_a_term_that_one_side_lacks_and_curves_of_one_side_are_listed() -> None:
    chosen, evidence = detector()
    keys = [c.completed[0].key for c in chosen]
    more = {("train", "loss_mask"): {50: 1.0, 4000: 0.5}, ("train", "gate"): {50: 0.7}}
    curves = {keys[0]: evidence.curves[keys[0]], keys[1]: {**evidence.curves[keys[1]], **more}}
    document = comparison_document(DETECTOR, chosen, evidence=replace(evidence, curves=curves))
    assert document["terms"]["lacking"] == {"baseline": ["loss_mask"]}
    assert [(c["name"], c["in"]) for c in document["one_sided"]] == [
        ("loss_mask", ["aqr"]),
        ("gate", ["aqr"]),
    ]


def test_means_at_steps_are_over_all_runs_of_a_side() -> None:
    rows = side("off", OFF, {0: 0.5, 1: 0.6})
    chosen = [cell(rows), cell(side("on", ON, {0: 0.5}))]
    keys = [r.key for c in chosen for r in c.completed]
    values = zip(keys, (1.0, 3.0, 10.0), strict=True)
    curves = {k: {("train", "loss"): {1: v, 2: v + 1}} for k, v in values}
    document = comparison_document(STUDY, chosen, evidence=Evidence(curves=curves))
    (curve,) = document["curves"]
    assert curve["sides"]["off"]["means"] == [2.0, 3.0]
    assert (curve["sides"]["off"]["smallest"], curve["sides"]["off"]["largest"]) == (1.0, 4.0)
    assert document["terms"]["rows"][0]["means"] == {"off": 3.0, "on": 11.0}


def test_the_curve_of_the_first_metric_asked_for_stands_beside_the_losses() -> None:
    chosen = [cell(side("off", OFF, {0: 0.5})), cell(side("on", ON, {0: 0.5}))]
    of = {("test", "rank1"): {1: 0.1, 2: 0.2}, ("test", "loss"): {1: 0.9, 2: 0.8}}
    evidence = Evidence(curves={c.completed[0].key: of for c in chosen})
    for metrics, shown in (((), ["rank1", "loss"]), (("loss",), ["loss"])):
        document = comparison_document(
            STUDY, chosen, evidence=evidence, asked=Asked(metrics=metrics)
        )
        assert [c["name"] for c in document["curves"]] == shown
