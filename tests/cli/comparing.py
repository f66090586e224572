"""A small store of runs for the tests of `ablate compare`."""

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from typer.testing import Result

from ablate.metric import Metric
from ablate.record import Cost, Ending, Item, Scalar, State
from ablate.store import open_store
from ablate.study import Level, Placement, Study, Trial, Variant, changed, real, switch

Call = Callable[..., Result]
FACTORS = (switch("lif"), switch("sdtps"), real("rate", 0.5))
STUDY = Study(
    name="toy",
    title="Toy",
    system="toy",
    revision="imported",
    factors=FACTORS,
    metrics=(
        Metric("mAP", digits=2),
        Metric("rank1", "Rank-1"),
        Metric("loss", direction="down", display="number", digits=3),
    ),
    primary="mAP",
)
LONG = "full sdtps.keep_ratio=0.5"
BASE = (0.60, 0.61, 0.63)
LIF = (0.66, 0.68, 0.69)


def ending(
    score: float, seed: int, *, terms: Sequence[str] = (), lacks: Sequence[str] = ()
) -> Ending:
    """What a run left behind: scores, curves, 60 queries, costs."""
    draw = random.Random(seed)
    scores = {"mAP": score, "rank1": score + 0.1, "loss": 1 - score}
    curves = [
        Scalar(step, split, name, value + step / 1000)
        for step in range(1, 21)
        for split, name, value in (
            ("train", "loss", 2 - score),
            ("train", "grad_norm", float("nan") if step == 1 else 5.0),
            *(("train", t, 0.3) for t in terms),
        )
    ]
    queries = [
        Item("test", f"{i:04d}_id{i % 12}", "AP", min(1.0, score + draw.random() / 5))
        for i in range(60)
    ]
    return Ending(
        State.COMPLETED,
        60.0 * (1 + score),
        "",
        scores={n: v for n, v in scores.items() if n not in lacks},
        scalars=tuple(curves),
        items=tuple(queries),
        costs=(Cost("params", 5e6, "", "trainable"), Cost("seconds", 60 * score, "s", "wall")),
        settings={"SOLVER.LR": str(score > 0.63)},
    )


def place(name: str, levels: Mapping[str, Level], seed: int) -> Placement:
    full = {f.name: levels.get(f.name, f.reference) for f in FACTORS}
    trial = Trial("toy", "imported", full, changed(full, FACTORS), seed, "import:toy")
    return Placement(Variant(name, full, "arm"), trial)


def put(
    folder: Path,
    runs: Sequence[tuple[str, Mapping[str, Level], Mapping[int, Ending | None]]],
    study: Study = STUDY,
) -> None:
    with open_store(folder / ".ablate" / "results.db", create=True) as store:
        placed = [(place(n, lv, s), e) for n, lv, by_seed in runs for s, e in by_seed.items()]
        store.put_study(study, [p for p, _ in placed])
        done = [(p, e) for p, e in placed if e is not None]
        store.put_results(study, done, source="import toy")


def seeds(values: Sequence[float], first: int = 0, **more: Sequence[str]) -> dict[int, Ending]:
    return {first + i: ending(v, first + i, **more) for i, v in enumerate(values)}


def put_toy(folder: Path) -> None:
    """A baseline, changes of it, one never run and one without a metric."""
    put(
        folder,
        [
            ("baseline", {}, seeds(BASE)),
            ("lif", {"lif": True}, seeds(LIF)),
            ("sdtps", {"sdtps": True}, seeds((0.61, 0.60, 0.62), terms=["loss.sdtps"])),
            (LONG, {"sdtps": True, "lif": True, "rate": 0.25}, seeds((0.7,))),
            ("unrun", {"rate": 0.75}, {0: None, 1: None}),
            ("poor", {"rate": 0.8}, seeds(BASE, lacks=["rank1"])),
        ],
    )
