"""Seed 000's grid and three of its sweeps, as it prints them; all tried once."""

from ablate.metric import Metric
from ablate.study import Level, Modules, Study, real, switch
from tests.audit.tabled import Row

STUDY = Study(
    name="seed000",
    title="seed 000",
    system="csv",
    revision="imported",
    factors=(
        switch("sacr"),
        switch("sdtps"),
        switch("lif"),
        real("lif.beta", 0.4, requires="lif"),
        real("sdtps.loss_weight", 2.0, requires="sdtps"),
        real("sdtps.sparse_ratio", 0.7, requires="sdtps"),
    ),
    metrics=(Metric("rank1", "Rank-1"), Metric("mAP")),
    primary="rank1",
    modules=Modules(("sacr", "sdtps", "lif")),
)
FULL: dict[str, Level] = {"sacr": True, "sdtps": True, "lif": True}


def cell(name: str, on: dict[str, Level], rank1: float, mean_ap: float) -> Row:
    parent = None if name == "baseline" else "baseline"
    return Row(name, on, {"rank1": [rank1], "mAP": [mean_ap]}, "grid", parent)


def step(factor: str, level: float, rank1: float, mean_ap: float) -> Row:
    scores = {"rank1": [rank1], "mAP": [mean_ap]}
    return Row(f"full {factor}={level:g}", {**FULL, factor: level}, scores, "sweep", "full")


GRID = (
    cell("baseline", {}, 76.3, 72.3),
    cell("sacr", {"sacr": True}, 77.6, 74.0),
    cell("sdtps", {"sdtps": True}, 80.1, 76.0),
    cell("lif", {"lif": True}, 77.2, 72.0),
    cell("sacr+lif", {"sacr": True, "lif": True}, 74.6, 73.3),
    cell("sacr+sdtps", {"sacr": True, "sdtps": True}, 78.0, 74.8),
    cell("sdtps+lif", {"sdtps": True, "lif": True}, 75.1, 71.7),
    cell("full", FULL, 78.8, 74.7),
)
SWEEPS = (
    step("lif.beta", 0.2, 79.3, 74.6),
    step("lif.beta", 0.6, 76.9, 75.5),
    step("sdtps.loss_weight", 1.0, 80.0, 76.6),
    step("sdtps.loss_weight", 3.0, 74.3, 69.7),
    step("sdtps.sparse_ratio", 0.5, 76.4, 72.3),
    step("sdtps.sparse_ratio", 0.8, 79.4, 75.8),
)
