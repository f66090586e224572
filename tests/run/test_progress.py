"""How far a running attempt is, by what it has logged."""

from pathlib import Path

import pytest

from ablate.run.folder import Assignment
from ablate.run.progress import progress
from ablate.run.recorder import FolderRecorder


def _recorder(folder: Path, **levels: int) -> tuple[Assignment, FolderRecorder]:
    return Assignment("k", 1, str(folder), "x:y", levels, 0), FolderRecorder(folder)


def test_iterations_of_a_training_are_not_taken_for_epochs(tmp_path: Path) -> None:
    asked, recorder = _recorder(tmp_path, epochs=50)
    recorder.scalars(540, "train", {"loss": 0.5})
    recorder.scalars(10, "test", {"mAP": 0.4})
    recorder.scalars(560, "train", {"loss": 0.25})
    recorder.close()

    found = progress(asked)

    assert (found.step, found.total, found.loss) == (10, 50, 0.25)
    assert found.share == pytest.approx(0.2)


def test_an_epoch_that_is_trained_and_not_yet_scored_counts(tmp_path: Path) -> None:
    asked, recorder = _recorder(tmp_path, epochs=50)
    recorder.scalars(11, "train", {"loss": 0.5})
    recorder.scalars(10, "test", {"mAP": 0.4})
    recorder.close()

    assert progress(asked).step == 11
