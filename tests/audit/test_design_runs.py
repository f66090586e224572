"""How many runs there are of each configuration, and which are missing."""

from dataclasses import replace

import pytest

from ablate.audit.check import ask
from ablate.audit.design.missing import W103
from ablate.audit.design.ranges import N112
from ablate.audit.design.seeds import W101, W102
from ablate.audit.evidence import Evidence
from ablate.metric import Metric
from ablate.record import Finding, State
from ablate.study import Arm, Claims, Modules, Study, switch
from tests.audit.clean import clean
from tests.audit.plants.design_study import single
from tests.audit.tabled import Row, evidence

RUNS = (W101, W102, W103)


def study(**more: object) -> Study:
    switches = [switch(n) for n in ("a", "b", "c")]
    metrics = (Metric("F", digits=2),)
    made = Study(
        name="s",
        title="s",
        system="x",
        revision="1",
        factors=tuple(switches),
        metrics=metrics,
        primary="F",
        modules=Modules(("a", "b", "c")),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def said(found: Evidence, *, planned: bool = False) -> dict[str, Finding]:
    return {f.name: f for f in ask(RUNS, found, planned=planned)}


def trained(found: Evidence) -> Evidence:
    return replace(found, records=[replace(r, source="run") for r in found.records])


def pending(found: Evidence) -> Evidence:
    records = [
        replace(r, state=State.PENDING, scores={}, costs={}, attempt=None, source="")
        for r in found.records
    ]
    return replace(found, records=records, curves={}, settings={})


def test_single_runs_are_counted_and_further_seeds_asked_for() -> None:
    made = evidence(
        study(seeds=(1111,)),
        Row("baseline", {}, {"F": [67]}),
        Row("a", {}, {"F": [68]}),
        source="run",
    )
    found = said(made)
    assert found["W101"].sentence == "each of the 2 configurations has one run"
    assert found["W101"].chinese == "2 个配置每个只有一次运行"
    assert found["W101"].command == "ablate run studies/s.toml --seeds 1111-1115"
    assert len(found["W101"].keys) == 2


def test_results_from_elsewhere_need_the_program_that_made_them() -> None:
    found = said(evidence(study(), Row("baseline", {}, {"F": [67]}), source="import old logs"))
    assert found["W101"].sentence == "the only configuration has one run"
    assert found["W101"].command == (
        "train further seeds with the original program, then import them beside old logs"
        " (--study s)"
    )
    assert found["W101"].chinese_command == (
        "用原程序训练更多种子，再与 old logs 一并导入（--study s）"
    )


def test_the_plan_of_one_seed_is_told_before_it_is_run() -> None:
    planned = said(pending(single(clean(0))), planned=True)
    assert planned["W101"].sentence == "each of the 12 configurations will have one run"


@pytest.mark.parametrize("seed", range(5))
def test_a_plan_of_several_seeds_is_passed_over(seed: int) -> None:
    assert said(pending(clean(seed)), planned=True) == {}


def test_seeds_that_are_still_to_come_count() -> None:
    half = trained(clean(1))
    last = half.study.seeds[-1]
    records = [
        replace(r, state=State.PENDING, scores={}) if r.seed == last else r for r in half.records
    ]
    found = said(replace(half, records=records))
    assert set(found) == {"W103:missing"}
    assert "have no result yet" in found["W103:missing"].sentence
    assert found["W103:missing"].command == "ablate run studies/clean.toml"


def test_unequal_numbers_of_runs_are_named_with_their_configurations() -> None:
    made = evidence(
        study(),
        Row("baseline", {}, {"F": [67, 68, 66]}),
        Row("a", {"a": True}, {"F": [67, 68, 66]}),
        Row("b", {"b": True}, {"F": [70]}),
    )
    found = said(made)
    assert found["W102"].sentence == "1 run of b, 3 runs of baseline and a"
    assert found["W102"].chinese == "b 有 1 次运行，baseline、a 有 3 次"
    assert "W101" not in found


def test_seeds_that_failed_are_said_once() -> None:
    rows = [Row(n, {}, {"F": [67, 68, 66]}) for n in ("baseline", "a")]
    made = evidence(study(), *rows, source="")
    *rest, last = made.records
    lost = [*rest, replace(last, state=State.FAILED, scores={})]
    assert set(said(replace(made, records=lost))) == {"W103:failed"}
    assert set(said(replace(made, records=rest))) == {"W102"}


@pytest.mark.parametrize(("first", "told"), [(3, "0-4"), (7, "0,1,2,7,8")])
def test_the_seeds_that_some_lack_are_asked_of_all(first: int, told: str) -> None:
    rows = [Row(n, {}, {"F": [67, 68, 66]}) for n in ("baseline", "a")]
    made = evidence(study(), *rows, source="")
    more = [replace(r, seed=first + i, key=f"more {i}") for i, r in enumerate(made.records[:2])]
    found = said(replace(made, records=[*made.records, *more]))
    assert found["W102"].command == f"ablate run studies/s.toml --seeds {told}"


def test_a_pairing_by_seed_needs_the_same_seeds() -> None:
    made = evidence(study(), Row("baseline", {}, {"F": [67, 68]}), Row("a", {}, {"F": [67, 68]}))
    records = [replace(r, seed=r.seed + 5) if r.variant == "a" else r for r in made.records]
    moved = replace(made, records=records)
    assert "W102" not in said(moved)
    paired = replace(moved, study=study(claims=Claims(paired=True)))
    assert said(paired)["W102"].sentence == (
        "the study pairs runs by seed, and the seeds of a are not those of baseline"
    )


def test_a_trial_that_failed_is_named_with_what_became_of_it() -> None:
    whole = trained(clean(0))
    lost = [replace(r, state=State.CRASHED, scores={}) for r in whole.records[:1]]
    found = said(replace(whole, records=[*lost, *whole.records[1:]]))
    of = whole.records[0]
    assert found["W103:failed"].sentence == (
        f"1 of {len(whole.records)} trials has ended without a result:"
        f" {of.variant} s{of.seed} (crashed)"
    )
    assert found["W103:failed"].command == "ablate run studies/clean.toml"
    assert found["W103:failed"].keys == (of.key,)


def test_a_failure_is_not_taken_up_unasked() -> None:
    whole = trained(clean(0))
    lost = [replace(r, state=State.TIMEOUT, scores={}) for r in whole.records[:1]]
    found = said(replace(whole, records=[*lost, *whole.records[1:]]))
    assert found["W103:failed"].command == "ablate run studies/clean.toml --retry-failed"


def test_of_half_a_factorial_from_elsewhere_the_rest_is_named() -> None:
    # seed 003's runs: amp, focal and lmsa in four of their eight combinations
    rows = (
        Row("baseline", {}, {"F": [60.36]}),
        Row("one", {"a": True}, {"F": [67.53]}),
        Row("two", {"a": True, "c": True}, {"F": [68.19]}),
        Row("three", {"a": True, "b": True, "c": True}, {"F": [67.02]}),
    )
    found = said(evidence(study(), *rows))
    assert found["W103:combinations"].sentence == (
        "of the 8 combinations of a, b and c, 4 were never run: c, b, b+c and 1 more"
    )
    assert "W103:combinations" not in said(evidence(study(), *rows[:3]))
    assert "W103:combinations" not in said(evidence(study(), *rows, source="run"))


def test_runs_that_an_import_left_out_are_named_once() -> None:
    left = {"left_out": "run_19: never trained\nrun_20: two runs of one seed"}
    made = evidence(
        study(),
        Row("baseline", {}, {"F": [67, 66]}, provenance=left),
        Row("a", {"a": True}, {"F": [67, 66]}, provenance=left),
    )
    assert said(made)["W103:left out"].sentence == (
        "2 runs are in no table: run_19 (never trained) and run_20 (two runs of one seed)"
    )


@pytest.mark.parametrize(("state", "name"), [(State.PENDING, "missing"), (State.FAILED, "failed")])
def test_an_arm_without_a_result_is_said_once(state: State, name: str) -> None:
    asked = study(arms=(Arm("recipe", {"a": True}, "baseline"),))
    rows = Row("baseline", {}, {"F": [67, 66]}), Row("recipe", {"a": True}, parent="baseline")
    made = evidence(asked, *rows, source="run")
    *rest, last = made.records
    lost = replace(made, records=[*rest, replace(last, state=state)])
    (found,) = [f for check in (W103, N112) for f in check.findings(lost)]
    assert found.name == f"W103:{name}"
    assert "recipe s0" in found.sentence


def test_a_study_that_was_stopped_is_not_called_unbalanced() -> None:
    # 3 seeds of 4 configurations were asked for; 1 ran, 1 failed, 1 was cancelled
    rows = [Row(n, {n: True}, {"F": [67, 68, 66]}) for n in ("a", "b", "c")]
    whole = evidence(study(seeds=(0, 1, 2)), Row("baseline", {}, {"F": [67, 68, 66]}), *rows)
    states = [State.COMPLETED, State.FAILED, State.CANCELLED, *[State.PENDING] * 9]
    records = [replace(r, state=s) for r, s in zip(whole.records, states, strict=True)]
    assert "W102" not in said(replace(whole, records=records))
    uneven = said(replace(whole, records=records[:-1]))
    assert uneven["W102"].sentence == (
        "2 runs of c, 3 runs of baseline, a and b, those still to come among them"
    )
    assert uneven["W102"].chinese == "c 有 2 次运行，baseline、a、b 有 3 次（含待运行者）"
    planned = said(pending(replace(whole, records=whole.records[:-1])), planned=True)
    assert planned["W102"].sentence == "2 runs of c, 3 runs of baseline, a and b"
