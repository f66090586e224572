"""Killed trainings go on from their last epoch and end with the same numbers."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.record import State
from ablate.run.folder import PROCESS, Assignment, ending
from ablate.run.owner import kill_group
from ablate.run.slot import Slot

COUNTED = {"params", "macs"}
LEVELS = {"extra": True, "epochs": 5}


def _killed_after(slot: Slot, assignment: Assignment, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(assignment.folder)

    def kill() -> None:
        while not (folder / "checkpoints" / "00000003.json").exists():
            time.sleep(0.01)
        time.sleep(0.05)
        kill_group((folder / PROCESS).read_text())

    knife = threading.Thread(target=kill)
    knife.start()
    left = ending(folder, slot.run(str(folder), 60))
    knife.join()
    assert left.state is State.CRASHED
    monkeypatch.delenv("ABLATE_TEST_HANG_ONCE")


@pytest.fixture
def hanging(trainers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Slot:
    monkeypatch.setenv("ABLATE_TEST_HANG_ONCE", str(tmp_path / "hung"))
    return Slot(["trainers"], [trainers])


def test_a_trial_killed_in_mid_training_ends_with_the_same_numbers(
    slot: Slot,
    hanging: Slot,
    assign: Callable[..., Assignment],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _killed_after(hanging, assign("learner", 1, **LEVELS), monkeypatch)
    second = assign("learner", 2, **LEVELS)
    resumed = ending(Path(second.folder), hanging.run(second.folder, 60))
    hanging.close()
    undisturbed = assign("learner", 9, **LEVELS)
    whole = ending(Path(undisturbed.folder), slot.run(undisturbed.folder, 60))

    assert "resumed at epoch 4" in (Path(second.folder) / "stdout.log").read_text()
    assert sorted(map(repr, resumed.scalars)) == sorted(map(repr, whole.scalars))
    assert list(map(repr, resumed.items)) == list(map(repr, whole.items))
    assert [c for c in resumed.costs if c.name in COUNTED] == [
        c for c in whole.costs if c.name in COUNTED
    ]
    assert resumed.seconds > 0


def test_a_broken_checkpoint_falls_back_to_the_one_before_and_says_so(
    hanging: Slot, assign: Callable[..., Assignment], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = assign("learner", 1, **LEVELS)
    _killed_after(hanging, first, monkeypatch)
    newest = Path(first.folder) / "checkpoints" / "00000003.pt"
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1  # one bit: torch.load would not notice
    newest.write_bytes(data)

    second = assign("learner", 2, **LEVELS)
    hanging.run(second.folder, 60)
    hanging.close()

    said = (Path(second.folder) / "stdout.log").read_text()
    assert "00000003.pt: its digest does not match" in said
    assert "resumed at epoch 3" in said


def test_costs_are_counted_once_and_exactly(slot: Slot, assign: Callable[..., Assignment]) -> None:
    assignment = assign("learner", 1, extra=True, epochs=1)
    left = ending(Path(assignment.folder), slot.run(assignment.folder, 60))
    costs = {c.name: c.value for c in left.costs}

    assert costs["params"] == (8 * 4 + 4) + (4 * 4 + 4) + (4 + 1)
    assert costs["macs"] == 8 * 4 + 4 * 4 + 4
    assert costs["memory"] > 0
