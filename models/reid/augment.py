"""Augmentation: flip, pad and crop, random erasing; drawn for every spectrum on its own."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ablate.system import Job

ATTEMPTS = 10
AREA = (0.02, 1.0 / 3.0)
ASPECT = (0.3, 1.0 / 0.3)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How often images are flipped and erased, and by how many pixels they are padded."""

    flip: float
    pad: int
    erase: float

    @classmethod
    def of(cls, job: Job) -> "Augmentation":
        """What a job's levels ask for."""
        return cls(job.number("flip"), job.whole("pad"), job.number("erase"))

    def __call__(
        self, triple: npt.NDArray[np.float32], rng: np.random.Generator
    ) -> npt.NDArray[np.float32]:
        """One triple (3 spectra, 3, H, W) in [-1, 1], changed; the same shape."""
        return np.stack([self._one(image, rng) for image in triple])

    def _one(
        self, image: npt.NDArray[np.float32], rng: np.random.Generator
    ) -> npt.NDArray[np.float32]:
        height, width = image.shape[1:]
        if rng.random() < self.flip:
            image = image[:, :, ::-1]
        if self.pad:
            edge = ((0, 0), (self.pad, self.pad), (self.pad, self.pad))
            top, left = rng.integers(2 * self.pad + 1, size=2)
            # black before normalising, as torchvision pads
            wide = np.pad(image, edge, constant_values=-1.0)
            image = wide[:, top : top + height, left : left + width]
        if rng.random() < self.erase:
            image = _erased(image, rng)
        return image


def _erased(image: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Random erasing (Zhong et al. 2020), noise per pixel; unchanged where no box fits."""
    height, width = image.shape[1:]
    for _ in range(ATTEMPTS):
        area = rng.uniform(*AREA) * height * width
        aspect = math.exp(rng.uniform(math.log(ASPECT[0]), math.log(ASPECT[1])))
        h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < h < height and 0 < w < width:
            top, left = rng.integers(height - h + 1), rng.integers(width - w + 1)
            image = image.copy()
            noise = rng.standard_normal((3, h, w), dtype=np.float32)
            image[:, top : top + h, left : left + w] = noise
            return image
    return image
