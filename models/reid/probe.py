"""The network as it would be trained, ready to be measured."""

import torch
from torch import Tensor

from ablate.system import Job, Probe
from models.reid.clip import weights_file
from models.reid.datasets import dataset, population
from models.reid.facts import Population, declared
from models.reid.network import Network, Sizes
from models.reid.objective import losses, weights
from models.reid.triples import check_people

LABELS = (0, 0, 1, 1)
CAMERAS = (0, 1, 0, 1)


def probe(job: Job) -> Probe:
    """The network and one example of its work, on the default device; trains on no image.

    The example is two identities, two images of each, of noise that is the same for every job; its
    losses count what they count in the last epoch. Raises UsageError for levels that do not fit,
    and where the data are there for data that no training could use, or CLIP weights that are not.
    """
    sizes = Sizes.of(job)
    network = Network(job, _population(job))
    images = _noise(len(LABELS), sizes)
    cameras, labels = torch.tensor(CAMERAS), torch.tensor(LABELS)

    def forward() -> Tensor:
        network.eval()
        return network(images[:1], cameras[:1]).scored()

    def one_step() -> dict[str, Tensor]:
        network.train()
        features = network(images, cameras, job.stream("probe.gumbel"))
        by = weights(job, job.whole("epochs"))
        found = losses(network, features, images, labels)
        return {name: by[name] * loss for name, loss in found.items() if by[name]}

    return Probe(network.parts(), forward, one_step, task=frozenset({"ori", "sdtps"}))


def _population(job: Job) -> Population:
    """Whom the network is trained on: what is declared where the data are not there (yet)."""
    if job.data is not None and not job.data.exists():
        return declared(job)
    weights_file(job)
    name, found = job.choice("dataset"), declared(job)
    if job.data is not None:
        found = population(dataset(job.data, name).train, name)
    check_people(job, found.identities)
    return found


def _noise(count: int, sizes: Sizes) -> Tensor:
    """(count, 3, 3, H, W) uniform in [-1, 1], from a generator of its own."""
    shape = (count, 3, 3, sizes.height, sizes.width)
    drawn = torch.rand(shape, generator=torch.Generator("cpu").manual_seed(0), device="cpu")
    return (drawn * 2.0 - 1.0).to(torch.get_default_device())
