"""The driver: every trial once, whatever happens to it."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import drive
import pytest

from ablate.design import placements
from ablate.record import Ending, Scalar, State
from ablate.run.driver import keep, resumable
from ablate.run.folder import Assignment, ending, write_job
from ablate.run.inline import InlineExecutor
from ablate.run.owner import alive, owner
from ablate.store import open_store

SCRIPT = Path(__file__).with_name("drive.py")


def _start(path: Path, seeds: int = 3, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(path), str(seeds)],
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stderr=subprocess.PIPE,
    )


def _finish(path: Path, seeds: int = 3) -> None:
    process = _start(path, seeds)
    _, said = process.communicate()
    assert process.returncode == 0, said.decode()


def _results(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything but attempts and times."""
    queries = {
        "trial": "select key, state, levels, seed, data from trial order by 1",
        "scalar": "select t.key, s.step, s.split, s.name, s.value from scalar s"
        " join trial t on t.id = s.trial_id order by 1, 2, 3, 4",
        "final": "select t.key, f.metric, f.selection, f.value, f.step from final f"
        " join trial t on t.id = f.trial_id order by 1, 2, 3",
        "item": "select t.key, i.split, i.item, i.name, i.value from item i"
        " join trial t on t.id = i.trial_id order by 1, 2, 3, 4",
        "cost": "select t.key, c.name, c.counter, c.value from cost c"
        " join trial t on t.id = c.trial_id where c.name not in ('memory', 'seconds', 'cpu')"
        " order by 1, 2",
        "placement": "select p.variant, p.seed, t.key from placement p"
        " join trial t on t.id = p.trial_id order by 1, 2",
    }
    with sqlite3.connect(path) as database:
        return {name: database.execute(sql).fetchall() for name, sql in queries.items()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("undisturbed") / "results.db"
    _finish(path)
    return path


def test_a_driver_killed_in_mid_training_is_made_good_by_the_next_run(
    undisturbed: Path, tmp_path: Path
) -> None:
    path = tmp_path / "results.db"
    marker = tmp_path / "hung"
    process = _start(path, ABLATE_TEST_HANG_ONCE=str(marker))
    while not marker.exists():
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.02)
    process.kill()
    process.communicate()

    _finish(path)

    assert _results(path) == _results(undisturbed)
    with open_store(path) as store:
        attempts = [a for r in store.records("toy") for a in store.attempts(r.key)]
    states = sorted(a.state for a in attempts)
    assert states == [*[State.COMPLETED] * 6, State.CRASHED]
    log = next(a for a in attempts if a.number == 2).folder
    assert "resumed at epoch 4" in (tmp_path / "attempts" / log / "stdout.log").read_text()


def test_drivers_killed_at_random_moments_lose_nothing_and_repeat_nothing(
    undisturbed: Path, tmp_path: Path
) -> None:
    path = tmp_path / "results.db"
    moments = random.Random(5)
    for _ in range(4):
        process = _start(path)
        time.sleep(moments.uniform(0.8, 2.2))
        process.kill()
        process.communicate()

    _finish(path)

    assert _results(path) == _results(undisturbed)
    with sqlite3.connect(path) as database:
        completed = database.execute(
            "select count(*), count(distinct trial_id) from attempt where state = 'completed'"
        ).fetchone()
    assert completed == (6, 6)


def test_running_again_trains_nothing_and_a_new_seed_extends(
    undisturbed: Path, tmp_path: Path
) -> None:
    path = tmp_path / "results.db"
    with sqlite3.connect(undisturbed) as source, sqlite3.connect(path) as copy:
        source.backup(copy)
    _finish(path)
    with sqlite3.connect(path) as database:
        (again,) = database.execute("select count(*) from attempt").fetchone()

    _finish(path, seeds=4)
    with sqlite3.connect(path) as database:
        (extended,) = database.execute("select count(*) from attempt").fetchone()

    assert (again, extended) == (6, 8)


@pytest.mark.parametrize(
    ("signals", "code", "state"),
    [
        ([signal.SIGINT, signal.SIGINT], 130, State.CANCELLED),
        ([signal.SIGTERM], 143, State.CANCELLED),
    ],
)
def test_an_interrupted_trial_is_cancelled_and_resumable(
    tmp_path: Path, signals: list[signal.Signals], code: int, state: State
) -> None:
    path, marker = tmp_path / "results.db", tmp_path / "hung"
    process = _start(path, ABLATE_TEST_HANG_ONCE=str(marker))
    while not marker.exists():
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.02)
    for number in signals:
        process.send_signal(number)
        time.sleep(0.3)
    process.communicate(timeout=20)

    assert process.returncode == code
    with open_store(path) as store:
        assert store.states([r.key for r in store.records("toy")])
        assert [r.state for r in store.records("toy")].count(state) == 1
    _finish(path)
    with open_store(path) as store:
        assert {r.state for r in store.records("toy")} == {State.COMPLETED}


def test_a_process_is_itself_and_not_another_of_the_same_number() -> None:
    boot, pid, start = owner().split(":")

    assert alive(owner())
    assert not alive(f"{boot}:{pid}:{int(start) + 1}")
    assert not alive(f"another-boot:{pid}:{start}")


def test_an_inline_attempt_stopped_before_it_begins_is_cancelled(tmp_path: Path) -> None:
    executor = InlineExecutor([])
    assignment = Assignment("k", 1, str(tmp_path), "trainers:learner", {}, 0)
    write_job(assignment)
    executor.submit(assignment)
    executor.stop()

    (ended,) = executor.wait(0.1)

    assert ending(tmp_path, ended.exit).state is State.CANCELLED


def test_a_resumed_attempt_never_reaches_behind_a_completed_or_a_forced_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "results.db"
    study = drive.study(1)
    asked = list(placements(study))
    key = asked[0].trial.key
    with open_store(path, create=True) as store:
        store.put_study(study, asked)

        def attempt(state: State, *, scratch: bool, again: State | None = None) -> str:
            made = store.claim(key, "nobody", again=again)
            assert made
            folder = store.attempts_folder / made.folder
            job = Assignment(key, made.number, str(folder), "x:y", {}, 0, scratch=scratch)
            write_job(job)
            assert store.finish(made, Ending(state, 1.0, ""))
            return str(folder)

        attempt(State.CRASHED, scratch=False)
        attempt(State.COMPLETED, scratch=False)
        forced = attempt(State.CRASHED, scratch=True, again=State.COMPLETED)
        after = attempt(State.CRASHED, scratch=False)
        now = store.claim(key, "nobody")
        assert now
        assert resumable(store, now) == (after, forced)


def test_results_that_the_store_refuses_crash_their_trial_and_nothing_else(
    tmp_path: Path,
) -> None:
    study = drive.study(1)
    asked = list(placements(study))
    with open_store(tmp_path / "results.db", create=True) as store:
        store.put_study(study, asked)
        made = store.claim(asked[0].trial.key, "nobody")
        assert made
        point = Scalar(2**70, "test", "score", 0.5)

        kept = keep(store, made, Ending(State.COMPLETED, 1.0, "", scalars=(point,)))

        assert kept
        assert kept.state is State.CRASHED
        assert "cannot be stored" in store.attempts(made.key)[0].error
