"""Scores that are no number, and curves that hold none at some step."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.evidence import Evidence
from ablate.audit.told import compared, labels, shown
from ablate.record import Record

NAMED = 3
"""Runs, and steps of a run, that a sentence names."""


class Lost(NamedTuple):
    """The steps of one run's curve that are NaN and that are infinite; -1 for a score of none."""

    record: Record
    nan: tuple[int, ...]
    inf: tuple[int, ...]


def _of_scores(evidence: Evidence) -> Iterator[Hit]:
    """The metrics that are no number in some runs, those of the same runs together."""
    alike: dict[tuple[object, ...], list[str]] = {}
    of: dict[str, list[Lost]] = {}
    for metric in evidence.study.metrics:
        runs = [lost for r in evidence.completed if (lost := _score(evidence, r, metric.name))]
        absent = len(runs) == len(evidence.completed) and metric.name != evidence.study.primary
        if runs and not absent:
            of[metric.name] = runs
            where = tuple((lost.record.key, lost.nan, lost.inf) for lost in runs)
            alike.setdefault(where, []).append(metric.name)
    told = labels(evidence)
    for names in alike.values():
        runs = of[names[0]]
        what = _said([evidence.study.metric(n).label for n in names], runs, told)
        left = _left(evidence, names[0], runs)
        yield Hit(
            Text(f"{what.en}: {left.en}", f"{what.zh}：{left.zh}"),
            shown(evidence, runs[0].record),
            names[0],
            tuple(lost.record.key for lost in runs),
        )


def _score(evidence: Evidence, record: Record, metric: str) -> Lost | None:
    """The run, where its score is no number, or is not there since none of its curve is one."""
    score = record.scores.get(metric)
    if score is None:
        curves = evidence.curves.get(record.key, {})
        values = {
            s: v
            for (split, n), c in curves.items()
            if n == metric and split != "train"
            for s, v in c.items()
        }
        if not values or any(map(math.isfinite, values.values())):
            return None
        at = max(values)
        value = values[at]
    elif math.isfinite(score.value):
        return None
    else:
        at, value = -1 if score.step is None else score.step, score.value
    return Lost(record, (at,), ()) if math.isnan(value) else Lost(record, (), (at,))


def _left(evidence: Evidence, metric: str, runs: Sequence[Lost]) -> Text:
    """Of how many runs the means are that these runs are not in."""
    gone = {lost.record.variant for lost in runs}
    cells = [(c.variant, c.summary(metric).n, len(c.completed)) for c in evidence.cells]
    some_left = [of for of in cells if of[0] in gone and of[1]]
    none_left = some([v for v, n, _ in cells if v in gone and not n])
    en, zh = [], []
    if some_left:
        counts = some([f"{v} {n} of {many}" for v, n, many in some_left])
        counts_zh = some([f"{v} {many} 次中的 {n} 次" for v, n, many in some_left])
        en.append(f"means are of the other runs alone ({counts.en})")
        zh.append(f"均值只含其余运行（{counts_zh.zh}）")
    if none_left.en:
        en.append(f"there is no mean of {none_left.en}")
        zh.append(f"{none_left.zh} 没有均值")
    return Text("; ".join(en), "；".join(zh))


def _of_numbers(evidence: Evidence) -> Iterator[Hit]:
    return _look(evidence, lambda name: "grad" not in name.lower())


def _of_gradients(evidence: Evidence) -> Iterator[Hit]:
    return _look(evidence, lambda name: "grad" in name.lower())


def _look(evidence: Evidence, asked: Callable[[str], bool]) -> Iterator[Hit]:
    """The curves, of the names asked for, that are no number somewhere."""
    found: dict[tuple[str, str], list[Lost]] = {}
    for record in evidence.completed:
        for at, curve in evidence.curves.get(record.key, {}).items():
            if asked(at[1]) and not math.isfinite(sum(curve.values())):
                _add(found, at, record, curve)
    names = [name for _, name in found]
    told = labels(evidence)
    of: dict[str, list[Lost]] = {}
    alike: dict[tuple[object, ...], list[str]] = {}
    for (split, name), runs in sorted(found.items()):
        if not _concerns(evidence, split, name):
            continue
        where = tuple((lost.record.key, lost.nan, lost.inf) for lost in runs)
        subject = name if names.count(name) == 1 else f"{split}.{name}"
        alike.setdefault(where, []).append(subject)
        of[subject] = runs
    for subjects in alike.values():
        runs, subject = of[subjects[0]], subjects[0]
        variants = list(dict.fromkeys(lost.record.variant for lost in runs))
        yield Hit(
            _said(subjects, runs, told),
            compared(evidence, *variants[:NAMED])
            if len(variants) > 1
            else f"{shown(evidence, runs[0].record)} --json",
            subject,
            tuple(lost.record.key for lost in runs),
        )


def _concerns(evidence: Evidence, split: str, name: str) -> bool:
    """Whether a curve is of training or a metric, or not NaN throughout, as of an absent class."""
    if split == "train" or name in {m.name for m in evidence.study.metrics}:
        return True
    curves = (evidence.curves.get(r.key, {}).get((split, name), {}) for r in evidence.completed)
    return not all(math.isnan(v) for curve in curves for v in curve.values())


