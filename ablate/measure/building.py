"""Building a probe beside everything else: on one device, from its own random state."""

import contextlib
import dataclasses
import random
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from ablate.system import Job, Probe

RAISED = (Exception, SystemExit)
"""What a system's code may raise without ending the program that asked: its line is the reason."""


@contextlib.contextmanager
def aside(seed: int) -> Iterator[None]:
    """Global generators begin from `seed` inside and go on afterwards as if nothing had been.

    Of torch's generators that is the CPU's, which is the only one that a probe's devices draw from.
    """
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002 - a probe may draw from it
    try:
        with torch.random.fork_rng(devices=[]):
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002 - likewise
            torch.default_generator.manual_seed(seed)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002 - likewise


@contextlib.contextmanager
def in_the_open() -> Iterator[None]:
    """CPU kernels that hide their matrix products from a counter are switched off.

    Fused attention, the fast path of `nn.MultiheadAttention` and the fused LSTM count as nothing
    on the CPU; on meta they do not occur.
    """
    fast, fused = torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn.enabled
    torch.backends.mha.set_fastpath_enabled(value=False)
    torch.backends.mkldnn.enabled = False  # type: ignore[assignment]
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(value=fast)
        torch.backends.mkldnn.enabled = fused


def built(build: Callable[[Job], Probe], job: Job, device: str) -> Probe:
    """The probe of `job` on `device`; raises what building raises."""
    with torch.device(device):
        return build(dataclasses.replace(job, device=device))


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Sums on the CPU are made in one order inside, whatever the machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def one_line(wrong: BaseException) -> str:
    """An exception's kind and the first line of what it says."""
    said = str(wrong).strip().splitlines()
    return f"{type(wrong).__name__}: {said[0]}" if said else type(wrong).__name__
