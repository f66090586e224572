"""Superlatives: the highest, the best, the largest drop, held against every record in scope."""

import re
from collections.abc import Iterable, Mapping, Sequence

from ablate.audit.check import Text
from ablate.lint import lexicon
from ablate.lint.ledger import Ledger, Place
from ablate.lint.names import Names
from ablate.lint.numbers import Number
from ablate.lint.statements import Statement, measured
from ablate.lint.sums import parts_of
from ablate.lint.world import Quantity, World
from ablate.metric import Metric, rounded

SUPERLATIVE = re.compile(
    r"最(?:高|佳|好|优|大|小|少|低|差|强|严重)|\b(?:best|worst|highest|lowest|largest|smallest"
    r"|biggest|greatest|fewest)\b",
    re.IGNORECASE,
)
_ALL = re.compile(
    r"(?:所有|全部)的?(?:实验|配置|结果|运行)"
    r"|(?:of|in|over|across|among)\s+(?:all|every)"
    r"(?:\s+(?:of\s+)?(?:the\s+)?(?:runs?|experiments?|configurations?|results|trials|variants)\b"
    r"(?!\s+(?:with|that|which|of|at|in|under|using|for)\b)"
    r"|\s*(?:[.,;:)]|$))",
    re.IGNORECASE,
)
_HIGH = re.compile(r"最高|\bhighest\b|\bmaximum\b", re.IGNORECASE)
_LOW = re.compile(r"最低|\blowest\b|\bminimum\b", re.IGNORECASE)
_BEST = re.compile(r"最佳|最好|最优|\bbest\b", re.IGNORECASE)
_HAS = re.compile(
    r"\s+(?:has|achieves|reaches|gets|attains|obtains)\s+the\s+(?P<most>highest|lowest|best)\s+",
    re.IGNORECASE,
)
_DROP = re.compile(
    r"最大的?(?:性能)?(?:下降|降幅|损失|退化)|(?:largest|biggest|greatest|worst)\s+(?:\w+\s+)?"
    r"(?:drop|decrease|decline|loss|fall)",
    re.IGNORECASE,
)
_GAIN = re.compile(
    r"最大的?(?:性能)?(?:提升|增益|增幅|改进)|(?:largest|biggest|greatest)\s+(?:\w+\s+)?"
    r"(?:gain|increase|improvement|rise)",
    re.IGNORECASE,
)
OF_COST = re.compile(r"性价比|\bcost|\bvalue for|efficien", re.IGNORECASE)
_LEAST = re.compile(
    r"(?:最少|最低|最小)的?(?:参数|复杂度|计算量)|(?:参数|复杂度|计算量)(?:量)?(?:最少|最低|最小)"
    r"|(?:fewest|least|smallest number of)\s+(?:parameters|params)|least complex",
    re.IGNORECASE,
)
_EXTREME_SYNERGY = re.compile(
    r"(?:负|正)?协同[^|]{0,99}最大|(?:largest|strongest) (?:negative |positive )?synergy"
    r"|synergy[^|]{0,99}at most",
    re.IGNORECASE,
)
_AMONG = re.compile(r"\bamong\b|\bof (?:the|those|these)\b|当中|之中|其中", re.IGNORECASE)
_OPERATIONS = re.compile(r"计算量|FLOPs|operations", re.IGNORECASE)


def check_superlatives(found: Sequence[Statement], names: Names, ledger: Ledger) -> None:
    """Check the superlatives of sentences whose metric and scope are named."""
    for statement in found:
        if measured(statement) and not lexicon.SUBSET.search(statement.text):
            _extreme(statement, names.world, ledger)
            _change(statement, names.world, ledger)
            _least(statement, names, ledger)
            _departure(statement, names.world, ledger)


