"""What a training minimises: every loss of one step, and what each counts."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ablate.system import Job
from models.reid.lif import quality_loss
from models.reid.network import Features, Network


def losses(
    network: Network, features: Features, images: Tensor, labels: Tensor
) -> dict[str, Tensor]:
    """Every unweighted loss of one step: one per branch, and LIF's own where it is on."""
    logits = network.logits(features)
    found = {
        name: network.branch_loss(feature, logits[name], labels)
        for name, feature in features.branches.items()
    }
    if features.maps is not None:
        found["lif"] = quality_loss(features.maps, images)
    return found


def weights(job: Job, epoch: int) -> dict[str, float]:
    """What each loss counts in `epoch` (from 1).

    SDTPS's counts nothing before `sdtps.start_epoch`. Until then its branch is computed, scored
    and logged, its batch norm follows the features, and no parameter that only it reaches moves.
    """
    started = epoch >= job.whole("sdtps.start_epoch")
    return {
        "ori": 1.0,
        "sdtps": job.number("sdtps.loss_weight") if started else 0.0,
        "lif": job.number("lif.loss_weight"),
    }


def weighted(found: Mapping[str, Tensor], by: Mapping[str, float]) -> Tensor:
    """The sum that is minimised; what counts nothing has no part in it.

    Zero times a loss would give its parameters gradients of zero, which Adam's decay then moves.
    """
    return torch.stack([by[name] * loss for name, loss in found.items() if by[name]]).sum()
