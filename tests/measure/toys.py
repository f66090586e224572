"""Small systems to measure: two linear layers a and b, of which only a is wanted."""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ablate import Job, Metric, Outcome, Part, Probe, System, switch
from ablate.audit.check import ask
from ablate.audit.evidence import Evidence
from ablate.audit.execution.liveness import LIVENESS
from ablate.audit.liveness import Shares
from ablate.record import Finding, Record, State
from ablate.study import Level, Study

SIZE = 16
MACS = SIZE * SIZE
"""Multiply-accumulates of one layer on one row: 512 FLOP."""

Use = Callable[[nn.Module, nn.Module, Tensor], Tensor]


def system(probe: Callable[[Job], Probe] | None) -> System:
    return System(
        name="toy",
        revision="1",
        factors=(switch("b"),),
        metrics=(Metric("acc"),),
        train=lambda _: Outcome(),
        probe=probe,
    )


def liveness(shares: Shares) -> list[Finding]:
    """What the checks on a probe's answers say, by variant, of a study without modules."""
    study = Study(
        name="toy", title="", system="toy", revision="1", factors=(), metrics=(), primary=""
    )
    records = [
        Record("toy", name, "arm", None, i, {}, {}, 0, name, State.PENDING, shares=of)
        for i, (name, of) in enumerate(shares.items())
    ]
    return ask(LIVENESS, Evidence(study, records))


def job(seed: int = 0, **levels: Level) -> Job:
    return Job({"b": True} | levels, seed, Path())


def two_layers(use: Use, *, modules: bool = True) -> System:
    """The scored output is `use(a, b, x)`; the one loss is its sum."""

    def probe(_: Job) -> Probe:
        a, b = nn.Linear(SIZE, SIZE, bias=False), nn.Linear(SIZE, SIZE, bias=False)
        x = torch.ones(1, SIZE)
        parts = {
            name: Part(dict(layer.named_parameters()), factor, layer if modules else None)
            for name, layer, factor in (("a", a, None), ("b", b, "b"))
        }
        return Probe(parts, lambda: use(a, b, x), lambda: {"sum": use(a, b, x).sum()})

    return system(probe)


def one_module(build: Callable[[], nn.Module], *shape: int, look: bool = False) -> System:
    """One module on one example; with `look` it also asks for a value, which meta cannot give."""

    def probe(_: Job) -> Probe:
        module, x = build().eval(), torch.ones(shape)

        def forward() -> Tensor:
            if look:
                x.sum().item()
            return module(x)

        parts = {"all": Part(dict(module.named_parameters()), None, module)}
        return Probe(parts, forward, lambda: {"sum": forward().sum()})

    return system(probe)


def costs(found, factor: str = "") -> Mapping[str, float]:  # noqa: ANN001 - a Measured
    return {cost.name: cost.value for cost in found.costs if cost.factor == factor}
