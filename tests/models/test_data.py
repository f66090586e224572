import math
from dataclasses import asdict

import numpy as np
import pytest
import torch

from models.reid import system
from models.reid.augment import Augmentation
from models.reid.evaluate import Images, Retrieval, retrieve
from models.reid.lif import targets
from models.reid.losses import branch_loss, triplet_loss
from models.reid.sampling import batches
from models.reid.schedule import Schedule
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


def test_a_batch_holds_so_many_images_of_so_many_people() -> None:
    ids = np.repeat(np.arange(10), 7)
    seen = list(batches(ids, 4, 3, np.random.default_rng(0)))
    for batch in seen:
        people, counts = np.unique(ids[batch], return_counts=True)
        assert (len(people), set(counts)) == (4, {3})
    # 10 people with ceil(7/3) = 3 groups each: no more than 30 / 4 batches
    assert 5 <= len(seen) <= 7


def test_augmentation_draws_for_each_spectrum_on_its_own() -> None:
    triple = np.broadcast_to(
        np.linspace(-1, 1, 64 * 32, dtype=np.float32).reshape(1, 1, 64, 32), (3, 3, 64, 32)
    )
    changed = Augmentation(flip=0.5, pad=4, erase=0.5)(triple, np.random.default_rng(3))
    assert changed.shape == triple.shape
    assert not np.array_equal(changed[0], changed[1])
    untouched = Augmentation(flip=0.0, pad=0, erase=0.0)(triple, np.random.default_rng(3))
    np.testing.assert_array_equal(untouched, triple)


def test_the_triplet_loss_takes_the_hardest_pairs_with_a_soft_margin() -> None:
    # on a line: a at 0 and 1, b at 3 and 7; per anchor farthest own - nearest other is
    # 1-3, 1-2, 4-2, 4-6
    features = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    gaps = (-2.0, -1.0, 2.0, -2.0)
    expected = sum(math.log1p(math.exp(g)) for g in gaps) / 4
    found = triplet_loss(features, torch.tensor([0, 0, 1, 1])).item()
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_branch_counts_a_quarter_of_the_smoothed_identity_loss() -> None:
    # equal logits over 4 identities cost log 4 whatever the smoothing
    features, labels = torch.tensor([[0.0], [1.0], [3.0], [7.0]]), torch.tensor([0, 0, 1, 1])
    whole = branch_loss(features, torch.zeros(4, 4), labels)
    rest = whole - triplet_loss(features, labels)
    assert rest.item() == pytest.approx(math.log(4) / 4, abs=1e-6)


def test_the_learning_rate_is_that_of_the_logs() -> None:
    # the logs print 6.65e-05 for epoch 1; the backbone warms down from 3.5e-5 to 5e-6
    schedule = Schedule(main=3.5e-4, epochs=50, warmup=10)
    assert schedule.rate(3.5e-4, 1) == pytest.approx(6.65e-5)
    assert schedule.rate(5e-6, 1) == pytest.approx(3.2e-5)
    assert schedule.rate(3.5e-4, 25) == pytest.approx((3.5e-4 + 3.5e-7) / 2)
    assert schedule.rate(3.5e-4, 50) == pytest.approx(3.5e-7)


def test_quality_targets_of_a_flat_grey_triple_are_its_brightness_and_nothing_else() -> None:
    flat = torch.full((1, 3, 3, 32, 32), -0.5)
    found = targets(flat)
    assert torch.allclose(found[:, 0], torch.tensor(0.25), atol=1e-6)
    assert torch.equal(found[:, 1], torch.zeros(1, 32, 32))
    assert found[:, 2].abs().max() < 1.0 + 1e-6
