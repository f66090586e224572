"""Training and scoring of one variant."""

import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ablate.system import Job, Outcome
from ablate.train import gradient_norms
from models.reid import clip
from models.reid.evaluate import Images, Retrieval, distances, retrieve
from models.reid.loading import Batch, all_batches, training_batches
from models.reid.network import Network
from models.reid.objective import losses, weighted, weights
from models.reid.optimizer import optimizer, set_rates
from models.reid.schedule import Schedule
from models.reid.tokens import pictured
from models.reid.triples import Data, Triples, is_cuda, loaded


@dataclass(slots=True)
class Training:
    """One trial in progress: the network, its optimizer, and the data it learns from.

    `steps` are the wall-clock seconds of every training step so far, without loading; those of
    earlier attempts at the trial included.
    """

    job: Job
    network: Network
    adam: torch.optim.Adam
    scaler: torch.amp.GradScaler
    data: Data
    steps: list[float] = field(default_factory=list)

    @classmethod
    def begin(cls, job: Job, data: Data) -> "Training":
        """Built on the CPU, so that initial weights depend on no device, then moved."""
        network = Network(job, data.population)
        clip.load(network, job)
        network = network.to(job.device)
        scaler = torch.amp.GradScaler("cuda", enabled=is_cuda(job))
        return cls(job, network, optimizer(network, job), scaler, data)

    def epoch(self, number: int) -> dict[str, float]:
        """Train one epoch; mean losses, the main rate, and the last step's gradient norms."""
        self.network.train()
        schedule = Schedule.of(self.job)
        set_rates(self.adam, schedule, number)
        sums: dict[str, float] = {}
        done = 0
        with closing(training_batches(self.job, self.data, number)) as batches:
            for step, batch in enumerate(batches, start=1):
                began = time.perf_counter()
                values = self.step(number, step, batch)
                self.steps.append(time.perf_counter() - began)
                for name, value in values.items():
                    sums[name] = sums.get(name, 0.0) + value
                done = step
        self.tell_step()
        means = {name: total / done for name, total in sums.items()}
        rate = schedule.rate(self.job.number("lr"), number)
        return means | {"lr": rate} | gradient_norms(self.network.parts())

    def tell_step(self) -> None:
        """Report what a step takes."""
        self.job.cost(
            "step",
            statistics.median(self.steps),
            unit="s",
            counter="median training step, wall clock",
        )

    def step(self, number: int, step: int, batch: Batch) -> dict[str, float]:
        """Learn from one batch, the `step`-th of epoch `number`; the losses."""
        job, people = self.job, self.data.train
        images = batch.images.to(job.device, non_blocking=True)
        labels = torch.from_numpy(people.ids[batch.index]).to(job.device, non_blocking=True)
        cameras = torch.from_numpy(people.cameras[batch.index]).to(job.device, non_blocking=True)
        with torch.autocast("cuda", dtype=torch.float16, enabled=is_cuda(job)):
            features = self.network(images, cameras, job.stream(f"gumbel/{number}/{step}"))
            found = losses(self.network, features, images, labels)
        total = weighted(found, weights(job, number))
        self.adam.zero_grad(set_to_none=True)
        self.scaler.scale(total).backward()
        self.scaler.unscale_(self.adam)
        self.scaler.step(self.adam)
        self.scaler.update()
        return _read({"loss": total} | {f"loss.{name}": loss for name, loss in found.items()})

    def state(self, epoch: int) -> dict[str, object]:
        """All that the next epoch and the costs depend on; randomness comes from named streams."""
        return {
            "epoch": epoch,
            "model": self.network.state_dict(),
            "optimizer": self.adam.state_dict(),
            "scaler": self.scaler.state_dict(),
            "steps": self.steps,
        }

    def load(self, state: Mapping[str, object]) -> int:
        """Continue from a checkpoint; the epoch it was saved after."""
        self.network.load_state_dict(state["model"])
        self.adam.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.steps = list(state["steps"])
        return int(state["epoch"])


def scored(job: Job, network: Network, data: Data) -> Retrieval:
    """Rank the gallery for every query, leaving out what the data set's protocol leaves out."""
    network.eval()
    query = _features(job, network, data.query, data.workers)
    same = data.gallery is data.query
    gallery = query if same else _features(job, network, data.gallery, data.workers)
    return retrieve(distances(query, gallery), _people(data.query), _people(data.gallery))


def _features(job: Job, network: Network, triples: Triples, workers: int) -> np.ndarray:
    found = []
    with torch.inference_mode(), closing(all_batches(job, triples, workers)) as batches:
        for batch in batches:
            images = batch.images.to(job.device, non_blocking=True)
            cameras = torch.from_numpy(triples.cameras[batch.index]).to(job.device)
            found.append(network(images, cameras).scored().cpu())
    return torch.cat(found).numpy()


def _people(triples: Triples) -> Images:
    return Images(triples.ids, triples.groups)


def scores(result: Retrieval) -> dict[str, float]:
    """The benchmark's four numbers, as fractions."""
    cmc = result.cmc(10).tolist()
    return {"rank1": cmc[0], "rank5": cmc[4], "rank10": cmc[9], "mAP": result.mean_ap}


def train(job: Job) -> Outcome:
    """Train one variant, logging and saving after every epoch; stops early when asked to."""
    data = loaded(job)
    training = Training.begin(job, data)
    state = job.resume()
    done = 0
    if state is not None:
        done = training.load(state)
        training.tell_step()
    result = None
    for epoch in range(done + 1, job.whole("epochs") + 1):
        job.log(epoch, "train", **training.epoch(epoch))
        result = scored(job, training.network, data)
        job.log(epoch, "test", **scores(result))
        job.save(training.state(epoch))
        if job.stopping:
            return Outcome()
    result = result or scored(job, training.network, data)
    _keep_items(job, data.query, result)
    return Outcome(artifacts=_artifacts(job, training.network, data.query))


def _keep_items(job: Job, query: Triples, result: Retrieval) -> None:
    """The scores of every query that has a match in the gallery."""
    scored_ones = np.flatnonzero(result.valid)
    names = [query.names[n] for n in scored_ones]
    hits = (result.first[scored_ones] == 1).astype(np.float64)
    job.log_items("test", names, AP=result.ap[scored_ones].tolist(), rank1=hits.tolist())


def _artifacts(job: Job, network: Network, query: Triples) -> dict[str, Path]:
    picture = pictured(job, network, query)
    return {} if picture is None else {"tokens": picture}


def _read(values: Mapping[str, Tensor]) -> dict[str, float]:
    """All values in one transfer: each would wait for the device on its own."""
    read: Sequence[float] = torch.stack(
        [value.detach().float() for value in values.values()]
    ).tolist()
    return dict(zip(values, read, strict=True))
