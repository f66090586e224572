"""Curves without numbers, curves that still rise, and starts that are apart."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from ablate.audit.evidence import Evidence
from ablate.audit.measurement import flattened, nonfinite, starts
from ablate.metric import Metric
from ablate.record import Attempt, Finding, Record, State
from ablate.selection import Curves, Score
from ablate.study import Arm, Claims, Level, Start, Study, switch

STUDY = Study(
    name="s",
    title="S",
    system="x",
    revision="1",
    factors=(switch("aqr"),),
    metrics=(Metric("mAP"),),
    primary="mAP",
)
EXPERIMENT = {"experiment": "cmt_aqr_voxel0100"}


def runs(curves: Mapping[str, Curves], facts: Mapping[str, str] | None = None) -> Evidence:
    """One run a curve; `a 1` is the run of the configuration `a` with seed 1."""
    records = []
    for i, (key, of) in enumerate(curves.items()):
        name, _, seed = key.partition(" ")
        split = next((s for s, m in of if m == "mAP"), "")
        scores = {"mAP": Score("mAP", of[split, "mAP"][1], 1, split, "last")} if split else {}
        attempt = Attempt(key, 1, State.COMPLETED, "", "", provenance=facts or {})
        records.append(
            Record(
                study="s",
                variant=name,
                role="arm",
                parent=None,
                position=i,
                levels={},
                changed={},
                seed=int(seed or 0),
                key=key,
                state=State.COMPLETED,
                scores=scores,
                attempt=attempt,
            )
        )
    return Evidence(STUDY, records, curves)


def lost(evidence: Evidence) -> list[Finding]:
    return [f for check in nonfinite.CHECKS for f in check.findings(evidence)]


def gradients(*odd: tuple[int, float]) -> Curves:
    return {("train", "grad_norm"): {**dict.fromkeys(range(50, 4001, 50), 40.0), **dict(odd)}}


def test_the_gradients_of_seed_004_are_nan_in_both_and_infinite_in_the_baseline_only() -> None:
    evidence = runs(
        {
            "baseline": gradients((50, math.nan), (100, math.nan), (2100, math.inf)),
            "aqr": gradients((50, math.nan), (1400, math.nan)),
        }
    )

    (finding,) = lost(evidence)

    assert finding.name == "N152:grad_norm"
    assert finding.sentence == (
        "grad_norm is NaN in baseline (steps 50, 100) and aqr (steps 50, 1400),"
        " and infinite in baseline (step 2100)"
    )
    assert finding.command == "ablate compare baseline aqr --study s"
    assert finding.keys == ("baseline", "aqr")


def test_many_runs_and_steps_are_counted_and_seeds_are_named() -> None:
    bad = gradients(*((s, math.nan) for s in range(50, 501, 50)))

    (finding,) = lost(runs({f"a {seed}": bad for seed in range(5)}))

    assert finding.sentence == (
        "grad_norm is NaN in a s0 (steps 50, 100, 150 and 7 more),"
        " a s1 (steps 50, 100, 150 and 7 more), a s2 (steps 50, 100, 150 and 7 more)"
        " and 2 more runs"
    )


def test_a_score_that_is_no_number_is_told_without_a_curve() -> None:
    (record,) = runs({"a": {("val", "mAP"): {1: math.nan}}}).records

    (finding,) = lost(Evidence(STUDY, [record]))

    assert finding.name == "E152:mAP"
    assert finding.sentence == "mAP is NaN in a (step 1): there is no mean of a"
    assert finding.command == "ablate show a --study s --seed 0"


@pytest.mark.parametrize(("value", "said"), [(math.nan, "NaN"), (-math.inf, "infinite")])
def test_the_mean_is_said_to_be_of_the_other_runs(value: float, said: str) -> None:
    of = {f"a {s}": {("val", "mAP"): {1: 0.5}} for s in range(3)}
    evidence = runs({**of, "a 1": {("val", "mAP"): {1: value}}, "b": {("val", "mAP"): {1: 0.4}}})

    (finding,) = nonfinite.E152.findings(evidence)

    assert finding.severity == "error"
    assert finding.sentence == (
        f"mAP is {said} in a s1 (step 1): means are of the other runs alone (a 2 of 3)"
    )
    assert finding.chinese.endswith("：均值只含其余运行（a 3 次中的 2 次）")
    assert finding.keys == ("a 1",)


def test_a_run_whose_curve_gave_no_score_at_all_is_a_lost_one() -> None:
    evidence = runs({"a": {("val", "mAP"): {1: math.nan, 2: math.nan}}, "b": climbing(4)})
    bare = [replace(r, scores={}) if r.key == "a" else r for r in evidence.records]
    unlogged = {**evidence.curves, "a": {("train", "mAP"): {1: math.nan}}}
    sparse = {**evidence.curves, "a": {("val", "mAP"): {1: math.nan, 2: 0.5}}}

    (finding,) = nonfinite.E152.findings(replace(evidence, records=bare))

    assert finding.sentence == "mAP is NaN in a (step 2): there is no mean of a"
    for curves in (unlogged, sparse):
        assert not [*nonfinite.E152.findings(replace(evidence, records=bare, curves=curves))]


def test_metrics_that_the_same_runs_lost_are_one_finding_and_one_that_none_has_is_none() -> None:
    of = {"a": {("val", "mAP"): {1: 0.5}}, "b": {("val", "mAP"): {1: 0.5}}}
    study = replace(STUDY, metrics=(Metric("mAP"), Metric("NDS"), Metric("APbus")))

    def scored(record: Record, value: float) -> Record:
        own = {n: Score(n, value, 1, "val", "last") for n in ("mAP", "NDS")}
        return replace(record, scores={**own, "APbus": Score("APbus", math.nan, 1, "val", "last")})

    a, b = runs(of).records
    evidence = Evidence(study, [scored(a, math.nan), scored(b, 0.5)])

    (finding,) = nonfinite.E152.findings(evidence)

    assert finding.sentence == "mAP and NDS are NaN in a (step 1): there is no mean of a"


def test_a_score_that_is_from_such_a_curve_is_told_once() -> None:
    evidence = runs({"a": {("val", "mAP"): {1: math.nan}}})

    (finding,) = nonfinite.W152.findings(evidence)

    assert finding.sentence == "mAP is NaN in a (step 1)"
    assert finding.command == "ablate show a --study s --seed 0 --json"
    assert finding.keys == ("a",)


def test_one_name_on_two_splits_is_two_findings() -> None:
    both: Curves = {("train", "loss"): {1: math.nan}, ("val", "loss"): {1: math.inf}}

    found = lost(runs({"a": both}))

    assert [f.name for f in found] == ["W152:train.loss", "W152:val.loss"]


def test_curves_that_fail_at_the_same_places_are_one_finding() -> None:
    bad = {("val", f"IoU {n}"): {1: 0.5, 2: math.nan} for n in range(9)}
    other: Curves = {("val", "IoU 9"): {1: math.nan, 2: 0.5}}

    both, one = lost(runs({"a": {**bad, **other}}))

    assert (both.name, one.name) == ("W152:IoU 0", "W152:IoU 9")
    assert both.sentence == "IoU 0, IoU 1, IoU 2 and 6 more are NaN in a (step 2)"
    assert both.chinese == "IoU 0、IoU 1、IoU 2 等 9 项 在 a（第 2 步）为 NaN"
    assert one.sentence == "IoU 9 is NaN in a (step 1)"


def test_a_class_that_the_set_has_not_is_no_defect() -> None:
    absent: Curves = {("val", "IoU bus"): {1: math.nan, 2: math.nan}}
    trained: Curves = {("train", "loss"): {1: math.nan, 2: math.nan}}
    scored: Curves = {("val", "mAP"): {1: math.nan, 2: math.nan}}

    assert lost(runs({"a": absent, "b": absent})) == []
    for curves in (trained, scored, {("val", "IoU bus"): {1: math.nan, 2: 0.5}}):
        assert len([*nonfinite.W152.findings(runs({"a": absent, "b": curves}))]) == 1


def test_finite_values_whose_sum_overflows_are_numbers() -> None:
    large: Curves = {("train", "loss"): {1: 1.7e308, 2: 1.7e308}}

    assert lost(runs({"a": large})) == []


def climbing(rise: float, seed: int = 0, epochs: int = 50, wobble: float = 0.002) -> Curves:
    """A curve to 0.7 whose gap falls to 1/e in `rise` epochs, with a wobble."""
    steps = np.arange(1, epochs + 1)
    noise = np.random.default_rng(seed).normal(0, wobble, epochs)
    values = 0.7 - 0.5 * np.exp(-steps / rise) + noise
    return {("test", "mAP"): {int(s): float(v) for s, v in zip(steps, values, strict=True)}}


def test_a_curve_that_still_rises_is_told_with_what_it_gained_at_the_end() -> None:
    evidence = runs({"slow": climbing(40, wobble=1e-4), "fast": climbing(4, 1)})

    (finding,) = flattened.CHECK.findings(evidence)

    assert finding.keys == ("slow",)
    # 0.5 (exp(-39/40) - exp(-50/40)) = 0.045
    assert finding.sentence == "mAP had not flattened in slow (+4.5 points over the last 11 steps)"
    assert not finding.runnable


@pytest.mark.parametrize(
    ("levels", "settings", "said"),
    [
        ({"epochs": 50}, {"train.epochs": "60"}, " (epochs is 50)"),
        ({}, {"train.max_epochs": "60", "warmup_epochs": "5"}, " (train.max_epochs is 60)"),
        ({}, {"train.epochs": "60", "warmup.epochs": "5"}, ""),
        ({}, {"steps": "[30, 50]", "lr": "0.1"}, ""),
    ],
)
def test_the_length_of_the_training_is_said_where_one_is_known(
    levels: Mapping[str, Level], settings: Mapping[str, str], said: str
) -> None:
    of = runs({"slow": climbing(40)})
    records = [replace(r, levels=levels) for r in of.records]

    (finding,) = flattened.CHECK.findings(replace(of, records=records, settings={"slow": settings}))

    words = f"train longer{said}, or compare at a step where the curves are flat"
    assert finding.command == words
    assert finding.chinese_command.startswith("延长训练")


def test_where_all_still_rise_it_is_said_of_every_configuration() -> None:
    (finding,) = flattened.CHECK.findings(runs({"a": climbing(40), "b": climbing(50, 1)}))

    assert "in every configuration (a and b) (a: +" in finding.sentence


def test_where_lower_is_better_a_falling_curve_still_learns() -> None:
    down = Metric("mAP", direction="down")
    evidence = runs({"a": climbing(40)})
    falling: Curves = {
        at: {s: 1 - v for s, v in of.items()} for at, of in evidence.curves["a"].items()
    }

    for curves, said in ((falling, 1), (evidence.curves["a"], 0)):
        found = replace(evidence, study=replace(STUDY, metrics=(down,)), curves={"a": curves})
        assert len(list(flattened.CHECK.findings(found))) == said


def _flat(steps: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    return draw.normal(0, 0.01, len(steps))


def _slow_wobble(steps: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """One standard deviation of a point; neighbouring epochs are correlated by 0.8."""
    values = np.zeros(len(steps))
    for i, kick in enumerate(draw.normal(0, 0.006, len(steps))):
        values[i] = 0.8 * values[i - 1] + kick if i else kick / 0.6
    return values


def _decayed(steps: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A rate that falls to zero: it rises late and is flat at the very end."""
    return 0.1 * np.minimum(1, steps / (0.9 * len(steps))) + draw.normal(0, 0.002, len(steps))


