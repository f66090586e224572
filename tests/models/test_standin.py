from dataclasses import asdict

import numpy as np
import pytest

from models.reid import system
from models.reid.evaluate import Images, Retrieval, retrieve
from models.reid.standin import VERSION, Float, Recipe, decoded, floor, oracle, standin


def score(matrix: Float) -> Retrieval:
    test = standin().test
    people = Images(test.ids, test.cameras)
    return retrieve(matrix, people, people)


def test_who_knows_the_codes_finds_people_and_who_averages_all_patches_does_not() -> None:
    best, worst = score(oracle(standin())), score(floor(standin()))
    assert (worst.cmc()[0], worst.mean_ap) == pytest.approx((0.183, 0.126), abs=5e-3)
    assert (best.cmc()[0], best.mean_ap) == pytest.approx((0.938, 0.921), abs=5e-3)


def test_where_nothing_is_spoilt_the_oracle_never_errs() -> None:
    data = standin(Recipe(spoil=0.0))
    people = Images(data.test.ids, data.test.cameras)
    assert retrieve(oracle(data), people, people).mean_ap == 1.0


def test_the_stand_in_has_the_declared_people_cameras_and_spectra() -> None:
    data = standin()
    assert data.train.images.shape == (64 * 16, 3, 3, 64, 32)
    assert data.test.images.shape == (30 * 8, 3, 3, 64, 32)
    assert (len(np.unique(data.train.ids)), len(np.unique(data.test.ids))) == (64, 30)
    assert (len(np.unique(data.train.cameras)), len(np.unique(data.test.cameras))) == (4, 2)
    assert not np.isin(data.test.codes[:, 0].round(4), data.train.codes[:, 0].round(4)).all()


def test_the_declared_identity_of_the_stand_in_names_the_recipe_it_is_made_by() -> None:
    recipe = " ".join(f"{name}={value:g}" for name, value in asdict(Recipe()).items())
    assert system.standin is not None
    assert system.standin.startswith(f"reid-standin-{VERSION}: ")
    assert system.standin.endswith(recipe)


def test_flipping_an_image_leaves_the_codes_in_it_as_they_are() -> None:
    data = standin()
    images = np.ascontiguousarray(data.test.images[:8, :, :, :, ::-1])
    flipped = type(data.test)(
        images,
        *(getattr(data.test, name)[:8] for name in ("ids", "cameras", "cues", "spoilt", "codes")),
    )
    straight = decoded(data.test, data.textures)[:8].reshape(8, 3, 8, 4, -1)
    mirrored = decoded(flipped, data.textures).reshape(8, 3, 8, 4, -1)
    np.testing.assert_allclose(mirrored[:, :, :, ::-1], straight, atol=1e-5)
