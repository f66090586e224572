"""Runs of several seeds that are one run counted several times."""

from collections.abc import Mapping

import pytest

from ablate.audit.check import ask
from ablate.audit.evidence import Evidence
from ablate.audit.execution.seeds import SEEDS, logged_seed
from ablate.metric import Metric
from ablate.record import Record, State
from ablate.selection import Curves, Score
from ablate.study import Study

STUDY = Study(
    name="s",
    title="S",
    system="x",
    revision="1",
    factors=(),
    metrics=(Metric("mAP"),),
    primary="mAP",
)
LEARNT: Curves = {
    ("train", "loss"): {1: 0.9, 2: 0.8},
    ("test", "mAP"): {1: 0.5, 2: 0.6},
    ("train", "seconds"): {1: 3.1},
}


def record(key: str, variant: str, seed: int, state: State = State.COMPLETED) -> Record:
    score = {"mAP": Score("mAP", 0.6, 2, "test", "last")} if state is State.COMPLETED else {}
    return Record("s", variant, "arm", None, 0, {}, {}, seed, key, state, score)


def found(curves: Mapping[str, Curves], *records: Record) -> list[str]:
    said = ask(SEEDS, Evidence(STUDY, records, curves))
    assert all((f.code, f.severity) == ("W126", "warning") for f in said)
    return [f.sentence for f in said]


def test_seeds_that_agree_to_the_last_digit_are_said_to_reach_nothing() -> None:
    slower = {**LEARNT, ("train", "seconds"): {1: 4.2}}
    runs = record("a", "baseline", 0), record("b", "baseline", 1)
    assert found({"a": LEARNT, "b": slower}, *runs) == [
        (
            "the 2 runs of baseline are identical to the last digit:"
            " the seed may not reach the training"
        )
    ]


def test_several_configurations_are_one_finding() -> None:
    runs = [record(f"{v}{s}", v, s) for v in "vwxyz" for s in range(3 if v == "v" else 2)]
    assert found({r.key: LEARNT for r in runs}, *runs) == [
        (
            "the 2 to 3 runs of each of v, w, x and 2 more are identical to the last digit:"
            " the seed may not reach the training"
        )
    ]


@pytest.mark.parametrize(
    "other",
    [
        {**LEARNT, ("train", "loss"): {1: 0.9, 2: 0.8000000000000002}},
        {**LEARNT, ("test", "mAP"): {1: 0.5, 3: 0.6}},
        {k: v for k, v in LEARNT.items() if k[1] != "loss"},
    ],
)
def test_one_digit_of_one_point_tells_seeds_apart(other: Curves) -> None:
    assert found({"a": LEARNT, "b": other}, record("a", "v", 0), record("b", "v", 1)) == []


@pytest.mark.parametrize(
    "poor",
    [
        {},
        {("test", "mAP"): {1: 1.0}},
        {("test", "mAP"): {1: 0.0, 2: 1.0, 3: 1.0}},
        {("test", "mAP"): {1: 1.0}, ("train", "lr"): {1: 0.1, 2: 0.01, 3: 0.001}},
    ],
)
def test_runs_with_too_few_values_to_tell_are_not_accused(poor: Curves) -> None:
    assert found({"a": poor, "b": poor}, record("a", "v", 0), record("b", "v", 1)) == []


def test_several_runs_have_their_trials_beside_the_finding() -> None:
    runs = record("a", "v", 0), record("b", "v", 1)
    (said,) = ask(SEEDS, Evidence(STUDY, runs, dict.fromkeys("ab", LEARNT)))
    assert said.keys == ("a", "b")
    assert said.command == "ablate show a"
    assert said.chinese == "v 各自的 2 次运行逐位相同：种子可能没有传到训练"


def test_only_completed_runs_of_one_configuration_and_different_trials_are_compared() -> None:
    curves = dict.fromkeys("abc", LEARNT)
    cut = record("b", "v", 1, State.INCOMPLETE)
    assert found(curves, record("a", "v", 0), cut, record("c", "w", 0)) == []
    assert found(curves, record("a", "v", 0), record("a", "v", 0)) == []


SLOWER = {**LEARNT, ("train", "loss"): {1: 0.9, 2: 0.7}}


def logged(seeds: Mapping[str, str], curves: Mapping[str, Curves]) -> list[tuple[str, str]]:
    runs = [record(key, "v", i) for i, key in enumerate(seeds)]
    settings = {key: {"SOLVER.SEED": seed} for key, seed in seeds.items()}
    return [(f.name, f.sentence) for f in ask(SEEDS, Evidence(STUDY, runs, curves, settings))]


def test_runs_that_logged_one_seed_show_what_is_not_deterministic() -> None:
    assert logged({"a": "1111", "b": "1111"}, {"a": LEARNT, "b": SLOWER}) == [
        (
            "W127:SOLVER.SEED=1111",
            (
                "the 2 runs of v are counted as different seeds and log one (SOLVER.SEED = 1111):"
                " their spread shows only what is not deterministic, unless another seed reached"
                " them"
            ),
        )
    ]


def test_identical_runs_of_one_logged_seed_are_one_run_and_no_lost_seed() -> None:
    assert logged({"a": "1111", "b": "1111"}, {"a": LEARNT, "b": LEARNT}) == [
        (
            "W127:SOLVER.SEED=1111.copies",
            (
                "the 2 runs of v are counted as different seeds and log one (SOLVER.SEED = 1111),"
                " and are identical to the last digit: all but one hold no information"
            ),
        )
    ]


def test_runs_that_logged_seeds_of_their_own_repeat_nothing() -> None:
    assert logged({"a": "1", "b": "2"}, {"a": LEARNT, "b": SLOWER}) == []
    assert logged({"a": "1", "b": "1", "c": "2"}, {}) != []
    runs = [record("a", "v", 0), record("b", "w", 0)]
    settings = {"a": {"seed": "1"}, "b": {"seed": "1"}}
    assert ask(SEEDS, Evidence(STUDY, runs, {}, settings)) == []


def test_the_seed_of_a_data_set_or_split_is_not_the_training_s() -> None:
    settings = {"data.seed": "0", "eval.split.seed": "3", "train.Seed": "7", "reseed": "1"}
    assert logged_seed(settings) == (("train.Seed", "7"),)
