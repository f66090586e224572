"""Steps chosen on the test split, winners of the rule, scores of several sets."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from ablate.audit.evidence import Evidence
from ablate.audit.measurement import chosen, definitions, winners
from ablate.metric import Metric
from ablate.record import External, Finding, Record, State
from ablate.selection import Curves, Score, Selection
from ablate.study import Study, switch

STUDY = Study(
    name="s",
    title="S",
    system="x",
    revision="1",
    factors=(switch("lif"),),
    metrics=(Metric("rank1", "Rank-1"), Metric("mAP")),
    primary="mAP",
    selection=Selection("mAP"),
)


def runs(curves: Mapping[str, Curves], selection: Selection = STUDY.selection) -> Evidence:
    """One run a variant, scored by the rule."""
    study = replace(STUDY, selection=selection)
    records = [
        Record(
            study="s",
            variant=name,
            role="grid",
            parent=None,
            position=i,
            levels={"lif": bool(i)},
            changed={},
            seed=0,
            key=name,
            state=State.COMPLETED,
            scores=selection.apply(of, study.directions),
        )
        for i, (name, of) in enumerate(curves.items())
    ]
    return Evidence(study, records, curves)


def curve(split: str, *values: float, metric: str = "mAP") -> Curves:
    return {(split, metric): dict(enumerate(values, start=1))}


def found(check: object, evidence: Evidence) -> list[Finding]:
    return list(check.CHECK.findings(evidence))  # type: ignore[attr-defined]


def turned(evidence: Evidence) -> list[Finding]:
    return [f for check in winners.CHECKS for f in check.findings(evidence)]


def test_a_run_without_a_val_split_is_chosen_on_its_test_split() -> None:
    val = {**curve("val", 0.5, 0.4), **curve("test", 0.5, 0.4)}

    (finding,) = found(chosen, runs({"a": curve("test", 0.5, 0.4), "b": val}))

    assert finding.sentence == (
        "the best step of 1 of 2 runs was chosen on the test split (best:mAP):"
        " the scores are optimistic"
    )
    assert finding.keys == ("a",)
    assert finding.command == "ablate report s --select last"
    assert found(chosen, runs({"b": val})) == []
    assert found(chosen, runs({"a": curve("test", 0.5)}, Selection())) == []


def test_before_training_only_a_rule_that_names_the_test_split_is_known() -> None:
    pending = [replace(r, state=State.PENDING, scores={}) for r in runs({"a": {}}).records]

    named = Evidence(replace(STUDY, selection=Selection("mAP", "test")), pending)
    (finding,) = found(chosen, named)

    assert chosen.CHECK.planned
    assert "will be chosen on the test split (best:mAP@test)" in finding.sentence
    assert found(chosen, Evidence(STUDY, pending)) == []


def test_of_numbers_without_curves_it_is_not_known_where_they_were_chosen() -> None:
    evidence = runs({"a": curve("test", 0.5)}, Selection("mAP", "test"))
    reported = [
        replace(r, scores={"mAP": Score("mAP", 0.5, None, "test", "reported")})
        for r in evidence.records
    ]

    for curves in ({}, evidence.curves):  # what was reported need not come from the curve
        assert found(chosen, replace(evidence, records=reported, curves=curves)) == []


def test_the_winner_of_the_best_step_can_lose_by_the_last() -> None:
    # mAP of two of the sixteen real runs at their best and at their last step
    evidence = runs(
        {"sdtps": curve("test", 0.760, 0.740), "full": curve("test", 0.747, 0.744)},
    )

    (finding,) = turned(evidence)

    assert finding.sentence == (
        "by the last step another configuration wins on"
        " mAP: full 74.4, not sdtps 74.0 (76.0 under best:mAP)"
    )
    assert finding.command == "ablate compare sdtps full --study s --select last"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((0.760, 0.745), (0.747, 0.744)),  # it stays ahead
        ((0.760, 0.7441), (0.747, 0.7443)),  # equal as printed
        ((0.7602, 0.740), (0.7601, 0.744)),  # there was no winner, as printed
    ],
)
def test_a_winner_that_is_not_overtaken_is_no_finding(
    first: tuple[float, float], second: tuple[float, float]
) -> None:
    assert turned(runs({"a": curve("test", *first), "b": curve("test", *second)})) == []


def test_another_metric_than_the_primary_is_a_note_of_its_own() -> None:
    def of(best: float, last: float, other: float) -> Curves:
        return {**curve("test", best, last), ("test", "rank1"): {1: 0.9 + other, 2: 0.9 - other}}

    for last, code in ((0.745, "N121"), (0.740, "W121")):
        made = runs({"a": of(0.760, last, 0.02), "b": of(0.747, 0.744, 0.01)})
        (finding,) = turned(made)
        assert finding.code == code
        assert "Rank-1: b 89.0, not a 88.0 (92.0 under best:mAP)" in finding.sentence


def test_where_lower_is_better_the_lowest_wins() -> None:
    study = replace(STUDY, metrics=(Metric("error", direction="down"),), primary="error")
    rule = Selection("error")
    curves = {
        "a": curve("test", 0.10, 0.30, metric="error"),
        "b": curve("test", 0.20, 0.20, metric="error"),
    }
    evidence = runs(curves)
    records = [
        replace(r, scores=rule.apply(curves[r.key], study.directions)) for r in evidence.records
    ]

    (finding,) = turned(Evidence(replace(study, selection=rule), records, curves))

    assert "error: b 20.0, not a 30.0 (10.0 under best:error)" in finding.sentence


def test_a_metric_of_two_sets_is_told_once_with_the_odd_runs() -> None:
    evidence = runs({n: curve("val", 0.5) for n in "abc"} | {"d": curve("test", 0.6)})

    (finding,) = found(definitions, evidence)

    assert finding.sentence == "mAP is not of one set: 3 on val, 1 on test (d)"
    assert finding.keys == ("d",)


@pytest.mark.parametrize(
    ("key", "here", "there", "said"),
    [
        ("TEST.RE_RANKING", "no", "yes", True),
        ("model.test_cfg.nms_thr", "0.2", "0.5", True),
        ("INPUT.SIZE_TEST", "[256, 128]", "[384, 128]", True),
        ("test.alpha", "1e-1", "0.1", False),  # one number, written twice
        ("TEST.IMS_PER_BATCH", "64", "128", False),  # how fast, not what
        ("SOLVER.EVAL_PERIOD", "1", "5", False),
        ("TEST.WEIGHT", "a.pth", "b.pth", False),
        ("model.test.lif", "true", "false", False),  # a factor is called so
        ("train.lr", "0.1", "0.2", False),
        ("MODEL.METRIC_LOSS_TYPE", "triplet", "circle", False),  # what is learnt
        ("eval_steps", "100", "500", False),
    ],
)
def test_settings_of_the_scoring_that_differ_are_told(
    key: str, here: str, there: str, *, said: bool
) -> None:
    evidence = runs({n: curve("val", 0.5) for n in "abc"})
    settings = {"a": {key: here}, "b": {key: here}, "c": {key: there}}

    findings = found(definitions, replace(evidence, settings=settings))

    assert [f.subject for f in findings] == ([key] if said else [])
    if said:
        assert f"{key} is {there} in c and {here} elsewhere" in findings[0].sentence


def test_a_score_from_elsewhere_is_of_another_set_and_scorer() -> None:
    # seed 003: Codabench's 0.72 on its test set, read as generalisation of 0.6819 on val
    evidence = runs({"amp+lmsa": curve("val", 0.6819)})
    external = External("mAP", 0.72, "Codabench", "2025-10-14", "test")
    (record,) = evidence.records

    (finding,) = found(
        definitions, replace(evidence, records=[replace(record, externals=(external,))])
    )

    assert finding.name == "W124:external.mAP"
    assert finding.sentence == (
        "mAP 72.0 on test of amp+lmsa is by Codabench, 68.2 on val by its own run:"
        " another set and another scorer, so their difference says nothing of generalisation"
    )
    named = replace(external, metric="test.mAP", split="")
    (again,) = found(definitions, replace(evidence, records=[replace(record, externals=(named,))]))
    assert again.sentence == finding.sentence
    for value, many in ((0.682, 0), (0.683, 1)):  # of the same set: as printed, and not
        own = replace(external, value=value, split="val")
        made = replace(evidence, records=[replace(record, externals=(own,))])
        assert len(found(definitions, made)) == many
