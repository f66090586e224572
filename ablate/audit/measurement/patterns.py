"""Runs of which several variants are scored, beside runs with one."""

from collections.abc import Iterator, Mapping, Sequence

from ablate.audit.check import Check, Hit, Text
from ablate.audit.evidence import Evidence
from ablate.audit.measurement.parted import parting
from ablate.audit.told import how_many, variants
from ablate.record import Record

_WORDS = ("no", "one", "two", "three", "four", "five", "six")


def _look(evidence: Evidence) -> Iterator[Hit]:
    primary = evidence.study.primary
    found = {r.key: _outputs(evidence, r) for r in evidence.completed if primary in r.scores}
    scored = {key: outputs for key, outputs in found.items() if outputs}
    runs = [r for r in evidence.completed if r.key in scored]
    fewest = min(map(len, scored.values()), default=0)
    having = [r for r in runs if len(scored[r.key]) > fewest]
    if having:
        best = sum(_counts_best(evidence, r, scored[r.key]) for r in having)
        numbers = len(having), len(runs) - len(having), best
        where = parting(evidence, runs, {r.key for r in having})
        most = {len(scored[r.key]) for r in having}
        yield Hit(
            _said(evidence, numbers, (most, fewest), where or _named(having)),
            Text(
                "decide before training which output counts, and score every run by that one",
                "在训练前确定以哪种输出为准，并只按它为所有运行评分",
            ),
            keys=tuple(r.key for r in having),
        )


def _named(records: Sequence[Record]) -> Text:
    named = variants(records)
    return Text(f"of {named.en}", named.zh)


def _outputs(evidence: Evidence, record: Record) -> Mapping[str, float]:
    """The primary score of each output of a run, by split, at the step that counts."""
    score = record.scores[evidence.study.primary]
    return {
        split: curve[score.step]
        for (split, name), curve in evidence.curves.get(record.key, {}).items()
        if name == score.metric
        and (split == score.split or split.startswith(f"{score.split}."))
        and score.step is not None
        and score.step in curve
    }


def _counts_best(evidence: Evidence, record: Record, scored: Mapping[str, float]) -> bool:
    metric = evidence.study.metric(evidence.study.primary)
    kept = record.scores[metric.name].value
    return not any(metric.better(value, kept) for value in scored.values())


def _said(
    evidence: Evidence, numbers: tuple[int, int, int], outputs: tuple[set[int], int], where: Text
) -> Text:
    label = evidence.study.metric(evidence.study.primary).label
    having, others, best = numbers
    many, few = (_range(outputs[0]), outputs[1])
    en = " to ".join(map(_word, many))
    return Text(
        f"{en} outputs are scored in the {how_many(having)} {where.en}, {_word(few)} in the other"
        f" {others}; the one that counts has the best {label} in {best} of the {having}",
        f"{where.zh} 的 {having} 次运行各对 {' 至 '.join(map(str, many))} 种输出评分，其余"
        f" {others} 次为 {few} 种；{having} 次中有 {best} 次所取的是 {label} 最好的一种",
    )


def _range(numbers: set[int]) -> list[int]:
    return sorted({min(numbers), max(numbers)})


def _word(number: int) -> str:
    return _WORDS[number] if number < len(_WORDS) else str(number)


CHECK = Check(
    "W123",
    "warning",
    "measurement",
    Text("several outputs of a run are scored, in some cells only", "仅部分单元对多种输出评分"),
    Text(
        "Where several outputs of one run are scored (splits such as `test.ori` beside `test`) and"
        " one of them counts, that one may be the best of several; a run with one output has no"
        " such choice. It is said where the runs of a study differ in how many they have of the"
        " primary metric, with how often the one that counts is no worse than any other at its"
        " step.",
        "若一次运行有多种输出被评分（如 `test` 之外还有 `test.ori`）而只取其一，"
        "所取的可能是几者中最好的；只有一种输出的运行没有这种选择。"
        "当各次运行主要指标的评分输出数不同时给出此项，"
        "并指出所取者在其所选步上不逊于其他输出的次数。",
    ),
    Text(
        "Decide before the runs which output counts, and compare runs by an output that all of"
        " them have",
        "在运行前确定以哪种输出为准，并用各次运行共有的输出作比较",
    ),
    _look,
)
