import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ablate.record import Ending, Scalar, State
from ablate.store import Store, open_store
from ablate.study import Placement, Study


def done(value: float = 0.5) -> Ending:
    return Ending(State.COMPLETED, 1.0, "", scalars=(Scalar(0, "test", "rank1", value),))


def test_a_trial_is_claimed_once_until_its_attempt_has_ended(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_study(study, placements)
    key = placements[0].trial.key
    with open_store(store.path) as other:
        first = store.claim(key, "one")
        assert first is not None
        assert other.claim(key, "two") is None
        assert other.claim(key, "two", again=State.RUNNING) is None
        assert other.running() == [first]
        assert other.states([key]) == {key: State.RUNNING}


@pytest.mark.parametrize(
    ("state", "taken_up", "taken_up_again"),
    [
        (State.COMPLETED, False, True),
        (State.FAILED, False, True),
        (State.TIMEOUT, False, True),
        (State.CRASHED, True, True),
        (State.CANCELLED, True, True),
    ],
)
def test_only_crashed_and_cancelled_trials_are_taken_up_unasked(  # noqa: PLR0913, PLR0917 - a table's columns and fixtures
    state: State,
    taken_up: bool,  # noqa: FBT001 - a table's column
    taken_up_again: bool,  # noqa: FBT001 - likewise
    store: Store,
    study: Study,
    placements: list[Placement],
) -> None:
    store.put_study(study, placements)
    for placement, again, expected in (
        (placements[0], None, taken_up),
        (placements[1], state, taken_up_again),
    ):
        key = placement.trial.key
        attempt = store.claim(key, "one")
        assert attempt is not None
        assert store.finish(attempt, Ending(state, 1.0, ""))
        second = store.claim(key, "one", again=again)
        assert (second is not None) is expected
        assert second is None or (second.number, second.folder) == (2, f"{key}/2")


def test_a_trial_that_the_store_does_not_know_is_pending_and_cannot_be_claimed(
    store: Store,
) -> None:
    assert store.claim("f" * 16, "me") is None
    assert store.states(["f" * 16]) == {"f" * 16: State.PENDING}
    assert store.attempts("f" * 16) == []


def test_an_attempt_that_was_given_up_cannot_write_its_result(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_study(study, placements)
    key = placements[0].trial.key
    zombie = store.claim(key, "one")
    assert zombie is not None
    assert store.finish(zombie, Ending(State.CRASHED, 0.0, "", error="its driver died"))
    assert not store.finish(zombie, done(0.9))
    second = store.claim(key, "two")
    assert second is not None
    assert not store.finish(zombie, done(0.9))
    assert store.states([key]) == {key: State.RUNNING}
    assert store.finish(second, done(0.1))
    assert not store.finish(second, done(0.9))
    assert not store.finish(zombie, done(0.9))
    assert store.curves(key) == {("test", "rank1"): {0: 0.1}}
    assert [a.state for a in store.attempts(key)] == [State.CRASHED, State.COMPLETED]


def test_a_later_attempt_replaces_the_curves_of_an_earlier_one(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_study(study, placements)
    key = placements[0].trial.key
    first = store.claim(key, "one")
    assert first is not None
    points = (Scalar(0, "test", "rank1", 0.1), Scalar(7, "test", "rank1", 0.2))
    store.finish(first, Ending(State.CRASHED, 1.0, "", scalars=points))
    assert store.records("small")[0].scores == {}
    second = store.claim(key, "one")
    assert second is not None
    store.finish(second, done())
    assert store.curves(key) == {("test", "rank1"): {0: 0.5}}


def _claim_all(path: str, keys: list[str], owner: str, results: str) -> None:
    with open_store(Path(path)) as store:
        won = [key for key in keys if store.claim(key, owner) is not None]
    Path(results).write_text("\n".join(won))


def test_two_processes_that_claim_the_same_trials_share_them_out(
    store: Store, study: Study, placements: list[Placement], tmp_path: Path
) -> None:
    store.put_study(study, placements)
    keys = [p.trial.key for p in placements]
    context = multiprocessing.get_context("spawn")
    files = [tmp_path / name for name in ("one", "two")]
    processes = [
        context.Process(target=_claim_all, args=(str(store.path), keys, f.name, str(f)))
        for f in files
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    won = [f.read_text().split() for f in files]
    assert sorted(won[0] + won[1]) == sorted(keys)
    assert {a.key: a.owner for a in store.running()} == {
        key: f.name for f, mine in zip(files, won, strict=True) for key in mine
    }


WRITER = """
import sys
from pathlib import Path
from ablate.record import Ending, Scalar, State
from ablate.store import open_store
with open_store(Path(sys.argv[1])) as store:
    for n in range(10_000):
        attempt = store.claim(sys.argv[2], "writer", again=State.COMPLETED)
        points = tuple(Scalar(s, "test", "rank1", float(attempt.number)) for s in range(50))
        assert store.finish(attempt, Ending(State.COMPLETED, 1.0, "", scalars=points))
        print(attempt.number, flush=True)
"""


def test_a_writer_killed_at_any_moment_loses_nothing_that_it_acknowledged(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_study(study, placements)
    key = placements[0].trial.key
    for after in (1, 3, 8):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(store.path), key],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(after)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout.read().split()]
        writer.stdout.close()
        assert writer.wait() == -signal.SIGKILL
        attempts = store.attempts(key)
        completed = [a.number for a in attempts if a.state is State.COMPLETED]
        assert set(acknowledged) <= set(completed)
        # The curve is that of one whole attempt: never half of one, or a mixture of two.
        assert store.curves(key)["test", "rank1"] == dict.fromkeys(range(50), float(completed[-1]))
        for left in store.running():
            assert store.finish(left, Ending(State.CRASHED, 0.0, ""))
            retry = store.claim(key, "here")
            assert retry is not None
            points = tuple(Scalar(s, "test", "rank1", float(retry.number)) for s in range(50))
            assert store.finish(retry, Ending(State.COMPLETED, 1.0, "", scalars=points))
