"""One training step of every grid cell at paper scale: time, images per second, peak memory.

    python benchmarks/gpu_step.py                # on a GPU, in AMP (float16), about two minutes
    python benchmarks/gpu_step.py --smoke        # on the CPU, small: only shows that it runs

A step is forward, losses, backward and the optimizer's update on a batch of 64 triples (8 people,
8 images each) of RGBNT201's shape, already in the device's memory: loading is not timed. The
fraction is the step's multiply-accumulates (counted on meta, forward and backward) per second over
the rate of one large matrix product, measured in the same run.
"""

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parents[1]))  # models are no installed package
from ablate.study import Level, settled
from ablate.system import Job
from models.reid import system
from models.reid.facts import DECLARED
from models.reid.network import Network
from models.reid.objective import losses, weighted, weights
from models.reid.optimizer import optimizer

MODULES = ("sacr", "sdtps", "lif")
PEOPLE, EACH = 8, 8
SMALL: dict[str, Level] = {
    "width": 64, "depth": 2, "heads": 1, "embed": 64, "height": 64, "image_width": 32, "patch": 8,
    "stride": 8, "lif.channels": 4,
}  # fmt: skip
MATRIX = 8192


@dataclass(frozen=True, slots=True)
class Step:
    """What one training step needs, on one device."""

    network: Network
    adam: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    by: dict[str, float]
    images: Tensor
    cameras: Tensor
    labels: Tensor

    @classmethod
    def of(cls, job: Job, device: str) -> "Step":
        """A network with a batch of RGBNT201's shape."""
        known = DECLARED["rgbnt201"]
        network = Network(job, known).to(device).train()
        size = (PEOPLE * EACH, 3, 3, job.whole("height"), job.whole("image_width"))
        images = torch.rand(size, device=device) * 2.0 - 1.0
        cameras = (torch.arange(len(images)) % known.cameras).to(device)
        labels = torch.arange(PEOPLE).repeat_interleave(EACH).to(device)
        scaler = torch.amp.GradScaler("cuda", enabled=device == "cuda")
        by = weights(job, job.whole("epochs"))
        return cls(network, optimizer(network, job), scaler, by, images, cameras, labels)

    def loss(self) -> Tensor:
        """The loss that is minimised."""
        features = self.network(self.images, self.cameras)
        return weighted(losses(self.network, features, self.images, self.labels), self.by)

    def __call__(self) -> None:
        """Forward, backward, update."""
        on_gpu = self.images.is_cuda
        with torch.autocast("cuda", dtype=torch.float16, enabled=on_gpu):
            total = self.loss()
        self.adam.zero_grad(set_to_none=True)
        self.scaler.scale(total).backward()
        self.scaler.unscale_(self.adam)
        self.scaler.step(self.adam)
        self.scaler.update()


def operations(job: Job) -> int:
    """Multiply-accumulates of one step, forward and backward."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        Step.of(job, "meta").loss().backward()
    return counter.get_total_flops() // 2


def seconds(work: Callable[[], object], device: str, repeats: int) -> float:
    """The median time of one call, the device's queue emptied before and after; two calls first."""
    found = []
    for _ in range(repeats + 2):
        _wait(device)
        begin = time.perf_counter()
        work()
        _wait(device)
        found.append(time.perf_counter() - begin)
    return statistics.median(found[2:])


def matrix_rate(device: str, size: int) -> float:
    """Multiply-accumulates per second of one square matrix product (float16 on a GPU)."""
    kind = torch.float16 if device == "cuda" else torch.float32
    a, b = (torch.randn(size, size, device=device, dtype=kind) for _ in range(2))
    return size**3 / seconds(lambda: a @ b, device, 20)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def main() -> int:
    """Print one line per cell of the grid."""
    asking = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asking.add_argument("--smoke", action="store_true", help="on the CPU, at a small size")
    smoke = asking.parse_args().smoke
    if not smoke and not torch.cuda.is_available():
        print("no GPU here; --smoke shows on the CPU that it runs")
        return 4
    device = "cpu" if smoke else "cuda"
    print(f"device: {device if smoke else torch.cuda.get_device_name()}, torch {torch.__version__}")
    rate = matrix_rate(device, 512 if smoke else MATRIX)
    print(f"matrix product: {rate / 1e12:.3f} T multiply-accumulates per second")
    print(f"{'cell':16} {'step ms':>8} {'triples/s':>10} {'peak GiB':>9} {'of matrix rate':>15}")
    for on in itertools.product((False, True), repeat=len(MODULES)):
        wanted = dict(zip(MODULES, on, strict=True))
        levels = {f.name: f.reference for f in system.factors} | (SMALL if smoke else {}) | wanted
        job = Job(settled(levels, system.factors), 0, Path(), Path())
        count = operations(job)
        if device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        step = Step.of(job, device)
        spent = seconds(step, device, 3 if smoke else 20)
        peak = torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else float("nan")
        name = "+".join(m for m in MODULES if wanted[m]) or "baseline"
        share = count / spent / rate
        print(
            f"{name:16} {spent * 1e3:8.1f} {PEOPLE * EACH / spent:10.1f} {peak:9.2f} {share:15.3f}"
        )
        del step
    return 0


if __name__ == "__main__":
    sys.exit(main())
