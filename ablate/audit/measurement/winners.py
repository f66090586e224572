"""Whether the winner is one of the rule that picks the step."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ablate.audit.check import Check, Hit, Text
from ablate.audit.evidence import Evidence
from ablate.audit.told import compared
from ablate.metric import Metric
from ablate.record import Record
from ablate.selection import LAST, Score

IN_FULL = 2


class Turned(NamedTuple):
    """A metric whose winner changes: the winners under the study's rule and under `last`."""

    metric: Metric
    best: str
    last: str
    best_value: float
    best_at_last: float
    last_value: float
    within: bool
    """Whether among the configurations of the grid only."""


def _of_primary(evidence: Evidence) -> Iterator[Hit]:
    return (h for h in _look(evidence, primary=True))


def _of_others(evidence: Evidence) -> Iterator[Hit]:
    return (h for h in _look(evidence, primary=False))


def _look(evidence: Evidence, *, primary: bool) -> Iterator[Hit]:
    """Where the winner changes: on the primary metric and perhaps others, or on others alone."""
    study = evidence.study
    if not study.selection.metric:
        return
    ends = {r.key: _ends(evidence, r) for r in evidence.completed}
    cells = [c for c in evidence.cells if c.completed and all(ends[r.key] for r in c.completed)]
    records = {c.variant: c.completed for c in cells}
    grid = {c.variant: c.completed for c in cells if c.role == "grid"}
    mixed = 0 < len(grid) < len(cells)
    found = [
        _turned(m, grid, ends, within=mixed) or _turned(m, records, ends) for m in study.metrics
    ]
    told = sorted((t for t in found if t), key=lambda t: t.metric.name != study.primary)
    if told and (told[0].metric.name == study.primary) is primary:
        names = dict.fromkeys(n for t in told[:IN_FULL] for n in (t.best, t.last))
        yield Hit(
            _said(told, str(study.selection)),
            f"{compared(evidence, *names)} --select last",
            keys=tuple(r.key for n in names for r in records[n]),
        )


def _ends(evidence: Evidence, record: Record) -> Mapping[str, Score]:
    """The scores at the end of a run that is scored by the study's rule; else nothing."""
    curves = evidence.curves.get(record.key, {})
    rule = str(evidence.study.selection)
    if not curves or any(s.selection != rule for s in record.scores.values()):
        return {}
    return LAST.apply(curves, evidence.study.directions)


def _turned(
    metric: Metric,
    cells: Mapping[str, Sequence[Record]],
    ends: Mapping[str, Mapping[str, Score]],
    *,
    within: bool = False,
) -> Turned | None:
    best, last = {}, {}
    for variant, records in cells.items():
        pairs = [
            (r.scores[metric.name].value, ends[r.key][metric.name].value)
            for r in records
            if metric.name in r.scores and metric.name in ends[r.key]
        ]
        if pairs and len(pairs) == len(records):
            best[variant], last[variant] = (
                sum(side) / len(pairs) for side in zip(*pairs, strict=True)
            )
    order, then = _order(metric, best), _order(metric, last)[:1]
    if len(order) < 2 or metric.text(best[order[0]]) == metric.text(best[order[1]]):  # noqa: PLR2004 - a winner needs a loser
        return None
    first, now = order[0], then[0] if then else order[0]
    if metric.text(last[first]) == metric.text(last[now]):
        return None
    return Turned(metric, first, now, best[first], last[first], last[now], within)


def _order(metric: Metric, means: Mapping[str, float]) -> list[str]:
    """The configurations with a finite mean, the best first."""
    sign = 1 if metric.direction == "up" else -1
    return sorted((v for v in means if math.isfinite(means[v])), key=lambda v: -sign * means[v])


def _said(told: Sequence[Turned], rule: str) -> Text:
    en, zh = [], []
    scope, scope_zh = (" of the grid", "网格中的") if told[0].within else ("", "")
    for t in told[:IN_FULL]:
        m = t.metric
        then, now, before = m.text(t.last_value), m.text(t.best_at_last), m.text(t.best_value)
        at, at_zh = (" of all", "（全部配置中）") if scope and not t.within else ("", "")
        en.append(f"{m.label}{at}: {t.last} {then}, not {t.best} {now} ({before} under {rule})")
        zh.append(
            f"{m.label}{at_zh} 为 {t.last} {then} 而非 {t.best} {now}（按 {rule} 为 {before}）"
        )
    rest = [t.metric.label for t in told[IN_FULL:]]
    also = f"; others on {' and '.join(rest)}, too" if rest else ""
    also_zh = f"；{'、'.join(rest)} 的最佳配置也不同" if rest else ""
    return Text(
        f"by the last step another configuration{scope} wins on {'; on '.join(en)}{also}",
        f"按末步取值，{scope_zh}最佳配置换了：{'；'.join(zh)}{also_zh}",
    )


_SETTLE = Text(
    "More seeds of the two configurations; or a rule that is fixed before the results are seen",
    "为这两个配置增加种子；或在看到结果之前固定选步规则",
)

W121 = Check(
    "W121",
    "warning",
    "measurement",
    Text("best and last step disagree about the winner", "最佳步与末步得出不同的最佳配置"),
    Text(
        "The winner of a metric is the configuration with the best mean over its runs. It is said"
        " where the winner of the primary metric under the study's own rule is behind another one"
        " under `last`, as printed, among the configurations of the grid or, if it is not there,"
        " among all. Which of the two is called best is then a choice of the rule.",
        "某指标的最佳配置是其各次运行均值最好的配置。"
        "若按研究自身规则的主指标最佳配置按 `last` 落后于另一个（以印出的数值为准），则给出此项"
        "（先在网格配置中比较，一致时再在全部配置中比较）："
        "谁最好取决于选步规则。",
    ),
    _SETTLE,
    _of_primary,
)
N121 = Check(
    "N121",
    "note",
    "measurement",
    Text(
        "best and last step disagree about the winner of another metric",
        "最佳步与末步在其他指标上得出不同的最佳配置",
    ),
    Text(
        "As W121, of the other metrics, where the winner of the primary one is the same by both"
        " rules: a step that is chosen by one metric is any step to another.",
        "同 W121，但只涉及主指标之外的指标，而主指标的最佳配置按两种规则相同："
        "按一个指标选出的步，对另一个指标只是任意一步。",
    ),
    _SETTLE,
    _of_others,
)
CHECKS = (W121, N121)
