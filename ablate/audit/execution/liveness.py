"""Modules that are not in the scored output, or that nothing which trains the score teaches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ablate.analysis.contrast import Sample, noise
from ablate.analysis.effects import BASE, Corner, corners
from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.counted import Idle, idle_modules, last_digit
from ablate.audit.evidence import Evidence
from ablate.audit.liveness import (
    BESIDE,
    NOWHERE,
    UNREAD,
    UNTAUGHT,
    Shares,
    kinds,
    recorded,
)
from ablate.metric import Metric, plain
from ablate.record import Cost

NAMED = 4
LISTED = 6
"""Runs of one function up to which each one's score is printed."""
METRICS = 2
"""Metrics, the primary first, whose scores are."""
_WHOLE = 1e3
"""Parameters printed to this digit or finer are written whole, others in millions."""


def _unread(evidence: Evidence) -> Iterator[Hit]:
    shares = recorded(evidence.records)
    known = list(_of_kind(evidence, shares, UNREAD + NOWHERE))
    yield from known
    told = {hit.subject for hit in known}
    for hit in _of_kind(evidence, shares, UNREAD):
        yield replace(hit, subject=f"{hit.subject}.unread") if hit.subject in told else hit
    yield from _by_counts(evidence)


def _beside(evidence: Evidence) -> Iterator[Hit]:
    yield from _of_kind(evidence, recorded(evidence.records), UNREAD + BESIDE)


def _untaught(evidence: Evidence) -> Iterator[Hit]:
    yield from _of_kind(evidence, recorded(evidence.records), UNTAUGHT)


_CHINESE = {
    UNREAD + NOWHERE: "其 {} 个可训练参数都不影响计分输出，训练该分数的损失也都触及不到它们",
    UNREAD: "其 {} 个可训练参数都不影响计分输出",
    UNREAD + BESIDE: "其 {} 个可训练参数都不影响计分输出，所学只能经共享权重起作用",
    UNTAUGHT: "训练该分数的损失对它没有梯度（其 {} 个影响计分输出的可训练参数保持初值，"
    "或只由其他损失训练）",
}


def _of_kind(evidence: Evidence, shares: Shares, fact: str) -> Iterator[Hit]:
    """One hit for each factor of which the fact holds in some variants."""
    for factor, kinds_of in kinds(shares).items():
        where = [variant for variant, kind in kinds_of.items() if kind == fact]
        if not where:
            continue
        counts = size([int(shares[v][factor]["params"].value) for v in where])
        names, also, opened = some(where, NAMED), Text("", ""), ""
        if fact != UNTAUGHT:
            also, opened = _alive(evidence, factor, shares, where)
        yield Hit(
            Text(
                f"{factor}: {fact.format(counts.en, names.en)}{also.en}",
                f"{factor}：在 {names.zh} 中，{_CHINESE[fact].format(counts.zh)}{also.zh}",
            ),
            " ".join(filter(None, ("ablate plan", evidence.file, opened, "--probe"))),
            factor,
            tuple(r.key for r in evidence.records if kinds_of.get(r.variant) == fact),
        )


def _alive(
    evidence: Evidence, factor: str, shares: Shares, where: Sequence[str]
) -> tuple[Text, str]:
    """Where the factor is live, and the setting by which a probe found it so in these variants.

    The first is told by the switches that all those configurations share, and these have not.
    """
    levels = {r.variant: r.levels for r in evidence.records}
    live = [v for v, of in shares.items() if _is_live(of.get(factor, {}))]
    alone = [
        m
        for m, level in evidence.study.on.items()
        if m != factor
        and all(levels[v].get(m) == level for v in live)
        and not any(levels[v].get(m) == level for v in where)
    ]
    said = []
    if live and alone:
        names = some(alone)
        on = "is" if len(alone) == 1 else "are"
        said.append(Text(f"where {names.en} {on} on", f"{names.zh} 开启时"))
    elif live:
        names = some(live)
        said.append(Text(f"in {names.en}", f"在 {names.zh} 中"))
    opened = ""
    if factor in evidence.ways:
        name, level = evidence.ways[factor]
        opened = f"{name}={_level(level)}"
        said.append(Text(f"with {opened}", f"设 {opened} 时"))
    if not said:
        return Text("", ""), ""
    return (
        Text(
            f"; they are live {', or '.join(s.en for s in said)}",
            f"；{'，或'.join(s.zh for s in said)}，它们起作用",
        ),
        opened,
    )


