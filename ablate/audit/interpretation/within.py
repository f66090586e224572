"""Improvements that luck alone could make."""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ablate.analysis.cells import Cell
from ablate.analysis.contrast import ROUNDING, Noise, difference
from ablate.analysis.verdict import rules_of
from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.design.measured import best, gain, mean, means, unsigned
from ablate.audit.design.seeds import more_seeds, seeds_needed
from ablate.audit.design.steps import Step, steps
from ablate.audit.evidence import Evidence
from ablate.audit.pooled import noise_of
from ablate.metric import Metric

WINDOW, SHARE, LEAST = 30, 0.3, 5
"""The end of a curve: its last points, at most so many and such a share; and at least so many."""
KNOWN = 3
"""Degrees of freedom from which on a spread is known: with one, t is 12.7; with two, 4.3."""
_DIGITS = 2


class Gain(NamedTuple):
    """A step that improves a metric, by how much, and the least that could be told from noise."""

    step: Step
    size: float
    least: float


def noisy(evidence: Evidence) -> Iterator[Hit]:
    """W240: improvements over what a configuration is read against, smaller than the noise."""
    spread = noise_of(evidence, evidence.study.metric(evidence.study.primary))
    if spread is not None and spread.df >= KNOWN:
        yield from _noisy(evidence, spread)


def unsure(evidence: Evidence) -> Iterator[Hit]:
    """N240: so where the noise itself is hardly known."""
    spread = noise_of(evidence, evidence.study.metric(evidence.study.primary))
    if spread is not None and spread.df < KNOWN:
        yield from _noisy(evidence, spread)


def _noisy(evidence: Evidence, spread: Noise) -> Iterator[Hit]:
    metric = evidence.study.metric(evidence.study.primary)
    same = evidence.functions
    apart = [s for s in steps(evidence) if same[s.before.variant] != same[s.after.variant]]
    every = [g for s in apart if (g := _gain(evidence, metric, s, spread)) is not None]
    winner = best(metric, means(evidence.cells, metric.name))
    within = sorted(
        (g for g in every if g.size < g.least),
        key=lambda g: (g.step.after.variant != winner, -g.size),
    )
    if not within:
        return
    least = sorted({g.least for g in within})
    bounds = [unsigned(metric, v) for v in dict.fromkeys((least[0], least[-1]))]
    sd = unsigned(metric, spread.sd)
    names = [_named(metric, g) for g in within]
    lie = f"{'lies' if len(within) == 1 else 'lie'} within the noise"
    within_zh, hardly, hardly_zh = "在噪声以内", "", ""
    if spread.df < KNOWN:
        lie, within_zh = "cannot be told from noise yet", "尚不能与噪声区分"
        hardly, hardly_zh = ": the noise is hardly known", "：噪声本身尚不清楚"
    yield Hit(
        Text(
            f"{len(within)} of {len(every)} gains of {metric.label} over what they are read against"
            f" {lie}: {some([n.en for n in names]).en}; the least significant"
            f" difference is {' to '.join(b.en for b in bounds)} (SD of a run {sd.en},"
            f" {spread.df} df{hardly})",
            f"{len(every)} 项相对参照的 {metric.label} 提升中有 {len(within)} 项{within_zh}："
            f"{some([n.zh for n in names]).zh}；最小显著差为 {' 至 '.join(b.zh for b in bounds)}"
            f"（单次运行标准差 {sd.zh}，自由度 {spread.df}{hardly_zh}）",
        ),
        seeds_needed(evidence),
        keys=_keys(c for g in within for c in (g.step.before, g.step.after)),
    )


def _named(metric: Metric, of: Gain) -> Text:
    size = unsigned(metric, of.size)
    return Text(f"{of.step.after.variant} by {size.en}", f"{of.step.after.variant} 高出 {size.zh}")


def _gain(evidence: Evidence, metric: Metric, step: Step, spread: Noise) -> Gain | None:
    """The improvement of a step; None where it is none."""
    before, after = step.before.runs(metric.name), step.after.runs(metric.name)
    if not before or not after:
        return None
    means_of = [sum(v for _, v in of) / len(of) for of in (before, after)]
    size = gain(metric, *means_of)
    if size <= ROUNDING * max(map(abs, means_of)):
        return None
    claims = evidence.study.claims
    least = spread.least_difference(len(before), len(after), claims.alpha)
    if claims.paired:
        effect = difference(before, after, rules_of(claims, metric))
        if effect is not None and effect.interval is not None and effect.method == "blocked":
            least = effect.interval.width / 2
    return Gain(step, size, least)


