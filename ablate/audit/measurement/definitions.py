"""Whether the scores beside each other are of one set, and were made in one way."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from ablate.audit.check import Check, Hit, Text
from ablate.audit.evidence import Evidence
from ablate.audit.told import compared, shown, variants
from ablate.metric import Metric
from ablate.record import External, Record
from ablate.study import Study


def _all_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WORDS = re.compile(r"[^a-z0-9]+")
SCORING = _all_of(
    "test testing eval evaluation val valid validation metric metrics evaluator inference"
    " postprocess postprocessing rerank reranking re_ranking nms score_thr score_threshold"
    " iou_threshold iou_thr"
)
"""Segments of a setting's key that say it belongs to the scoring."""
ELSEWHERE = _all_of(
    "period interval freq frequency every batch dir path root file folder workers num_workers"
    " threads device devices weight weights ckpt checkpoint log save patience samples_per_gpu"
    " workers_per_gpu output work_dir name start begin seed prefix step steps epoch epochs delay"
    " strategy port verbose loss losses train training optimizer learning"
)
"""Words of a key that say where, when or how fast is scored, or what is learnt: not what counts."""
SAME = 0.5
"""Of the last printed digit: scores that agree so are no two definitions."""


def _look(evidence: Evidence) -> Iterator[Hit]:
    yield from _splits(evidence)
    yield from _settings(evidence)
    yield from _externals(evidence)


def _splits(evidence: Evidence) -> Iterator[Hit]:
    """Scores of one metric that are of several sets."""
    told: set[frozenset[tuple[str, str]]] = set()
    for metric in evidence.study.metrics:
        of = {
            r.key: r.scores[metric.name].split
            for r in evidence.completed
            if metric.name in r.scores and r.scores[metric.name].split
        }
        counts = Counter(of.values())
        if len(counts) < 2 or frozenset(of.items()) in told:  # noqa: PLR2004 - two sets
            continue
        told.add(frozenset(of.items()))
        usual = counts.most_common(1)[0][0]
        odd = [r for r in evidence.completed if of.get(r.key, usual) != usual]
        names = variants(odd)
        shares = ", ".join(f"{n} on {s}" for s, n in counts.most_common())
        zh = "，".join(f"{s} {n} 次" for s, n in counts.most_common())
        yield Hit(
            Text(
                f"{metric.label} is not of one set: {shares} ({names.en})",
                f"{metric.label} 并非取自同一数据集：{zh}（{names.zh}）",
            ),
            shown(evidence, odd[0]),
            metric.name,
            tuple(r.key for r in odd),
        )


def _settings(evidence: Evidence) -> Iterator[Hit]:
    """Settings of the scoring that differ between runs although no factor is called so."""
    keys: set[str] = set().union(*evidence.settings.values()) if evidence.settings else set()
    asked = [key for key in sorted(keys) if _scoring(key) and not _named(key, evidence.study)]
    for key in asked:
        of: dict[str, list[Record]] = {}
        for record in evidence.completed:
            text = evidence.settings.get(record.key, {}).get(key)
            if text is not None:
                of.setdefault(_plain(text), []).append(record)
        if len(of) < 2:  # noqa: PLR2004 - two values differ
            continue
        order = sorted(of.items(), key=lambda one: (-len(one[1]), one[0]))
        (usual, common), (other, odd) = order[0], order[1]
        one, two = common[0].variant, odd[0].variant
        names = variants(odd)
        yield Hit(
            Text(
                f"{key} is {other} in {names.en} and {usual} elsewhere, and no factor names it:"
                " their scores may not be made in one way",
                f"{key} 在 {names.zh} 中为 {other}，其余为 {usual}，且不是任何因子："
                "两者的分数算法可能不同",
            ),
            compared(evidence, one, two) if one != two else f"{shown(evidence, odd[0])} --json",
            key,
            tuple(r.key for r in odd),
        )


def _plain(text: str) -> str:
    """A setting's text, numbers in one form: `1e-1` is `0.1`."""
    bare = text.strip().strip("'\"")
    try:
        return f"{float(bare):g}"
    except ValueError:
        return bare


def _scoring(key: str) -> bool:
    lowered = key.lower()
    words = _WORDS.split(lowered)
    said = {*words, *(f"{a}_{b}" for a, b in pairwise(words))}
    return bool(said & SCORING) and not said & ELSEWHERE


