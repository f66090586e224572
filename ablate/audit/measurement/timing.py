"""Times that do not fit iterations times seconds."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.evidence import Evidence
from ablate.audit.told import compared, labels, shown
from ablate.metric import plain
from ablate.record import Record
from ablate.selection import Curves

PER_ITERATION = ("seconds_per_batch", "seconds_per_iteration")
MMDET = "time"
"""What mmdetection's logs call the mean seconds of an iteration since the line before."""
SLACK = 1.05
"""A total may be so much shorter than its product: spot values, rounded ones."""
UNLIKE = 4.0
"""A product so many times the total is of steps that count something else: images, tokens."""
APART = 1.1
"""Numbers of iterations, worked out from printed times, that are no longer one number."""


class Timed(NamedTuple):
    """A run whose total is shorter than its iterations take."""

    record: Record
    total: float
    iterations: int
    pace: float


def _look(evidence: Evidence) -> Iterator[Hit]:
    short = [t for r in evidence.completed if (t := _short(evidence, r)) is not None]
    if short:
        first, names = short[0], labels(evidence)
        runs = some([names[t.record.key] for t in short])
        more = f" (so {len(short)} runs: {runs.en})" if len(short) > 1 else ""
        more_zh = f"（共 {len(short)} 次运行：{runs.zh}）" if len(short) > 1 else ""
        name, pace = names[first.record.key], plain(first.pace, 3)
        need = first.iterations * first.pace
        yield Hit(
            Text(
                f"{name} took {first.total:,.0f} s, but {first.iterations:,} of its iterations of"
                f" {pace} s take {need:,.0f} s{more}",
                f"{name} 用时 {first.total:,.0f} 秒，但其中 {first.iterations:,} 次迭代"
                f"每次 {pace} 秒，共需 {need:,.0f} 秒{more_zh}",
            ),
            shown(evidence, first.record),
            "total",
            tuple(t.record.key for t in short),
        )
    yield from _printed(evidence)


def _short(evidence: Evidence, record: Record) -> Timed | None:
    """The run, where what it logged of its iterations takes longer than its total."""
    curves = evidence.curves.get(record.key, {})
    total = _total(record)
    resumed = record.attempt is not None and record.attempt.number > 1  # its curves are older
    logged = _logged(record, curves) if total and not resumed else None
    if not total or logged is None:
        return None
    iterations, pace = logged
    longer = SLACK * total < iterations * pace < UNLIKE * total
    return Timed(record, total, iterations, pace) if longer else None


def _logged(record: Record, curves: Curves) -> tuple[int, float] | None:
    """How many iterations came after a run's first logged point, and their mean seconds.

    What a log that begins late holds of the time before that point is not known.
    """
    reader = record.attempt.provenance.get("reader", "") if record.attempt else ""
    names = (*PER_ITERATION, *((MMDET,) if reader == "mmdet" else ()))
    curve = next((c for n in names if (c := curves.get(("train", n)))), {})
    if not curve or not all(0 < v < math.inf for v in curve.values()):
        return None
    steps = sorted(curve)
    last = max((max(c) for (s, _), c in curves.items() if s == "train" and c), default=0)
    # one point an epoch stands beside curves that count iterations
    unit = last / steps[-1]
    if len(steps) < 2 or (unit == 1 and steps[-1] == len(steps)):  # noqa: PLR2004 - an interval
        return None  # epochs, and nothing tells how many iterations one has
    gaps = [(b - a) * unit for a, b in pairwise(steps)]
    spent = sum(gap * curve[step] for gap, step in zip(gaps, steps[1:], strict=True))
    return round(sum(gaps)), spent / sum(gaps)


def _total(record: Record) -> float:
    """The seconds of a run in all: those of its record, else of its attempt; 0 if unknown."""
    cost = record.costs.get("seconds")
    if cost is not None and cost.unit == "s" and math.isfinite(cost.value):
        return cost.value
    return (record.attempt.seconds or 0.0) if record.attempt else 0.0


def _printed(evidence: Evidence) -> Iterator[Hit]:
    """Totals and seconds per iteration that were printed, where they tell of unequal counts."""
    counts: dict[str, tuple[Record, float, float]] = {}
    for record in evidence.completed:
        step, total = record.costs.get("step"), _total(record)
        known = step is not None and step.unit == "s" and step.value > 0
        if step is not None and known and total and record.key not in evidence.curves:
            counts.setdefault(record.variant, (record, total, step.value))
    if len(counts) < 2:  # noqa: PLR2004 - two are compared
        return
    order = sorted(counts, key=lambda v: counts[v][1] / counts[v][2])
    told = [counts[v] for v in (order[-1], order[0])]
    many, few = (total / step for _, total, step in told)
    if many > APART * few:
        parts = [f"{o[0].variant} {o[1]:,.0f} s at {o[2]:g} s" for o in told]
        zh = [f"{o[0].variant} {o[1]:,.0f} 秒、每次 {o[2]:g} 秒" for o in told]
        yield Hit(
            Text(
                f"total and seconds per iteration tell of {many:,.0f} iterations and of"
                f" {few:,.0f} ({parts[0]}, {parts[1]}): the totals hold other work, the"
                " seconds are spot values, or the runs are not equally long",
                f"由总时间与每次迭代秒数得 {many:,.0f} 与 {few:,.0f} 次迭代"
                f"（{zh[0]}；{zh[1]}）：总时间含有别的工作、秒数为瞬时值，"
                "或两者训练长度不同",
            ),
            compared(evidence, *(o[0].variant for o in told)),
            "iterations",
            tuple(o[0].key for o in told),
        )


CHECK = Check(
    "W230",
    "warning",
    "measurement",
    Text("time that does not match iterations × seconds", "用时与迭代次数×每次秒数不符"),
    Text(
        "A run cannot take less time than its iterations do: it is said where its total is more"
        " than 5 % shorter than the iterations after its first logged point times their seconds."
        " A longer total is evaluation and start-up; one of less than a quarter tells of steps"
        " that count something else than iterations: nothing is said of either. Of printed numbers"
        " without curves, total over seconds per iteration should give one number of iterations:"
        " it is said where two configurations are more than 10 % apart.",
        "一次运行的用时不会少于其全部迭代之和："
        "总时间比首个记录点之后的迭代次数乘以每次秒数短 5% 以上时给出。"
        "总时间更长属于评测与启动；不足四分之一则说明步数所计并非迭代：均不作提示。"
        "对没有曲线的印出数值，总时间除以每次迭代秒数应得到同一迭代次数：相差 10% 以上时给出。",
    ),
    Text(
        "Compare seconds per iteration, measured over the same iterations on the same machine",
        "在同一机器上对相同的迭代比较每次迭代的秒数",
    ),
    _look,
)