@pytest.mark.parametrize(
    ("shape", "most"), [(_flat, 0.005), (_slow_wobble, 0.02), (_decayed, 0.05)]
)
@pytest.mark.parametrize("epochs", [20, 50, 100])
def test_flat_curves_are_not_said_to_rise(
    shape: Callable[[np.ndarray, np.random.Generator], np.ndarray], most: float, epochs: int
) -> None:
    draw = np.random.default_rng(1)
    steps = np.arange(1, epochs + 1)
    climb = 0.6 - 0.5 * np.exp(-10 * steps / epochs)
    said = 0
    for _ in range(400):
        values = climb + shape(steps, draw)
        curve: Curves = {
            ("test", "mAP"): dict(zip(map(int, steps), map(float, values), strict=True))
        }
        said += len(list(flattened.CHECK.findings(runs({"a": curve}))))

    assert said <= most * 400


def line(climb: float, until: int = 50) -> Curves:
    """A straight line, all but flat from the step `until` on."""
    return {("test", "mAP"): {s: 0.5 + climb * min(s, until) / 50 + 1e-6 * s for s in range(1, 51)}}


def test_what_went_flat_within_its_last_quarter_had_flattened() -> None:
    assert list(flattened.CHECK.findings(runs({"a": line(0.3, until=44)}))) == []
    assert list(flattened.CHECK.findings(runs({"a": line(0.3)})))


