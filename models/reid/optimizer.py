"""The optimizer's groups and their rates."""

import torch

from ablate.system import Job
from models.reid.network import Network
from models.reid.schedule import Schedule

BIAS_GAIN = 2.0


def optimizer(network: Network, job: Job) -> torch.optim.Adam:
    """Adam with L2 decay: a rate of its own for the backbone, twice the rate for other biases."""
    main, slow = job.number("lr"), job.number("backbone_lr")
    groups: dict[float, list[torch.nn.Parameter]] = {}
    for part, owned in network.parts().items():
        for name, parameter in owned.parameters.items():
            rate = main * (BIAS_GAIN if "bias" in name else 1.0)
            groups.setdefault(slow if part == "backbone" else rate, []).append(parameter)
    listed = [{"params": held, "lr": rate, "base": rate} for rate, held in groups.items()]
    return torch.optim.Adam(listed, weight_decay=job.number("weight_decay"))


def set_rates(adam: torch.optim.Optimizer, schedule: Schedule, epoch: int) -> None:
    """Give every group its rate for `epoch`."""
    for group in adam.param_groups:
        group["lr"] = schedule.rate(group["base"], epoch)
