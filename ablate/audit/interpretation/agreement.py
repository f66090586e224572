"""Where the metrics of a study disagree: on the winner, on a module, along a sweep."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from ablate.analysis.cells import Cell
from ablate.analysis.contrast import Interval
from ablate.analysis.effects import Grid, corners, main
from ablate.analysis.sensitivity import TREND
from ablate.analysis.verdict import rules_of
from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.design.measured import best, mean, means, points, sweeps
from ablate.audit.evidence import Evidence
from ablate.audit.pooled import noise_of
from ablate.audit.told import compared
from ablate.design.names import shown
from ablate.metric import Metric

WIDEST = 8
"""Modules up to which their effects are asked."""
_ZERO = 1e-12


class Winner(NamedTuple):
    """A metric with its best configuration."""

    metric: Metric
    variant: str


class Found(NamedTuple):
    """A disagreement; `real` where it is known to be beyond the noise."""

    hit: Hit
    real: bool


def real(evidence: Evidence) -> Iterator[Hit]:
    """W201: disagreements that are beyond the noise on both sides."""
    yield from (found.hit for found in _disagreements(evidence) if found.real)


def doubtful(evidence: Evidence) -> Iterator[Hit]:
    """N201: those that noise could make, or of which it is not known."""
    yield from (found.hit for found in _disagreements(evidence) if not found.real)


def _disagreements(evidence: Evidence) -> Iterator[Found]:
    """Another winner, another sign of a module's mean effect, an opposite trend."""
    metrics = _scored(evidence)
    if len(metrics) < 2:  # noqa: PLR2004 - one metric agrees with itself
        return
    yield from _winners(evidence, metrics)
    yield from _modules(evidence, metrics)
    yield from _trends(evidence, metrics)


def _apart(evidence: Evidence, metric: Metric, cells: Sequence[Cell]) -> bool:
    """Whether two configurations differ by more than the noise of their runs, if that is known."""
    spread = noise_of(evidence, metric)
    runs = [c.runs(metric.name) for c in cells]
    if spread is None or not all(runs):
        return False
    a, b = (sum(v for _, v in of) / len(of) for of in runs)
    alpha = evidence.study.claims.alpha
    return abs(a - b) >= spread.least_difference(len(runs[0]), len(runs[1]), alpha)


def _scored(evidence: Evidence) -> list[Metric]:
    """The metrics that have scores, the primary first; no loss: runs may train different ones."""
    names = {name for r in evidence.completed for name in r.scores}
    found = [m for m in evidence.study.metrics if m.name in names and "loss" not in m.name.lower()]
    return sorted(found, key=lambda m: m.name != evidence.study.primary)


def _winners(evidence: Evidence, metrics: Sequence[Metric]) -> Iterator[Found]:
    values = {m.name: means(evidence.cells, m.name) for m in metrics}
    found = [(m, best(m, values[m.name])) for m in metrics]
    told = [Winner(m, v) for m, v in found if v is not None]
    first = told[0] if told else None
    other = next((w for w in told if first and w.variant != first.variant), None)
    if first is None or other is None:
        return
    if any(w.variant not in values[o.metric.name] for w, o in ((first, other), (other, first))):
        return
    with_first = [w.metric.label for w in told if w.variant == first.variant]
    with_other = [w.metric.label for w in told if w.variant == other.variant]
    rest = [w for w in told if w.variant not in {first.variant, other.variant}]
    sides = [
        (some(labels, 6), w, o, values[w.metric.name])
        for labels, w, o in ((with_first, first, other), (with_other, other, first))
    ]
    en = [
        f"{label.en} {'put' if len(of) > 1 else 'puts'} {w.variant} first"
        f" ({_at(w.metric, of)}{w.metric.text(v[w.variant])}; {o.variant}"
        f" {w.metric.text(v[o.variant])})"
        for (label, w, o, v), of in zip(sides, (with_first, with_other), strict=True)
    ]
    zh = [
        f"{label.zh} 以 {w.variant} 为最佳（{_at(w.metric, of)}{w.metric.text(v[w.variant])}，"
        f"{o.variant} {w.metric.text(v[o.variant])}）"
        for (label, w, o, v), of in zip(sides, (with_first, with_other), strict=True)
    ]
    more = [f"{w.metric.label} {w.variant}" for w in rest]
    en += [f"others differ again: {some(more).en}"] if more else []
    zh += [f"另有：{some(more).zh}"] if more else []
    both = [c for c in evidence.cells if c.variant in {first.variant, other.variant}]
    hit = Hit(
        Text("; ".join(en), "；".join(zh)),
        compared(evidence, first.variant, other.variant),
        "winner",
        _keys(both),
    )
    yield Found(hit, all(_apart(evidence, w.metric, both) for w in (first, other)))


