"""A small study of one switch and one number, over two seeds, and a store to put it in."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ablate.metric import Metric
from ablate.record import Cost, Ending, Item, Scalar, State
from ablate.store import Store, open_store
from ablate.study import Placement, Study, Trial, Variant, changed, real, switch

FACTORS = (switch("lif"), real("lr", 1.0))


@pytest.fixture
def study() -> Study:
    return Study(
        name="small",
        title="A small study",
        system="toy",
        revision="1",
        factors=FACTORS,
        metrics=(Metric("rank1"), Metric("loss", direction="down", display="number")),
        primary="rank1",
        seeds=(0, 1),
        text="[study]\nname = 'small'\n",
    )


@pytest.fixture
def place() -> Callable[..., Placement]:
    """Make the placement of a variant at a seed."""

    def make(name: str, seed: int = 0, *, extra: bool = False, lr: float = 1.0) -> Placement:
        levels = {"lif": name == "lif", "lr": lr}
        variant = Variant(name, levels, "grid", None if name == "baseline" else "baseline")
        trial = Trial("toy", "1", levels, changed(levels, FACTORS), seed, "standin/1")
        return Placement(variant, trial, extra)

    return make


@pytest.fixture
def placements(place: Callable[..., Placement]) -> list[Placement]:
    return [place(name, seed) for name in ("baseline", "lif") for seed in (0, 1)]


@pytest.fixture
def ending() -> Ending:
    """Rank-1 peaks on `val` at step 1 and is 0.5 there on `test`; it ends at 0.4."""
    curve = [(0, 0.3, 0.2), (1, 0.7, 0.5), (2, 0.6, 0.4)]
    return Ending(
        State.COMPLETED,
        seconds=12.5,
        ended="2026-01-02T03:04:05+00:00",
        device="cpu",
        exit_code=0,
        provenance={"commit": "0" * 40},
        scalars=(
            *(Scalar(step, "val", "rank1", val) for step, val, _ in curve),
            *(Scalar(step, "test", "rank1", test) for step, _, test in curve),
            Scalar(0, "train", "loss", math.nan),
            Scalar(1, "train", "loss", math.inf),
        ),
        items=(Item("test", "q2", "ap", 0.25), Item("test", "q10", "ap", -math.inf)),
        costs=(Cost("params", 86e6, "", "torch"), Cost("params", 1e6, "", "torch", "lif")),
        scores={"NDS": 0.71},
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / ".ablate" / "results.db", create=True) as opened:
        yield opened
