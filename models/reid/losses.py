"""The losses of one branch: identity cross-entropy and soft-margin batch-hard triplet."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ablate.system import Job


def triplet_loss(features: Tensor, labels: Tensor) -> Tensor:
    """Batch-hard triplet loss with a soft margin (Hermans et al. 2017), euclidean distances.

    `features` (B, D) are not normalised; every label occurs at least twice in the batch. Computed
    in float32 under autocast too.
    """
    x = features.float()
    with _without_autocast(x.device.type):
        square = x.square().sum(dim=1)
        # rounding can leave a tiny negative, whose square root has no gradient
        distances = (square[:, None] + square[None] - 2.0 * x @ x.T).clamp_min(1e-12).sqrt()
    same = labels[:, None] == labels[None]
    farthest = distances.masked_fill(~same, -torch.inf).amax(dim=1)
    nearest = distances.masked_fill(same, torch.inf).amin(dim=1)
    return functional.softplus(farthest - nearest).mean()


def _without_autocast(device: str) -> AbstractContextManager[object]:
    """Autocast would make the product of two float32 matrices in half precision."""
    # on meta, where networks are probed, there is none to switch off
    known = torch.amp.is_autocast_available(device)
    return torch.autocast(device, enabled=False) if known else nullcontext()


@dataclass(frozen=True, slots=True)
class BranchLoss:
    """What trains one branch: weighted identity loss plus triplet loss before the neck."""

    smoothing: float
    identity: float
    triplet: float

    @classmethod
    def of(cls, job: Job) -> "BranchLoss":
        """The smoothing and weights that a job's levels ask for."""
        names = ("label_smoothing", "id_weight", "triplet_weight")
        return cls(*(job.number(name) for name in names))

    def __call__(self, features: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
        """Features (B, D) before the neck, logits (B, identities) and labels (B,) -> one number."""
        known = functional.cross_entropy(logits.float(), labels, label_smoothing=self.smoothing)
        return self.identity * known + self.triplet * triplet_loss(features, labels)
