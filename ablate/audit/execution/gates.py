"""Logged gates and weights that a training leaves where they began."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from ablate.audit.check import Check, Hit, Text
from ablate.audit.evidence import Evidence
from ablate.audit.told import variants
from ablate.metric import plain
from ablate.record import Record

POINTS = 4
"""So many values at least tell a trend from jitter."""
STILL = 0.02
"""A range below this share of the mean is none to speak of."""
LEVEL = 0.975
NAMED = 3
_GATES = frozenset(
    [
        "gate",
        "gates",
        "gating",
        "weight",
        "weights",
        "alpha",
        "gamma",
        "scale",
        "temperature",
        "temp",
        "tau",
        "modulation",
        "residual",
        "lambda",
    ]
)
_OTHERS = frozenset(
    [
        "loss",
        "losses",
        "decay",
        "lr",
        "rate",
        "grad",
        "grads",
        "gradient",
        "norm",
        "wd",
        "momentum",
        "amp",
        "scaler",
        "memory",
        "time",
        "data",
        "batch",
        "sample",
        "samples",
        "update",
        "updates",
    ]
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


class _Course(NamedTuple):
    record: Record
    split: str
    low: float
    high: float
    points: int


def is_gate(name: str) -> bool:
    """Whether a curve's name says a gate or a weight that a network learns."""
    words = {word.lower() for word in _WORD.findall(name)}
    return bool(words & _GATES) and not words & _OTHERS


def is_still(values: Sequence[float]) -> bool:
    """Whether a curve, in the order of its steps, does not move.

    It is constant; or its range is below 2 % of its mean, and the slope of a line through it is
    within its own 95 % interval of zero.
    """
    low, high, mean = min(values), max(values), math.fsum(values) / len(values)
    if low == high:
        return True
    if high - low >= STILL * abs(mean):
        return False
    x = np.arange(len(values)) - (len(values) - 1) / 2
    y = np.asarray(values) - mean
    squares, free = float(x @ x), len(values) - 2
    slope = float(x @ y) / squares
    rest = float(np.sum((y - slope * x) ** 2)) / free
    return abs(slope) <= float(stdtrit(free, LEVEL)) * math.sqrt(rest / squares)


def _unmoved(evidence: Evidence) -> Iterator[Hit]:
    names = {m.name.lower() for m in evidence.study.metrics}
    gates: dict[str, bool] = {}
    found: dict[str, list[_Course]] = {}
    for record in evidence.completed:
        for (split, name), curve in evidence.curves.get(record.key, {}).items():
            if name not in gates:
                gates[name] = is_gate(name) and name.lower() not in names
            if not gates[name]:
                continue
            values = [v for _, v in sorted(curve.items()) if math.isfinite(v)]
            if len(values) >= POINTS and is_still(values):
                course = _Course(record, split, min(values), max(values), len(values))
                found.setdefault(name, []).append(course)
    for name, courses in found.items():
        yield _hit(name, courses)


def _hit(name: str, courses: Sequence[_Course]) -> Hit:
    names = variants((c.record for c in courses), NAMED)
    n, low, high = len(courses), min(c.low for c in courses), max(c.high for c in courses)
    own = courses[0]
    between = f"{_short(own.low)} to {_short(own.high)} over {own.points} points"
    among = f"{own.points} 个点介于 {_short(own.low)} 与 {_short(own.high)}"
    if own.low == own.high:
        between = f"{_short(own.low)} at all {own.points} points"
        among = f"{own.points} 个点均为 {_short(own.low)}"
    if n > 1:
        between = f"{_short(low)} to {_short(high)} in {n} runs, each within its own jitter"
        among = f"{n} 次运行介于 {_short(low)} 与 {_short(high)}，各自都在自身抖动之内"
    if n > 1 and low == high:
        between, among = f"{_short(low)} in all {n} runs", f"{n} 次运行均为 {_short(low)}"
    return Hit(
        Text(
            f"{name} does not move over training in {names.en} ({between})",
            f"{name} 在 {names.zh} 的训练中没有变化（{among}）",
        ),
        f"ablate show {own.record.key[:8]}",
        name,
        tuple(dict.fromkeys(c.record.key for c in courses)),
    )


def _short(value: float) -> str:
    digits = 3 if value == 0 else min(8, max(0, 3 - math.floor(math.log10(abs(value)))))
    return plain(value, digits)


GATES: tuple[Check, ...] = (
    Check(
        "W143",
        "warning",
        "execution",
        Text("A logged gate or weight that does not move", "训练中没有变化的门控或权重"),
        Text(
            "A curve whose name says a gate, weight, scale or temperature (no loss weight, decay or"
            " rate) is constant, or ranges over less than 2 % of its mean while the slope of a line"
            " through its four points or more is within its 95 % interval of zero: what it should"
            " learn, the training did not move.",
            "名称表明是门控、权重、缩放或温度的曲线（损失权重、衰减与学习率除外）恒定不变；"
            "或其范围小于均值的 2%，且对四个以上的点拟合直线的斜率在 95% 区间内与零无异："
            "训练没有推动它本应学习的量。",
        ),
        Text(
            "Check that the parameter is in the optimizer and gets a gradient, or say that it is"
            " fixed.",
            "检查该参数是否在优化器中且有梯度，或说明它是固定的。",
        ),
        _unmoved,
    ),
)
