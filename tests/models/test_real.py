"""Training and scoring on folders in the true layouts of the benchmarks."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch

import models.reid
from ablate.study import Level
from ablate.system import Job, Outcome, Silence
from models.reid.triples import Data, loaded

torch.set_num_threads(1)
SMALL: dict[str, Level] = {
    "width": 16,
    "depth": 1,
    "heads": 2,
    "patch": 16,
    "embed": 8,
    "lif.channels": 2,
    "epochs": 2,
    "ids_per_batch": 3,
    "images_per_id": 2,
    "warmup": 1,
    "pad": 2,
    "sacr": True,
    "sdtps": True,
    "lif": True,
}
SHAPES = {"rgbnt201": (32, 16), "rgbnt100": (16, 32), "msvr310": (16, 32)}


@dataclass
class Notebook(Silence):
    """What a training told."""

    curves: dict[tuple[int, str, str], float] = field(default_factory=dict)
    kept: dict[str, list[float]] = field(default_factory=dict)
    ids: list[object] = field(default_factory=list)

    def scalars(self, step: int, split: str, values: Mapping[str, float]) -> None:
        """Keep every point."""
        self.curves |= {(step, split, name): value for name, value in values.items()}

    def items(
        self, split: str, ids: Sequence[object], values: Mapping[str, Sequence[float]]
    ) -> None:
        """Keep the last call."""
        assert split == "test"
        self.ids, self.kept = list(ids), {name: list(v) for name, v in values.items()}


def trained(name: str, root: Path, **levels: Level) -> tuple[Notebook, Outcome]:
    height, width = SHAPES[name]
    sized: dict[str, Level] = {"dataset": name, "height": height, "image_width": width}
    reference = {f.name: f.reference for f in models.reid.system.factors}
    notebook = Notebook()
    job = Job(reference | SMALL | sized | levels, 0, root.parent, data=root, recorder=notebook)
    return notebook, models.reid.system.train(job)


@pytest.mark.parametrize(("name", "queries"), [("rgbnt201", 12), ("rgbnt100", 6), ("msvr310", 3)])
def test_a_folder_in_the_true_layout_trains_and_scores(
    name: str, queries: int, made: Callable[[str], Path]
) -> None:
    notebook, outcome = trained(name, made(name))
    for epoch in (1, 2):
        assert np.isfinite(notebook.curves[epoch, "train", "loss"])
        for metric in ("rank1", "rank5", "rank10", "mAP"):
            assert 0.0 <= notebook.curves[epoch, "test", metric] <= 1.0
    assert len(notebook.ids) == queries
    assert np.mean(notebook.kept["AP"]) == pytest.approx(notebook.curves[2, "test", "mAP"])
    assert outcome.artifacts["tokens"].is_file()


def test_every_query_is_named_by_its_file(made: Callable[[str], Path]) -> None:
    notebook, _ = trained("msvr310", made("msvr310"), epochs=1)
    assert notebook.ids == ["0007_s001_v0_000", "0099_s001_v0_000", "0301_s001_v0_000"]


def test_a_query_without_a_match_is_neither_scored_nor_listed(made: Callable[[str], Path]) -> None:
    root = made("msvr310")
    for path in root.glob("bounding_box_test/0099/*/0099_s002_*"):
        path.unlink()
    notebook, _ = trained("msvr310", root, epochs=1)
    assert notebook.ids == ["0007_s001_v0_000", "0301_s001_v0_000"]
    assert np.mean(notebook.kept["AP"]) == pytest.approx(notebook.curves[1, "test", "mAP"])


def test_people_whose_colours_tell_them_apart_are_found(made: Callable[[str], Path]) -> None:
    # every made-up person shows one picture, the same to each camera: a network can only be right
    notebook, _ = trained("rgbnt201", made("rgbnt201"), flip=0.0, erase=0.0, pad=0, sacr=False)
    assert notebook.curves[2, "test", "rank1"] == 1.0
    assert notebook.curves[2, "test", "mAP"] == 1.0


def test_the_results_are_the_same_with_no_and_with_two_loading_processes(
    made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = made("rgbnt201")
    alone, _ = trained("rgbnt201", root)

    def by_two(job: Job) -> Data:
        return replace(loaded(job), workers=2)

    monkeypatch.setattr(sys.modules["models.reid.train"], "loaded", by_two)
    together, _ = trained("rgbnt201", root)
    assert together.curves == alone.curves
    assert (together.ids, together.kept) == (alone.ids, alone.kept)
