"""Training and scoring of one variant."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ablate.errors import UsageError
from ablate.system import Job, Outcome
from ablate.train import gradient_norms
from models.reid.augment import Augmentation
from models.reid.evaluate import Images, Retrieval, distances, retrieve
from models.reid.facts import STANDIN
from models.reid.network import Network, Sizes
from models.reid.objective import losses, weighted, weights
from models.reid.optimizer import optimizer, set_rates
from models.reid.sampling import Int, batches
from models.reid.schedule import Schedule
from models.reid.standin import Split, standin

TEST_BATCH = 120


def normalised(images: npt.NDArray[np.uint8], sizes: Sizes) -> Tensor:
    """uint8 triples -> float32 in [-1, 1], (B, 3, 3, H, W), resized where sizes differ."""
    x = torch.from_numpy(images).float().div_(127.5).sub_(1.0)
    if x.shape[-2:] == (sizes.height, sizes.width):
        return x
    flat = functional.interpolate(
        x.flatten(0, 1), size=(sizes.height, sizes.width), mode="bilinear", antialias=True
    )
    return flat.view(*x.shape[:3], sizes.height, sizes.width)


@dataclass(slots=True)
class Training:
    """One trial in progress: the network, its optimizer, and the data it learns from."""

    job: Job
    network: Network
    adam: torch.optim.Adam
    scaler: torch.amp.GradScaler
    pixels: Tensor
    split: Split

    @classmethod
    def begin(cls, job: Job, split: Split) -> "Training":
        """Built on the CPU, so that initial weights depend on no device, then moved."""
        network = Network(job, STANDIN).to(job.device)
        scaler = torch.amp.GradScaler("cuda", enabled=_is_cuda(job))
        return cls(job, network, optimizer(network, job), scaler, _pixels(job, split), split)

    def epoch(self, number: int) -> dict[str, float]:
        """Train one epoch; mean losses, the main rate, and the last step's gradient norms."""
        self.network.train()
        schedule = Schedule(
            self.job.number("lr"), self.job.whole("epochs"), self.job.whole("warmup")
        )
        set_rates(self.adam, schedule, number)
        sums: dict[str, float] = {}
        steps, position = 0, 0
        for batch in batches(
            self.split.ids,
            self.job.whole("ids_per_batch"),
            self.job.whole("images_per_id"),
            self.job.stream(f"data.order/{number}"),
        ):
            images = augmented(self.job, self.pixels[batch], f"augment/{number}", position)
            for name, value in self._step(number, images, batch).items():
                sums[name] = sums.get(name, 0.0) + value
            steps, position = steps + 1, position + len(batch)
        if steps == 0:
            raise UsageError("ids_per_batch is larger than the number of training identities")
        means = {name: total / steps for name, total in sums.items()}
        rate = schedule.rate(self.job.number("lr"), number)
        return means | {"lr": rate} | gradient_norms(self.network.parts())

    def _step(self, number: int, images: Tensor, batch: Int) -> dict[str, float]:
        job = self.job
        images = images.to(job.device)
        labels = torch.from_numpy(self.split.ids[batch]).to(job.device)
        cameras = torch.from_numpy(self.split.cameras[batch]).to(job.device)
        with torch.autocast("cuda", dtype=torch.float16, enabled=_is_cuda(job)):
            features = self.network(images, cameras)
            found = losses(self.network, features, images, labels)
        total = weighted(found, weights(job, number))
        self.adam.zero_grad(set_to_none=True)
        self.scaler.scale(total).backward()
        self.scaler.unscale_(self.adam)
        self.scaler.step(self.adam)
        self.scaler.update()
        parts = {f"loss.{name}": loss.item() for name, loss in found.items()}
        return {"loss": total.item()} | parts

    def state(self, epoch: int) -> dict[str, object]:
        """All that the next epoch depends on; randomness comes from named streams."""
        return {
            "epoch": epoch,
            "model": self.network.state_dict(),
            "optimizer": self.adam.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def load(self, state: Mapping[str, object]) -> int:
        """Continue from a checkpoint; the epoch it was saved after."""
        self.network.load_state_dict(state["model"])
        self.adam.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        return int(state["epoch"])


def augmented(job: Job, images: Tensor, stream: str, start: int) -> Tensor:
    """A batch of triples, each changed under its own stream `<stream>/<place in the epoch>`."""
    change = Augmentation.of(job)
    changed = [
        change(triple, job.stream(f"{stream}/{start + i}"))
        for i, triple in enumerate(images.numpy())
    ]
    return torch.from_numpy(np.stack(changed))


def scored(job: Job, network: Network, pixels: Tensor, split: Split) -> Retrieval:
    """Score a network on `split` as query and gallery, leaving out the query's own camera."""
    network.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(split.ids), TEST_BATCH):
            rows = slice(start, start + TEST_BATCH)
            cameras = torch.from_numpy(split.cameras[rows]).to(job.device)
            found.append(network(pixels[rows].to(job.device), cameras).scored().cpu())
    features = torch.cat(found).numpy()
    people = Images(split.ids, split.cameras)
    return retrieve(distances(features, features), people, people)


def scores(result: Retrieval) -> dict[str, float]:
    """The benchmark's four numbers, as fractions."""
    cmc = result.cmc(10).tolist()
    return {"rank1": cmc[0], "rank5": cmc[4], "rank10": cmc[9], "mAP": result.mean_ap}


def train(job: Job) -> Outcome:
    """Train one variant, logging and saving after every epoch; stops early when asked to."""
    if job.data is not None:
        raise UsageError(
            "reid does not read real data in this version: leave out [data] root to train on the"
            " stand-in data"
        )
    data = standin()
    training = Training.begin(job, data.train)
    state = job.resume()
    done = 0 if state is None else training.load(state)
    pixels = _pixels(job, data.test)
    result = None
    for epoch in range(done + 1, job.whole("epochs") + 1):
        job.log(epoch, "train", **training.epoch(epoch))
        result = scored(job, training.network, pixels, data.test)
        job.log(epoch, "test", **scores(result))
        job.save(training.state(epoch))
        if job.stopping:
            return Outcome()
    result = result or scored(job, training.network, pixels, data.test)
    _keep_items(job, data.test, result)
    return Outcome()


def _keep_items(job: Job, split: Split, result: Retrieval) -> None:
    """One line per query, named by its place, identity and camera."""
    people = zip(split.ids.tolist(), split.cameras.tolist(), strict=True)
    names = [f"{n:04d}_id{identity}_cam{camera}" for n, (identity, camera) in enumerate(people)]
    hits = (result.first == 1).astype(np.float64)
    job.log_items("test", names, AP=result.ap.tolist(), rank1=hits.tolist())


def _is_cuda(job: Job) -> bool:
    return job.device.startswith("cuda")


def _pixels(job: Job, split: Split) -> Tensor:
    return normalised(split.images, Sizes.of(job))
