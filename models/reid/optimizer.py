"""The optimizer's groups and their rates."""

import torch

from ablate.system import Job
from models.reid.network import Network
from models.reid.schedule import Schedule


def optimizer(network: Network, job: Job) -> torch.optim.Adam:
    """Adam with L2 decay: rates of their own for the backbone, for biases, and for SDTPS.

    A group has a `base`, its rate after the warm-up, and a `scale` of its whole schedule.
    """
    main, slow = job.number("lr"), job.number("backbone_lr")
    gain, scale = job.number("bias_lr_gain"), job.number("sdtps.lr_scale")
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for part, owned in network.parts().items():
        of_part = scale if owned.factor == "sdtps" else 1.0
        for name, parameter in owned.parameters.items():
            base = main * (gain if "bias" in name else 1.0)
            rates = (slow if part == "backbone" else base, of_part)
            groups.setdefault(rates, []).append(parameter)
    listed = [
        {"params": held, "lr": share * base, "base": base, "scale": share}
        for (base, share), held in groups.items()
    ]
    return torch.optim.Adam(listed, weight_decay=job.number("weight_decay"))


def set_rates(adam: torch.optim.Optimizer, schedule: Schedule, epoch: int) -> None:
    """Give every group its rate for `epoch`."""
    for group in adam.param_groups:
        group["lr"] = group["scale"] * schedule.rate(group["base"], epoch)
