"""Which levels a training has asked for, and what its attempt keeps of it."""

import copy
import io
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ablate.record import State
from ablate.run.attempt import execute
from ablate.run.folder import Assignment, read_events
from ablate.run.levels import Levels
from ablate.run.recorder import FolderRecorder
from ablate.study import Level
from ablate.system import Job

LEVELS = {"lif": True, "lif.beta": 0.2, "epochs": 3}


def test_what_a_job_asks_for_is_read_and_nothing_else() -> None:
    levels = Levels(LEVELS)
    job = Job(levels, 0, Path())
    assert levels.unread(LEVELS) == ["lif", "lif.beta", "epochs"]
    assert job.on("lif")
    assert job.whole("epochs") == 3
    assert levels.unread(LEVELS) == ["lif.beta"]
    assert levels.unread(["epochs"]) == []
    levels.forget()
    assert levels.unread(["epochs"]) == ["epochs"]
    assert "lif.beta" in levels
    assert levels.unread(["lif.beta"]) == ["lif.beta"]


@pytest.mark.parametrize(
    "look",
    [
        dict,
        list,
        sorted,
        json.dumps,
        copy.deepcopy,
        copy.copy,
        pickle.dumps,
        lambda levels: {**levels},
        lambda levels: levels | {"x": 1},
        lambda levels: {"x": 1} | levels,
        lambda levels: levels.copy(),
        lambda levels: list(levels.values()),
        lambda levels: levels == {},
        lambda levels: [levels.get(name) for name in LEVELS],
        {}.update,
        str,
        repr,
        reversed,
        lambda levels: levels != {},
        lambda levels: levels.popitem(),
        lambda levels: [levels.pop(name) for name in LEVELS],
        lambda levels: [levels.setdefault(name, 0) for name in LEVELS],
    ],
)
def test_whoever_looks_at_the_whole_has_read_it(look: Callable[[Levels], object]) -> None:
    levels = Levels(LEVELS)
    look(levels)
    assert levels.unread(LEVELS) == []


def test_levels_are_the_dict_that_they_were() -> None:
    levels = Levels(LEVELS)
    assert levels == LEVELS
    assert dict(levels) == LEVELS
    assert json.loads(json.dumps(levels)) == LEVELS
    assert not isinstance(copy.deepcopy(levels), Levels)
    assert pickle.loads(pickle.dumps(levels)) == LEVELS
    assert isinstance(levels, dict)
    with pytest.raises(KeyError):
        levels["other"]


def test_a_checkpoint_may_hold_them() -> None:
    file = io.BytesIO()
    torch.save({"levels": Levels(LEVELS)}, file)
    file.seek(0)
    assert torch.load(file, weights_only=True) == {"levels": LEVELS}


def test_a_process_that_forks_may_have_read_them_out_of_sight() -> None:
    levels = Levels(LEVELS)
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    assert levels.unread(LEVELS) == []
    assert Levels(LEVELS).unread(["lif"]) == ["lif"]


def attempt(folder: Path, earlier: tuple[str, ...] = (), **levels: Level) -> str:
    folder.mkdir()
    whole = {"extra": False, "epochs": 5, "width": 8, **levels}
    assignment = Assignment("k", 1, str(folder), "trainers:deaf", whole, 0, earlier=earlier)
    recorder = FolderRecorder(folder, [Path(f) for f in earlier])
    assert execute(assignment, recorder) is State.COMPLETED
    return read_events(folder).facts.get("unread", "")


def test_an_attempt_keeps_the_levels_off_their_reference_that_nothing_asked_for(
    tmp_path: Path,
) -> None:
    assert attempt(tmp_path / "a", width=16, epochs=1) == "width"
    assert attempt(tmp_path / "b", epochs=1, extra=True) == ""


def test_an_attempt_that_went_on_elsewhere_says_nothing_of_what_its_beginning_read(
    tmp_path: Path,
) -> None:
    assert attempt(tmp_path / "a", width=16, epochs=1) == "width"
    assert attempt(tmp_path / "b", earlier=(str(tmp_path / "a"),), width=16, epochs=2) == ""
