"""Steps that change more than one thing: what is told apart, what is not, and what would."""

import tomllib
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from ablate import spec
from ablate.audit.design.confounded import W104
from ablate.audit.evidence import Evidence
from ablate.design import variants
from ablate.metric import Metric
from ablate.project import Project
from ablate.record import Finding, State
from ablate.study import Arm, Claims, Modules, Start, Study, real, switch, whole
from tests.audit.clean import clean
from tests.audit.tabled import Row, evidence

FACTORS = (
    switch("lmsa"),
    switch("focal"),
    real("focal.gamma", 2.0, requires="focal"),
    real("lr", 8e-4),
    whole("epochs", 200),
)
CE = Study(
    name="ce",
    title="ce",
    system="faces",
    revision="1",
    factors=FACTORS,
    metrics=(Metric("F", digits=2),),
    primary="F",
    seeds=(0,),
    modules=Modules(("lmsa", "focal")),
)
BEFORE = Row("no-lmsa", {}, {"F": [67.53]}, params=1_721_939)
LMSA = Row("lmsa", {"lmsa": True}, {"F": [68.19]}, params=1_747_923)


def said(found: Evidence) -> dict[str, Finding]:
    return {f.subject: f for f in W104.findings(found)}


def test_a_key_that_one_configuration_lacks_is_told_as_unknown_with_the_size_of_the_step() -> None:
    # facts/models.md 2.1 and seed 003: .6753 -> .6819, 1,721,939 -> 1,747,923 parameters
    before = replace(BEFORE, settings={"training.lr": "8e-4", "output_dir": "runs/1"})
    after = replace(
        LMSA,
        settings={
            "training.lr": "0.0008",
            "model.use_lmsa": "true",
            "loss.use_class_weights": "false",
            "output_dir": "runs/2",
        },
    )
    found = said(evidence(CE, before, after))
    assert found["lmsa"].sentence == (
        "lmsa against no-lmsa, the nearest before it, changes lmsa; whether it also"
        " changes loss.use_class_weights (false), absent from the configuration of no-lmsa, is not"
        " recorded (F +0.66 points, +0.98 % rel., params +1.51 %)"
    )
    assert "+0.66 百分点" in found["lmsa"].chinese
    assert len(found["lmsa"].keys) == 2


def test_factors_that_runs_separate_are_not_called_together_for_an_unknown_key() -> None:
    plain = {"optim": "AdamW", "clip": "1.0"}
    rows = (
        Row("baseline", {}, {"F": [67]}, settings=plain),
        Row("lmsa", {"lmsa": True}, {"F": [68]}, parent="baseline", settings=plain),
        Row(
            "both",
            {"lmsa": True, "lr": 5e-4},
            {"F": [69]},
            parent="baseline",
            settings={**plain, "ema": "0.99"},
        ),
    )
    found = said(evidence(CE, *rows))
    assert set(found) == {"both"}
    assert found["both"].sentence == (
        "both against baseline changes lmsa and lr; whether it also changes ema (0.99), absent"
        " from the configuration of baseline, is not recorded (F +2.00 points, +2.99 % rel.)"
    )


def test_a_half_printed_configuration_lacks_nothing() -> None:
    before = replace(BEFORE, settings={"training.lr": "8e-4"})
    keys = {f"loss.k{i}": "1" for i in range(3)}
    assert said(evidence(CE, before, replace(LMSA, settings=keys))) == {}


def test_a_setting_that_no_factor_names_and_that_differs_is_a_second_change() -> None:
    rows = [
        replace(BEFORE, settings={"loss.use_class_weights": "true", "seed": "1"}),
        replace(LMSA, settings={"loss.use_class_weights": "false", "seed": "2"}),
    ]
    assert (
        "changes lmsa and loss.use_class_weights together"
        in said(evidence(CE, *rows))["lmsa"].sentence
    )


def test_a_module_with_its_own_settings_is_one_change() -> None:
    on = {"focal": True, "focal.gamma": 3.0}
    settings = {"loss.focal_alpha": "0.25", "loss.use_focal": "true", "lr": "8e-4"}
    settings |= {"optim": "AdamW"}
    rows = (
        replace(BEFORE, settings={"lr": "8e-4", "optim": "AdamW"}),
        Row("focal", on, {"F": [67.0]}, settings=settings),
    )
    assert said(evidence(CE, *rows)) == {}


def test_focal_with_another_learning_rate_is_confounded() -> None:
    focal = Row("focal", {"lmsa": True, "focal": True, "lr": 5e-4}, {"F": [67.02]})
    found = said(evidence(CE, BEFORE, LMSA, focal))
    assert set(found) == {"focal"}
    assert found["focal"].sentence == (
        "focal against lmsa, the nearest before it, changes focal and lr together, and no run"
        " of the study separates them (F −1.17 points, −1.72 % rel.)"
    )