def _named(key: str, study: Study) -> bool:
    own = "".join(_WORDS.split(key.lower()))
    last = _WORDS.split(re.split(r"[./]", key.lower())[-1])
    names = ["".join(_WORDS.split(f.name.lower())) for f in study.factors]
    ends = [_WORDS.split(re.split(r"[./]", f.name.lower())[-1]) for f in study.factors]
    return own in names or last in ends


def _externals(evidence: Evidence) -> Iterator[Hit]:
    """Scores that were measured elsewhere, beside the study's own of the same metric."""
    for metric in evidence.study.metrics:
        name = metric.name
        found = [
            (r, of)
            for r in evidence.completed
            for e in r.externals
            if name in r.scores and (of := _like(metric, e)) and _apart(metric, r, of)
        ]
        if found:
            record, external = found[0]
            yield Hit(
                _beside(metric, record, external, len(found) - 1),
                shown(evidence, record),
                f"external.{name}",
                tuple(dict.fromkeys(r.key for r, _ in found)),
            )


def _like(metric: Metric, external: External) -> External | None:
    """An external score of the metric, also one that was called `test.F`; None of another one."""
    split, _, name = external.metric.rpartition(".")
    if name.lower() != metric.name.lower():
        return None
    return replace(external, metric=metric.name, split=external.split or split)


def _apart(metric: Metric, record: Record, external: External) -> bool:
    """Whether an external score is of another set, or another number of the same."""
    own = record.scores[metric.name]
    gap = abs(metric.shown(external.value) - metric.shown(own.value))
    return external.split != own.split or gap > SAME * 10.0**-metric.digits


def _beside(metric: Metric, record: Record, external: External, more: int) -> Text:
    own = record.scores[metric.name]
    there = f" on {external.split}" if external.split else ""
    here = f" on {own.split}" if own.split else ""
    there_zh = f"（{external.split}）" if external.split else ""
    here_zh = f"（{own.split}）" if own.split else ""
    if external.split != own.split:
        other = "another set and another scorer, so their difference says nothing of generalisation"
        zh = "数据集与评分程序都不同，其差不说明泛化能力"
    else:
        other, zh = "another scorer, so the two do not compare", "评分程序不同，两者不可比"
    rest = f" (and {more} more)" if more > 0 else ""
    return Text(
        f"{metric.label} {metric.text(external.value)}{there} of {record.variant} is by"
        f" {external.source}, {metric.text(own.value)}{here} by its own run{rest}: {other}",
        f"{record.variant} 的 {metric.label}：{external.source} 给出"
        f" {metric.text(external.value)}{there_zh}，自身运行为 {metric.text(own.value)}{here_zh}"
        f"{f'（另有 {more} 个）' if more > 0 else ''}：{zh}",
    )


CHECK = Check(
    "W124",
    "warning",
    "measurement",
    Text(
        "scores of different definition, split or aggregation", "分数的定义、数据集或聚合方式不同"
    ),
    Text(
        "A difference of two scores means something where both are of one set and made in one way."
        " It is said where the scores of one metric are of several splits; where a setting of the"
        " scoring (its key names test, evaluation, metric, re-ranking or a threshold) differs"
        " between runs and no factor is called so; and where a score that was recorded from"
        " elsewhere stands beside the run's own. Two programs rarely mean the same by one name: a"
        " macro F over each image and one over each batch of 32 are 0.683 and 0.660, or 0.653 and"
        " 0.556, on the same predictions.",
        "两个分数取自同一数据集且算法相同，其差才有意义。"
        "以下情形给出此项：同一指标的分数取自多个数据集；"
        "评分设置（键名含 test、eval、metric、重排序或阈值）在运行间不同而不是任何因子；"
        "记录的外部分数与运行自身的分数并列。"
        "不同程序对同一名称的定义常不相同：对同样的预测，"
        "逐图宏平均 F 与每批 32 张的宏平均 F 为 0.683 与 0.660，或 0.653 与 0.556。",
    ),
    Text(
        "Score both by one program on one set, and record the score of each",
        "用同一程序在同一数据集上为两者评分，并记录各自的分数",
    ),
    _look,
)
