"""The network as it would be trained, ready to be measured."""

import torch
from torch import Tensor

from ablate.system import Job, Probe
from models.reid.facts import declared
from models.reid.network import Network, Sizes
from models.reid.objective import losses, weights


def probe(job: Job) -> Probe:
    """The network and one example of its work, on the default device; reads no data.

    With a data folder, present or not, the data set's declared facts give the network's size: costs
    are known before any image is.
    """
    sizes = Sizes.of(job)
    network = Network(job, declared(job))
    images = torch.zeros(4, 3, 3, sizes.height, sizes.width)
    cameras = torch.zeros(4, dtype=torch.long)
    labels = torch.tensor([0, 0, 1, 1])

    def forward() -> Tensor:
        network.eval()
        return network(images[:1], cameras[:1]).scored()

    def one_step() -> dict[str, Tensor]:
        network.train()
        by = weights(job, job.whole("epochs"))
        found = losses(network, network(images, cameras), images, labels)
        return {name: by[name] * loss for name, loss in found.items()}

    return Probe(network.parts(), forward, one_step, task=frozenset({"ori", "sdtps"}))
