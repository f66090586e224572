"""The learning rate over epochs: linear warm-up into one cosine, with the source's noise on top."""

import math
from dataclasses import dataclass

import torch

from ablate.system import Job

NOISE_SEED = 42


@dataclass(frozen=True, slots=True)
class Schedule:
    """Epochs count from 1. Warm-up starts at a fraction of the main rate for *every* group.

    So a group with a far smaller rate, the backbone, warms down. As in the source it does so at
    `backbone_lr` 0 too, which freezes it only without a warm-up or with one from 0. The cosine
    spans all epochs and begins where the warm-up ends; it ends at `floor` of the main rate. `noise`
    is the limit of what each epoch but the last multiplies every rate by: 1 + n, |n| < noise.
    """

    main: float
    epochs: int
    warmup: int
    warm_from: float = 0.1
    floor: float = 1e-3
    noise: float = 0.0

    @classmethod
    def of(cls, job: Job) -> "Schedule":
        """The schedule that a job's levels ask for."""
        return cls(
            job.number("lr"),
            job.whole("epochs"),
            job.whole("warmup"),
            job.number("warmup_from"),
            job.number("lr_floor"),
            job.number("lr_noise"),
        )

    def rate(self, base: float, epoch: int) -> float:
        """The rate in `epoch` of a group whose rate is `base`."""
        return self._smooth(base, epoch) * self._gain(epoch)

    def _smooth(self, base: float, epoch: int) -> float:
        if epoch < self.warmup:
            start = self.warm_from * self.main
            return start + (base - start) * epoch / self.warmup
        low = min(self.floor * self.main, base)
        return low + 0.5 * (base - low) * (1.0 + math.cos(math.pi * epoch / self.epochs))

    def _gain(self, epoch: int) -> float:
        """A standard normal draw, repeated until it is small enough; from the epoch alone.

        So that every variant and seed meets the same rates, as the source's runs did.
        """
        if self.noise == 0.0 or epoch >= self.epochs:
            return 1.0
        generator = torch.Generator().manual_seed(NOISE_SEED + epoch)
        while True:
            drawn = torch.randn(1, generator=generator, device="cpu").item()
            if abs(drawn) < self.noise:
                return 1.0 + drawn