def _is_live(of: Mapping[str, Cost]) -> bool:
    return "live_params" in of and of["live_params"].value > 0


def size(counts: Sequence[int]) -> Text:
    """`1,234`, or the least and the most of several."""
    texts = [f"{n:,}" for n in dict.fromkeys((min(counts), max(counts)))]
    return Text(" to ".join(texts), " 至 ".join(texts))


def _level(level: object) -> str:
    return str(level).lower() if isinstance(level, bool) else str(level)


def _by_counts(evidence: Evidence) -> Iterator[Hit]:
    told: set[Corner] = set()
    grid = corners([c for c in evidence.cells if c.role == "grid"], evidence.study.on)
    for one in sorted(idle_modules(evidence.study, evidence.cells), key=lambda i: i.module):
        own = {c for c, cell in grid.items() if cell.variant in one.cells}
        keys = tuple(r.key for c in own for r in grid[c].completed)
        if not one.seen:
            yield Hit(_unknown(one), _synergy(evidence), one.module, keys)
        elif one.proven:
            of = sorted({c - evidence.inert.get(grid[c].variant, BASE) for c in own}, key=sorted)
            pools = [_pool(evidence, root, brief=root in told) for root in of]
            told.update(of)
            yield Hit(_absent(one, pools), _synergy(evidence), one.module, keys)


def _synergy(evidence: Evidence) -> str:
    return f"ablate report {evidence.study.name} --synergy"


def _unknown(one: Idle) -> Text:
    adds = _adds(one)
    return Text(
        f"{adds.en}, and that counter sees it cost some in no configuration: it is not in the"
        " output there, or it is not counted",
        f"{adds.zh}，且该计数在任何配置中都未见它有运算量：要么它不在这些输出里，要么没有被计入",
    )


def _absent(one: Idle, pools: Sequence[Text]) -> Text:
    adds, cost = _adds(one), f"{plain(one.cost / 1e9, 2)} G"
    if one.cost < 1e8:  # noqa: PLR2004 - below a tenth of a G two decimals say little
        cost = f"{one.cost:,.0f}"
    return Text(
        f"{adds.en}, but {cost} in {one.seen}: it is not in their output; "
        + "; ".join(p.en for p in pools),
        f"{adds.zh}，而在 {one.seen} 中增加 {cost}：它不在这些配置的输出里；"
        + "；".join(p.zh for p in pools),
    )


def _adds(one: Idle) -> Text:
    cells, unit = some(one.cells, NAMED), last_digit(one.params)
    if unit > _WHOLE:
        digits = max(0, 6 - len(str(int(unit))) + 1)
        texts = dict.fromkeys(plain(p / 1e6, digits) for p in sorted(one.params))
        count = f"{' to '.join((next(iter(texts)), *list(texts)[1:][-1:]))} M"
        counts = Text(count, count.replace(" to ", " 至 "))
    else:
        counts = size([int(p) for p in one.params])
    return Text(
        f"{one.module} adds {counts.en} parameters and \N{PLUS-MINUS SIGN}0 operations in"
        f" {cells.en} ({one.counter})",
        f"{one.module} 在 {cells.zh} 中增加 {counts.zh} 个参数，运算量 \N{PLUS-MINUS SIGN}0"
        f"（{one.counter}）",
    )


def _pool(evidence: Evidence, root: Corner, *, brief: bool) -> Text:
    """The runs of one function: the cells that are it, their scores and how they spread."""
    grid = corners([c for c in evidence.cells if c.role == "grid"], evidence.study.on)
    same = {
        cell.variant: cell
        for corner, cell in grid.items()
        if corner - evidence.inert.get(cell.variant, BASE) == root and cell.completed
    }
    names = some(_ordered(evidence, same), LISTED)
    runs = sum(len(c.completed) for c in same.values())
    primary = evidence.study.metric(evidence.study.primary)
    metrics = [primary, *(m for m in evidence.study.metrics if m is not primary)]
    spreads = [
        _spread(m, [same[v].runs(m.name) for v in _ordered(evidence, same)], brief=brief)
        for m in metrics[: 1 if brief else METRICS]
    ]
    en, zh = ("; ".join(s.en for s in spreads if s.en), "；".join(s.zh for s in spreads if s.zh))
    return Text(
        f"{names.en} are {runs} runs of one function" + (f", pooled: {en}" if en else ""),
        f"{names.zh} 是同一函数的 {runs} 次运行，合并为重复" + (f"：{zh}" if zh else ""),
    )


