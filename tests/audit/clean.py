"""Random studies without a defect: what the checks may see and must pass over in silence.

A full grid of modules with real effects, and a sweep around its best configuration whose best level
is the reference. Every run has curves that flatten, one program, one machine, its own noise.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import NamedTuple

import numpy as np

from ablate.audit.evidence import Evidence
from ablate.metric import Metric
from ablate.record import Attempt, Cost, Record, State
from ablate.selection import Curves, Selection
from ablate.study import Factor, Level, Modules, Role, Study, Sweep, changed, real, switch

MODULES = ("sacr", "sdtps", "lif")
QUERIES = 836
EPOCHS = 40
ITERATIONS = 54
"""Of one epoch."""
PROVENANCE = {
    "commit": "4f1c2d3",
    "dirty": "no",
    "python": "3.12.4",
    "torch": "2.11.0",
    "ablate": "0.1.0",
}
METRICS = (Metric("rank1", "Rank-1"), Metric("mAP"))


class Design(NamedTuple):
    """A random study and what is true of it."""

    study: Study
    effects: Mapping[str, float]
    noise: float


def design(draw: np.random.Generator) -> Design:
    """A study of one to three modules, three to six seeds, and perhaps a sweep around `full`."""
    modules = MODULES[: int(draw.integers(1, len(MODULES) + 1))]
    factors: list[Factor] = [switch(m) for m in modules]
    beta = real(f"{modules[0]}.beta", 0.4, requires=modules[0])
    factors.append(beta)
    sweeps = (Sweep("full", beta.name, (0.2, 0.4, 0.6)),) if draw.random() < 0.5 else ()
    study = Study(
        name="clean",
        title="A clean study",
        system="x",
        revision="1",
        factors=tuple(factors),
        metrics=METRICS,
        primary="mAP",
        selection=Selection("mAP", "val") if draw.random() < 0.5 else Selection(),
        seeds=tuple(range(int(draw.integers(3, 7)))),
        modules=Modules(modules),
        sweeps=sweeps,
        data="d41d8cd9",
    )
    effects = {m: float(draw.uniform(0.02, 0.05)) for m in modules}
    return Design(study, effects, float(draw.uniform(0.001, 0.004)))


def clean(seed: int) -> Evidence:
    """The evidence of a random study without a defect; the same for the same seed."""
    draw = np.random.default_rng(seed)
    made = design(draw)
    study = made.study
    variants = list(_variants(study))
    places = [(v, s) for v in variants for s in study.seeds]
    order = draw.permutation(len(places))
    clock = datetime(2026, 3, 1, 8, tzinfo=UTC)
    records: dict[int, Record] = {}
    curves: dict[str, Curves] = {}
    for index in map(int, order):
        (name, levels, parent, role), own_seed = places[index]
        key = f"{index:016x}"
        on = [m for m in made.effects if levels[m]]
        gain = sum(made.effects[m] for m in on)
        beta = float(levels[study.factors[-1].name])
        gain -= 0.01 if beta != study.factors[-1].reference else 0.0
        seconds_per_batch = 0.2 + 0.05 * len(on)
        curves[key] = _curves(draw, 0.6 + gain, made.noise, seconds_per_batch)
        seconds = EPOCHS * ITERATIONS * seconds_per_batch * 1.02
        ended = clock + timedelta(seconds=seconds)
        records[index] = Record(
            study=study.name,
            variant=name,
            role=role,
            parent=parent,
            position=index,
            levels=levels,
            changed=changed(levels, study.factors),
            seed=own_seed,
            key=key,
            state=State.COMPLETED,
            scores=study.selection.apply(curves[key], study.directions),
            costs=_costs(on, seconds),
            attempt=Attempt(
                key,
                1,
                State.COMPLETED,
                "owner",
                f"{key}/1",
                host="host",
                device="NVIDIA H100",
                started=clock.isoformat(),
                ended=ended.isoformat(),
                seconds=seconds,
                provenance=dict(PROVENANCE),
            ),
            source="run",
        )
        clock = ended + timedelta(seconds=5)
    return Evidence(study, [records[i] for i in range(len(places))], curves, {})


def _variants(study: Study) -> Iterator[tuple[str, dict[str, Level], str | None, Role]]:
    modules = study.modules.factors if study.modules else ()
    base = {f.name: f.reference for f in study.factors}
    for on in product((False, True), repeat=len(modules)):
        levels: dict[str, Level] = {**base, **dict(zip(modules, on, strict=True))}
        names = [m for m in modules if levels[m]]
        name = "full" if len(names) == len(modules) else "+".join(names) or "baseline"
        yield name, levels, None if name == "baseline" else "baseline", "grid"
    for sweep in study.sweeps:
        for level in sweep.levels:
            if level != study.factors[-1].reference:
                levels = {**base, **dict.fromkeys(modules, True), sweep.factor: level}
                yield f"full {sweep.factor}={level}", levels, "full", "sweep"


def _curves(draw: np.random.Generator, level: float, noise: float, pace: float) -> Curves:
    """Curves that rise to `level`, flat from half of the training on, and wobble by `noise`."""
    found: dict[tuple[str, str], dict[int, float]] = {}
    steps = range(1, EPOCHS + 1)
    run = draw.normal(0, noise)
    for split, shift in (("val", 0.02), ("test", 0.0)):
        rise = [level + shift + run - 0.5 * math.exp(-s / 3) for s in steps]
        wobble = draw.normal(0, noise / 3, len(rise))
        found[split, "mAP"] = {s: float(v + w) for s, v, w in zip(steps, rise, wobble, strict=True)}
        hits = np.round((np.array(rise) + 0.04 + draw.normal(0, noise / 3, len(rise))) * QUERIES)
        found[split, "rank1"] = {s: float(h / QUERIES) for s, h in zip(steps, hits, strict=True)}
    found["train", "loss"] = {
        s: float(2 * math.exp(-s / 6) + 1 + w)
        for s, w in zip(steps, draw.normal(0, 0.01, EPOCHS), strict=True)
    }
    found["train", "seconds_per_batch"] = {
        s: float(pace * (1 + w)) for s, w in zip(steps, draw.normal(0, 0.01, EPOCHS), strict=True)
    }
    return found


def _costs(on: list[str], seconds: float) -> dict[str, Cost]:
    own = {"sacr": (8.4e6, 3.2e9), "sdtps": (0.6e6, 0.1e9), "lif": (0.2e6, 0.8e9)}
    params = 88e6 + sum(own[m][0] for m in on)
    macs = 34e9 + sum(own[m][1] for m in on)
    found = (
        Cost("params", params, "", "torch"),
        Cost("macs", macs, "", "ablate"),
        Cost("seconds", seconds, "s", "wall clock"),
    )
    return {c.name: c for c in found}
