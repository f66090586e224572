"""Augmentation: flip, pad and crop, random erasing."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ablate.system import Job

ATTEMPTS = 10
AREA = (0.02, 1.0 / 3.0)
ASPECT = (0.3, 1.0 / 0.3)
BLACK = -1.0
"""What padding shows: black before normalising, as in the source."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How often images are flipped and erased, and by how many pixels they are padded.

    Every spectrum is drawn for on its own, as in the source, or all three are changed alike (the
    erasing noise is each one's own).
    """

    flip: float
    pad: int
    erase: float
    per_spectrum: bool = True

    @classmethod
    def of(cls, job: Job) -> "Augmentation":
        """What a job's levels ask for."""
        return cls(
            job.number("flip"),
            job.whole("pad"),
            job.number("erase"),
            job.on("augment.per_spectrum"),
        )

    def __call__(
        self, triple: npt.NDArray[np.float32], rng: np.random.Generator
    ) -> npt.NDArray[np.float32]:
        """One triple (3 spectra, 3, H, W) in [-1, 1], changed; the same shape."""
        drawn = triple if self.per_spectrum else triple.reshape(1, -1, *triple.shape[2:])
        changed = np.empty(drawn.shape, dtype=np.float32)
        for image, into in zip(drawn, changed, strict=True):
            self._change(image, into, rng)
        return changed.reshape(triple.shape)

    def _change(
        self,
        image: npt.NDArray[np.float32],
        into: npt.NDArray[np.float32],
        rng: np.random.Generator,
    ) -> None:
        """Write `image` (C, H, W) into `into`, changed."""
        if rng.random() < self.flip:
            image = image[:, :, ::-1]
        if self.pad:
            top, left = rng.integers(2 * self.pad + 1, size=2)
            _shifted(image, into, int(top) - self.pad, int(left) - self.pad)
        else:
            into[:] = image
        if rng.random() < self.erase:
            _erase(into, rng)


def _shifted(
    image: npt.NDArray[np.float32], into: npt.NDArray[np.float32], down: int, right: int
) -> None:
    """What a window moved by (down, right) sees of `image`: black outside of it."""
    height, width = image.shape[1:]
    rows = slice(max(0, down), max(0, min(height, height + down)))
    columns = slice(max(0, right), max(0, min(width, width + right)))
    into[:] = BLACK
    seen = image[:, rows, columns]
    top, left = max(0, -down), max(0, -right)
    into[:, top : top + seen.shape[1], left : left + seen.shape[2]] = seen


def _erase(image: npt.NDArray[np.float32], rng: np.random.Generator) -> None:
    """Random erasing (Zhong et al. 2020), noise per pixel; unchanged where no box fits."""
    channels, height, width = image.shape
    for _ in range(ATTEMPTS):
        area = rng.uniform(*AREA) * height * width
        aspect = math.exp(rng.uniform(math.log(ASPECT[0]), math.log(ASPECT[1])))
        h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < h < height and 0 < w < width:
            top, left = rng.integers(height - h + 1), rng.integers(width - w + 1)
            noise = rng.standard_normal((channels, h, w), dtype=np.float32)
            image[:, top : top + h, left : left + w] = noise
            return