def jittery(evidence: Evidence) -> Iterator[Hit]:
    """W241: of single runs, the best one's gain against the ends of both curves."""
    metric = evidence.study.metric(evidence.study.primary)
    winner = best(metric, means(evidence.cells, metric.name))
    for step in steps(evidence):
        if step.after.variant != winner or _many(step.before) or _many(step.after):
            continue
        ends = [_end(evidence, cell, metric.name) for cell in (step.after, step.before)]
        values = [mean(cell, metric.name) for cell in (step.before, step.after)]
        if None in ends or None in values:
            continue
        size = gain(metric, *(v for v in values if v is not None))
        told = [e for e in ends if e is not None]
        if not 0 < size < min(spread for spread, _ in told):
            continue
        finer = max(0, _DIGITS - metric.digits)
        sds = [(unsigned(metric, spread, finer), n) for spread, n in told]
        names, delta = (step.after.variant, step.before.variant), unsigned(metric, size, finer)
        yield Hit(
            Text(
                f"{names[0]} gains {delta.en} of {metric.label} over {names[1]}, less than either"
                f" curve varies at its end: SD {sds[0][0].en} over its last {sds[0][1]} scores,"
                f" {sds[1][0].en} over the last {sds[1][1]} of {names[1]}",
                f"{names[0]} 的 {metric.label} 比 {names[1]} 好 {delta.zh}，"
                f"小于两条曲线末段各自的波动：前者最后 {sds[0][1]} 次评估的标准差 {sds[0][0].zh}，"
                f"后者最后 {sds[1][1]} 次为 {sds[1][0].zh}",
            ),
            more_seeds(evidence),
            keys=_keys((step.before, step.after)),
        )


def _many(cell: Cell) -> bool:
    return len(cell.completed) > 1


def _end(evidence: Evidence, cell: Cell, metric: str) -> tuple[float, int] | None:
    """The SD of the end of a run's curve, in stored units, and over how many points."""
    record = cell.completed[0]
    score = record.scores.get(metric)
    curve = evidence.curves.get(record.key, {}).get((score.split, metric), {}) if score else {}
    count = min(WINDOW, round(SHARE * len(curve)))
    if count < LEAST:
        return None
    values = [curve[step] for step in sorted(curve)[-count:]]
    return (float(np.std(values, ddof=1)), count) if all(map(math.isfinite, values)) else None


def _keys(cells: Iterable[Cell]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(r.key for c in cells for r in c.completed))


W240 = Check(
    "W240",
    "warning",
    "interpretation",
    Text("an improvement within the noise", "噪声以内的提升"),
    Text(
        "Runs of one configuration differ by themselves; an improvement that is smaller than the"
        " least significant difference could be such luck. The SD of a run is pooled over all"
        " configurations of two runs or more, and over those that compute the same function (runs"
        " that are another's to the last digit count once). The difference is that of two means at"
        " the study's alpha, t s sqrt(1/a + 1/b), or, in a study"
        " that pairs by seed, half the width of the paired interval. Every configuration that is"
        " better than what it is read against on the primary metric is asked; where no noise is"
        f" known, nothing is said, and with fewer than {KNOWN} degrees of freedom a note (N240).",
        "同一配置的各次运行本身就不同；小于最小显著差的提升可能只是运气。"
        "单次运行的标准差由所有有两次以上运行的配置及计算同一函数的配置合并估计"
        "（与他者逐位相同的运行只计一次）；"
        "最小显著差按研究的 alpha 计算两均值之差，t s sqrt(1/a + 1/b)，"
        "按种子配对的研究取配对区间宽度之半。对主指标上优于参照的每个配置进行检查；噪声未知时不作判断，"
        f"自由度不足 {KNOWN} 时作为提示给出（N240）。",
    ),
    Text("Run further seeds, or do not call it a gain", "运行更多种子，或不称其为提升"),
    noisy,
)
N240 = Check(
    "N240",
    "note",
    "interpretation",
    Text("an improvement, and noise that is hardly known", "有提升，但噪声尚不清楚"),
    Text(
        f"As W240, where the SD of a run has fewer than {KNOWN} degrees of freedom. With so few the"
        " least significant difference is 4.3 times the standard error of a difference and more,"
        " so that a real gain hardly ever exceeds it: nothing is known yet, either way.",
        f"同 W240，但单次运行标准差的自由度不足 {KNOWN}。此时最小显著差至少是差值标准误的 4.3 倍，"
        "真实的提升也几乎无法超过它：目前无法下任何结论。",
    ),
    Text("Run further seeds", "运行更多种子"),
    unsure,
)
W241 = Check(
    "W241",
    "warning",
    "interpretation",
    Text("a gain smaller than the curve's own spread", "提升小于曲线自身的波动"),
    Text(
        "Where each side has one run, the curves themselves are what is known of noise: two epochs"
        " of one run differ by this much. It is said of the best configuration where its gain on"
        f" the primary metric is below the SD (n - 1) of both curves' last points, {WINDOW} at most"
        f" and {SHARE:.0%} of the curve at most.",
        "双方各只有一次运行时，曲线本身是关于噪声的唯一线索：同一次运行的两个轮次之间就有这样的差别。"
        f"当最佳配置在主指标上的提升小于两条曲线末段（至多 {WINDOW} 点、至多曲线的 {SHARE:.0%}）"
        "的标准差（n - 1）时给出此项。",
    ),
    Text("Run further seeds of both", "为双方运行更多种子"),
    jittery,
)