def _at(metric: Metric, labels: Sequence[str]) -> str:
    return f"{metric.label} " if len(labels) > 1 else ""


def _modules(evidence: Evidence, metrics: Sequence[Metric]) -> Iterator[Found]:
    """Modules whose mean effect is better on the primary metric and worse on another, or so.

    Where effects have intervals, both exclude zero.
    """
    study = evidence.study
    if not study.on or len(study.on) > WIDEST:
        return
    there = corners([c for c in evidence.cells if c.role == "grid"], study.on)
    found: dict[str, dict[str, tuple[float, Interval | None]]] = {}
    for metric in metrics:
        grid = Grid(
            tuple(study.on),
            {corner: cell.runs(metric.name) for corner, cell in there.items()},
            {
                corner: evidence.inert.get(cell.variant, frozenset())
                for corner, cell in there.items()
            },
        )
        terms = [main(m, grid) for m in study.on]
        for answer in grid.answers(terms, rules_of(study.claims, metric)):
            if answer.effect is not None and not answer.inert:
                own = found.setdefault(answer.term.modules[0], {})
                own[metric.name] = (answer.effect.estimate, answer.effect.interval)
    known = {m.name: m for m in metrics}
    for module, effects in found.items():
        good = [n for n, of in effects.items() if _told(*of) and _better(known[n], of[0])]
        bad = [n for n, of in effects.items() if _told(*of) and _better(known[n], -of[0])]
        if good and bad and study.primary in {*good, *bad}:
            said = [f"{known[n].label} {points(known[n], effects[n][0])[0]}" for n in (*good, *bad)]
            zh = [f"{known[n].label} {points(known[n], effects[n][0])[1]}" for n in (*good, *bad)]
            hit = Hit(
                Text(
                    f"{module}, averaged over the other modules, is better on some metrics and"
                    f" worse on others: {some(said, 6).en}",
                    f"对其余模块取平均，{module} 在一些指标上更好，在另一些上更差："
                    f"{some(zh, 6).zh}",
                ),
                f"ablate report {study.name} --synergy",
                module,
                _keys(there.values()),
            )
            yield Found(hit, all(effects[n][1] is not None for n in (*good, *bad)))


def _told(estimate: float, interval: Interval | None) -> bool:
    return abs(estimate) > _ZERO and (interval is None or interval.excludes_zero)


def _better(metric: Metric, estimate: float) -> bool:
    return estimate > 0 if metric.direction == "up" else estimate < 0


def _trends(evidence: Evidence, metrics: Sequence[Metric]) -> Iterator[Found]:
    """Sweeps of three levels or more along which two metrics rank every pair oppositely."""
    for moved in sweeps(evidence):
        levels = sorted(moved.steps, key=lambda s: (isinstance(s[0], str), s[0]))
        ranks = {m.name: _along(m, [cell for _, cell in levels]) for m in metrics}
        first = metrics[0]
        if len(levels) < TREND or ranks[first.name] is None:
            continue
        for other in metrics[1:]:
            one, two = ranks[first.name], ranks[other.name]
            if one is None or two is None:
                continue
            if _opposite(one, two):
                hit = _trend(
                    evidence, moved.factor.name, moved.around.variant, levels, first, other
                )
                ends = [levels[one.index(f(one))][1] for f in (min, max)]
                yield Found(hit, all(_apart(evidence, m, ends) for m in (first, other)))
                break


