"""The learning rate over epochs: linear warm-up into one cosine."""

import math
from dataclasses import dataclass

WARM_FROM = 0.1
FLOOR = 1e-3


@dataclass(frozen=True, slots=True)
class Schedule:
    """Epochs count from 1. Warm-up starts at a tenth of the main rate for *every* group.

    So a group with a far smaller rate, the backbone, warms down. The cosine spans all epochs and
    begins where the warm-up ends; it ends at a thousandth of the main rate.
    """

    main: float
    epochs: int
    warmup: int

    def rate(self, base: float, epoch: int) -> float:
        """The rate in `epoch` of a group whose rate is `base`."""
        if epoch < self.warmup:
            start = WARM_FROM * self.main
            return start + (base - start) * epoch / self.warmup
        low = min(FLOOR * self.main, base)
        return low + 0.5 * (base - low) * (1.0 + math.cos(math.pi * epoch / self.epochs))
