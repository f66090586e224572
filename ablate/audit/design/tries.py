"""Whether configurations were tuned alike before they are compared."""

from collections.abc import Iterator, Mapping, Sequence

from ablate.analysis.cells import Cell
from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.design.measured import (
    Moved,
    best,
    gain,
    key_of,
    level_text,
    means,
    ranked,
    sweeps,
)
from ablate.audit.design.remedies import free, settled_by, study_of
from ablate.audit.evidence import Evidence
from ablate.audit.told import compared
from ablate.design.names import shown
from ablate.study import Level, meaning, settled

MOST = 100
"""Levels beyond which no study is written that would try them all again."""


def anchored(evidence: Evidence) -> Iterator[Hit]:
    """W110: factors that were moved around one configuration, not around the best untuned one."""
    metric = evidence.study.metric(evidence.study.primary)
    untuned = {c.variant: c for c in evidence.cells if c.role != "sweep"}
    values = means(untuned.values(), metric.name)
    winner = best(metric, values)
    moved = sweeps(evidence)
    if winner is None or not moved:
        return
    factors = evidence.study.factors
    means_there = {f.name for f in meaning(untuned[winner].levels, factors)}
    own = _moved_alone(evidence, untuned[winner])
    by_centre: dict[str, list[Moved]] = {}
    for one in moved:
        if one.around.variant != winner and one.around.variant in values:
            by_centre.setdefault(one.around.variant, []).append(one)
    for around, of in by_centre.items():
        names = [m.factor.name for m in of if m.factor.name not in own]
        only = len(by_centre) == 1
        there = [n for n in names if n in means_there]
        rest = [n for n in names if n not in means_there]
        if not there:
            continue
        were = "was" if len(there) == 1 else "were"
        en = (
            f"{some(there, 6).en} {were} moved around {around}{' only' if only else ''}; {winner},"
            f" the best without a sweep ({metric.label} {metric.text(values[winner])}, {around}"
            f" {metric.text(values[around])}), was run at one level of"
            f" {'it' if len(there) == 1 else 'each'}"
        )
        zh = (
            f"{some(there, 6).zh} {'只' if only else ''}在 {around} 上移动过；"
            f"未调参时最佳的 {winner}（{metric.label} {metric.text(values[winner])}，{around}"
            f" {metric.text(values[around])}）只用一个取值运行过"
        )
        if rest:
            en += f" ({some(rest, 6).en} {'means' if len(rest) == 1 else 'mean'} nothing there)"
            zh += f"（{some(rest, 6).zh} 在其中没有意义）"
        name = f"{evidence.study.name}-{winner}{'' if only else f'-as-{around}'}-sweeps"
        again = [m for m in of if m.factor.name in there]
        few = sum(len(m.steps) for m in again) <= MOST
        yield Hit(
            Text(en, zh),
            settled_by(evidence, ("W110", around, name), _levels(untuned[winner], again))
            if few
            else f"ablate plan {evidence.file}",
            around,
            _keys([untuned[winner], *(c for m in of for _, c in m.steps)]),
            _around(evidence, untuned[winner], again, name) if few else "",
        )


def _moved_alone(evidence: Evidence, cell: Cell) -> set[str]:
    """The factors of which a configuration was run at other levels, all else equal."""
    factors = evidence.study.factors
    own = key_of(cell.levels, factors)
    found = set()
    for other in evidence.cells:
        key = key_of(other.levels, factors) if other.completed else own
        differ = [f.name for f, a, b in zip(factors, own, key, strict=True) if a != b]
        if len(differ) == 1:
            found.add(differ[0])
    return found


def _levels(winner: Cell, moved: Sequence[Moved]) -> Text:
    """The runs that `_around` makes beside the winner's own."""
    tried = [
        level_text(one.factor.name, level)
        for one in moved
        for level, _ in one.steps
        if level != winner.levels[one.factor.name]
    ]
    each = some(tried, len(tried))
    return Text(f"{winner.variant} with each of {each.en}", f"{winner.variant} 分别取 {each.zh}")


def _around(evidence: Evidence, winner: Cell, moved: Sequence[Moved], name: str) -> str:
    """The same levels around the winner."""
    factors = evidence.study.factors
    arms: dict[str, Mapping[str, Level]] = {"before": winner.levels}
    for one in moved:
        for level, _ in one.steps:
            if level != winner.levels[one.factor.name]:
                levels = settled(dict(winner.levels) | {one.factor.name: level}, factors)
                arms[free(f"{one.factor.name}-{shown(level)}", arms)] = levels
    why = f"The levels that were tried around {moved[0].around.variant}, around {winner.variant}."
    return study_of(evidence, name, arms, why)


