"""One training step of every grid cell at paper scale: time, images per second, peak memory.

    python benchmarks/gpu_step.py                # on a GPU, in AMP (float16), about two minutes
    python benchmarks/gpu_step.py --smoke        # on the CPU, small: only shows that it runs

A step is the training's own: forward, losses, backward, the optimizer's update and reading the
losses, on a batch of 64 triples (8 people, 8 images each) of RGBNT201's shape that is already in
the device's memory: loading is not timed. The fraction is the step's multiply-accumulates (counted
on meta, forward and backward) per second over the rate of one large matrix product, measured in
the same run.
"""

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parents[1]))  # models are no installed package
from ablate.study import Level, settled
from ablate.system import Job
from models.reid import system
from models.reid.facts import DECLARED
from models.reid.loading import Batch
from models.reid.network import Network
from models.reid.objective import losses, weighted, weights
from models.reid.train import Training
from models.reid.triples import Data, Triples

MODULES = ("sacr", "sdtps", "lif")
PEOPLE, EACH = 8, 8
SMALL: dict[str, Level] = {
    "width": 64, "depth": 2, "heads": 1, "embed": 64, "height": 64, "image_width": 32, "patch": 8,
    "stride": 8, "lif.channels": 4,
}  # fmt: skip
MATRIX = 8192


def prepared(job: Job) -> tuple[Training, Batch]:
    """A training as a trial begins it, and a batch of RGBNT201's shape on its device."""
    known, count = DECLARED["rgbnt201"], PEOPLE * EACH
    ids = np.arange(PEOPLE).repeat(EACH)
    cameras = np.arange(count) % known.cameras
    pixels = np.zeros((count, 3, 3, job.whole("height"), job.whole("image_width")), np.float32)
    people = Triples(pixels, [str(n) for n in range(count)], ids, cameras, cameras)
    training = Training.begin(job, Data(people, people, people, known))
    training.network.train()
    images = torch.rand(pixels.shape, device=job.device) * 2.0 - 1.0
    return training, Batch(np.arange(count), images)


def operations(job: Job) -> int:
    """Multiply-accumulates of one step, forward and backward."""
    known, count = DECLARED["rgbnt201"], PEOPLE * EACH
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        network = Network(job, known).train()
        images = torch.rand(count, 3, 3, job.whole("height"), job.whole("image_width"))
        features = network(images, torch.arange(count) % known.cameras)
        found = losses(network, features, images, torch.arange(PEOPLE).repeat_interleave(EACH))
        weighted(found, weights(job, job.whole("epochs"))).backward()
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
        job = Job(settled(levels, system.factors), 0, Path(), Path(), device)
        count = operations(job)
        if device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        training, batch = prepared(job)
        step = partial(training.step, job.whole("epochs"), 1, batch)
        spent = seconds(step, device, 3 if smoke else 20)
        peak = torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else float("nan")
        name = "+".join(m for m in MODULES if wanted[m]) or "baseline"
        share = count / spent / rate
        print(
            f"{name:16} {spent * 1e3:8.1f} {PEOPLE * EACH / spent:10.1f} {peak:9.2f} {share:15.3f}"
        )
        del training, step
    return 0


if __name__ == "__main__":
    sys.exit(main())
