"""Doubts that a study's own curves raise."""

import math
from dataclasses import replace

from ablate.audit import broken_checks, selected_on_test
from ablate.metric import Metric
from ablate.record import Record, State
from ablate.report import render_study, study_document
from ablate.selection import Selection
from ablate.study import Check, Study

STUDY = Study(
    name="s",
    title="S",
    system="x",
    revision="1",
    factors=(),
    metrics=(Metric("mAP"),),
    primary="mAP",
    checks=(Check("train.acc", step=5, min=0.2), Check("mAP", step=5, max=0.9)),
)


def _record(key: str) -> Record:
    return Record("s", f"v{key}", "arm", None, 0, {}, {}, 0, key, State.COMPLETED)


def test_a_broken_check_names_the_bound_the_step_and_the_trial() -> None:
    curves = {
        "a": {("train", "acc"): {5: 0.1}, ("test", "mAP"): {5: 0.5}},
        "b": {("train", "acc"): {5: 0.3}, ("test", "mAP"): {5: 0.5}},
        "c": {("train", "acc"): {4: 0.0}},
    }

    (finding,) = broken_checks(STUDY, [_record(k) for k in curves], curves)

    assert finding.code == "W250"
    assert finding.sentence == (
        "the study expects train.acc of at least 0.2 at step 5; broken by va s0 (0.1)"
    )


def test_nan_holds_no_bound() -> None:
    curves = {"a": {("train", "acc"): {5: math.nan}, ("test", "mAP"): {5: math.nan}}}

    assert len(broken_checks(STUDY, [_record("a")], curves)) == 2


def test_the_best_step_chosen_on_the_test_split_is_a_finding_unless_there_is_a_val_split() -> None:
    best = replace(STUDY, selection=Selection("mAP"))
    test, val = {("test", "mAP"): {1: 0.5}}, {("val", "mAP"): {1: 0.5}, ("test", "mAP"): {1: 0.5}}

    found = selected_on_test(best, test)

    assert found is not None
    assert found.code == "W120"
    assert selected_on_test(best, val) is None
    assert selected_on_test(STUDY, test) is None


def test_findings_stand_at_the_top_of_the_report() -> None:
    curves = {"a": {("train", "acc"): {5: 0.1}}}
    findings = broken_checks(STUDY, [_record("a")], curves)

    text = render_study(study_document(STUDY, [_record("a")], curves, findings))

    assert "W250: the study expects train.acc" in text
    assert text.index("W250") < text.index("## 1.")


def test_the_note_of_a_study_file_stands_at_the_top_and_is_said_to_be_its_authors() -> None:
    text = render_study(study_document(replace(STUDY, note="It fades."), [_record("a")]))

    line = next(line for line in text.splitlines() if "It fades." in line)
    assert "written by its author" in line
    assert text.index(line) < text.index("## 1.")
