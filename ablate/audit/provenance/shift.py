"""W131, of scores: all runs from some time on are better, or worse, than those before."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from ablate.audit.check import Hit, Text
from ablate.audit.evidence import Evidence
from ablate.audit.provenance.when import beginnings, minute

LEVEL = 0.002
"""How often a study without a shift may be said to have one."""
FEWEST = 3
"""Runs on each side of a shift."""
FREE = 4
"""Degrees of freedom below which the spread of the runs is not known well enough."""
PLACES = 64
SMALLEST = 0.0001
_ROUNDS = 50
_EXACT = 1e-10


class Shift(NamedTuple):
    """`size` in stored units, from the run at `place` in time on; `p` is over all places."""

    place: int
    size: float
    p: float


def level_shift(
    values: NDArray[np.float64],
    groups: Sequence[NDArray[np.int64]],
    starts: NDArray[np.float64],
) -> Shift | None:
    """The largest shift in time that configurations and seeds do not explain; None if by chance.

    All arrays have one entry per run, in order of time; `groups` are the numbers of each run's
    configuration and of its seed, whose means are taken out of scores and shifts alike (Frisch,
    Waugh and Lovell). The t of every place, with Bonferroni over the places: n runs in time.
    """
    n = len(values)
    free = n - sum(len(np.unique(g)) for g in groups) + len(groups) - 2
    places = np.flatnonzero(np.diff(starts) > 0) + 1
    places = places[(places >= FEWEST) & (places <= n - FEWEST)]
    if free < FREE or not len(places):
        return None
    if len(places) > PLACES:
        places = places[np.linspace(0, len(places) - 1, PLACES).astype(int)]
    late = (np.arange(n)[:, None] >= places[None, :]).astype(float)
    unit = float(np.abs(values).max()) or 1.0  # the largest floats have no sum
    values = values / unit
    scale = float(np.ptp(values))
    own = _within(np.column_stack([values - values.mean(), late]), groups)
    score, shifts = own[:, 0], own[:, 1:]
    known = (shifts**2).sum(axis=0)
    total = float(score @ score)
    seen = known >= 1.0
    if not seen.any() or total <= n * (_EXACT * scale) ** 2:
        return None
    sizes = np.where(seen, (shifts * score[:, None]).sum(axis=0) / np.where(seen, known, 1.0), 0.0)
    left = np.maximum(total - sizes**2 * known, n * (_EXACT * scale) ** 2)
    t = sizes * np.sqrt(known * free / left)
    best = int(np.argmax(np.abs(t)))
    p = float(min(1.0, 2 * stdtr(free, -abs(t[best])) * len(places)))
    return Shift(int(places[best]), float(sizes[best]) * unit, p) if p < LEVEL else None


def _within(
    columns: NDArray[np.float64], groups: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """The columns without the means of each grouping, taken out in turn until they stay out."""
    for _ in range(_ROUNDS):
        before = columns
        for group in groups:
            columns = columns - _means(columns, group)
        if np.abs(columns - before).max() <= _EXACT * max(1.0, np.abs(columns).max()):
            break
    return columns


def _means(columns: NDArray[np.float64], group: NDArray[np.int64]) -> NDArray[np.float64]:
    order = np.argsort(group, kind="stable")
    _, firsts, counts = np.unique(group[order], return_index=True, return_counts=True)
    sums = np.add.reduceat(columns[order], firsts, axis=0)
    means = np.empty_like(columns)
    means[order] = np.repeat(sums / counts[:, None], counts, axis=0)
    return means


def shifts(evidence: Evidence) -> Iterator[Hit]:
    """A shift of the primary metric; at least two runs of a configuration are needed to see one."""
    metric = evidence.study.metric(evidence.study.primary)
    cells = [c for c in evidence.cells if len(c.completed) > 1]
    runs = [
        (record, number, score.value)
        for number, cell in enumerate(cells)
        for record in cell.completed
        if (score := record.scores.get(metric.name)) and np.isfinite(score.value)
    ]
    times = beginnings(r for r, _, _ in runs)
    runs = sorted((r for r in runs if r[0].key in times), key=lambda r: times[r[0].key])
    if len(runs) < 2 * FEWEST:
        return
    starts = np.array([(times[r.key] - times[runs[0][0].key]).total_seconds() for r, _, _ in runs])
    _, seeds = np.unique([r.seed for r, _, _ in runs], return_inverse=True)
    groups = [np.array([number for _, number, _ in runs]), seeds]
    found = level_shift(np.array([v for _, _, v in runs]), groups, starts)
    if found is None:
        return
    first = runs[found.place][0]
    at = minute(times[first.key])
    size = metric.difference(abs(found.size)).lstrip("+")
    unit, unit_zh = (" points", " 个百分点") if metric.unit else ("", "")
    way = Text("higher", "高") if found.size > 0 else Text("lower", "低")
    late, early = len(runs) - found.place, found.place
    p = f"p < {SMALLEST}" if found.p < SMALLEST else f"p = {found.p:.4f}"
    yield Hit(
        Text(
            f"{metric.label} is {size}{unit} {way.en} in the {late} runs from {first.variant}"
            f" s{first.seed} ({at}) on than in the {early} before, configuration by configuration"
            f" and seed by seed ({p}): something beside the factors changed",
            f"在配置与种子相同的条件下，自 {first.variant} s{first.seed}（{at}）起的 {late} 次运行"
            f"的 {metric.label} 比此前 {early} 次{way.zh} {size}{unit_zh}（{p}）：因子之外有所改变",
        ),
        f"ablate run {evidence.file} --force"
        if not evidence.imported
        else f"ablate ls {evidence.study.name}",
        subject=metric.name,
        keys=tuple(r.key for r, _, _ in runs[found.place :]),
    )