def _add(
    found: dict[tuple[str, str], list[Lost]],
    at: tuple[str, str],
    record: Record,
    curve: Mapping[int, float],
) -> None:
    nan = tuple(sorted(s for s, v in curve.items() if math.isnan(v)))
    inf = tuple(sorted(s for s, v in curve.items() if math.isinf(v)))
    if nan or inf:
        found.setdefault(at, []).append(Lost(record, nan, inf))


def _said(subjects: Sequence[str], runs: Sequence[Lost], told: Mapping[str, str]) -> Text:
    parts, names, verb = [], some(subjects), "is" if len(subjects) == 1 else "are"
    for en, zh, steps in (
        ("NaN", " NaN", [(told[r.record.key], r.nan) for r in runs if r.nan]),
        ("infinite", "无穷大", [(told[r.record.key], r.inf) for r in runs if r.inf]),
    ):
        if steps:
            where = _where(steps)
            space = " " if where.zh[-1].isascii() else ""
            parts.append(Text(f"{en} in {where.en}", f"在 {where.zh}{space}为{zh}"))
    return Text(
        f"{names.en} {verb} {', and '.join(p.en for p in parts)}",
        f"{names.zh} {'；'.join(p.zh for p in parts)}",
    )


def _where(runs: Sequence[tuple[str, Sequence[int]]]) -> Text:
    en, zh = [], []
    for name, steps in runs[:NAMED]:
        first, more = ", ".join(map(str, steps[:NAMED])), len(steps) - NAMED
        word = "step" if len(steps) == 1 else "steps"
        rest = f" and {more} more" if more > 0 else ""
        at = "" if steps[0] < 0 else f" ({word} {first}{rest})"
        en.append(f"{name}{at}")
        rest = f"等 {len(steps)} 步" if more > 0 else ""
        zh.append(name if steps[0] < 0 else f"{name}（第 {first} 步{rest}）")
    more = len(runs) - NAMED
    if more > 0:
        en.append(f"{more} more runs")
        zh.append(f"另 {more} 次运行")
    return Text(" and ".join([", ".join(en[:-1]), en[-1]] if en[:-1] else en), "、".join(zh))


E152 = Check(
    "E152",
    "error",
    "measurement",
    Text("a score that is no number", "分数为 NaN 或无穷大"),
    Text(
        "A run that ended with NaN or infinity as its score is a result, and often the worst one:"
        " a mean can only leave it out, and then says what the configuration does where it does"
        " not fail. One finding per metric, or for all metrics of which it is the same: the"
        " completed runs whose selected score is no number, or that have none since no value of"
        " its curve is one, with how many runs each mean is of. A metric other than the primary"
        " one that is no number in every run, as the score of a class that a set has not, is"
        " passed over.",
        "以 NaN 或无穷大为分数结束的运行也是结果，而且常常是最差的："
        "均值只能略去它，于是说的只是该配置未失败时的表现。"
        "每个指标一项（情形相同的指标合为一项）：所选分数不是有限数值、"
        "或因整条曲线都不是有限数值而没有分数的已完成运行，以及各均值实际含几次运行。"
        "主指标之外、在所有运行中都不是有限数值的指标（如数据集中不存在的类别的分数）不计。",
    ),
    Text(
        "Find why the run diverged and train it again, or report how many runs of the"
        " configuration fail",
        "查明该次运行发散的原因并重新训练，或报告该配置有几次运行失败",
    ),
    _of_scores,
)
W152 = Check(
    "W152",
    "warning",
    "measurement",
    Text("NaN or infinity in a curve", "曲线中有 NaN 或无穷大"),
    Text(
        "One finding per curve, or for all curves of which it is the same: the completed runs in"
        " which it is not a number or infinite, and where. A mean over runs leaves such values out,"
        " and the run went on with whatever it did to its weights. Gradient norms are N152. Curves"
        " beside training and metrics that are NaN at every step of every run, as"
        " scores of classes that a set has not, are passed over.",
        "每条曲线一项（情形相同的曲线合为一项）：哪些已完成的运行在哪些步上为 NaN 或无穷大。"
        "多次运行的均值不含这些值，而训练带着其后果继续。"
        "梯度范数见 N152。"
        "训练曲线与各指标之外、在所有运行的每一步都为 NaN 的曲线"
        "（如数据集中不存在的类别的分数）不计。",
    ),
    Text(
        "Look at the run around that step; clip or scale what overflows, and train it again",
        "查看该步前后的运行；对溢出的量做裁剪或缩放后重新训练",
    ),
    _of_numbers,
)
N152 = Check(
    "N152",
    "note",
    "measurement",
    Text("a gradient norm that is NaN or infinite", "梯度范数为 NaN 或无穷大"),
    Text(
        "As W152, of curves whose name has `grad`. Under automatic mixed precision a step whose"
        " gradients overflow is skipped, and leaves such a norm without harm: compare how often"
        " each run has one.",
        "同 W152，但只涉及名称含 `grad` 的曲线。"
        "自动混合精度会跳过梯度溢出的步，留下这样的范数而并无损害：请比较各次运行出现的次数。",
    ),
    Text(
        "Look at the loss around that step: where it is finite, the step was skipped",
        "查看该步前后的损失：若为有限值，则该步被跳过",
    ),
    _of_gradients,
)
CHECKS = (E152, W152, N152)