@pytest.mark.parametrize("between", [{"focal": True}, {"lr": 5e-4}])
def test_a_run_between_separates_two_changes(between: dict[str, float]) -> None:
    rows = (
        Row("baseline", {}, {"F": [67]}),
        Row("between", between, {"F": [67]}, parent="baseline"),
        Row("both", {"focal": True, "lr": 5e-4}, {"F": [67]}, parent="baseline"),
    )
    assert said(evidence(CE, *rows)) == {}
    assert set(said(evidence(CE, rows[0], rows[2]))) == {"both"}
    lost = replace(rows[1], scores={})
    assert set(said(evidence(CE, rows[0], lost, rows[2]))) == {"both"}


def test_each_change_alone_separates_a_step_of_three() -> None:
    three = {"focal": True, "lr": 5e-4, "epochs": 250}
    alone = [
        Row(name, {name: level}, {"F": [67]}, parent="baseline") for name, level in three.items()
    ]
    rows = (Row("baseline", {}, {"F": [67]}), Row("all", three, {"F": [67]}, parent="baseline"))
    assert said(evidence(CE, *rows, *alone)) == {}
    assert set(said(evidence(CE, *rows, *alone[:1]))) == {"all"}


@pytest.mark.parametrize("seed", range(20))
def test_the_cells_of_a_full_grid_are_no_confounded_steps(seed: int) -> None:
    assert said(clean(seed)) == {}


def test_a_plan_is_asked_before_it_has_numbers() -> None:
    rows = (
        Row("baseline"),
        Row("both", {"focal": True, "lr": 5e-4}, parent="baseline"),
    )
    made = evidence(CE, *rows)
    assert all(r.state is State.PENDING for r in made.records)
    assert said(made)["both"].sentence == (
        "both against baseline changes focal and lr together, and no run of the study separates"
        " them"
    )


def test_a_search_is_counted_and_its_steps_are_not_listed() -> None:
    rows = [
        Row(f"r{i}", {"lr": 1e-5 * i, "epochs": i}, {"F": [60 + i]}, parent="baseline")
        for i in range(1, 31)
    ]
    (found,) = W104.findings(evidence(CE, Row("baseline", {}, {"F": [67]}), *rows))
    assert found.sentence.startswith("30 configurations change several things at once")
    assert found.subject == ""


STANZA = """
[systems.faces]
command = "python train.py {overrides}"
reader = "histories"
[systems.faces.factors.lmsa]
kind = "switch"
reference = false
[systems.faces.factors.focal]
kind = "switch"
reference = false
[systems.faces.factors."focal.gamma"]
kind = "number"
reference = 2.0
requires = "focal"
[systems.faces.factors.lr]
kind = "number"
reference = 8e-4
[systems.faces.factors.epochs]
kind = "whole"
reference = 200
[systems.faces.metrics.F]
direction = "up"
"""


def test_the_remedy_is_a_study_that_has_each_change_alone(tmp_path: Path) -> None:
    on = {"lmsa": True, "focal": True, "focal.gamma": 3.0, "lr": 5e-4}
    rows = LMSA, Row("tuned focal", on, {"F": [67.02]})
    (found,) = W104.findings(evidence(replace(CE, text="a file"), *rows))
    assert found.command == (
        "ablate audit ce --remedy 'W104:tuned focal' -o studies/ce-tuned-focal.toml"
    )
    (tmp_path / "ablate.toml").write_text(STANZA)
    (tmp_path / "remedy.toml").write_text(found.remedy)
    project = Project.find(tmp_path)
    study = spec.bind(
        spec.read(tmp_path / "remedy.toml"),
        project.system("faces"),
        spec.Options(data_root=project.data),
    )
    assert study.seeds == (0, 1, 2)
    levels = {v.name: dict(v.levels) for v in variants(study)}
    start = {"lmsa": True, "focal": False, "focal.gamma": 2.0, "lr": 8e-4, "epochs": 200}
    assert levels == {
        "before": start,
        "only-focal": {**start, "focal": True, "focal.gamma": 3.0},
        "only-lr": {**start, "lr": 5e-4},
        "after": {**start, **on},
    }


def test_a_remedy_keeps_what_the_study_says_of_its_claims() -> None:
    claims = Claims(paired=True, margins={"F": 0.2})
    focal = Row("focal", {"lmsa": True, "focal": True, "lr": 5e-4}, {"F": [67.02]})
    (found,) = said(evidence(replace(CE, claims=claims), BEFORE, LMSA, focal)).values()
    told = tomllib.loads(found.remedy)
    assert told["claims"] == {"paired": True, "margins": {"F": 0.2}}
    (usual,) = said(evidence(CE, BEFORE, LMSA, focal)).values()
    assert "claims" not in tomllib.loads(usual.remedy)


