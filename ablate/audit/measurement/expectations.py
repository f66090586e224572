"""What a study expected of its curves, and did not see."""

from collections.abc import Iterator, Sequence

from ablate import study
from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.evidence import Evidence
from ablate.audit.told import labels, shown
from ablate.selection import Curves


def _look(evidence: Evidence) -> Iterator[Hit]:
    """One hit per broken check.

    A check names a metric, as `metric` or `split.metric`, and a step; a trial that logged
    nothing there is left out. The subject is its place in the study file.
    """
    names = labels(evidence) if evidence.study.checks else {}
    for place, check in enumerate(evidence.study.checks, start=1):
        broke = [
            (record, value)
            for record in evidence.completed
            for value in _values(check, evidence.curves.get(record.key, {}))
            if not _holds(check, value)
        ]
        if broke:
            yield Hit(
                _said(check, [f"{names[r.key]} ({value:.4g})" for r, value in broke]),
                f"{shown(evidence, broke[0][0])} --json",
                f"{place}",
                tuple(record.key for record, _ in broke),
            )


def _values(check: study.Check, curves: Curves) -> Iterator[float]:
    split, _, name = check.metric.rpartition(".")
    for (at, metric), curve in sorted(curves.items()):
        if metric == name and split in {"", at} and check.step in curve:
            yield curve[check.step]
            return


def _holds(check: study.Check, value: float) -> bool:
    # written so that a NaN holds no bound
    above = check.min is None or value >= check.min
    return above and (check.max is None or value <= check.max)


def _said(check: study.Check, broke: Sequence[str]) -> Text:
    bounds = [
        (f"{word} {bound:g}", f"{zh} {bound:g}")
        for word, zh, bound in (("at least", "至少", check.min), ("at most", "至多", check.max))
        if bound is not None
    ]
    runs = some(broke)
    return Text(
        f"the study expects {check.metric} of {' and '.join(b for b, _ in bounds)} at step"
        f" {check.step}; broken by {runs.en}",
        f"研究要求第 {check.step} 步的 {check.metric} {'且'.join(b for _, b in bounds)}；"
        f"未满足：{runs.zh}",
    )


CHECK = Check(
    "W250",
    "warning",
    "measurement",
    Text("a check of the study broke", "研究自设的检查未通过"),
    Text(
        "The study file states a bound for a curve at a step ([[checks]]), and a completed run has"
        " a value beyond it there; NaN holds no bound.",
        "研究文件为某曲线在某一步设定了界限（[[checks]]），"
        "而某次已完成的运行在该步超出；NaN 视为不满足。",
    ),
    Text(
        "Look at the run; train it again once the cause is known, or correct the bound",
        "查看该运行；查明原因后重新训练，或更正界限",
    ),
    _look,
)
