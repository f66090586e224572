"""Metrics that count items of a test set, and winners that lead by one of them."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from ablate.analysis.items import sampled
from ablate.audit.check import Check, Hit, Text
from ablate.audit.evidence import Evidence
from ablate.audit.told import decimals, half
from ablate.metric import Metric
from ablate.record import Record

QUERIES = "data query (ids, images, cameras)"
"""The fact of a run whose second number is how many queries it was scored on."""
CHANCE = 1e-4
"""How likely numbers that are no counts may be to look like counts."""
EXACTLY = 1e-6
PLACES = 6
"""Decimals beyond which a number was not rounded by who printed it."""


class Lead(NamedTuple):
    """The winner and the runner-up of a metric, and how many items lie between their means."""

    metric: Metric
    first: Sequence[Record]
    second: Sequence[Record]
    means: tuple[float, float]
    items: float


def _look(evidence: Evidence) -> Iterator[Hit]:
    size, query = _size(evidence)
    if not size:
        return
    for metric in evidence.study.metrics:
        lead = _lead(evidence, metric, size)
        if lead is None or not _counts(evidence, metric, size):
            continue
        single = len(lead.first) == len(lead.second) == 1
        items = round(lead.items) if single else lead.items
        if EXACTLY < items <= 1 and (query or _scored_on(evidence, lead, size)):
            yield _hit(lead, _words(items, size, query=query, single=single))


def _words(items: float, size: int, *, query: bool, single: bool) -> Text:
    if query:
        one, many, zh = "query", "queries", "个查询"
    else:
        one, many, zh = "item", "items", "个条目"
    if single:
        return Text(f"one {one} of {size:,}", f"{size:,} {zh}中的 1 个")
    return Text(
        f"{items:.2f} of {size:,} {many} on average", f"平均 {items:.2f} {zh}（共 {size:,}）"
    )


def _hit(lead: Lead, said: Text) -> Hit:
    one, two = lead.first[0].variant, lead.second[0].variant
    a, b = (lead.metric.text(v) for v in lead.means)
    label = lead.metric.label
    return Hit(
        Text(
            f"{label}: {one} leads {two} by {said.en} ({a} against {b})",
            f"{label}：{one} 领先 {two} 仅 {said.zh}（{a} 对 {b}）",
        ),
        Text(
            f"more seeds of {one} and {two}, or a larger test set",
            f"为 {one} 与 {two} 增加种子，或用更大的测试集",
        ),
        lead.metric.name,
        tuple(r.key for r in (*lead.first, *lead.second)),
    )


def _size(evidence: Evidence) -> tuple[int, bool]:
    """How many items every run was scored on, and whether these are queries; 0 if unknown."""
    if not evidence.completed:
        return 0, False
    told = {r.attempt.provenance.get(QUERIES, "") if r.attempt else "" for r in evidence.completed}
    if told != {""}:
        parts = next(iter(told)).split(", ")
        known = len(told) == 1 and len(parts) > 1 and parts[1].isdigit()
        return (int(parts[1]) if known else 0), True
    first = _items(evidence, evidence.completed[0])
    return (len(first) if sampled(sorted(first)) else 0), False


def _items(evidence: Evidence, record: Record) -> set[str]:
    return {i.item for i in evidence.items(record.key)}


def _scored_on(evidence: Evidence, lead: Lead, size: int) -> bool:
    return all(len(_items(evidence, r)) == size for r in (*lead.first, *lead.second))


def _lead(evidence: Evidence, metric: Metric, size: int) -> Lead | None:
    means = {c.variant: c.summary(metric.name).mean for c in evidence.cells}
    sign = 1 if metric.direction == "up" else -1
    order = sorted((v for v in means if means[v] == means[v]), key=lambda v: -sign * means[v])
    if len(order) < 2:  # noqa: PLR2004 - a winner needs a runner-up
        return None
    runs = {c.variant: c.completed for c in evidence.cells}
    first, second = order[:2]
    gap = abs(means[first] - means[second]) * size
    return Lead(metric, runs[first], runs[second], (means[first], means[second]), gap)


def _counts(evidence: Evidence, metric: Metric, size: int) -> bool:
    """Whether every value of the metric, times the number of items, is whole as far as printed."""
    scores = [r.scores[metric.name] for r in evidence.completed if metric.name in r.scores]
    splits = {s.split for s in scores}
    curves = (
        curve.values()
        for r in evidence.completed
        for (split, name), curve in evidence.curves.get(r.key, {}).items()
        if name == metric.name and split in splits
    )
    values = {v for v in chain((s.value for s in scores), *curves) if 0 < v < 1}
    places = decimals(values)
    rounded = places is not None and places <= PLACES
    slack = half(places) * size * 1.001 if rounded else EXACTLY
    # of the numbers that can be printed, the share that is next to a count
    share = min(1.0, (size + 1) / 10.0**places) if rounded and places is not None else 2 * slack
    return share ** len(values) < CHANCE and all(
        abs(v * size - round(v * size)) <= slack for v in values
    )


CHECK = Check(
    "W151",
    "warning",
    "measurement",
    Text("the winner leads by one item of the test set", "胜者只领先测试集中的一个条目"),
    Text(
        "The metric counts items of a test set of known size: every value that was logged, times"
        " the number of items, is whole within half of its last printed digit, which numbers"
        " that are no counts would be once in 10,000 studies. The size is that of the recorded"
        " data (query images) or the number of items that were scored. It is said where the best"
        " mean leads the next by one item or less.",
        "该指标是对已知大小测试集的计数：记录的每个值乘以条目数，"
        "在末位半个单位内都是整数（非计数的数值碰巧如此的机会不到万分之一）。"
        "大小取自记录的数据（查询图像数）或逐条评分的条目数。"
        "最高均值比次高者至多多一个条目时给出此项。",
    ),
    Text(
        "More seeds of the two configurations, or a larger test set",
        "为这两个配置增加种子，或用更大的测试集",
    ),
    _look,
)
