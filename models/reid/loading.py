"""Batches of pixels, loaded and augmented here or by processes beside a GPU.

Every batch is known before it is loaded: (epoch, place in the epoch, image) says which stream an
image is changed under, so that batches do not depend on how many processes load them.
"""

import signal
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ablate.errors import UsageError
from ablate.system import Job, Silence
from models.reid.augment import Augmentation
from models.reid.decode import Float
from models.reid.sampling import Int, batches
from models.reid.triples import Data, Pixels, Triples, is_cuda

Key: TypeAlias = tuple[int, int, int]
"""Epoch, place in the epoch, image."""

TEST_BATCH = 120


@dataclass(frozen=True, slots=True)
class Batch:
    """What a step is given: the images' numbers (B,), and pixels (B, 3, 3, H, W) in [-1, 1]."""

    index: Int
    images: Tensor

    def pin_memory(self) -> "Batch":
        """In memory that a GPU reads by itself: torch's loader asks for it."""
        return replace(self, images=self.images.pin_memory())


def training_batches(job: Job, data: Data, epoch: int) -> Generator[Batch]:
    """One epoch's batches, augmented; close the iterator to end the processes that load."""
    order = batches(
        data.train.ids,
        job.whole("ids_per_batch"),
        job.whole("images_per_id"),
        job.stream(f"data.order/{epoch}"),
    )
    keys: list[list[Key]] = []
    place = 0
    for index in order:
        keys.append([(epoch, place + n, i) for n, i in enumerate(index.tolist())])
        place += len(index)
    return _batches(job, _Loading(data.train.pixels, job, Augmentation.of(job)), keys, data.workers)


def all_batches(job: Job, triples: Triples, workers: int) -> Generator[Batch]:
    """All of a list in its order, unchanged; close the iterator to end the processes that load."""
    numbers = range(len(triples.ids))
    keys = [
        [(0, i, i) for i in numbers[start : start + TEST_BATCH]]
        for start in range(0, len(numbers), TEST_BATCH)
    ]
    return _batches(job, _Loading(triples.pixels, job), keys, workers)


@dataclass(frozen=True, slots=True)
class _Loading:
    """What a loading process does: a batch's keys -> the batch, or what is wrong with a file."""

    pixels: Pixels
    job: Job = field(repr=False)
    change: Augmentation | None = None

    def __getitems__(self, keys: Sequence[Key]) -> Batch | str:
        try:
            images = np.stack([self._one(*key) for key in keys])
        except UsageError as wrong:
            # raised in a loading process it would arrive with that process's traceback as its text
            return str(wrong)
        return Batch(np.array([key[2] for key in keys]), torch.from_numpy(images))

    def _one(self, epoch: int, place: int, number: int) -> Float:
        triple = self.pixels[number]
        if self.change is None:
            return triple
        return self.change(triple, self.job.stream(f"augment/{epoch}/{place}"))


def _batches(
    job: Job, loading: _Loading, keys: Sequence[list[Key]], workers: int
) -> Generator[Batch]:
    loader = DataLoader(
        replace(loading, job=replace(job, recorder=Silence())),
        batch_sampler=keys,
        num_workers=min(workers, len(keys)),
        collate_fn=_as_it_is,
        pin_memory=is_cuda(job),
        # without a generator of its own it would draw from torch's global one
        generator=torch.Generator(),
    )
    started = _started(loader)
    try:
        for batch in started:
            if isinstance(batch, str):
                raise UsageError(batch)
            yield batch
    finally:
        if loader.num_workers:
            # an error's traceback keeps the iterator, which ends its processes only when collected;
            # they would outlive the training, deaf as they are, and torch has no public way
            started._shutdown_workers()  # noqa: SLF001


def _started(loader: DataLoader[Batch | str]) -> Iterator[Batch | str]:
    """The loader's iterator; its processes leave signals to the training, which ends them.

    A stop is sent to the whole process group. A loading process that obeyed it would fail the
    epoch that the training is given time to finish and save.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        return iter(loader)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _as_it_is(batch: Batch | str) -> Batch | str:
    return batch
