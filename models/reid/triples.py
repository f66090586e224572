"""What a trial learns from and is scored on: the stand-in, or a data set's files, alike."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ablate.errors import UsageError
from ablate.system import Job
from models.reid.datasets import Dataset, cameras, dataset, groups, identities, population
from models.reid.decode import TEST_FILTER, TRAIN_FILTER, Filter, Float, decoded, fitted
from models.reid.facts import STANDIN, Population, declared
from models.reid.listing import Shot
from models.reid.network import Sizes
from models.reid.sampling import Int
from models.reid.standin import Split, standin

SPECTRA = 3


class Pixels(Protocol):
    """Where triples come from: number -> (3 spectra, 3, H, W) float32 in [-1, 1]."""

    def __getitem__(self, number: int, /) -> Float:
        """One triple."""
        ...


@dataclass(frozen=True, slots=True)
class Files:
    """Triples read from their files whenever they are asked for."""

    shots: Sequence[Shot]
    height: int
    width: int
    how: Filter

    def __getitem__(self, number: int, /) -> Float:
        """One triple; raises UsageError that names a broken file."""
        pictures = [decoded(path) for path in self.shots[number].files]
        if len(pictures) == 1:
            wide = pictures[0]
            third = wide.width // SPECTRA
            boxes = [(third * m, 0, third * (m + 1), wide.height) for m in range(SPECTRA)]
            pictures = [wide.crop(box) for box in boxes]
        return np.stack([fitted(p, self.height, self.width, self.how) for p in pictures])


@dataclass(frozen=True, slots=True)
class Triples:
    """One list of images: who they show, by which camera, in which group, and their pixels.

    `ids` of training count from 0. Matches of a query's own identity and group are left out.
    """

    pixels: Pixels
    names: Sequence[str]
    ids: Int
    cameras: Int
    groups: Int


@dataclass(frozen=True, slots=True)
class Data:
    """What a trial learns from and is scored on; one value is query and gallery where they are one.

    `workers` processes load it, none for pixels that are in memory already.
    """

    train: Triples
    query: Triples
    gallery: Triples
    population: Population
    workers: int = 0


def loaded(job: Job) -> Data:
    """The stand-in, or the checked data set in the job's folder.

    Prints the data set's statistics. Raises UsageError for whatever is wrong with it.
    """
    data = _standin(job) if job.data is None else _real(job, job.data)
    check_people(job, len(np.unique(data.train.ids)))
    return data


def check_people(job: Job, people: int) -> None:
    """Raise UsageError unless the training data's identities fill a batch."""
    if people < job.whole("ids_per_batch"):
        raise UsageError(
            f"ids_per_batch is {job.whole('ids_per_batch')}, but the training data show {people}"
            " identities: lower it"
        )


def _standin(job: Job) -> Data:
    data = standin()
    test = _made(job, data.test)
    return Data(_made(job, data.train), test, test, STANDIN)


def _made(job: Job, split: Split) -> Triples:
    people = zip(split.ids.tolist(), split.cameras.tolist(), strict=True)
    names = [f"{n:04d}_id{identity}_cam{camera}" for n, (identity, camera) in enumerate(people)]
    pixels = normalised(split.images, Sizes.of(job)).numpy()
    return Triples(pixels, names, split.ids, split.cameras, split.cameras)


def normalised(images: npt.NDArray[np.uint8], sizes: Sizes) -> Tensor:
    """uint8 triples -> float32 in [-1, 1], (B, 3, 3, H, W), resized where sizes differ."""
    x = torch.from_numpy(images).float().div_(127.5).sub_(1.0)
    if x.shape[-2:] == (sizes.height, sizes.width):
        return x
    flat = functional.interpolate(
        x.flatten(0, 1), size=(sizes.height, sizes.width), mode="bilinear", antialias=True
    )
    return flat.view(*x.shape[:3], sizes.height, sizes.width)


def _real(job: Job, root: Path) -> Data:
    name = job.choice("dataset")
    found = dataset(root, name)
    print(found.table(), flush=True)  # noqa: T201 - this is the attempt's own log
    trained_on = population(found.train, name)
    _doubt_people(job, found, trained_on)
    _doubt_shape(job, found)
    train = _listed(job, found, found.train, TRAIN_FILTER)
    # labels follow the sorted identities
    labels = np.unique(train.ids, return_inverse=True)[1]
    query = _listed(job, found, found.query, TEST_FILTER)
    same = found.gallery is found.query
    gallery = query if same else _listed(job, found, found.gallery, TEST_FILTER)
    return Data(replace(train, ids=labels), query, gallery, trained_on, _workers(job))


def _workers(job: Job) -> int:
    """All of the attempt's threads but one load, where a GPU computes; none beside a CPU's.

    There they would compete with the threads that compute, which wait for each other at every
    operation: with 2 threads on 2 cores, one loading process made a small step twice as long.
    """
    return torch.get_num_threads() - 1 if is_cuda(job) else 0


def is_cuda(job: Job) -> bool:
    """Whether a job is on a GPU."""
    return job.device.startswith("cuda")


def _listed(job: Job, found: Dataset, shots: Sequence[Shot], how: Filter) -> Triples:
    sizes = Sizes.of(job)
    return Triples(
        Files(shots, sizes.height, sizes.width, how),
        [shot.name for shot in shots],
        identities(shots),
        cameras(shots),
        groups(shots, found.layout),
    )


def _doubt_people(job: Job, found: Dataset, trained_on: Population) -> None:
    there, known = trained_on.identities, declared(job).identities
    if there != known:
        job.note(
            f"trained on {there} identities, where {found.layout.title} has {known}: not the"
            " benchmark's training set"
        )


def _doubt_shape(job: Job, found: Dataset) -> None:
    (height, width), title, sizes = found.layout.size, found.layout.title, Sizes.of(job)
    if (height > width) != (sizes.height > sizes.width):
        job.note(
            f"the input is {sizes.height}x{sizes.width} (height x width), where {title} is read"
            f" at {height}x{width}: its images are squeezed"
        )
