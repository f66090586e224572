"""Named random streams for torch: what one module draws does not depend on what else is built."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ablate.system import Job, derive


def _torch_seed(seed: int, name: str) -> int:
    # torch's CPU generator uses only the low 32 bits of its seed: take hash bits from the low end
    return int.from_bytes(derive(seed, name)[:8], "little") >> 1


@contextmanager
def init_stream(job: Job, name: str) -> Iterator[None]:
    """Build one module under its own stream; the caller's generator state is untouched.

    Build on the CPU and move afterwards: the bits then depend on no device.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(_torch_seed(job.seed, name))
        yield


def torch_generator(job: Job, name: str, device: str = "cpu") -> torch.Generator:
    """A torch generator of its own for (seed, name)."""
    return torch.Generator(device).manual_seed(_torch_seed(job.seed, name))
