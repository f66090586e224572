"""The losses of one branch: identity cross-entropy and soft-margin batch-hard triplet."""

import torch
from torch import Tensor
from torch.nn import functional

SMOOTHING = 0.1
ID_WEIGHT = 0.25
TRIPLET_WEIGHT = 1.0


def triplet_loss(features: Tensor, labels: Tensor) -> Tensor:
    """Batch-hard triplet loss with a soft margin (Hermans et al. 2017), euclidean distances.

    `features` (B, D) are not normalised; every label occurs at least twice in the batch.
    """
    x = features.float()
    square = x.square().sum(dim=1)
    # rounding can leave a tiny negative, whose square root has no gradient
    distances = (square[:, None] + square[None] - 2.0 * x @ x.T).clamp_min(1e-12).sqrt()
    same = labels[:, None] == labels[None]
    farthest = distances.masked_fill(~same, -torch.inf).amax(dim=1)
    nearest = distances.masked_fill(same, torch.inf).amin(dim=1)
    return functional.softplus(farthest - nearest).mean()


def branch_loss(features: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
    """What trains one branch: weighted identity loss plus triplet loss before the neck."""
    identity = functional.cross_entropy(logits.float(), labels, label_smoothing=SMOOTHING)
    return ID_WEIGHT * identity + TRIPLET_WEIGHT * triplet_loss(features, labels)
