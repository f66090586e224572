"""The live board: counts, times and leaders, in 80 columns and in 60."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from ablate.cli.board import Board
from ablate.cli.tally import Tally, clock, remaining, shortened
from ablate.design import placements
from ablate.metric import Metric
from ablate.record import Attempt, Cost, Ending, Scalar, State
from ablate.run.driver import Flight
from ablate.run.folder import Assignment
from ablate.store import Store, open_store
from ablate.study import Modules, Study, Sweep, real, switch, whole

STUDY = Study(
    name="rgbnt201",
    title="Board",
    system="reid",
    revision="1",
    factors=(
        *(switch(n) for n in ("sacr", "sdtps", "lif")),
        real("sdtps.loss_weight", 2.0, requires="sdtps"),
        whole("epochs", 50),
    ),
    metrics=(Metric("rank1", "Rank-1"), Metric("mAP", "mAP")),
    primary="rank1",
    modules=Modules(("sacr", "sdtps", "lif")),
    sweeps=(Sweep("full", "sdtps.loss_weight", (1.0, 2.0, 3.0)),),
    data="standin:1",
    standin=True,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "results.db", create=True) as store:
        yield store


def _board(store: Store, folder: Path, width: int) -> str:
    """Nine trials done with Rank-1 from 70.0 % up by a point, one running at epoch 31 of 50."""
    asked = list(placements(STUDY))
    store.put_study(STUDY, asked)
    for i, placement in enumerate(asked[:9]):
        attempt = store.claim(placement.trial.key, "nobody")
        assert attempt
        scalars = (Scalar(50, "test", "rank1", 0.70 + i / 100), Scalar(50, "test", "mAP", 0.5))
        cost = Cost("cpu", 30.0, "s", "test")
        left = Ending(State.COMPLETED, 60.0, "", scalars=scalars, costs=(cost,))
        store.finish(attempt, left)
    tally = Tally(STUDY, store, asked[9:], asked)
    board = Board(tally)
    text = io.StringIO()
    board.console = Console(file=text, width=width, highlight=False, markup=False)
    (folder / "events.jsonl").write_text(
        json.dumps({"step": 31, "split": "train", "scalars": {"loss": 1.2144}}) + "\n"
    )
    levels = dict(asked[9].trial.levels)
    assignment = Assignment(asked[9].trial.key, 1, str(folder), "x:y", levels, 0)
    attempt = Attempt(asked[9].trial.key, 1, State.RUNNING, "nobody", "")
    flight = Flight(asked[9], attempt, assignment)
    board.started(flight)
    board.tick([flight])
    board.console.print(board.render())
    return text.getvalue()


@pytest.mark.parametrize("width", [80, 60])
def test_the_board_fits_its_terminal(store: Store, tmp_path: Path, width: int) -> None:
    lines = _board(store, tmp_path, width).splitlines()

    assert max(map(len, lines)) <= width


def test_the_board_shows_counts_progress_leaders_and_the_baseline(
    store: Store, tmp_path: Path
) -> None:
    text = _board(store, tmp_path, 80)

    assert "9 done · 1 running · 0 queued · 0 failed" in text
    assert "9/10" in text
    assert "31/50" in text
    assert "loss 1.214" in text
    assert "ETA 0:23" in text  # 19 of 50 epochs of a trial that takes a minute: 22.8 s
    leader = next(line for line in text.splitlines() if line.startswith("1 "))
    assert "78.0" in leader
    assert "+8.0" in leader
    baseline = next(line for line in text.splitlines() if "baseline  " in line)
    assert "70.0" in baseline


def test_the_time_left_is_shared_by_the_slots() -> None:
    known = {"a": [10.0, 20.0, 30.0], "b": [100.0]}

    # a waits (median 20), b runs and has half of 100 to do, c is unknown: the median of all, 25
    assert remaining(["a", "c"], [("b", 0.5)], known, 1) == 20 + 25 + 50
    assert remaining(["a", "c"], [("b", 0.5)], known, 2) == 47.5
    assert remaining(["a"], [], {}, 1) is None


def test_clocks_and_names_read_well() -> None:
    assert [clock(s) for s in (22, 221, 3960, None)] == ["0:22", "3:41", "~1 h 06 m", "–"]
    assert shortened("full sdtps.loss_weight=3", 12) == "…ss_weight=3"


def test_an_ended_trial_is_told_with_its_distance_from_the_baseline_of_its_own_seed(
    store: Store, tmp_path: Path
) -> None:
    asked = list(placements(replace(STUDY, seeds=(0, 1), sweeps=())))
    store.put_study(STUDY, asked)
    tally = Tally(STUDY, store, asked, asked)
    said = []
    for placement, score in zip(asked[:4], (0.30, 0.40, 0.30, 0.41), strict=True):
        attempt = Attempt(placement.trial.key, 1, State.RUNNING, "nobody", "")
        assignment = Assignment(placement.trial.key, 1, str(tmp_path), "x:y", {}, 0)
        flight = Flight(placement, attempt, assignment)
        left = Ending(State.COMPLETED, 60.0, "", scalars=(Scalar(1, "test", "rank1", score),))
        tally.start(flight)
        tally.end(flight, left)
        said.append(tally.outcome(flight, left))
    assert said == [
        "baseline s0 Rank-1 30.0 1:00",
        "baseline s1 Rank-1 40.0 1:00",
        "sacr s0 Rank-1 30.0 (±0.0) 1:00",
        "sacr s1 Rank-1 41.0 (+1.0) 1:00",
    ]


def _failing(store: Store, folder: Path, errors: list[tuple[str, str]]) -> tuple[Tally, list[str]]:
    """A run of six trials, of which these fail; what is said of each, in 80 columns."""
    asked = list(placements(replace(STUDY, seeds=(0, 1), sweeps=())))[:6]
    store.put_study(STUDY, asked)
    tally = Tally(STUDY, store, asked, asked)
    said = []
    for placement, (kind, text) in zip(asked, errors, strict=False):
        attempt = Attempt(placement.trial.key, 1, State.RUNNING, "nobody", "")
        flight = Flight(placement, attempt, Assignment("k", 1, str(folder), "x:y", {}, 0))
        left = Ending(State.FAILED if kind else State.COMPLETED, 1.0, "", error_type=kind)
        tally.start(flight)
        tally.end(flight, replace(left, error=text))
        said += [tally.alarm(), tally.outcome(flight, replace(left, error=text), 80)]
    return tally, said


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ([("ValueError", f"ValueError: trial {n} is bad\n\nTrace") for n in (7, 8, 9, 10)], 1),
        ([("ValueError", "ValueError: a"), ("", ""), *[("ValueError", "ValueError: a")] * 3], 0),
        ([("ValueError", "ValueError: a"), *[("TypeError", "TypeError: a")] * 4], 0),
        ([("", "")] * 4, 0),
    ],
)
def test_three_first_trials_that_fail_alike_up_to_numbers_are_said_once(
    store: Store, tmp_path: Path, errors: list[tuple[str, str]], told: int
) -> None:
    _, said = _failing(store, tmp_path, errors)

    assert [line.startswith("the first 3 trials failed in the same way: V") for line in said].count(
        True
    ) == told


def test_a_reason_is_cut_to_the_terminal_and_the_way_to_its_log_is_not(
    store: Store, tmp_path: Path
) -> None:
    _, (_, said) = _failing(store, tmp_path, [("exit code 2", "it ended\n" + "long " * 100)])

    assert len(said) == 80
    assert said.startswith("failed baseline s0: exit code 2: long long")
    assert said.endswith("…   ablate logs k")
