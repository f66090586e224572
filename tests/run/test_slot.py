"""Attempts in processes of their own, without Ray."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.record import Ending, State
from ablate.run.capped import HEAD, TAIL
from ablate.run.folder import Assignment, ending
from ablate.run.slot import Slot


def _end(slot: Slot, assignment: Assignment, timeout: float = 20.0) -> Ending:
    return ending(Path(assignment.folder), slot.run(assignment.folder, timeout))


def _gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    ("fault", "state", "said"),
    [
        ("raises", State.FAILED, "ValueError: this training is wrong"),
        ("exits", State.FAILED, "SystemExit"),
        ("mute", State.FAILED, "without logging any of its metrics (score)"),
        ("segfaults", State.CRASHED, "ended with signal 11"),
        ("killed", State.CRASHED, "ended with signal 9"),
        ("none", State.COMPLETED, ""),
    ],
)
def test_every_way_to_end_has_its_state_and_its_evidence(
    slot: Slot, assign: Callable[..., Assignment], fault: str, state: State, said: str
) -> None:
    left = _end(slot, assign("rogue", fault=fault))

    assert left.state is state
    assert said in left.error


def test_a_crash_shows_where_it_happened(slot: Slot, assign: Callable[..., Assignment]) -> None:
    assert "_misbehave" in _end(slot, assign("rogue", fault="segfaults")).error


def test_a_hang_that_holds_the_interpreter_ends_at_its_deadline(
    slot: Slot, assign: Callable[..., Assignment]
) -> None:
    left = _end(slot, assign("rogue", fault="hangs"), timeout=0.5)

    assert left.state is State.TIMEOUT
    assert left.exit_code == -9
    assert _end(slot, assign("rogue", fault="none")).state is State.COMPLETED


@pytest.mark.parametrize("timeout", [1e-6, 1e-3, 3e-3])
def test_a_deadline_that_passes_before_the_child_is_heard_of_still_ends_it(
    slot: Slot, assign: Callable[..., Assignment], timeout: float
) -> None:
    assert _end(slot, assign("rogue", fault="hangs"), timeout).state is State.TIMEOUT


def test_a_stop_while_the_fork_server_starts_is_not_lost(
    trainers: str, assign: Callable[..., Assignment]
) -> None:
    slot = Slot(["trainers"], [trainers])
    stopper = threading.Timer(0.1, slot.stop)
    stopper.start()

    left = _end(slot, assign("rogue", fault="hangs"), timeout=30)

    slot.close()
    assert left.state is State.CANCELLED


def test_a_trial_that_ignores_the_request_to_stop_is_killed(
    slot: Slot, assign: Callable[..., Assignment]
) -> None:
    stopper = threading.Timer(0.5, slot.stop)
    stopper.start()

    left = _end(slot, assign("rogue", fault="hangs"), timeout=30)

    assert left.state is State.CANCELLED
    assert _end(slot, assign("rogue", 2, fault="none")).state is State.COMPLETED


@pytest.mark.parametrize("fault", ["huge step", "bad name"])
def test_numbers_that_no_store_could_keep_are_the_trials_own_failure(
    slot: Slot, assign: Callable[..., Assignment], fault: str
) -> None:
    assert _end(slot, assign("rogue", fault=fault)).error_type == "ValueError"


def test_a_killed_trial_keeps_what_it_had_logged_and_its_costs(
    slot: Slot, assign: Callable[..., Assignment]
) -> None:
    left = _end(slot, assign("rogue", fault="logs and dies"))

    assert left.state is State.CRASHED
    assert [(s.name, s.value) for s in left.scalars] == [("score", 0.5)]
    assert {c.name for c in left.costs} == {"seconds"}


def test_a_grandchild_in_its_own_session_does_not_outlive_its_attempt(
    slot: Slot, assign: Callable[..., Assignment]
) -> None:
    assignment = assign("rogue", fault="leaves")

    assert _end(slot, assignment).state is State.COMPLETED
    assert _gone(int((Path(assignment.folder) / "grandchild").read_text()))


def test_a_flood_is_kept_to_its_beginning_and_its_end(
    slot: Slot, assign: Callable[..., Assignment]
) -> None:
    assignment = assign("rogue", fault="floods")

    assert _end(slot, assignment).state is State.COMPLETED
    size = (Path(assignment.folder) / "stdout.log").stat().st_size
    assert HEAD < size <= HEAD + 2 * TAIL


def test_an_attempt_does_not_share_the_random_numbers_of_the_one_before(
    slot: Slot, assign: Callable[..., Assignment]
) -> None:
    first = _end(slot, assign("rogue", 1, fault="none")).scalars[0].value
    again = _end(slot, assign("rogue", 2, fault="none")).scalars[0].value

    assert first == again  # one seed, one stream: whatever the process before has drawn


def test_the_fork_server_ends_with_its_slot(trainers: str) -> None:
    slot = Slot(["trainers"], [trainers])
    slot.start()
    before = _servers()
    slot.close()

    deadline = time.monotonic() + 5
    while _servers() == before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(_servers()) == len(before) - 1


def test_a_module_that_cannot_be_imported_is_said(trainers: str) -> None:
    slot = Slot(["no_such_module"], [trainers])
    slot.start()
    slot.close()

    assert "no_such_module" in slot.problems[0]


def test_a_slot_goes_on_after_its_fork_server_was_killed(
    trainers: str, assign: Callable[..., Assignment]
) -> None:
    slot = Slot(["trainers"], [trainers])
    before = _servers()
    slot.start()
    (server,) = _servers() - before
    os.kill(server, 9)

    lost = _end(slot, assign("rogue", 1, fault="none"))
    found = _end(slot, assign("rogue", 2, fault="none"))
    slot.close()

    assert (lost.state, found.state) == (State.CRASHED, State.COMPLETED)


def _servers() -> set[int]:
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"ablate.run.forkserver" in command and b"python" in command:
                found.add(int(entry.name))
    return found