def _extreme(statement: Statement, world: World, ledger: Ledger) -> None:
    """`mAP: 76.0 (the highest of all experiments)`."""
    text = statement.text
    plain = [n for n in statement.numbers if not n.signed and not n.loose and n.decimals]
    if not _ALL.search(text) or len(statement.scores) != 1:
        return
    if _DROP.search(text) or _GAIN.search(text) or OF_COST.search(text):
        return
    if not statement.numbers:
        _owner(statement, statement.scores[0], world, ledger)
    if len(plain) != 1:
        return
    quantity, number = statement.scores[0], plain[0]
    metric = quantity.metric
    high, low = _HIGH.search(text), _LOW.search(text)
    if metric is None or not (high or low or _BEST.search(text)) or (high and low):
        return
    up = bool(high) or (not low and metric.direction == "up")
    means = means_of(world, quantity, world.cells)
    if not any(world.fit(number, v, quantity, number.unit) == "rounded" for v in means.values()):
        return
    top, value = top_of(means, up=up)
    ledger.superlatives.add(statement.place())
    if world.fit(number, value, quantity, number.unit) == "rounded":
        return
    shown = metric.text(value)
    word = Text("higher", "更高") if up else Text("lower", "更低")
    ledger.accuse(
        statement.place(number.start),
        "wrong",
        "superlative",
        Text(
            f"{metric.label} of {top} is {word.en}: {shown}",
            f"{top} 的 {metric.label} {word.zh}：{shown}",
        ),
    )


def _owner(statement: Statement, quantity: Quantity, world: World, ledger: Ledger) -> None:
    """`The full model has the highest mAP of all runs`, without the number."""
    match = _HAS.search(statement.text)
    owners = [m for m in statement.mentions if match and m.end == match.start() and not m.weak]
    metric, means = quantity.metric, means_of(world, quantity, world.cells)
    if match is None or metric is None or len(statement.mentions) != 1 or not owners:
        return
    own = means.get(owners[0].variant)
    scored = [n for n in statement.named if n.start == match.end() and n.quantity == quantity]
    if own is None or not scored:
        return
    word = match["most"].lower()
    up = word == "highest" or (word == "best" and metric.direction == "up")
    top, value = top_of(means, up=up)
    ledger.superlatives.add(statement.place())
    if value == own:
        return
    shown, said = metric.text(value), metric.text(own)
    ledger.accuse(
        statement.place(match.start("most")),
        "wrong",
        "superlative",
        Text(
            f"{metric.label} of {top} is {shown}, of {owners[0].variant} {said}",
            f"{top} 的 {metric.label} 为 {shown}，{owners[0].variant} 为 {said}",
        ),
    )


def _change(statement: Statement, world: World, ledger: Ledger) -> None:
    """`the largest drop of all experiments`, of the difference named here or just before."""
    drop, gain = _DROP.search(statement.text), _GAIN.search(statement.text)
    if not (drop or gain) or not _ALL.search(statement.text):
        return
    of = _spoken(statement)
    if of is None:
        return
    number, quantity, place = of
    metric = quantity.metric
    if metric is None:
        return
    better = 1 if metric.direction == "up" else -1
    wanted = -better if drop else better
    changes = {
        (a, b): vb - va
        for a, b in _from_anchors(world)
        if (va := world.mean(a, quantity)) is not None
        and (vb := world.mean(b, quantity)) is not None
    }
    if not changes:
        return
    (a, b), value = max(changes.items(), key=lambda c: wanted * c[1])
    ledger.superlatives.add(statement.place())
    said = abs(number.value)
    sizes = {abs(rounded(metric.shown(v), number.decimals)) for v in changes.values()}
    size = abs(rounded(metric.shown(value), number.decimals))
    if wanted * value <= 0 or size <= said or said not in sizes:
        return
    unit = _points(metric)
    shown = metric.difference(value)
    ledger.accuse(
        place,
        "wrong",
        "superlative",
        Text(
            f"a larger one is in the records: {b} minus {a} is {shown}{unit.en} of {metric.label}",
            f"记录中有更大的：{b} 减 {a} 的 {metric.label} 为 {shown}{unit.zh}",
        ),
    )


def _points(metric: Metric) -> Text:
    """The unit of a metric's differences."""
    return Text(" points", " 个百分点") if metric.unit else Text("", "")


def _from_anchors(world: World) -> Iterable[tuple[str, str]]:
    """Pairs that one factor tells apart, from its reference level to another."""
    for factor, of in world.sweeps:
        reference = world.study.factor(factor).reference
        if reference in of:
            yield from ((of[reference], v) for level, v in of.items() if level != reference)


