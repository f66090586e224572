"""Where the best levels of sweeps lie, and whether they were ever run together."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ablate.analysis.cells import Cell
from ablate.analysis.sensitivity import edge_of
from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.design.measured import (
    NUMBERS,
    Moved,
    best,
    key_of,
    level_text,
    mean,
    sweeps,
)
from ablate.audit.design.remedies import free, settled_by, study_of
from ablate.audit.design.seeds import replayable
from ablate.audit.evidence import Evidence
from ablate.audit.pooled import noise_of
from ablate.design.names import shown
from ablate.study import Level, settled

_ENDS = {"largest": "最大", "smallest": "最小"}
_LEAST = 2
"""Best levels that make a combination."""


class Best(NamedTuple):
    """The best level of a sweep, and the mean of every level that has one."""

    moved: Moved
    level: Level
    values: Mapping[Level, float]


def edges(evidence: Evidence) -> Iterator[Hit]:
    """W210: the best level of three numbers or more is the smallest or the largest of them."""
    yield from (hit for hit, within in _edges(evidence) if not within)


def unsure_edges(evidence: Evidence) -> Iterator[Hit]:
    """N210: so by the means, and within the noise."""
    yield from (hit for hit, within in _edges(evidence) if within)


def _edges(evidence: Evidence) -> Iterator[tuple[Hit, bool]]:
    """Each best level at an edge, and whether its lead is known to be within the noise."""
    metric = evidence.study.metric(evidence.study.primary)
    spread = noise_of(evidence, metric)
    for found in _best(evidence):
        moved, factor = found.moved, found.moved.factor
        levels = [level for level, _ in moved.steps]
        if factor.kind not in NUMBERS or len(found.values) < len(levels):
            continue
        edge = edge_of([float(v) for v in levels], [float(found.level)])
        if edge is None:
            continue
        ordered = sorted(found.values, key=float)
        around = moved.around.variant
        numbers = ", ".join(f"{shown(v)}: {metric.text(found.values[v])}" for v in ordered)
        en = (
            f"the best {factor.name} around {around} is the {edge} that was run,"
            f" {shown(found.level)} ({metric.label} at {numbers})"
        )
        zh = (
            f"{around} 上 {factor.name} 的最佳值 {shown(found.level)} 是所试的{_ENDS[edge]}值"
            f"（{metric.label}：{numbers}）"
        )
        cells = dict(moved.steps)
        second = _second(metric.direction, found)
        a, b = (len(cells[v].runs(metric.name)) for v in (found.level, second))
        lead = abs(found.values[found.level] - found.values[second])
        alpha = evidence.study.claims.alpha
        within = spread is not None and lead < spread.least_difference(a, b, alpha)
        if within:
            en += f"; its lead over {shown(second)} is within the noise"
            zh += f"；它对 {shown(second)} 的领先在噪声以内"
        hit = Hit(
            Text(en, zh),
            _further(evidence, moved),
            f"{factor.name} {around}" if around != "full" else factor.name,
            _keys(cells.values()),
        )
        yield hit, within


def combinations(evidence: Evidence) -> Iterator[Hit]:
    """N112: the best levels of several sweeps around one configuration, not run together."""
    factors = evidence.study.factors
    there = {key_of(c.levels, factors) for c in evidence.cells if c.completed}
    by_centre: dict[str, list[Best]] = {}
    for found in _best(evidence):
        own = found.moved.around.levels[found.moved.factor.name]
        if own in found.values and found.level != own:
            by_centre.setdefault(found.moved.around.variant, []).append(found)
    metric = evidence.study.metric(evidence.study.primary)
    for around, of in by_centre.items():
        centre = of[0].moved.around
        chosen = {b.moved.factor.name: b.level for b in of}
        levels = settled(dict(centre.levels) | chosen, factors)
        if len(of) < _LEAST or key_of(levels, factors) in there:
            continue
        named = some([level_text(n, v) for n, v in chosen.items()], 6)
        name = f"{evidence.study.name}-{around}-together"
        arms: dict[str, Mapping[str, Level]] = {"before": centre.levels}
        for factor, level in chosen.items():
            only = settled(dict(centre.levels) | {factor: level}, factors)
            arms[free(f"only-{factor}", arms)] = only
        arms["together"] = levels
        subject = f"{around} together"
        yield Hit(
            Text(
                f"the best levels of {len(of)} sweeps around {around} by {metric.label},"
                f" {named.en}, were never run together",
                f"按 {metric.label}，{around} 上 {len(of)} 个扫描的最佳值 {named.zh} 从未一起运行",
            ),
            settled_by(
                evidence,
                ("N112", subject, name),
                Text(f"{around} with {named.en}", f"取 {named.zh} 的 {around}"),
            ),
            subject,
            _keys(c for b in of for _, c in b.moved.steps),
            study_of(evidence, name, arms, f"The best levels around {around}, alone and together."),
        )


def _best(evidence: Evidence) -> Iterator[Best]:
    """Every sweep that has one best level."""
    metric = evidence.study.metric(evidence.study.primary)
    for moved in sweeps(evidence):
        values = {level: mean(cell, metric.name) for level, cell in moved.steps}
        known = {str(n): (v, m) for n, (v, m) in enumerate(values.items()) if m is not None}
        first = best(metric, {n: m for n, (_, m) in known.items()})
        if first is not None:
            yield Best(moved, known[first][0], dict(known.values()))


def _second(direction: str, found: Best) -> Level:
    rest = {v: m for v, m in found.values.items() if v != found.level}
    return (max if direction == "up" else min)(rest, key=lambda v: rest[v])


def _further(evidence: Evidence, moved: Moved) -> str | Text:
    name, around = moved.factor.name, moved.around.variant
    if replayable(evidence):
        return Text(
            f"add levels beyond it to the sweep of {name} around {around} in {evidence.file}",
            f"在 {evidence.file} 中为 {around} 上 {name} 的扫描加入更外侧的取值",
        )
    return f"ablate report {evidence.study.name} --sensitivity"


def _keys(cells: Iterable[Cell]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(r.key for c in cells for r in c.completed))


W210 = Check(
    "W210",
    "warning",
    "design",
    Text("best value at the edge of its range", "最佳值位于范围边缘"),
    Text(
        "Where the best of the levels that were run is the smallest or the largest, a better one"
        " may lie beyond: the optimum is not bracketed. It is said of factors that are numbers, at"
        " three levels or more that all have results, by the mean of the primary metric, where one"
        " level is the best as printed. Where its lead over the next level is known to be within"
        " the noise it is said as a note (N210).",
        "若最佳取值是所试的最小或最大值，更好的取值可能在范围之外：最优点没有被包围。"
        "适用于数值因素、三个以上且都有结果的取值，按主指标均值，且最佳值按所印数字唯一。"
        "若已知其领先在噪声以内，则作为提示给出（N210）。",
    ),
    Text("Run levels beyond the edge", "运行边缘之外的取值"),
    edges,
)
N210 = Check(
    "N210",
    "note",
    "design",
    Text("best value at the edge, its lead within the noise", "最佳值位于边缘，但领先在噪声以内"),
    Text(
        "As W210, where the lead over the next level is below the least significant difference of"
        " their runs: which level is the best is then not known, and so neither whether a better"
        " one lies beyond.",
        "同 W210，但对次佳取值的领先小于最小显著差：哪个取值最佳尚不可知，"
        "范围之外有无更好的也就不可知。",
    ),
    Text(
        "Run further seeds of the sweep, and levels beyond the edge",
        "为该扫描运行更多种子，并运行边缘之外的取值",
    ),
    unsure_edges,
)
N112 = Check(
    "N112",
    "note",
    "design",
    Text("a combination that was never measured", "从未测量的组合"),
    Text(
        "The best levels of factors that were moved one at a time are often recommended together,"
        " with a score that nobody measured. It is said where two sweeps or more around one"
        " configuration have best levels other than its own and no run has them all.",
        "逐一移动各因素所得的最佳取值常被一起推荐，并附上从未测得的分数。"
        "当同一配置上两个以上扫描的最佳值都不是其自身取值、且没有运行同时采用它们时给出此项。",
    ),
    Text("Run the combination before it is recommended", "先运行该组合再推荐"),
    combinations,
)
