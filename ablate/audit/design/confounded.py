"""Steps that change more than one thing at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ablate.analysis.cells import Cell
from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.design.measured import level_text, mean
from ablate.audit.design.remedies import free, settled_by, slug, study_of
from ablate.audit.design.steps import (
    Separations,
    Setting,
    Step,
    changed,
    read,
    separations,
    separations_of_all,
    settings_apart,
    steps,
)
from ablate.audit.evidence import Evidence
from ablate.metric import signed
from ablate.study import Level, settled

NAMED = 10
MANY = 12
"""Confounded steps beyond which they are counted in one finding."""


class _Confounded(NamedTuple):
    """A step with what changes in it; `bundled` where no run separates its factors."""

    step: Step
    heads: Mapping[str, Sequence[str]]
    bundled: bool
    beside: Sequence[Setting]


def look(evidence: Evidence) -> Iterator[Hit]:
    """W104: steps whose factors no configuration tells apart, or whose configurations differ."""
    apart = separations(evidence)
    everywhere: Separations | None = None
    factors = evidence.study.factors
    found: list[_Confounded] = []
    for step in steps(evidence):
        heads = changed(read(step.before), read(step.after), factors)
        bundled = len(heads) > 1 and not apart.holds(step)
        if bundled:
            everywhere = everywhere or separations_of_all(evidence)
            bundled = not everywhere.holds(step)
        # a search is counted: what else its configurations say is not asked
        beside = settings_apart(evidence, step, heads) if len(found) <= MANY else []
        if bundled or beside:
            found.append(_Confounded(step, heads, bundled, beside))
    if len(found) > MANY:
        yield _counted(evidence, [one.step for one in found])
        return
    for one in found:
        yield _hit(evidence, one)


def _counted(evidence: Evidence, found: Sequence[Step]) -> Hit:
    names = some([s.after.variant for s in found])
    return Hit(
        Text(
            f"{len(found)} configurations change several things at once against what they are"
            f" read against, and no run of the study separates these: {names.en}",
            f"{len(found)} 个配置相对其参照同时改变多项，且本研究没有运行将其分开：{names.zh}",
        ),
        f"ablate report {evidence.study.name} --kind roadmap",
        keys=_keys(s.after for s in found),
    )


def _hit(evidence: Evidence, of: _Confounded) -> Hit:
    step, heads, beside = of.step, of.heads, of.beside
    a, b = step.before.variant, step.after.variant
    sure = [*heads, *(s.key for s in beside if s.before is not None and s.after is not None)]
    unsure = [s for s in beside if s.before is None or s.after is None]
    named = some(sure, NAMED)
    en, zh = [], []
    if len(sure) > 1 and (of.bundled or len(sure) > len(heads)):
        en.append(f"changes {named.en} together, and no run of the study separates them")
        zh.append(f"同时改变 {named.zh}，本研究没有运行将其分开")
    else:
        en.append(f"changes {named.en}" if sure else "changes no factor")
        zh.append(f"改变 {named.zh}" if sure else "没有改变因素")
    if unsure:
        perhaps = _unsure(unsure, a, b)
        en.append(f"whether it also changes {perhaps.en} is not recorded")
        zh.append(f"{perhaps.zh} 是否随之改变没有记录")
    size = _size(evidence, step)
    near = Text(", the nearest before it,", "（在它之前最接近者）")
    near = near if step.inferred else Text("", " ")
    name = f"{evidence.study.name}-{slug(b)}"
    return Hit(
        Text(
            f"{b} against {a}{near.en} {'; '.join(en)}{size.en}",
            f"{b} 相对 {a}{near.zh}{'；'.join(zh)}{size.zh}",
        ),
        settled_by(evidence, ("W104", b, name), _runs(of)),
        b,
        _keys((step.before, step.after)),
        _remedy(evidence, step, heads, name),
    )


def _unsure(found: Sequence[Setting], a: str, b: str) -> Text:
    """Keys that one configuration lacks, with what the other says of them."""
    en, zh = [], []
    for lacking, sided in (
        (a, [s for s in found if s.before is None]),
        (b, [s for s in found if s.after is None]),
    ):
        if sided:
            # the value is that of the side which has the key
            said = some(
                [f"{s.key} ({s.after if s.before is None else s.before})" for s in sided], NAMED
            )
            en.append(f"{said.en}, absent from the configuration of {lacking},")
            zh.append(f"{said.zh}（{lacking} 的配置中没有）")
    return Text(" or ".join(en), "或 ".join(zh))


def _size(evidence: Evidence, step: Step) -> Text:
    """What the step is said to bring: the primary metric's difference, and that of parameters."""
    metric = evidence.study.metric(evidence.study.primary)
    before, after = mean(step.before, metric.name), mean(step.after, metric.name)
    if before is None or after is None:
        return Text("", "")
    percent = metric.display == "percent"
    delta = signed(metric.shown(after - before), max(metric.digits, 2 if percent else 0))
    en = [f"{metric.label} {delta}{' points' if percent else ''}"]
    zh = [f"{metric.label} {delta}{' 百分点' if percent else ''}"]
    if before > 0:
        share = signed(100 * (after - before) / before, 2)
        en.append(f"{share} % rel.")
        zh.append(f"相对 {share} %")
    params = [c.records[0].costs.get("params") for c in (step.before, step.after)]
    first, last = params
    if (
        first
        and last
        and first.counter == last.counter
        and first.value
        and first.value != last.value
    ):
        more = signed(100 * (last.value - first.value) / first.value, 2)
        en.append(f"params {more} %")
        zh.append(f"参数量 {more} %")
    return Text(f" ({', '.join(en)})", f"（{'，'.join(zh)}）")