def unequal(evidence: Evidence) -> Iterator[Hit]:
    """W111: the best configuration was tried more often than the next, and tuning decides."""
    metric = evidence.study.metric(evidence.study.primary)
    values = means(evidence.cells, metric.name)
    groups = _groups(evidence, values)
    top = {name: ranked(metric, of)[0] for name, of in groups.items()}
    order = ranked(metric, {name: values[variant] for name, variant in top.items()})
    if len(order) < 2:  # noqa: PLR2004 - one set of modules is compared with nothing
        return
    many, few = order[:2]
    if len(groups[many]) <= len(groups[few]) or many not in groups[many]:
        return  # who leads with fewer tries leads all the same
    tuned = gain(metric, values[many], values[top[many]])
    apart = abs(values[top[few]] - values[top[many]])
    if tuned <= 0 or tuned < apart:
        return
    first, other = top[many], top[few]
    said = {v: f"{v} ({metric.label} {metric.text(values[v])})" for v in (first, other)}
    tried = {*groups[many], *groups[few]}
    settings = "one setting" if len(groups[few]) == 1 else f"{len(groups[few])} settings"
    en = (
        f"{said[first]} leads {said[other]}, but {many} was tried with {len(groups[many])} settings"
        f" and {few} with {settings}; untuned, {many} has {metric.text(values[many])}"
    )
    zh = (
        f"{first}（{metric.label} {metric.text(values[first])}）领先 {other}"
        f"（{metric.text(values[other])}），但 {many} 试过 {len(groups[many])} 组设置，{few} 只有"
        f" {len(groups[few])} 组；未调参的 {many} 为 {metric.text(values[many])}"
    )
    yield Hit(
        Text(en, zh),
        compared(evidence, first, other),
        keys=_keys([c for c in evidence.cells if c.variant in tried]),
    )


def _groups(evidence: Evidence, values: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """The configurations that were measured by the one that each is a tuning of."""
    names = {c.variant: c for c in evidence.cells}
    found: dict[str, dict[str, float]] = {}
    for cell in evidence.cells:
        if cell.variant in values:
            tuned = cell.role == "sweep" and cell.parent in names
            found.setdefault(cell.parent if tuned and cell.parent else cell.variant, {})[
                cell.variant
            ] = values[cell.variant]
    return found


def _keys(cells: Sequence[Cell]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(r.key for c in cells for r in c.completed))


W110 = Check(
    "W110",
    "warning",
    "design",
    Text("sweep anchored elsewhere than the best configuration", "扫描的锚点不是最佳配置"),
    Text(
        "The best level of a setting beside some modules need not be the best beside others: a"
        " sweep speaks of the configuration that it was made around. It is said where a factor was"
        " moved around one configuration, another is the best by the mean of the primary metric"
        " among those that are no step of a sweep, and the factor means something there but was"
        " never moved.",
        "某些模块旁的最佳取值未必适合其他模块：扫描只说明其锚点配置。"
        "当某因素只在一个配置上移动过，而非扫描步的配置中按主指标均值最佳的是另一个，"
        "且该因素在其中有意义却从未移动时给出此项。",
    ),
    Text(
        "Sweep around the best configuration before its settings are recommended",
        "推荐其设置前，先在最佳配置上做扫描",
    ),
    anchored,
)
W111 = Check(
    "W111",
    "warning",
    "design",
    Text("a winner chosen among unequal numbers of tries", "各方尝试次数不等时选出的胜者"),
    Text(
        "The best of nine tries is better than a single one by luck alone. It is said where, of"
        " the two best configurations, each with the steps of the sweeps around it, the better was"
        " tried with more settings than the other, and what tuning brought it is at least their"
        " distance. One that leads with fewer tries leads all the same.",
        "九次尝试中的最好者仅凭运气就胜过单次。当最佳的两个配置（各含其扫描步）中领先者试过的设置更多，"
        "且调参给它带来的提升不小于两者之差时给出此项。尝试更少而仍领先者不在此列。",
    ),
    Text("Tune both alike, or compare both untuned", "对双方做同样的调参，或都不调参再比较"),
    unequal,
)
