"""Random studies without a defect: what the checks may see and must pass over in silence.

A full grid of modules with real effects, and perhaps a sweep around its best configuration whose
best level is the reference. Every run has curves that flatten, one program, one kind of machine and
its own noise. What is no defect varies: metrics, splits, order, noise, where the runs come from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np

from ablate.audit.evidence import Evidence
from ablate.design.expand import variants as expanded
from ablate.metric import Metric
from ablate.record import Attempt, Cost, Record, State
from ablate.selection import LAST, Curves, Selection
from ablate.study import Arm, Factor, Level, Modules, Study, Sweep, changed, real, switch

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
ERROR = Metric("error", direction="down")
NLL = Metric("NLL", direction="down", display="number", digits=3)
RANK10 = Metric("rank10", "Rank-10")
"""Nearly full in every run, so that its configurations are close to a tie."""
LADDERS = ((0.2, 0.4, 0.6), (0.2, 0.4, 0.6, 0.8, 1.0), (0.1, 0.2, 0.3, 0.4, 0.5))
"""Levels around the best, 0.4, which may be next to an edge."""


class Traits(NamedTuple):
    """What a clean study may be like."""

    splits: tuple[str, ...] = ("val", "test")
    imported: bool = False
    settings: bool = False
    order: str = "random"
    slots: int = 1
    rise: float = 3.0
    """Epochs in which the gap to the final score falls to 1/e."""
    wobble: float = 1 / 3
    """Of a curve from epoch to epoch, as a share of the noise between runs."""
    luck: float = 0.0
    """What the runs of one seed share, as a share of the noise between runs."""
    decimals: int = 17
    """With which curves were printed."""
    extras: bool = False
    """Whether learning rate, gradient norm and gates are logged, too."""


class Design(NamedTuple):
    """A random study and what is true of it."""

    study: Study
    effects: Mapping[str, float]
    noise: float
    traits: Traits = Traits()
    knots: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """What two modules together add to the score, what each module adds to Rank-1 alone, and the
    slope along a sweep, which Rank-1 takes the other way."""


def design(draw: np.random.Generator) -> Design:
    """A study of one to three modules, three to six seeds, and perhaps a sweep around `full`."""
    modules = MODULES[: int(draw.integers(1, len(MODULES) + 1))]
    factors: list[Factor] = [switch(m) for m in modules]
    beta = real(f"{modules[0]}.beta", 0.4, requires=modules[0])
    factors.append(beta)
    ladder = LADDERS[int(draw.integers(len(LADDERS)))]
    sweeps = (Sweep("full", beta.name, ladder),) if draw.random() < 0.5 else ()
    traits = _traits(draw)
    metrics, primary = _metrics(draw)
    chosen = Selection(primary, "val") if "val" in traits.splits and draw.random() < 0.5 else LAST
    first = int(draw.choice((0, 1, 42)))
    study = Study(
        name="clean",
        title="A clean study",
        system="x",
        revision="1",
        factors=tuple(factors),
        metrics=metrics,
        primary=primary,
        selection=chosen,
        seeds=tuple(range(first, first + int(draw.integers(3, 7)))),
        modules=Modules(modules),
        sweeps=sweeps,
        data="d41d8cd9",
    )
    spread = float(10 ** draw.uniform(-3, -2))
    effects = {m: float(draw.uniform(0.02, 0.05)) + 3 * spread for m in modules}
    return Design(study, effects, spread, traits)


def _traits(draw: np.random.Generator) -> Traits:
    splits = (("val", "test"), ("val", "test"), ("val",), ("test",))[int(draw.integers(4))]
    imported = bool(draw.random() < 0.3)
    return Traits(
        splits=splits,
        imported=imported,
        settings=bool(draw.random() < 0.5),
        order=str(draw.choice(("random", "by variant", "by seed"))),
        slots=int(draw.integers(1, 3)),
        rise=float(draw.uniform(2, 5)),
        wobble=float(draw.uniform(0.1, 0.5)),
        luck=float(draw.choice((0.0, 1.0))),
        decimals=int(draw.choice((3, 4, 17))) if imported else 17,
        extras=bool(draw.random() < 0.5),
    )


def _metrics(draw: np.random.Generator) -> tuple[tuple[Metric, ...], str]:
    kind = draw.random()
    if kind < 0.6:
        return METRICS, "mAP"
    if kind < 0.8:
        return (*METRICS, RANK10), "mAP"
    return (ERROR, METRICS[1], NLL), "error"


def clean(seed: int) -> Evidence:
    """The evidence of a random study without a defect; the same for the same seed."""
    draw = np.random.default_rng(seed)
    return evidence(design(draw), draw)


def noise(seed: int) -> Evidence:
    """A study like a clean one in which nothing has an effect: all its differences are noise."""
    draw = np.random.default_rng(seed)
    made = design(draw)
    none = dict.fromkeys(made.effects, 0.0)
    spread = float(draw.choice((0.001, 0.004, 0.016)))
    return evidence(made._replace(effects=none, noise=spread), draw, dip=0.0)


def sparse(seed: int) -> Evidence:
    """A clean study that runs some combinations only, or steps one after the other."""
    draw = np.random.default_rng(seed)
    made = design(draw)
    study = replace(made.study, sweeps=(), text="# a file that asks for these and no more")
    kind = str(draw.choice(("add-one", "leave-one-out", "pairs", "ladder", "steps")))
    modules = list(made.effects)
    if kind == "steps":
        names = ["start", *(f"step {i} {m}" for i, m in enumerate(modules, start=1))]
        arms = [Arm(names[0], {})]
        arms += [
            Arm(own, {module: True}, parent)
            for own, module, parent in zip(names[1:], modules, names, strict=False)
        ]
        study = replace(study, modules=None, arms=tuple(arms))
    else:
        study = replace(study, modules=Modules(tuple(modules), kind))  # type: ignore[arg-type]
    return evidence(made._replace(study=study), draw)


def tangled(seed: int) -> Evidence:
    """A study whose modules help or harm by little, by turns and metric by metric.

    A third of them have one run of each configuration, and curves that wobble.
    """
    draw = np.random.default_rng(seed)
    made = design(draw)
    small = {m: float(draw.normal(0, 0.01)) for m in made.effects}
    first, second, slope = (float(v) for v in draw.normal(0, 0.015, 3))
    spread = float(draw.choice((0.0005, 0.002, 0.006)))
    if seed % 3 == 0:
        one = replace(made.study, seeds=made.study.seeds[:1])
        made = made._replace(study=one, traits=made.traits._replace(wobble=0.02 / spread))
    return evidence(
        made._replace(effects=small, noise=spread, knots=(first, second, slope)), draw, dip=0.002
    )


def evidence(made: Design, draw: np.random.Generator, dip: float | None = None) -> Evidence:
    """The runs of a study; other levels of the swept factor cost `dip`, or what can be seen."""
    dip = 0.01 + 2 * made.noise if dip is None else dip
    study, traits = made.study, made.traits
    variants = expanded(study)
    places = [(v, s) for v in variants for s in study.seeds]
    clocks = [datetime(2026, 3, 1, 8, tzinfo=UTC)] * traits.slots
    luck = {s: draw.normal(0, made.noise * traits.luck) for s in study.seeds}
    records: dict[int, Record] = {}
    curves: dict[str, Curves] = {}
    settings: dict[str, dict[str, str]] = {}
    for index in _order(draw, traits.order, len(places), len(study.seeds)):
        variant, own_seed = places[index]
        levels = variant.levels
        key = f"{index:016x}"
        on = [m for m in made.effects if levels[m]]
        beta = study.factors[-1]
        gain = sum(made.effects[m] for m in on) * (1 - 0.05 * max(0, len(on) - 1))
        gain += luck[own_seed] + made.knots[0] * (len(on) > 1)
        gain -= dip if levels[beta.name] != beta.reference else 0.0
        tilt = made.knots[2] * (float(levels[beta.name]) - 0.4)
        alone = made.knots[1] * len(on) - 2 * tilt
        pace = 0.2 + 0.05 * len(on)
        curves[key] = _curves(draw, made, 0.6 + gain + tilt, alone, pace)
        if traits.extras:
            curves[key] = {**curves[key], **_extras(draw, on)}
        if traits.settings:
            settings[key] = _settings(levels, own_seed, key)
        seconds = EPOCHS * ITERATIONS * pace * 1.02
        slot = int(np.argmin([c.timestamp() for c in clocks]))
        record = Record(
            study=study.name,
            variant=variant.name,
            role=variant.role,
            parent=variant.parent,
            position=index,
            levels=levels,
            changed=changed(levels, study.factors),
            seed=own_seed,
            key=key,
            state=State.COMPLETED,
            scores=study.selection.apply(curves[key], study.directions),
            costs=_costs(on, seconds),
            attempt=_attempt(key, clocks[slot], seconds, slot),
            source="run",
        )
        records[index] = _imported(record) if traits.imported else record
        clocks[slot] += timedelta(seconds=seconds + 5)
    return Evidence(study, [records[i] for i in range(len(places))], curves, settings)


def _order(draw: np.random.Generator, how: str, places: int, seeds: int) -> Sequence[int]:
    """In which order the runs begin; by seed: all configurations with the first seed first."""
    if how == "random":
        return [int(i) for i in draw.permutation(places)]
    positions = np.arange(places).reshape(-1, seeds)
    return [int(i) for i in (positions if how == "by variant" else positions.T).flat]


def _attempt(key: str, started: datetime, seconds: float, slot: int) -> Attempt:
    return Attempt(
        key,
        1,
        State.COMPLETED,
        "owner",
        f"{key}/1",
        host=f"host{slot}",
        device="NVIDIA H100",
        started=started.isoformat(),
        ended=(started + timedelta(seconds=seconds)).isoformat(),
        seconds=seconds,
        provenance=dict(PROVENANCE),
    )


def _imported(record: Record) -> Record:
    """The same run as an import of its log has it: no machine, its clock without a zone."""
    assert record.attempt is not None
    facts = {
        "data": "RGBNT201",
        "reader": "demo",
        "file": f"{record.key}.log",
        "sha256": record.key * 4,
        "started": record.attempt.started.removesuffix("+00:00"),
    }
    own = replace(record.attempt, host="", device="", started="", ended="", provenance=facts)
    printed = {"params": "as printed", "macs": "as printed", "seconds": "time stamps of the log"}
    costs = {name: replace(c, counter=printed[name]) for name, c in record.costs.items()}
    return replace(record, attempt=own, costs=costs, source="import logs")


def _settings(levels: Mapping[str, Level], seed: int, key: str) -> dict[str, str]:
    """As its program resolved it: what a switch that is off needs not is not there."""
    found = {
        f"model.{name}": str(level).lower()
        for name, level in levels.items()
        if "." not in name or levels[name.split(".")[0]]
    }
    fixed = {"train.lr": "0.00035", "train.epochs": str(EPOCHS), "data.name": "RGBNT201"}
    return {**found, **fixed, "seed": str(seed), "output_dir": f"runs/{key}"}


def _curves(
    draw: np.random.Generator, made: Design, level: float, alone: float, pace: float
) -> Curves:
    """Curves that rise to `level`, flat from half of the training on, and wobble."""
    found: dict[tuple[str, str], dict[int, float]] = {}
    steps = np.arange(1, EPOCHS + 1)
    traits = made.traits
    wobble = made.noise * traits.wobble
    own = level + draw.normal(0, made.noise)
    for split in traits.splits:
        shift = 0.02 if split == "val" else 0.0
        quality = own + shift - 0.5 * np.exp(-steps / traits.rise)
        for metric in made.study.metrics:
            extra = alone if metric.name == "rank1" else 0.0
            values = _shown(metric.name, quality + extra + draw.normal(0, wobble, EPOCHS))
            found[split, metric.name] = _curve(values)
    found["train", "loss"] = _curve(
        2 * np.exp(-steps / (2 * traits.rise)) + 1 + draw.normal(0, 0.01, EPOCHS)
    )
    found["train", "seconds_per_batch"] = _curve(pace * (1 + draw.normal(0, 0.01, EPOCHS)))
    places = traits.decimals
    return {at: {s: round(v, places) for s, v in c.items()} for at, c in found.items()}


def _extras(draw: np.random.Generator, on: Sequence[str]) -> Curves:
    """A schedule that all runs share, a norm that jumps about, and a gate of each module."""
    steps = np.arange(EPOCHS)
    gates = {
        ("train", f"gate.{m}"): _curve(
            0.5 + 0.3 * (1 - np.exp(-steps / 8)) + draw.normal(0, 0.01, EPOCHS)
        )
        for m in on
    }
    lr = 3.5e-4 * 0.5 * (1 + np.cos(np.pi * steps / EPOCHS))
    norm = np.exp(draw.normal(1, 0.5, EPOCHS))
    return {("train", "lr"): _curve(lr), ("train", "grad_norm"): _curve(norm), **gates}


def _curve(values: np.ndarray) -> dict[int, float]:
    return {step: float(v) for step, v in enumerate(values, start=1)}


def _shown(metric: str, quality: np.ndarray) -> np.ndarray:
    """What a metric makes of a quality between 0 and 1; ranks count whole queries."""
    if metric == "rank1":
        return np.round((quality + 0.04) * QUERIES) / QUERIES
    if metric == "rank10":
        return np.round((0.95 + 0.1 * (quality - 0.6)) * QUERIES) / QUERIES
    if metric == "error":
        return 1 - quality
    return -2 * np.log(np.maximum(quality, 0.01)) if metric == "NLL" else quality


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
