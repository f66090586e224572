"""Studies of a grid whose effects are known, for the tests of `report --synergy`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product

from ablate.metric import Metric
from ablate.record import Cost, Record, State
from ablate.selection import Score
from ablate.study import Claims, Level, Modules, Study, changed, switch

NOISE = (-0.002, 0.003, -0.001, 0.004, -0.003, 0.001, -0.004, 0.002)
RANK1 = Metric("rank1", "Rank-1")
LOSS = Metric("loss", "Loss", "down", "number", 3)
Truth = Callable[[frozenset[str]], float]


def study(*modules: str, paired: bool = False, **others: object) -> Study:
    """A full grid of switches."""
    made = Study(
        name="planted",
        title="Planted",
        system="toy",
        revision="1",
        factors=tuple(switch(m) for m in modules),
        metrics=(RANK1, LOSS),
        primary="rank1",
        modules=Modules(modules),
        claims=Claims(paired=paired),
        data="none",
    )
    return replace(made, **others)


def record(of: Study, on: frozenset[str], seed: int, scores: Mapping[str, float]) -> Record:
    """One completed run of a cell of the grid."""
    modules = [f.name for f in of.factors]
    levels: dict[str, Level] = {m: m in on for m in modules}
    name = "+".join(m for m in modules if m in on) or "baseline"
    return Record(
        study=of.name,
        variant="full" if len(on) == len(modules) else name,
        role="grid",
        parent=None if not on else "baseline",
        position=seed + 100 * sum(2**i for i, m in enumerate(modules) if m in on),
        levels=levels,
        changed=changed(levels, of.factors),
        seed=seed,
        key=f"{seed:08x}{abs(hash(name)) % 16**8:08x}",
        state=State.COMPLETED,
        scores={n: Score(n, v, 1, "test", "last") for n, v in scores.items()},
        source="run",
    )


def runs(of: Study, truth: Truth, seeds: int, scale: float = 1.0) -> list[Record]:
    """Every cell at every seed: the truth and noise that differs from cell to cell."""
    modules = [f.name for f in of.factors]
    found = []
    for place, flags in enumerate(product((False, True), repeat=len(modules))):
        on = frozenset(m for m, flag in zip(modules, flags, strict=True) if flag)
        for seed in range(seeds):
            value = truth(on) + scale * NOISE[(3 * seed + 5 * place + place // 3) % 8]
            found.append(record(of, on, seed, {"rank1": value, "loss": 1 - value}))
    return found


def share(factor: str, *, live: bool) -> dict[str, dict[str, Cost]]:
    """What a factor owns: parameters that reach the output, or not."""
    counts = {"params": 10, "live_params": 10 * live, "trained_params": 10 * live}
    return {factor: {n: Cost(n, float(v), "", "tree", factor) for n, v in counts.items()}}
