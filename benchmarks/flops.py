"""Multiply-accumulates of nine networks: our counts against hand counts, beside other counters.

    python benchmarks/flops.py            # about a minute
    python benchmarks/flops.py --ours     # ours alone
    pip install --no-deps fvcore thop ptflops calflops torchinfo iopath yacs portalocker  # optional

Prints each counter's number over the hand count; `-` where a counter is not installed or fails.
Ends with 1 where one of ours is off by more than 0.01 %. Hand counts are of matrix products and
convolutions, one per multiply-accumulate; some of the others count norms as well.
"""

import argparse
import contextlib
import io
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parents[1]))
from flop_networks import NETWORKS, Network

from ablate import Job, Metric, Outcome, Part, Probe, System
from ablate.measure import measure

WANTED = 1e-4


def ours(network: Network, *, look: bool = False) -> float:
    """Our count; with `look`, of a network that looks at a value, which forces the CPU."""

    def probe(_: Job) -> Probe:
        module, example = network.build().eval(), torch.ones(network.shape)
        part = Part(dict(module.named_parameters()), None, module)

        def forward() -> Tensor:
            if look and example.sum().item() < 0:
                raise ValueError("the example is all ones")
            return module(example)

        return Probe({"all": part}, forward, lambda: {"sum": forward().sum()})

    system = System("flops", "1", (), (Metric("none"),), lambda _: Outcome(), probe)
    found = measure(system, Job({}, 0, Path()))
    if not found.counter.endswith("on the CPU" if look else "on meta"):
        raise RuntimeError(f"{network.name}: {found.counter or found.reason}")
    return next(cost.value for cost in found.costs if cost.name == "macs")


def torch_on_cpu(model: nn.Module, example: Tensor) -> float:
    """What torch's own counter says on CPU tensors, as it is usually called."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(example)
    return counter.get_total_flops() / 2


def fvcore(model: nn.Module, example: Tensor) -> float:
    """What fvcore calls flops: one per multiply-add."""
    from fvcore.nn import FlopCountAnalysis

    found = FlopCountAnalysis(model, example)
    return found.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()


def thop(model: nn.Module, example: Tensor) -> float:
    """What thop calls MACs."""
    import thop

    return thop.profile(model, inputs=(example,), verbose=False)[0]


def ptflops(model: nn.Module, example: Tensor, backend: str = "pytorch") -> float:
    """What ptflops calls complexity, by patched modules or by dispatched operators."""
    from ptflops import get_model_complexity_info

    return get_model_complexity_info(
        model,
        tuple(example.shape[1:]),
        as_strings=False,
        print_per_layer_stat=False,
        backend=backend,
    )[0]


def ptflops_aten(model: nn.Module, example: Tensor) -> float:
    """The same by dispatched operators."""
    return ptflops(model, example, "aten")


def calflops(model: nn.Module, example: Tensor) -> float:
    """What calflops calls MACs."""
    from calflops import calculate_flops

    return calculate_flops(
        model,
        tuple(example.shape),
        print_results=False,
        print_detailed=False,
        output_as_string=False,
    )[1]


def torchinfo(model: nn.Module, example: Tensor) -> float:
    """What torchinfo calls mult-adds."""
    from torchinfo import summary

    return summary(model, input_data=example, verbose=0).total_mult_adds


PEERS = {
    "torch, CPU": torch_on_cpu,
    "fvcore": fvcore,
    "thop": thop,
    "ptflops": ptflops,
    "ptflops, aten": ptflops_aten,
    "calflops": calflops,
    "torchinfo": torchinfo,
}


def peer(count: Callable[[nn.Module, Tensor], float], network: Network) -> float | None:
    """What another counter says of a fresh network; None where it cannot say."""
    torch.manual_seed(0)
    quiet = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(quiet):
            warnings.simplefilter("ignore")
            with contextlib.redirect_stderr(quiet):
                found = count(network.build().eval(), torch.randn(network.shape))
            return None if found is None else float(found)
    except Exception:  # noqa: BLE001 - a counter that fails is a dash in its row
        return None


def main() -> int:
    """Print the table; 1 where one of our counts is off."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", action="store_true", help="leave the other counters out")
    others = {} if parser.parse_args().ours else PEERS
    torch.set_num_threads(1)
    rows: dict[str, list[float | None]] = {
        "ablate": [ours(network) for network in NETWORKS],
        "ablate, CPU": [ours(network, look=True) for network in NETWORKS],
    }
    rows |= {name: [peer(count, n) for n in NETWORKS] for name, count in others.items()}
    print("| counter | " + " | ".join(n.name for n in NETWORKS) + " |")
    print("|---|" + "--:|" * len(NETWORKS))
    print("| by hand, GMAC | " + " | ".join(f"{n.macs / 1e9:.5f}" for n in NETWORKS) + " |")
    for name, counts in rows.items():
        ratios = [
            "-" if c is None else f"{c / n.macs:.4f}" for c, n in zip(counts, NETWORKS, strict=True)
        ]
        print(f"| {name} | " + " | ".join(ratios) + " |")
    off = [
        f"{name} on {network.name}: {count:.0f}, by hand {network.macs}"
        for name in ("ablate", "ablate, CPU")
        for count, network in zip(rows[name], NETWORKS, strict=True)
        if count is None or abs(count / network.macs - 1) > WANTED
    ]
    print("\n".join(off) or "ours agree with every hand count")
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main())