def _spoken(statement: Statement) -> tuple[Number, Quantity, Place] | None:
    """The one difference that a superlative is said of, with its one metric."""
    place = statement.place()
    near: Statement | None = statement
    for _ in range(2):
        if near is None:
            return None
        signed = [
            n for n in near.numbers if n.signed or (n.unit in {"%", "points"} and "(" in near.text)
        ]
        changed = [n for n in signed if n.signed] or _worded(near)
        if changed:
            one = len(changed) == 1 and len(near.scores) == 1
            return (changed[0], near.scores[0], place) if one else None
        near = near.above
    return None


def _worded(statement: Statement) -> list[Number]:
    """Numbers after a word of rise or fall."""
    word = re.compile(
        r"(?:下降|降低|提升|上升|drop\w*|gain\w*|fall\w*|r[io]se)(?:\s*(?:of|by))?\s*$",
        re.IGNORECASE,
    )
    return [n for n in statement.numbers if word.search(statement.text[: n.start])]


def _least(statement: Statement, names: Names, ledger: Ledger) -> None:
    """`X ... with the fewest parameters`."""
    world, match = names.world, _LEAST.search(statement.text)
    if match is None or _AMONG.search(statement.text):
        return
    named = statement.strong() or list(
        dict.fromkeys(m.variant for m in names.configurations(statement.heading) if not m.weak)
    )
    wanted = "ops" if _OPERATIONS.search(match[0]) else "params"
    quantity = next((q for q in world.quantities if q.name == wanted), None)
    own = world.mean(named[0], quantity) if quantity and len(named) == 1 else None
    if own is None or quantity is None:
        return
    ledger.superlatives.add(statement.place())
    means = means_of(world, quantity, world.cells)
    fewer = {v: m for v, m in means.items() if m < own}
    if fewer:
        lowest, least = top_of(fewer, up=False)
        ledger.accuse(
            statement.place(match.start()),
            "wrong",
            "superlative",
            Text(
                f"{lowest} has fewer {quantity.label} than {named[0]}: {least:,.0f} and {own:,.0f}",
                f"{lowest} 的 {quantity.label} 少于 {named[0]}：{least:,.0f} 对 {own:,.0f}",
            ),
        )


def _departure(statement: Statement, world: World, ledger: Ledger) -> None:
    """`synergy (at most -5.0)`, where a combination departs from the sum of its modules by more."""
    match = _EXTREME_SYNERGY.search(statement.text)
    numbers = [n for n in statement.numbers if match and match.start() < n.start and n.signed]
    quantity = next(
        (q for q in world.quantities if q.name == world.study.primary),
        None,
    )
    of = statement.scores[:1] or ((quantity,) if quantity else ())
    if not numbers or not of or of[0].metric is None:
        return
    number, metric = numbers[0], of[0].metric
    apart: dict[str, float] = {}
    for variant in world.cells:
        parts, actual = parts_of(world, variant, of[0]), world.mean(variant, of[0])
        if parts and actual is not None:
            apart[variant] = actual - parts[0] - sum(parts[1].values())
    if not apart:
        return
    name, value = top_of(apart, up=number.value > 0)
    unit = _points(metric)
    ledger.superlatives.add(statement.place())
    if abs(rounded(metric.shown(value), number.decimals)) > abs(number.value):
        ledger.accuse(
            statement.place(number.start),
            "wrong",
            "superlative",
            Text(
                f"{name} departs from the sum of its modules by {metric.difference(value)}"
                f"{unit.en} of {metric.label}: further than {number.text}",
                f"{name} 的 {metric.label} 与各模块之和相差 {metric.difference(value)}{unit.zh}，"
                f"幅度大于 {number.text}",
            ),
        )


def means_of(world: World, quantity: Quantity, of: Iterable[str]) -> dict[str, float]:
    """The mean of each configuration that has one."""
    known = {v: world.mean(v, quantity) for v in of}
    return {v: m for v, m in known.items() if m is not None}


def top_of(means: Mapping[str, float], *, up: bool) -> tuple[str, float]:
    """The highest, or the lowest, with its configuration."""
    name = (max if up else min)(means, key=lambda v: means[v])
    return name, means[name]
