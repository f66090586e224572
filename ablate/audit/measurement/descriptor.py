"""Heads, and with them a wider descriptor, that come with a module."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.evidence import Evidence
from ablate.audit.measurement.parted import parting
from ablate.audit.told import how_many, variants
from ablate.record import HEADS, Record

_HEAD = re.compile(r"(\S+) (\d+) to (\d+)")


class Head(NamedTuple):
    """A head, how many values it takes, and how many it gives."""

    name: str
    takes: int
    gives: int


def _look(evidence: Evidence) -> Iterator[Hit]:
    yield from _printed(evidence)
    yield from _measured(evidence)


def _measured(evidence: Evidence) -> Iterator[Hit]:
    """Modules that train parameters beside those that are in the scored output."""
    for factor in evidence.study.factors:
        if len({c.levels.get(factor.name) for c in evidence.cells}) < 2:  # noqa: PLR2004 - no cell is without it
            continue
        having = [r for r in evidence.completed if _beside(r, factor.name) > 0]
        if having:
            where = variants(having)
            beside = max(_beside(r, factor.name) for r in having)
            yield Hit(
                Text(
                    f"{factor.name} trains {beside:,.0f} parameters that are not in the scored"
                    f" output, as a head of its own is ({where.en}): its effect includes theirs",
                    f"{factor.name} 训练了 {beside:,.0f} 个不在计分输出中的参数（如自带的分类头；"
                    f"{where.zh}）：其效应包含它们的作用",
                ),
                f"ablate plan {evidence.file} --probe",
                subject=factor.name,
                keys=tuple(r.key for r in having),
            )


def _beside(record: Record, factor: str) -> float:
    """How many trained parameters of a module in the scored output are, at least, not in it."""
    share = record.shares.get(factor, {})
    if not {"live_params", "trained_params"} <= share.keys():
        return 0
    live, trained = share["live_params"].value, share["trained_params"].value
    return trained - live if live else 0


def _printed(evidence: Evidence) -> Iterator[Hit]:
    """Networks that were printed with other heads."""
    found = {r.key: _heads(r) for r in evidence.completed}
    runs = [r for r in evidence.completed if found[r.key]]
    kinds: dict[tuple[Head, ...], list[Record]] = {}
    for record in runs:
        kinds.setdefault(found[record.key], []).append(record)
    if len(kinds) < 2:  # noqa: PLR2004 - one network has nothing more than another
        return
    fewest = min(kinds, key=lambda heads: (len(heads), sum(h.takes for h in heads)))
    for number, (heads, having) in enumerate(kinds.items()):
        if heads != fewest:
            where = parting(evidence, runs, {r.key for r in having})
            yield Hit(
                _said((heads, having), (fewest, kinds[fewest]), where or _named(having)),
                Text(
                    "score every run by the features that all of them have, or train the further"
                    " head without the module, too",
                    "所有运行只用共有的那部分特征评分，或另训练带该分类头而不带该模块的配置",
                ),
                subject=_subject(heads, fewest, number),
                keys=tuple(r.key for r in having),
            )


def _heads(record: Record) -> tuple[Head, ...]:
    provenance: Mapping[str, str] = record.attempt.provenance if record.attempt else {}
    told = (_HEAD.fullmatch(one) for one in provenance.get(HEADS, "").split(", "))
    return tuple(sorted(Head(m[1], int(m[2]), int(m[3])) for m in told if m))


def _named(records: Sequence[Record]) -> Text:
    named = variants(records)
    return Text(f"of {named.en}", named.zh)


def _subject(heads: Sequence[Head], fewest: Sequence[Head], number: int) -> str:
    names = {h.name for h in heads} - {h.name for h in fewest}
    return min(names) if names else f"network {number + 1}"


def _said(
    more: tuple[Sequence[Head], Sequence[Record]],
    fewer: tuple[Sequence[Head], Sequence[Record]],
    where: Text,
) -> Text:
    (heads, having), (fewest, others) = more, fewer
    takes, before = (sum(h.takes for h in of) for of in (heads, fewest))
    one, two = (_listed(of) for of in (heads, fewest))
    return Text(
        f"the {how_many(len(having))} {where.en} {_have(having)} {one.en}, {_others(others)}"
        f" {_have(others)} {two.en}: {takes:,} values enter the heads, not {before:,}",
        f"{where.zh} 的 {len(having)} 次运行有 {one.zh}，另 {len(others)} 次为 {two.zh}："
        f"进入分类头的特征为 {takes:,} 维而非 {before:,} 维",
    )


def _listed(heads: Sequence[Head]) -> Text:
    named = some([f"{h.name} ({h.takes:,})" for h in heads])
    return Text(f"{len(heads)} {'head' if len(heads) == 1 else 'heads'}, {named.en}", named.zh)


def _others(records: Sequence[Record]) -> str:
    return "1 other" if len(records) == 1 else f"{len(records)} others"


def _have(records: Sequence[Record]) -> str:
    return "has" if len(records) == 1 else "have"


CHECK = Check(
    "W125",
    "warning",
    "measurement",
    Text("a further head comes with a module", "模块另带分类头"),
    Text(
        "A module that brings a supervised head of its own changes more than itself: the head adds"
        " a loss, and its features may widen the descriptor that is scored. Its effect is then"
        " that of all these together. It is said where the networks that runs printed differ in"
        " their heads (linear layers named classifier, head, logits or fc at the top), with the"
        " values that enter them; and where a module that is in the scored output of some runs,"
        " and off in others, trains more parameters than it has in that output.",
        "若模块自带有监督的分类头，则改变的不只是模块本身：分类头增加一项损失，"
        "其特征还可能加宽用于评分的描述子，所测效应是三者之和。"
        "当各次运行打印的网络在分类头上不同时给出此项"
        "（顶层名为 classifier、head、logits 或 fc 的线性层），并指出进入分类头的特征维数；"
        "或当某模块在部分运行中参与计分输出、在其他运行中关闭，"
        "且其训练的参数多于其在计分输出中的参数时给出。",
    ),
    Text(
        "Runs with the head and without the module, or scores of the part of the descriptor that"
        " all runs have",
        "增加带该分类头但不带该模块的运行，或只用各次运行共有的那部分描述子评分",
    ),
    _look,
)
