"""Statements about all of something: every combination, every metric, every split."""

import re
from collections.abc import Sequence

from ablate.audit.check import Text
from ablate.lint import lexicon
from ablate.lint.ledger import Ledger
from ablate.lint.names import Names
from ablate.lint.statements import Statement, measured
from ablate.lint.sums import parts_of
from ablate.lint.world import Quantity, World
from ablate.metric import Metric

_EXCEPT = re.compile(
    r"(?:高于|超过|优于|higher than|better than|above)\s*(?:任何|所有|any|every|all)"
    r".{0,99}?(?:除了|除|except(?: for)?|apart from|but)",
    re.IGNORECASE,
)
_EVERY = re.compile(
    r"全面优于|各方面(?:都)?优于"
    r"|better (?:than \S+(?: \S+)? )?"
    r"(?:in every respect|on (?:everything|every metric|all metrics))",
    re.IGNORECASE,
)
_SINGLE = re.compile(
    r"单模块.{0,99}(?:超过|优于|高于)所有组合"
    r"|single module.{0,99}(?:beats|exceeds|better than|outperforms)"
    r"\s+(?:all|every)\s+combinations?",
    re.IGNORECASE,
)
_NO_SYNERGY = re.compile(
    r"没有任何组合(?:产生|出现|有|存在)?正协同|(?:所有|任何)(?P<two>双模块|两两)?组合均?(?:为|是|出现)负协同"
    r"|no combination (?:shows|has|gives|produces)(?: any)? positive synerg"
    r"|(?:all|every) (?P<pair>pair)?\w*\s*(?:combinations? )?(?:shows?|has|have|are|is)"
    r" negative(?:ly)? synerg",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"[>＞]|→|->|泛化|generali[sz]|\bgap\b|差距|提升|高于|\bvs\b|higher|above|[（(]\s*[+\-−]",
    re.IGNORECASE,
)
_OFF = re.compile(
    r"(?:无|不(?:用|使用|含)|没有|去掉|移除|\bno|\bwithout|\bw/o|[-−])\s*$", re.IGNORECASE
)
_SIGNIFICANT = 4


def check_comparisons(found: Sequence[Statement], names: Names, ledger: Ledger) -> None:
    """Check what is said of all combinations, all metrics, and of two splits."""
    for statement in found:
        _splits(statement, names.world, ledger)
        _labelled(statement, names, ledger)
        if measured(statement):
            _exception(statement, names.world, ledger)
            _everything(statement, names.world, ledger)
            _single(statement, names, ledger)
            _synergy(statement, names, ledger)


def _exception(statement: Statement, world: World, ledger: Ledger) -> None:
    """`78.8, higher than any pair (except X of 78.0)`: no exception, where 78.8 is higher."""
    match = _EXCEPT.search(statement.text)
    metric = statement.scores[0].metric if len(statement.scores) == 1 else None
    before = [n for n in statement.numbers if match and n.end <= match.start()]
    after = [n for n in statement.numbers if match and n.start >= match.end()]
    if metric is None or len(before) != 1 or len(after) != 1:
        return
    a, b = before[0], after[0]
    quantity = statement.scores[0]
    for number in (a, b):
        if not any(
            world.fit(number, m, quantity, number.unit) == "rounded"
            for v in world.cells
            for m in world.means(v, quantity)
        ):
            return
    if metric.better(float(a.value), float(b.value)):
        ledger.accuse(
            statement.place(b.start),
            "wrong",
            "exception",
            Text(
                f"no exception: {a.text} is better than {b.text}, too",
                f"并非例外：{a.text} 也优于 {b.text}",
            ),
        )


def _everything(statement: Statement, world: World, ledger: Ledger) -> None:
    """`the baseline is better than X on everything`."""
    match = _EVERY.search(statement.text)
    if match is None:
        return
    before = [m for m in statement.mentions if m.end <= match.start()]
    after = [m for m in statement.mentions if m.start >= match.start()]
    if len(before) != 1 or len(after) != 1 or lexicon.SUBSET.search(statement.text):
        return
    a, b = before[0].variant, after[0].variant
    lost: list[str] = []
    won = 0
    for quantity in world.quantities:
        va, vb = world.mean(a, quantity), world.mean(b, quantity)
        if quantity.metric is None or va is None or vb is None:
            continue
        won += quantity.metric.better(va, vb)
        if quantity.metric.better(vb, va):
            metric = quantity.metric
            lost.append(f"{metric.label} {metric.text(vb)} : {metric.text(va)}")
    ledger.superlatives.add(statement.place())
    if lost:
        ledger.accuse(
            statement.place(match.start()),
            "partly" if won else "wrong",
            "universal",
            Text(
                f"{b} is better than {a} on {', '.join(lost)}",
                f"{b} 在以下指标上优于 {a}：{'，'.join(lost)}",
            ),
        )


def _grids(names: Names) -> tuple[list[str], list[str]]:
    """The configurations of one module alone, and all with more than one."""
    alone = [v for v in (names.world.combination([m]) for m in names.world.switches) if v]
    many = [
        v
        for v, c in names.world.cells.items()
        if sum(c.levels.get(n) == on for n, (_, on) in names.world.switches.items()) > 1
    ]
    return alone, many


