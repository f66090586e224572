import itertools
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import models.reid
from ablate.errors import UsageError
from ablate.study import Level
from ablate.system import Job
from ablate.testing import check_system
from ablate.train.checkpoint import load, save
from models.reid.loading import Batch

torch.set_num_threads(1)
TINY: dict[str, Level] = {
    "width": 16,
    "depth": 1,
    "heads": 2,
    "patch": 16,
    "height": 32,
    "image_width": 16,
    "embed": 8,
    "lif.channels": 2,
    "epochs": 3,
    "ids_per_batch": 32,
    "images_per_id": 8,
    "warmup": 1,
    "pad": 2,
    "lr": 1e-3,
    "backbone_lr": 1e-3,
}
FULL: dict[str, Level] = {"sacr": True, "sdtps": True, "lif": True}


@dataclass
class Notebook:
    """A recorder in memory, with checkpoints on disk; asked to stop after some epochs."""

    folder: Path
    stop_after: int = 99
    curves: dict[tuple[int, str, str], float] = field(default_factory=dict)
    kept: dict[str, object] = field(default_factory=dict)
    costs: dict[str, tuple[float, str, str]] = field(default_factory=dict)
    saved: int = 0

    @property
    def stopping(self) -> bool:
        """Asked for once enough epochs are saved."""
        return self.saved >= self.stop_after

    def scalars(self, step: int, split: str, values: Mapping[str, float]) -> None:
        """Keep every point."""
        self.curves |= {(step, split, name): value for name, value in values.items()}

    def items(
        self, split: str, ids: Sequence[object], values: Mapping[str, Sequence[float]]
    ) -> None:
        """Keep the last call."""
        self.kept = {"split": split, "ids": list(ids)} | {n: list(v) for n, v in values.items()}

    def cost(self, name: str, value: float, unit: str, counter: str) -> None:
        """Keep every one."""
        self.costs[name] = (value, unit, counter)

    def note(self, text: str) -> None:
        """Keep nothing."""

    def fact(self, name: str, text: str) -> None:
        """Keep nothing."""

    def save(self, state: Mapping[str, object]) -> None:
        """Write it where `resume` finds it."""
        self.saved += 1
        save(self.folder, int(str(state["epoch"])), state, {})

    def resume(self) -> dict[str, object] | None:
        """Read the newest back."""
        paths = sorted(self.folder.glob("*.pt"))
        return load(paths[-1])[0] if paths else None


def job(notebook: Notebook, seed: int = 0, **levels: Level) -> Job:
    reference = {f.name: f.reference for f in models.reid.system.factors}
    return Job(reference | TINY | levels, seed, notebook.folder, recorder=notebook)


def test_declaring_the_system_loads_no_torch() -> None:
    check = "import sys, models.reid; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_the_system_keeps_what_every_system_must_promise(tmp_path: Path) -> None:
    assert check_system(models.reid.system, tmp_path, TINY | {"epochs": 2}) == ()


def test_a_batch_of_more_people_than_there_are_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ids_per_batch"):
        models.reid.system.train(job(Notebook(tmp_path), ids_per_batch=65))


def test_a_trial_stopped_after_an_epoch_and_resumed_ends_with_the_same_numbers(
    tmp_path: Path,
) -> None:
    whole = Notebook(tmp_path / "whole")
    models.reid.system.train(job(whole, **FULL))
    first = Notebook(tmp_path / "parts", stop_after=1)
    models.reid.system.train(job(first, **FULL))
    assert {step for step, _, _ in first.curves} == {1}
    second = Notebook(tmp_path / "parts")
    models.reid.system.train(job(second, **FULL))
    assert {step for step, _, _ in second.curves} == {2, 3}
    assert first.curves | second.curves == whole.curves
    assert second.kept == whole.kept
    third = Notebook(tmp_path / "parts")
    models.reid.system.train(job(third, **FULL))
    assert third.curves == {}
    assert third.costs == second.costs
    assert third.kept == whole.kept
    one, other = (load(max((tmp_path / n).glob("*.pt")))[0] for n in ("whole", "parts"))
    for name, value in one["model"].items():
        assert torch.equal(value, other["model"][name]), name


def test_every_epoch_logs_losses_gradients_and_scores_and_the_end_every_query(
    tmp_path: Path,
) -> None:
    notebook = Notebook(tmp_path)
    models.reid.system.train(job(notebook, **FULL, epochs=1))
    names = {f"{split}.{name}" for _, split, name in notebook.curves}
    assert names == {
        "train.loss",
        "train.loss.ori",
        "train.loss.sdtps",
        "train.loss.lif",
        "train.lr",
        "train.grad.base",
        "train.grad.sacr",
        "train.grad.sdtps",
        "train.grad.lif",
        "test.rank1",
        "test.rank5",
        "test.rank10",
        "test.mAP",
    }
    assert all(value > 0 for key, value in notebook.curves.items() if "grad" in key[2])
    assert len(set(notebook.kept["ids"])) == 240
    mean = np.mean(notebook.kept["AP"])
    assert mean == pytest.approx(notebook.curves[1, "test", "mAP"], abs=1e-12)
    assert np.mean(notebook.kept["rank1"]) == notebook.curves[1, "test", "rank1"]
    seconds, *named = notebook.costs["step"]
    assert (seconds > 0, named) == (True, ["s", "median training step, wall clock"])


def test_the_seconds_of_a_step_are_the_median_over_all_attempts_at_a_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = {"now": 0.0, "step": 5.0}
    ends = itertools.cycle([False, True])

    def tick() -> float:
        spent["now"] += spent["step"] if next(ends) else 0.0
        return spent["now"]

    watch = SimpleNamespace(perf_counter=tick)
    monkeypatch.setattr(sys.modules["models.reid.train"], "time", watch)
    first = Notebook(tmp_path, stop_after=2)
    models.reid.system.train(job(first))
    # the third epoch of three has fewer steps than the two before it
    spent["step"] = 1.0
    second = Notebook(tmp_path)
    models.reid.system.train(job(second))
    assert first.costs["step"][0] == second.costs["step"][0] == 5.0
    assert sum(load(max(tmp_path.glob("*.pt")))[0]["steps"]) == spent["now"]


def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, **levels: Level) -> bytes:
    """Every augmented image and every label of one epoch, as the network was given them."""
    seen: list[bytes] = []
    training = sys.modules["models.reid.train"]
    step = training.Training.step

    def watch(self: object, number: int, place: int, batch: Batch) -> dict[str, float]:
        seen.extend([batch.index.tobytes(), batch.images.numpy().tobytes()])
        return step(self, number, place, batch)

    monkeypatch.setattr(training.Training, "step", watch)
    models.reid.system.train(job(Notebook(tmp_path), seed, **levels, epochs=1))
    monkeypatch.undo()
    return b"".join(seen)


def test_at_one_seed_baseline_and_full_see_the_same_batches_and_augmentations_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = watched(tmp_path / "bare", monkeypatch, 0)
    assert len(bare) > 1_000_000
    assert watched(tmp_path / "full", monkeypatch, 0, **FULL) == bare
    assert watched(tmp_path / "other", monkeypatch, 1) != bare