def _ordered(evidence: Evidence, same: Mapping[str, object]) -> list[str]:
    return [c.variant for c in evidence.cells if c.variant in same]


def _spread(metric: Metric, samples: Sequence[Sample], *, brief: bool) -> Text:
    found = noise([s for s in samples if s], groups=[0 for s in samples if s])
    if found is None:
        return Text("", "")
    values = [metric.text(v) for s in samples for _, v in s]
    listed = values if len(values) <= LISTED and not brief else []
    sd = plain(metric.shown(found.sd), metric.digits + 1)
    unit = f" {metric.unit}" if metric.unit else ""
    chinese = " 个百分点" if metric.unit else ""
    en, zh = (", ".join(listed), "、".join(listed))
    return Text(
        f"{metric.label} {en + ', ' if en else ''}SD {sd}{unit}",
        f"{metric.label} {zh + '，' if zh else ''}标准差 {sd}{chinese}",
    )


_WHY_UNREAD = Text(
    "A module that the scored output does not depend on changes no score by what it has learnt:"
    " its configuration is the same function as the one without it, and their difference is"
    " chance, or another stream of random numbers. Told from a module's own parameters, which the"
    " probe follows from the scored output; or, of records that have counts of the whole alone,"
    " from parameters that go up while the operations by the same counter stay exactly, where"
    " this counter has seen the module cost ten times its last printed digit or more in another"
    " configuration. Counts cannot exclude that an own loss of it acts through shared weights.",
    "计分输出不依赖的模块，无论学到什么都不改变分数：该配置与去掉它的配置是同一个函数，"
    "两者之差只是偶然或随机数流的不同。判据：由探针从计分输出追溯模块自身的参数；"
    "只有总量的记录则看同一计数下参数增加而运算量完全不变，且该计数在另一配置中见到该模块的运算量"
    "不少于其末位的十倍。仅凭计数不能排除它的附加损失经共享权重起作用。",
)
_SETTLE_UNREAD = Text(
    "Give the module a path to the scored output, or read the configuration as another run of the"
    " one without it.",
    "让模块接入计分输出，或把该配置当作去掉该模块的配置的又一次运行。",
)

LIVENESS: tuple[Check, ...] = (
    Check(
        "W204",
        "warning",
        "execution",
        Text("A module that is not in the scored output", "不在计分输出中的模块"),
        _WHY_UNREAD,
        _SETTLE_UNREAD,
        _unread,
        planned=True,
    ),
    Check(
        "N204",
        "note",
        "execution",
        Text("A module that acts through shared weights only", "只经共享权重起作用的模块"),
        Text(
            "No parameter of the module reaches the scored output, but a loss that trains the"
            " score reaches them, as it does an auxiliary head.",
            "模块的参数都不影响计分输出，但训练该分数的损失触及它们，如同辅助头。",
        ),
        Text(
            "Nothing to settle where the module is meant as an auxiliary head.",
            "若本来就是辅助头，则无须处理。",
        ),
        _beside,
        planned=True,
    ),
    Check(
        "E205",
        "error",
        "execution",
        Text("A module in the output that nothing teaches", "在输出中却无损失训练的模块"),
        Text(
            "Parameters of the module reach the scored output, and no loss that trains the score"
            " gives any of them a gradient: the score depends on what they were made with.",
            "模块的参数影响计分输出，但训练该分数的损失对它们都没有梯度：分数取决于它们的初值。",
        ),
        Text(
            "Connect the loss: look for a detach, a no_grad, or a branch without a loss.",
            "接通损失：查找 detach、no_grad 或没有损失的分支。",
        ),
        _untaught,
        planned=True,
    ),
)
