"""Cells made by hand for comparisons, and the detector of the published report."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ablate.analysis.cells import Cell, cells
from ablate.metric import Metric
from ablate.record import Attempt, Cost, Item, Record, State
from ablate.report.comparison import Evidence
from ablate.selection import Curves, Score
from ablate.study import Claims, Factor, Level, Study, changed, real, settled, switch

FACTORS = (switch("a"), switch("b"), real("a.rate", 0.5, requires="a"))
METRICS = (Metric("rank1", "Rank-1"), Metric("loss", "Loss", "down", "number", 3))
STUDY = Study(
    name="s",
    title="A and B",
    system="toy",
    revision="1",
    factors=FACTORS,
    metrics=METRICS,
    primary="rank1",
)
PAIRED = replace(STUDY, claims=Claims(paired=True))

ERRORS = ("mATE", "mASE", "mAOE", "mAVE", "mAAE")
DETECTOR = Study(
    name="aqr",
    title="AQR",
    system="cmt",
    revision="imported",
    factors=(switch("aqr"),),
    metrics=(
        Metric("NDS", digits=2),
        Metric("mAP", digits=2),
        *(Metric(n, direction="down", display="number", digits=4) for n in ERRORS),
    ),
    primary="NDS",
)
SCORES = {
    "baseline": (0.6908, 0.6575, 0.3353, 0.2493, 0.3339, 0.2715, 0.1899),
    "aqr": (0.6825, 0.6397, 0.3373, 0.2500, 0.3259, 0.2731, 0.1876),
}
CLASSES = {
    "car": (0.859, 0.851),
    "truck": (0.609, 0.602),
    "bus": (0.735, 0.729),
    "trailer": (0.423, 0.416),
    "construction_vehicle": (0.301, 0.289),
    "pedestrian": (0.84, 0.822),
    "motorcycle": (0.729, 0.695),
    "bicycle": (0.641, 0.594),
    "traffic_cone": (0.727, 0.692),
    "barrier": (0.711, 0.708),
}
STEPS = (50, 600, 1200, 2000, 3000, 4000)
LOSSES = {
    "baseline": (10.05, 9.99, 10.13, 10.15, 9.99, 9.93),
    "aqr": (13.35, 10.63, 10.46, 10.39, 10.19, 10.12),
}
NORMS = {
    "baseline": (math.nan, 42.0, 57.6, math.inf, 50.0, 45.0),
    "aqr": (math.nan, math.nan, 61.5, 40.0, 50.0, 45.0),
}


def record(
    variant: str,
    levels: Mapping[str, Level],
    seed: int,
    scores: Mapping[str, float],
    factors: Sequence[Factor] = FACTORS,
) -> Record:
    """A completed run of one variant."""
    full = settled(levels, factors)
    key = hashlib.sha256(f"{variant} {seed}".encode()).hexdigest()[:16]
    return Record(
        study="s",
        variant=variant,
        role="grid",
        parent=None,
        position=seed,
        levels=full,
        changed=changed(full, factors),
        seed=seed,
        key=key,
        state=State.COMPLETED,
        scores={n: Score(n, v, 1, "test", "last") for n, v in scores.items()},
        attempt=Attempt(key, 1, State.COMPLETED, "", ""),
    )


def side(
    variant: str, levels: Mapping[str, Level], by_seed: Mapping[int, float | None]
) -> list[Record]:
    """Runs with a Rank-1 and a loss of one minus it; None is a run without results."""
    rows = []
    for seed, value in by_seed.items():
        scores = {} if value is None else {"rank1": value, "loss": 1 - value}
        made = record(variant, levels, seed, scores)
        rows.append(made if value is not None else replace(made, state=State.PENDING))
    return rows


def cell(records: Sequence[Record]) -> Cell:
    """The one cell of some records."""
    (only,) = cells(records)
    return only


def detector() -> tuple[list[Cell], Evidence]:
    """Both runs of the published report, with the numbers that it prints."""
    found: list[Cell] = []
    curves: dict[str, Curves] = {}
    items: dict[str, list[Item]] = {}
    names = [m.name for m in DETECTOR.metrics]
    for i, (variant, scores) in enumerate(SCORES.items()):
        made = record(
            variant,
            {"aqr": variant == "aqr"},
            0,
            dict(zip(names, scores, strict=True)),
            DETECTOR.factors,
        )
        spent = {
            "seconds": Cost("seconds", (3363.0, 8503.0)[i], "s", "as printed"),
            "memory": Cost("memory", (21.0, 23.0)[i] * 2**30, "B", "as printed"),
        }
        own = replace(made, key=f"{variant:0>16}", costs=spent)
        found.append(cell([own]))
        curves[own.key] = {
            ("train", "loss"): dict(zip(STEPS, LOSSES[variant], strict=True)),
            ("train", "loss_cls"): dict.fromkeys(STEPS, (0.0856, 0.0833)[i]),
            ("train", "d0.loss_cls"): dict.fromkeys(STEPS, 0.1),
            ("train", "grad_norm"): dict(zip(STEPS, NORMS[variant], strict=True)),
            ("train", "time"): dict.fromkeys(STEPS, (0.64, 1.9)[i]),
        }
        items[own.key] = [Item("val", c, "AP", ap[i]) for c, ap in CLASSES.items()]
    return found, Evidence(curves, items)