def _single(statement: Statement, names: Names, ledger: Ledger) -> None:
    """`the only single module that exceeds every combination`."""
    match = _SINGLE.search(statement.text)
    alone, many = _grids(names)
    if match is None or not alone or not many:
        return
    world = names.world
    true: list[str] = []
    false: list[str] = []
    for quantity in statement.scores or world.quantities:
        metric = quantity.metric
        if metric is None:
            continue
        best = _best(world, quantity, metric, alone)
        rival = _best(world, quantity, metric, many)
        if best is None or rival is None:
            continue
        if metric.better(best[1], rival[1]):
            true.append(metric.label)
        else:
            one, other = metric.text(rival[1]), metric.text(best[1])
            false.append(f"{metric.label}: {rival[0]} {one}, {best[0]} {other}")
    _partly(statement, match.start(), (true, false), ledger)


def _best(
    world: World, quantity: Quantity, metric: Metric, of: Sequence[str]
) -> tuple[str, float] | None:
    known = [(v, m) for v in of if (m := world.mean(v, quantity)) is not None]
    if not known:
        return None
    return (max if metric.direction == "up" else min)(known, key=lambda k: k[1])


def _partly(
    statement: Statement, start: int, of: tuple[Sequence[str], Sequence[str]], ledger: Ledger
) -> None:
    true, false = of
    ledger.superlatives.add(statement.place())
    if false:
        ledger.accuse(
            statement.place(start),
            "partly" if true else "wrong",
            "universal",
            Text(
                (f"true of {', '.join(true)}; " if true else "") + f"not of {'; '.join(false)}",
                (f"对 {'、'.join(true)} 成立；" if true else "")
                + f"对以下不成立：{'；'.join(false)}",
            ),
        )


def _synergy(statement: Statement, names: Names, ledger: Ledger) -> None:
    """`no combination shows positive synergy`, by departure from the sum of the modules."""
    match = _NO_SYNERGY.search(statement.text)
    if match is None:
        return
    world = names.world
    pairs = any(match.group(g) for g in ("two", "pair"))
    true: list[str] = []
    false: list[str] = []
    for quantity in statement.scores or world.quantities:
        metric = quantity.metric
        found = []
        for variant in world.cells if metric else ():
            parts = parts_of(world, variant, quantity)
            actual = world.mean(variant, quantity)
            if parts and actual is not None and (len(parts[1]) == 2 or not pairs):  # noqa: PLR2004
                found.append((variant, round(actual - parts[0] - sum(parts[1].values()), 9)))
        if metric is None or not found:
            continue
        against = [(v, d) for v, d in found if (d > 0 if metric.direction == "up" else d < 0)]
        if against:
            false.append(
                f"{metric.label}: {', '.join(f'{v} {metric.difference(d)}' for v, d in against)}"
            )
        else:
            true.append(metric.label)
    _partly(statement, match.start(), (true, false), ledger)


def _splits(statement: Statement, world: World, ledger: Ledger) -> None:
    """A score of the test set set against one of the validation set."""
    test = re.search(lexicon.SPLITS["test"], statement.text, re.IGNORECASE)
    val = re.search(lexicon.SPLITS["val"], statement.text, re.IGNORECASE)
    if test is None or val is None or not _BETWEEN.search(statement.text):
        return
    by_name = {q.name.lower(): q for q in world.quantities if q.metric is not None}
    for name, quantity in by_name.items():
        other = by_name.get(f"test_{name}")
        for variant in world.cells if other is not None else ():
            a, b = world.mean(variant, quantity), world.mean(variant, other) if other else None
            if a is None or b is None or not a:
                continue
            for number in statement.numbers:
                rel = 100 * (b - a) / abs(a)
                shown = number.unit == "%" and abs(float(number.value) - rel) <= float(number.half)
                both = world.fit(number, b, other or quantity, "") == "rounded" and any(
                    world.fit(n, a, quantity, "") == "rounded" for n in statement.numbers
                )
                if shown or both:
                    ledger.trace(statement.place(number.start))
                    ledger.accuse(
                        statement.place(),
                        "mislabelled",
                        "split",
                        Text(
                            "a score of the test set beside one of the validation set:"
                            " the data differ, so that their difference is no gain",
                            "测试集与验证集的分数来自不同数据：二者之差不是提升",
                        ),
                    )
                    return


def _labelled(statement: Statement, names: Names, ledger: Ledger) -> None:
    """A score under a label that names a module which its run has not."""
    world = names.world
    for index, number in enumerate(statement.numbers):
        told = number.digits >= _SIGNIFICANT and number.unit in {"", "%"}
        if number.signed or number.loose or not told:
            continue
        start = statement.numbers[index - 1].end if index else 0
        label = statement.text[start : number.start]
        holders = [
            (v, q)
            for q in world.quantities
            if q.metric is not None
            for v in world.cells
            for m in (*world.means(v, q), *world.runs(v, q))
            if world.fit(number, m, q, number.unit) == "rounded"
        ]
        if len(set(holders)) != 1 or index:
            continue
        variant = holders[0][0]
        cell = world.cells[variant]
        for name, (factor, on) in names.world.switches.items():
            for match in names.module(factor).finditer(label):
                absent = _OFF.search(label[: match.start()]) is not None
                if not absent and cell.levels.get(name) != on:
                    ledger.trace(statement.place(number.start))
                    ledger.accuse(
                        statement.place(number.start),
                        "mislabelled",
                        "labels",
                        Text(
                            f"{number.text} is stored of {variant}, in which {name} is off",
                            f"记录中 {number.text} 属于 {variant}，其中 {name} 未启用",
                        ),
                    )