def _runs(of: _Confounded) -> Text:
    """The runs that would separate what a step changes."""
    a, b, after = of.step.before.variant, of.step.after.variant, of.step.after.levels
    alone = [", ".join(level_text(n, after[n]) for n in names) for names in of.heads.values()]
    alone += [f"{s.key}={s.after}" for s in of.beside if s.after is not None]
    if len(alone) < 2:  # noqa: PLR2004 - one change is alone
        return Text(f"{a} and {b} with all else equal", f"其余设置相同的 {a} 与 {b}")
    each = "; ".join(alone)
    return Text(f"{a} with each change alone ({each})", f"单独做每项改变的 {a}（{each}）")


def _remedy(evidence: Evidence, step: Step, heads: Mapping[str, Sequence[str]], name: str) -> str:
    """Both ends and each change alone, by one program: what it sets beside them is then equal."""
    factors = evidence.study.factors
    before, after = dict(step.before.levels), dict(step.after.levels)
    arms: dict[str, Mapping[str, Level]] = {"before": before}
    if len(heads) > 1:
        for head, names in heads.items():
            levels = settled(before | {n: after[n] for n in names}, factors)
            arms[free(f"only-{head}", arms)] = levels
    arms["after"] = after
    why = f"What separates {step.after.variant} from {step.before.variant}: each change alone."
    return study_of(evidence, name, arms, why)


def _keys(cells: Iterable[Cell]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(r.key for c in cells for r in c.records))


W104 = Check(
    "W104",
    "warning",
    "design",
    Text("a step that changes more than one thing", "一步改变了多个因素"),
    Text(
        "Where two settings change together, what they bring cannot be given to either. Every"
        " configuration is compared with its parent; a run from elsewhere that names none, with"
        " the nearest earlier one. A switch and its own settings count as one change. It is said"
        " where no chain of configurations leads from one to the other by single changes, in the"
        " study or in another one of the same system, revision and data, and where"
        " the configurations that the runs resolved differ in more than the factors; a key that one"
        " of them lacks may have changed or not. A level that no run read (W141) is no change.",
        "两个设置同时改变时，增益无法归于其中任何一个。每个配置与其父配置比较；外来运行没有父配置时，与最接近的较早配置比较。"
        "开关及其自身设置算一次改变。当本研究及系统、版本、数据相同的其他研究中都没有由单一改变组成的配置链，"
        "或运行所解析的配置除因素外还有差异时给出此项；"
        "某一方缺少的键可能改变，也可能没有。训练从未读取的取值（W141）不算改变。",
    ),
    Text(
        "Run each change alone: the remedy is such a study",
        "单独运行每项改变：补救方案即这样一项研究",
    ),
    look,
    planned=True,
)
