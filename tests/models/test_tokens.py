from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import models.reid
from ablate.study import Level
from ablate.system import Job
from models.reid.network import Sizes
from models.reid.tokens import GAP, TOP, covered, sheet

torch.set_num_threads(1)


def sizes(stride: int) -> Sizes:
    reference = {f.name: f.reference for f in models.reid.system.factors}
    asked: dict[str, Level] = {"height": 64, "image_width": 32, "patch": 16, "stride": stride}
    return Sizes.of(Job(reference | asked, 0, Path()))


def test_exactly_the_kept_patches_keep_their_brightness(tmp_path: Path) -> None:
    # 4 x 2 patches of 16 pixels; the picture is enlarged twice, to 128 high
    white = np.ones((2, 3, 3, 64, 32), dtype=np.float32)
    kept = np.random.default_rng(0).random((2, 3, 8)) < 0.5
    path = tmp_path / "tokens.png"
    sheet(white, covered(kept, sizes(0))).save(path)
    page = np.asarray(Image.open(path))
    assert page.shape == (TOP + 2 * 128 + GAP, 3 * 64 + 2 * GAP, 3)
    assert all((page[:TOP, left : left + 64] < 128).any() for left in (0, 68, 136))  # titles
    for triple, spectrum, patch in np.ndindex(2, 3, 8):
        top = TOP + triple * (128 + GAP) + (patch // 2) * 32
        left = spectrum * (64 + GAP) + (patch % 2) * 32
        # white is 255, a quarter of it 63.75
        expected = 255 if kept[triple, spectrum, patch] else 64
        assert (page[top : top + 32, left : left + 32] == expected).all()


def test_where_patches_overlap_a_pixel_stays_bright_when_any_patch_over_it_is_kept() -> None:
    # stride 8: 7 x 3 patches; only the second of the first row, columns 8 to 23, is kept
    kept = np.zeros(21, dtype=bool)
    kept[1] = True
    bright = covered(kept, sizes(8))
    assert bright[:16, 8:24].all()
    assert bright.sum() == 16 * 16


def test_a_training_with_sdtps_leaves_a_picture_of_one_query_for_each_of_six_people(
    made: Callable[[str], Path], tmp_path: Path
) -> None:
    reference = {f.name: f.reference for f in models.reid.system.factors}
    small: dict[str, Level] = {
        "height": 64,
        "image_width": 32,
        "width": 16,
        "depth": 1,
        "heads": 2,
        "embed": 8,
        "ids_per_batch": 6,
        "images_per_id": 2,
        "epochs": 1,
        "sdtps": True,
        "sdtps.keep_ratio": 0.5,
    }
    root = made("rgbnt201")
    for path in root.glob("test/*/*.jpg"):
        Image.new("RGB", (32, 64), (255, 255, 255)).save(path)
    outcome = models.reid.system.train(Job(reference | small, 0, tmp_path, data=root))
    assert outcome.artifacts == {"tokens": tmp_path / "tokens.png"}
    page = np.asarray(Image.open(outcome.artifacts["tokens"]))
    # three people are all there are; 4 of 8 patches are kept, so half of each white image is bright
    assert page.shape == (TOP + 3 * 128 + 2 * GAP, 3 * 64 + 2 * GAP, 3)
    for triple, spectrum in np.ndindex(3, 3):
        top, left = TOP + triple * (128 + GAP), spectrum * (64 + GAP)
        cell = page[top : top + 128, left : left + 64]
        assert ((cell == 255).mean(), (cell == 64).mean()) == (0.5, 0.5)
    bare = Job(reference | small | {"sdtps": False}, 0, tmp_path, data=root)
    assert models.reid.system.train(bare).artifacts == {}
