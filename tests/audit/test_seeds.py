"""Runs of several seeds that are one run counted several times."""

from collections.abc import Mapping

import pytest

from ablate.audit import unseeded
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
    said = unseeded(STUDY, records, curves.__getitem__)
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
            "the 2 to 3 runs of each of v, w, x and 2 more configurations are identical to the last"
            " digit: the seed may not reach the training"
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


def test_only_completed_runs_of_one_configuration_and_different_trials_are_compared() -> None:
    curves = dict.fromkeys("abc", LEARNT)
    cut = record("b", "v", 1, State.INCOMPLETE)
    assert found(curves, record("a", "v", 0), cut, record("c", "w", 0)) == []
    assert found(curves, record("a", "v", 0), record("a", "v", 0)) == []
