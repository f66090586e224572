"""What a study expects of its curves, and where its findings and its author's note stand."""

import math
from collections.abc import Mapping
from dataclasses import replace

from ablate.audit.evidence import Evidence
from ablate.audit.measurement import expectations
from ablate.metric import Metric
from ablate.record import Finding, Record, State
from ablate.report import render_study, study_document
from ablate.selection import Curves
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


def _broken(curves: Mapping[str, Curves]) -> list[Finding]:
    evidence = Evidence(STUDY, [_record(k) for k in curves], curves)
    return list(expectations.CHECK.findings(evidence))


def test_a_broken_check_names_the_bound_the_step_and_the_trial() -> None:
    curves = {
        "a": {("train", "acc"): {5: 0.1}, ("test", "mAP"): {5: 0.5}},
        "b": {("train", "acc"): {5: 0.3}, ("test", "mAP"): {5: 0.5}},
        "c": {("train", "acc"): {4: 0.0}},
    }

    (finding,) = _broken(curves)

    assert finding.name == "W250:1"
    assert finding.sentence == (
        "the study expects train.acc of at least 0.2 at step 5; broken by va (0.1)"
    )
    assert finding.command == "ablate show va --study s --seed 0 --json"
    assert finding.keys == ("a",)


def test_nan_holds_no_bound() -> None:
    found = _broken({"a": {("train", "acc"): {5: math.nan}, ("test", "mAP"): {5: math.nan}}})

    assert [f.name for f in found] == ["W250:1", "W250:2"]


def test_findings_stand_at_the_top_of_the_report() -> None:
    findings = _broken({"a": {("train", "acc"): {5: 0.1}}})

    text = render_study(study_document(STUDY, [_record("a")], {}, findings))

    assert "W250: the study expects train.acc" in text
    assert text.index("W250") < text.index("## 1.")


def test_the_note_of_a_study_file_stands_at_the_top_and_is_said_to_be_its_authors() -> None:
    text = render_study(study_document(replace(STUDY, note="It fades."), [_record("a")]))

    line = next(line for line in text.splitlines() if "It fades." in line)
    assert "written by its author" in line
    assert text.index(line) < text.index("## 1.")
