"""Curves of the primary metric that still rise where the training ends."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ablate.analysis.cells import Cell
from ablate.analysis.contrast import Array
from ablate.analysis.curves import common_steps
from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.evidence import Evidence
from ablate.metric import Metric
from ablate.study import Level

FEWEST = 12
"""Points below which a curve has no end to speak of."""
TAIL, TAIL_POINTS = 4, 4
"""The end is the last quarter of the points, at least four."""
CLEAR = 4.0
"""Standard errors by which the slope of the end must be above zero."""
CLIMBED = 0.05
"""The share of all that the curve has climbed which the end must add."""
LATE = 1 / 3
"""The share of that slope which the second half of the end must still have."""
LENGTH = re.compile(
    r"((num|n|max|total)_)?(epochs?|iters|iterations)|(max|total)_steps", re.IGNORECASE
)
"""What the length of a training is called, by the last word of a factor or setting."""
BLOCKS = 4
"""Parts of the second half of the curve, each of which must be better than the one before."""


class Rising(NamedTuple):
    """A configuration whose mean curve still rises, and by how much over its last `steps`."""

    cell: Cell
    gain: float
    steps: int


def _look(evidence: Evidence) -> Iterator[Hit]:
    study = evidence.study
    metric = study.metric(study.primary)
    margin = study.claims.margin_of(metric) or 0.0
    seen = 0
    rising: list[Rising] = []
    for cell in evidence.cells:
        curve = _mean(evidence, cell, metric)
        if len(curve) < FEWEST:
            continue
        seen += 1
        gain, steps = _gain(curve, 1 if metric.direction == "up" else -1)
        if gain > margin:
            rising.append(Rising(cell, gain, steps))
    if rising:
        yield Hit(
            _said(metric, rising, seen),
            _longer(evidence, rising),
            metric.name,
            tuple(r.key for one in rising for r in one.cell.completed),
        )


def _mean(evidence: Evidence, cell: Cell, metric: Metric) -> Mapping[int, float]:
    """The mean over a cell's runs of the curve that its scores are from, at their common steps."""
    splits = {r.scores[metric.name].split for r in cell.completed if metric.name in r.scores}
    if len(splits) != 1:
        return {}
    at = (splits.pop(), metric.name)
    curves = [evidence.curves.get(r.key, {}).get(at, {}) for r in cell.completed]
    return {s: sum(c[s] for c in curves) / len(curves) for s in common_steps(curves)}


def _gain(curve: Mapping[int, float], sign: int) -> tuple[float, int]:
    """What the fitted line of the end of a curve gains, and over how many steps; 0 if flat."""
    steps = np.array(list(curve), dtype=float)
    values = sign * np.array(list(curve.values()), dtype=float)
    count = max(TAIL_POINTS, len(values) // TAIL)
    if not np.isfinite(values).all() or int(values.argmax()) < len(values) - count:
        return 0.0, 0
    blocks = [b.mean() for b in np.array_split(values[-(len(values) // 2) :], BLOCKS)]
    if not all(a < b for a, b in pairwise(blocks)):
        return 0.0, 0
    slope, error = _line(steps[-count:], values[-count:])
    late, _ = _line(steps[-(count // 2) :], values[-(count // 2) :])
    gain = slope * float(steps[-1] - steps[-count])
    clear = slope > CLEAR * error and late > LATE * slope
    far = gain > CLIMBED * float(values.max() - values[0])
    return (gain, int(steps[-1] - steps[-count])) if clear and far else (0.0, 0)


def _line(steps: Array, values: Array) -> tuple[float, float]:
    """The slope of the least squares line, and its standard error (0 of two points)."""
    x, y = steps - steps.mean(), values - values.mean()
    slope = float(x @ y / (x @ x))
    left = y - slope * x
    free = max(1, len(x) - 2)
    return slope, math.sqrt(float(left @ left) / free / float(x @ x))


def _longer(evidence: Evidence, rising: Sequence[Rising]) -> Text:
    """What to do, with the length of the training where one name and value of it is known."""
    runs = [one.cell.completed[0] for one in rising]
    lengths = _lengths(r.levels for r in runs)
    lengths = lengths or _lengths(evidence.settings.get(r.key, {}) for r in runs)
    name, value = next(iter(lengths)) if len(lengths) == 1 else ("", "")
    now, now_zh = (f" ({name} is {value})", f"（{name} 现为 {value}）") if name else ("", "")
    return Text(
        f"train longer{now}, or compare at a step where the curves are flat",
        f"延长训练{now_zh}，或在曲线已变平的步上比较",
    )


def _lengths(runs: Iterable[Mapping[str, Level]]) -> set[tuple[str, str]]:
    return {
        (name, str(value))
        for of in runs
        for name, value in of.items()
        if LENGTH.fullmatch(name.rpartition(".")[2]) and str(value).isdigit()
    }


def _said(metric: Metric, rising: Sequence[Rising], seen: int) -> Text:
    sign = 1 if metric.direction == "up" else -1
    most = max(rising, key=lambda r: r.gain)
    unit = f" {metric.unit}" if metric.unit else ""
    unit_zh = " 个百分点" if metric.unit else ""
    by = metric.difference(sign * most.gain)
    names = some([r.cell.variant for r in rising])
    of = names.en if len(rising) < seen else f"every configuration ({names.en})"
    of_zh = names.zh if len(rising) < seen else f"所有配置（{names.zh}）"
    most_en = f"{most.cell.variant}: {by}" if len(rising) > 1 else by
    most_zh = f"{most.cell.variant}：{by}" if len(rising) > 1 else by
    return Text(
        f"{metric.label} had not flattened in {of}"
        f" ({most_en}{unit} over the last {most.steps} steps)",
        f"{of_zh}的 {metric.label} 到结束时尚未变平（{most_zh}{unit_zh}，最后 {most.steps} 步）",
    )


CHECK = Check(
    "W153",
    "warning",
    "measurement",
    Text("a curve that had not flattened", "曲线尚未变平"),
    Text(
        "Differences between configurations that still learn are differences of speed. The curve"
        " is the mean over a configuration's runs of the primary metric, with twelve points or"
        " more. It had not flattened if a line through its last quarter (four points or more)"
        " gains more than the study's margin and 5 % of all that was climbed, with a slope over"
        " four standard errors of which a third is left in the second half of that quarter, if each"
        " part of four of the curve's second half is better than the one before, and if the best"
        " value is in the last quarter.",
        "仍在学习的配置之间的差异是学习快慢的差异。"
        "曲线为主指标在该配置各次运行上的均值，至少十二个点。"
        "满足以下各条即为尚未变平：末四分之一（至少四个点）拟合直线的增益大于研究的容许差，"
        "且大于全程增益的 5%，斜率超过四个标准误，"
        "且其后一半仍保有该斜率的三分之一；"
        "后半段的四个部分一个比一个好；最好值在末四分之一。",
    ),
    Text(
        "Train longer, or compare at the step where the curves are flat",
        "延长训练，或在曲线变平处比较",
    ),
    _look,
)
