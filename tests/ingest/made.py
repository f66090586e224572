"""Runs made by hand, as a reader would give them."""

from collections.abc import Mapping

from ablate.ingest.run import Run
from ablate.metric import Metric
from ablate.record import Cost, Scalar, State
from ablate.selection import Selection

MAP = Metric("mAP")
GRID = {"MODEL.USE_A": "True", "MODEL.USE_B": "True", "MODEL.B_RATIO": "0.7", "SOLVER.LR": "1e-3"}


def run(
    name: str,
    settings: Mapping[str, str] | None = None,
    *,
    seed: int | None = None,
    state: State = State.COMPLETED,
    score: float = 0.5,
    **more: object,
) -> Run:
    """A run of two epochs whose mAP is `score`, then half of it."""
    return Run(
        name=name,
        state=state,
        reason="" if state is State.COMPLETED else "the log ends in epoch 1 of 2",
        settings=settings or {},
        seed=seed,
        metrics=(MAP,),
        select="best:mAP@test",
        scalars=(Scalar(1, "test", "mAP", score), Scalar(2, "test", "mAP", score / 2)),
        costs=(Cost("seconds", 60.0, "s", "the log's clock"),),
        files={f"{name}.log": name * 4},
        **more,  # type: ignore[arg-type]
    )


def grid(**changes: str) -> dict[str, str]:
    """GRID with some of a, b, ratio and lr changed."""
    named = {"a": "MODEL.USE_A", "b": "MODEL.USE_B", "ratio": "MODEL.B_RATIO", "lr": "SOLVER.LR"}
    return GRID | {named[k]: v for k, v in changes.items()}


def selected(run: Run, rule: str) -> dict[str, float]:
    """The scores that a selection rule makes of a run's curves."""
    curves: dict[tuple[str, str], dict[int, float]] = {}
    for s in run.scalars:
        curves.setdefault((s.split, s.name), {})[s.step] = s.value
    names = {m.name: m.direction for m in run.metrics}
    found = Selection.parse(rule, names).apply(curves, names)
    return {name: score.value for name, score in found.items()}
