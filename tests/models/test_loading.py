import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import models.reid
from ablate.errors import UsageError
from ablate.study import Level
from ablate.system import Job
from models.reid.augment import Augmentation
from models.reid.decode import Float
from models.reid.loading import Batch, all_batches, training_batches
from models.reid.sampling import batches
from models.reid.triples import Data, loaded

torch.set_num_threads(1)


def job(root: Path, **levels: Level) -> Job:
    reference = {f.name: f.reference for f in models.reid.system.factors}
    small: dict[str, Level] = {
        "dataset": "rgbnt201",
        "height": 32,
        "image_width": 16,
        "ids_per_batch": 3,
        "images_per_id": 2,
        "pad": 3,
    }
    return Job(reference | small | levels, 0, root.parent, data=root)


def numbers(batch: Batch) -> tuple[list[int], bytes]:
    return batch.index.tolist(), batch.images.numpy().tobytes()


def epoch(asked: Job, data: Data, number: int) -> list[tuple[list[int], bytes]]:
    with closing(training_batches(asked, data, number)) as found:
        return [numbers(batch) for batch in found]


def test_a_batch_holds_so_many_images_of_so_many_people() -> None:
    ids = np.repeat(np.arange(10), 7)
    seen = list(batches(ids, 4, 3, np.random.default_rng(0)))
    for batch in seen:
        people, counts = np.unique(ids[batch], return_counts=True)
        assert (len(people), set(counts)) == (4, {3})
    # 10 people with 7 // 3 = 2 groups each: no more than 20 / 4 batches, and no fewer than leave
    # both groups of three people
    assert 4 <= len(seen) <= 5


def test_a_short_rest_is_left_out_and_only_who_has_too_few_images_is_shown_twice() -> None:
    ids = np.repeat([7, 9], [10, 3])
    groups: dict[int, list[list[int]]] = {7: [], 9: []}
    # one person a batch: 10 // 4 = 2 groups of the first; of the second 1, drawn from its 3
    for batch in batches(ids, 1, 4, np.random.default_rng(0)):
        (person,) = set(ids[batch].tolist())
        groups[person].append(batch.tolist())
    assert {person: len(found) for person, found in groups.items()} == {7: 2, 9: 1}
    assert len({image for group in groups[7] for image in group}) == 8
    (few,) = groups[9]
    assert (len(few), set(few) <= {10, 11, 12}) == (4, True)


def test_augmentation_draws_for_each_spectrum_on_its_own() -> None:
    triple = np.broadcast_to(
        np.linspace(-1, 1, 64 * 32, dtype=np.float32).reshape(1, 1, 64, 32), (3, 3, 64, 32)
    )
    changed = Augmentation(flip=0.5, pad=4, erase=0.5)(triple, np.random.default_rng(3))
    assert changed.shape == triple.shape
    assert not np.array_equal(changed[0], changed[1])
    untouched = Augmentation(flip=0.0, pad=0, erase=0.0)(triple, np.random.default_rng(3))
    np.testing.assert_array_equal(untouched, triple)


def test_one_draw_for_a_triple_flips_crops_and_erases_its_spectra_in_the_same_places() -> None:
    triple = np.full((3, 3, 64, 32), 5.0, dtype=np.float32)
    triple[:, :, :, 16:] = 7.0
    together = Augmentation(flip=0.5, pad=4, erase=1.0, per_spectrum=False)
    for seed in range(8):
        changed = together(triple, np.random.default_rng(seed))
        # what is neither 5, 7 nor black is noise; all else is where it is in the first spectrum
        noise = ~np.isin(changed, [5.0, 7.0, -1.0])
        assert noise[0].any()
        assert (noise == noise[:1, :1]).all()
        assert (changed == changed[:1])[~noise].all()
        assert not np.array_equal(changed[0][noise[0]], changed[1][noise[1]])


