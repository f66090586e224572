from ablate.ingest.restarts import Start, joined
from ablate.ingest.run import Run
from ablate.record import Scalar, State


def run(score: float, *, whole: bool = True, name: str = "lif") -> Run:
    return Run(
        name=name,
        state=State.COMPLETED if whole else State.INCOMPLETE,
        reason="" if whole else "the log ends in epoch 1 of 2",
        settings={"lr": "0.1"},
        scalars=(Scalar(1, "val", "mAP", score),),
    )


def shown(*starts: Start) -> list[tuple[str, float]]:
    return [(r.name, r.scalars[0].value) for r in joined(starts)]


def test_a_start_from_the_beginning_never_replaces_a_run_that_completed() -> None:
    assert shown(Start(run(0.5), 1), Start(run(0.6), 1)) == [("lif", 0.5), ("lif (2)", 0.6)]
    assert shown(Start(run(0.5), 1), Start(run(0.6, whole=False), 1)) == [
        ("lif", 0.5),
        ("lif (2)", 0.6),
    ]
    assert all(not r.remarks for r in joined([Start(run(0.5), 1), Start(run(0.6), 1)]))


def test_a_start_from_the_beginning_replaces_a_run_that_was_cut_short_and_says_so() -> None:
    (one,) = joined([Start(run(0.5, whole=False), 1), Start(run(0.6), 1)])
    assert (one.name, one.scalars[0].value) == ("lif", 0.6)
    assert "left out: the log ends in epoch 1 of 2" in one.remarks[0]


def test_a_start_that_never_trained_takes_nothing_from_the_run_before_it() -> None:
    empty = Run(name="lif", state=State.PENDING, settings={"lr": "0.1"})
    assert shown(Start(run(0.5), 1), Start(empty, 0)) == [("lif", 0.5)]


def test_runs_of_one_name_in_one_file_are_numbered_and_those_without_are_left_alone() -> None:
    starts = [Start(run(score), 1) for score in (0.5, 0.6, 0.7)]
    assert [name for name, _ in shown(*starts)] == ["lif", "lif (2)", "lif (3)"]
    bare = [Start(run(score, name=""), 1) for score in (0.5, 0.6)]
    assert [name for name, _ in shown(*bare)] == ["", ""]