def test_a_remedy_of_runs_without_a_system_says_what_it_needs() -> None:
    focal = Row("focal", {"focal": True, "lr": 5e-4}, {"F": [67.02]})
    (found,) = W104.findings(evidence(CE, BEFORE, focal))
    assert "ablate.toml must declare the system" in found.remedy
    assert tomllib.loads(found.remedy)["study"]["system"] == "faces"


def alone(**changes: object) -> Evidence:
    """Another study that has each change of `BUNDLED` alone."""
    study = replace(CE, name="ce-both", text="a file", **changes)  # type: ignore[arg-type]
    rows = [
        Row(f"only-{name}", {name: level}, {"F": [67]}, parent="before")
        for name, level in BUNDLED.items()
    ]
    return evidence(study, Row("before", {}, {"F": [67]}), *rows, source="run")


BUNDLED = {"focal": True, "lr": 5e-4}


def test_runs_of_another_study_of_the_same_system_and_data_separate_a_step() -> None:
    rows = Row("baseline", {}, {"F": [67]}), Row("both", BUNDLED, {"F": [68]}, parent="baseline")
    made = evidence(replace(CE, text="a file"), *rows, source="run")
    assert set(said(made)) == {"both"}
    assert said(replace(made, others=lambda: [alone()])) == {}
    for other in (
        alone(data="other data"),
        alone(revision="2"),
        alone(system="other"),
        alone(arms=tuple(Arm(f"only-{n}", {}, start=Start("before")) for n in BUNDLED)),
    ):
        assert set(said(replace(made, others=partial(list, [other])))) == {"both"}
    waiting = [replace(r, state=State.PENDING, scores={}) for r in alone().records]
    unmade = replace(alone(), records=waiting)
    assert set(said(replace(made, others=lambda: [unmade]))) == {"both"}


def test_other_studies_are_read_only_where_a_step_is_left() -> None:
    def unasked() -> list[Evidence]:
        raise AssertionError

    rows = Row("baseline", {}, {"F": [67]}), Row("lr", {"lr": 5e-4}, {"F": [68]}, parent="baseline")
    assert said(replace(evidence(CE, *rows), others=unasked)) == {}


def test_a_level_that_no_run_read_is_no_change() -> None:
    ignored = {"unread": "epochs, lr"}
    rows = (
        Row("baseline", {}, {"F": [67, 66]}),
        Row("both", BUNDLED, {"F": [68, 67]}, parent="baseline", provenance=ignored),
    )
    made = evidence(CE, *rows, source="run")
    assert said(made) == {}
    # one of its runs read it
    *rest, last = made.records
    assert last.attempt is not None
    other = replace(last, attempt=replace(last.attempt, provenance={}))
    assert set(said(replace(made, records=[*rest, other]))) == {"both"}


def test_runs_separate_a_step_whatever_levels_they_did_not_read() -> None:
    ignored = {"unread": "epochs"}
    between = Row(
        "between", {"focal": True, "epochs": 9}, {"F": [67]}, "arm", "baseline", provenance=ignored
    )
    both = Row("both", {**BUNDLED, "epochs": 5}, {"F": [68]}, "arm", "baseline", provenance=ignored)
    made = evidence(CE, Row("baseline", {}, {"F": [67]}), between, both, source="run")
    assert said(made) == {}
    left = [r for r in made.records if r.variant != "between"]
    alone = replace(made, records=left)
    assert set(said(alone)) == {"both"}
    assert said(replace(alone, others=lambda: [made])) == {}


def test_runs_that_separate_a_step_of_results_from_elsewhere_are_named_in_words() -> None:
    focal = Row("focal", BUNDLED, {"F": [67.02]})
    (found,) = W104.findings(evidence(CE, BEFORE, focal))
    assert found.command == (
        "train no-lmsa with each change alone (focal=true; lr=0.0005) with the original program,"
        " then import them beside logs (--study ce)"
    )
    assert found.chinese_command == (
        "用原程序训练单独做每项改变的 no-lmsa（focal=true; lr=0.0005），"
        "再与 logs 一并导入（--study ce）"
    )
    assert "[[arm]]" in found.remedy
    # a setting that one of both does not have is no run to make
    lone = [
        replace(BEFORE, settings={"training.lr": "8e-4", "optim": "AdamW", "ema": "0.9"}),
        replace(LMSA, settings={"training.lr": "8e-4", "optim": "AdamW"}),
    ]
    (found,) = W104.findings(evidence(CE, *lone))
    assert found.command.startswith("train no-lmsa and lmsa with all else equal with the original")