def test_padding_shows_black_where_the_window_leaves_the_image() -> None:
    triple = np.arange(3 * 3 * 6 * 4, dtype=np.float32).reshape(3, 3, 6, 4)
    seen = set()
    for seed in range(200):
        changed = Augmentation(flip=0.0, pad=2, erase=0.0)(triple, np.random.default_rng(seed))
        wide = np.pad(triple[0], ((0, 0), (2, 2), (2, 2)), constant_values=-1.0)
        windows = {
            (top, left): wide[:, top : top + 6, left : left + 4]
            for top in range(5)
            for left in range(5)
        }
        seen |= {at for at, window in windows.items() if np.array_equal(window, changed[0])}
    assert len(seen) == 25


def test_batches_are_the_same_however_many_processes_load_them(made: Callable[[str], Path]) -> None:
    asked = job(made("rgbnt201"))
    alone = loaded(asked)
    assert alone.workers == 0
    two = replace(alone, workers=2)
    first = epoch(asked, alone, 1)
    assert len(first) >= 2
    assert epoch(asked, two, 1) == first
    assert epoch(asked, two, 2) == epoch(asked, alone, 2) != first
    with closing(all_batches(asked, alone.query, 2)) as found:
        (loaded_by_two,) = [numbers(batch) for batch in found]
    with closing(all_batches(asked, alone.query, 0)) as found:
        (loaded_here,) = [numbers(batch) for batch in found]
    assert loaded_by_two == loaded_here
    assert loaded_here[0] == list(range(12))


def test_beside_a_gpu_all_threads_but_one_are_processes_that_load_and_beside_a_cpu_none(
    made: Callable[[str], Path],
) -> None:
    asked = job(made("rgbnt201"))
    torch.set_num_threads(4)
    try:
        assert loaded(asked).workers == 0
        assert loaded(replace(asked, device="cuda")).workers == 3
        assert loaded(replace(asked, device="cuda", data=None)).workers == 0
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_file_that_breaks_while_training_is_one_line_that_names_it_and_ends_the_loading(
    workers: int, made: Callable[[str], Path]
) -> None:
    root = made("rgbnt201")
    asked = job(root)
    data = replace(loaded(asked), workers=workers)
    for path in root.glob("train_171/TI/*"):
        path.write_bytes(b"\xff\xd8 no more")
    with pytest.raises(UsageError) as refused:
        epoch(asked, data, 1)
    said = str(refused.value)
    assert said.startswith(f"{root}/train_171/TI/0")
    assert said.endswith(": replace the file, or remove it in every spectrum")
    assert "\n" not in said
    assert multiprocessing.active_children() == []


def test_leaving_an_epoch_early_ends_the_processes_that_load_it(
    made: Callable[[str], Path],
) -> None:
    asked = job(made("rgbnt201"))
    with closing(training_batches(asked, replace(loaded(asked), workers=2), 1)) as found:
        next(found)
        assert len(multiprocessing.active_children()) == 2
    assert multiprocessing.active_children() == []


class Broken:
    """Pixels that fail in a way that nobody foresaw."""

    def __getitem__(self, number: int, /) -> Float:
        """Fail."""
        raise ArithmeticError(f"image {number} is odd")


def test_an_error_in_a_loading_process_keeps_its_kind_and_leaves_no_process_behind(
    made: Callable[[str], Path],
) -> None:
    asked = job(made("rgbnt201"))
    data = loaded(asked)
    data = replace(data, train=replace(data.train, pixels=Broken()), workers=2)
    with pytest.raises(ArithmeticError, match=r"image \d+ is odd") as kept:
        epoch(asked, data, 1)
    # the traceback still holds the loader's iterator, which would end its processes when collected
    assert kept.tb is not None
    assert multiprocessing.active_children() == []


def test_a_stop_sent_to_the_process_group_does_not_end_the_epoch_that_is_to_be_saved(
    made: Callable[[str], Path],
) -> None:
    asked = job(made("rgbnt201"))
    data = loaded(asked)
    with closing(training_batches(asked, replace(data, workers=2), 1)) as found:
        seen = [numbers(next(found))]
        for child in multiprocessing.active_children():
            assert child.pid is not None
            os.kill(child.pid, signal.SIGTERM)
            os.kill(child.pid, signal.SIGINT)
        seen += [numbers(batch) for batch in found]
    assert seen == epoch(asked, data, 1)
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