def _opposite(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether every pair of places is ranked by both, and oppositely."""
    order = sorted(range(len(one)), key=lambda i: one[i])
    return all(one[a] < one[b] and other[a] > other[b] for a, b in pairwise(order))


def _along(metric: Metric, cells: Sequence[Cell]) -> list[float] | None:
    """What a metric says of each level, up for better, as printed; None where it misses one."""
    sign = 1 if metric.direction == "up" else -1
    values = [mean(c, metric.name) for c in cells]
    if any(v is None for v in values):
        return None
    return [sign * round(metric.shown(v), metric.digits) for v in values if v is not None]


def _trend(  # noqa: PLR0913, PLR0917 - one per word of the sentence
    evidence: Evidence,
    factor: str,
    around: str,
    levels: Sequence[tuple[object, Cell]],
    first: Metric,
    other: Metric,
) -> Hit:
    said = [
        f"{m.label} {', '.join(m.text(mean(c, m.name) or 0.0) for _, c in levels)}"
        for m in (first, other)
    ]
    at = ", ".join(shown(level) for level, _ in levels)  # type: ignore[arg-type]
    return Hit(
        Text(
            f"{first.label} and {other.label} rank {factor} {at} around {around} in opposite"
            f" orders: {said[0]}; {said[1]}",
            f"{around} 上 {factor} 取 {at} 时，{first.label} 与 {other.label} 的次序相反："
            f"{said[0]}；{said[1]}",
        ),
        f"ablate report {evidence.study.name} --sensitivity",
        f"{factor} {around}" if around != "full" else factor,
        _keys(c for _, c in levels),
    )


def _keys(cells: Iterable[Cell]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(r.key for c in cells for r in c.completed))


W201 = Check(
    "W201",
    "warning",
    "interpretation",
    Text("metrics disagree beyond the noise", "指标之间不一致，且超出噪声"),
    Text(
        "Which configuration is the best, or whether a module helps, then depends on the metric"
        " that is asked, and no further seed will change that. It is said where two metrics have"
        " different best configurations, by their means as printed; where the mean effect of a"
        " module is better on one and worse on another; and where two metrics rank all levels of a"
        " sweep in opposite orders: each only where the two configurations differ on both metrics"
        " by the least significant difference or more, or both intervals exclude zero. Losses are"
        " left out.",
        "哪个配置最佳、某模块是否有益，取决于看哪个指标，增加种子也不会改变。"
        "当两个指标按所印均值的最佳配置不同；某模块的平均效应在一个指标上更好、在另一个上更差；"
        "或两个指标对扫描取值的排序完全相反，且两配置在两个指标上之差都不小于最小显著差"
        "（或两个区间均不含零）时给出此项。不计损失。",
    ),
    Text(
        "Say which metric decides before the results are seen", "在看到结果之前说明以哪个指标为准"
    ),
    real,
)
N201 = Check(
    "N201",
    "note",
    "interpretation",
    Text("metrics disagree, as noise could make them", "指标之间不一致，可能只是噪声"),
    Text(
        "As W201, where the difference on one of both metrics is within the noise of its runs, or"
        " where that noise is not known: of several metrics one often disagrees by chance.",
        "同 W201，但至少在一个指标上两者之差在噪声以内，或噪声未知："
        "指标一多，常有一个因偶然而不一致。",
    ),
    Text(
        "Run further seeds; say which metric decides before the results are seen",
        "运行更多种子；在看到结果之前说明以哪个指标为准",
    ),
    doubtful,
)
