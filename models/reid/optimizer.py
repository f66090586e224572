"""The optimizer's groups and their rates."""

import torch

from ablate.system import Job
from models.reid.network import Network
from models.reid.schedule import Schedule


def optimizer(network: Network, job: Job) -> torch.optim.Adam:
    """Adam with L2 decay: rates of their own for the backbone, for SDTPS, and for other biases."""
    main, slow = job.number("lr"), job.number("backbone_lr")
    gain, scale = job.number("bias_lr_gain"), job.number("sdtps.lr_scale")
    groups: dict[float, list[torch.nn.Parameter]] = {}
    for part, owned in network.parts().items():
        of_part = main * (scale if owned.factor == "sdtps" else 1.0)
        for name, parameter in owned.parameters.items():
            rate = of_part * (gain if "bias" in name else 1.0)
            groups.setdefault(slow if part == "backbone" else rate, []).append(parameter)
    listed = [{"params": held, "lr": rate, "base": rate} for rate, held in groups.items()]
    return torch.optim.Adam(listed, weight_decay=job.number("weight_decay"))


def set_rates(adam: torch.optim.Optimizer, schedule: Schedule, epoch: int) -> None:
    """Give every group its rate for `epoch`."""
    for group in adam.param_groups:
        group["lr"] = schedule.rate(group["base"], epoch)