def test_what_rises_by_less_than_the_margin_of_the_study_counts_as_flat() -> None:
    # 0.015 * 11 / 50 = 0.33 points over the last quarter
    for margin, said in ((0.5, 0), (0.3, 1)):
        study = replace(STUDY, claims=Claims(margin=margin))
        found = flattened.CHECK.findings(replace(runs({"a": line(0.015)}), study=study))
        assert len(list(found)) == said


def test_a_short_curve_has_no_end_to_speak_of() -> None:
    assert list(flattened.CHECK.findings(runs({"a": climbing(40, epochs=11)}))) == []


def losses(
    first: float, last: float, names: Sequence[str] = ("loss",), wobble: float = 0.05
) -> Curves:
    """A loss that falls from the first value to the last, and wobbles."""
    steps = range(50, 4001, 50)
    fall = {
        s: last + (first - last) * math.exp(-(s - 50) / 300) + wobble * (s // 50 % 2) for s in steps
    }
    return {("train", name): fall for name in names}


STARTED = {"load_from": "ckpts/epoch_20.pth"}


def test_one_checkpoint_and_unequal_losses_at_the_first_step() -> None:
    evidence = runs({"baseline": losses(10.0, 9.88), "aqr": losses(13.3, 10.07)})

    (finding,) = starts.CHECK.findings(
        replace(evidence, settings={"baseline": STARTED, "aqr": STARTED})
    )

    assert finding.name == "W154:epoch_20.pth"
    assert finding.sentence == (
        "aqr and baseline begin from epoch_20.pth, yet at training losses of 13.35 and 10.05;"
        " they end at 10.07 and 9.88"
    )


def test_a_log_without_configuration_is_said_to_be_of_the_same_experiment_only() -> None:
    evidence = runs({"baseline": losses(10.0, 9.88), "aqr": losses(13.3, 10.07)}, EXPERIMENT)

    (finding,) = starts.CHECK.findings(replace(evidence, settings={"baseline": STARTED}))
    unknown = runs(evidence.curves)

    assert finding.sentence == (
        "baseline begins from epoch_20.pth, and the log of aqr names the same experiment but no"
        " checkpoint; the training losses of aqr and baseline begin at 13.35 and 10.05"
        " and end at 10.07 and 9.88"
    )
    assert list(starts.CHECK.findings(replace(unknown, settings={"baseline": STARTED}))) == []


@pytest.mark.parametrize(
    ("curves", "settings"),
    [
        (losses(10.4, 9.9), STARTED),  # within 5 %
        (losses(10.5, 9.9, wobble=0.4), STARTED),  # within what it wobbles
        (losses(13.3, 10.0), {"load_from": "ckpts/epoch_10.pth"}),  # another checkpoint
        (losses(13.3, 10.0), {"load_from": "work_dirs/aqr/epoch_20.pth"}),  # of the same name
        (losses(13.3, 10.0), {"load_from": "None"}),
        (losses(13.3, 10.0), {"resume_from": "ckpts/epoch_20.pth"}),  # it goes on
        (losses(13.3, 10.0), {"MODEL.PRETRAIN_PATH_T": "ckpts/epoch_20.pth"}),  # a backbone's
        (losses(13.3, 10.0, ("loss", "loss_aqr")), STARTED),  # a sum of other terms
        (losses(13.3, 12.7), STARTED),  # as far apart at the end: perhaps a term that is not logged
    ],
)
def test_starts_that_are_equal_or_cannot_be_compared_are_passed_over(
    curves: Curves, settings: Mapping[str, str]
) -> None:
    evidence = runs({"baseline": losses(10.0, 9.88), "aqr": curves})

    found = replace(evidence, settings={"baseline": STARTED, "aqr": settings})

    assert list(starts.CHECK.findings(found)) == []


def test_arms_that_start_from_one_arm_are_of_one_checkpoint() -> None:
    evidence = runs({"tuned": losses(10.0, 9.88), "aqr": losses(13.3, 10.07)})
    arms = tuple(Arm(name, {}, start=Start("trained")) for name in ("tuned", "aqr"))

    (finding,) = starts.CHECK.findings(replace(evidence, study=replace(STUDY, arms=arms)))

    assert "aqr and tuned begin from trained, yet" in finding.sentence
