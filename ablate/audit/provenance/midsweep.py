"""W131: something changed while the study ran."""

from collections.abc import Iterator

from ablate.audit.check import Check, Hit, Text
from ablate.audit.evidence import Evidence
from ablate.audit.provenance.appearing import changes
from ablate.audit.provenance.shift import shifts


def _look(evidence: Evidence) -> Iterator[Hit]:
    yield from changes(evidence)
    yield from shifts(evidence)


CHECKS = (
    Check(
        code="W131",
        severity="warning",
        family="provenance",
        title=Text("a change in mid-sweep", "研究进行中途发生改变"),
        why=Text(
            "Runs before and after a change of the program are not of one study. In order of their"
            " beginnings, three things show one: settings that all runs from some on have and none"
            " before has (or the other way round), unless a switch explains it; a setting that has"
            " one value up to some run and another from it on, within a configuration too; and"
            " scores that shift. The shift is looked for in the primary metric after the means of"
            " configurations and seeds are taken out, at every place with three runs on both"
            " sides, by a t test with Bonferroni over the places at 0.002.",
            "程序改变前后的运行不属于同一项研究。按开始时间排序，有三种迹象：某些设置自某次运行起"
            "全部出现而此前全无（或相反），且不能由开关解释；某项设置在同一配置内自某次运行起换为"
            "另一个值；得分发生整体偏移。偏移在主指标上检验：先去除配置与种子的均值，对两侧各至少"
            "三次运行的每个位置作 t 检验，按位置数作 Bonferroni 校正，水平为 0.002。",
        ),
        settle=Text(
            "Train the earlier runs again with the present program.",
            "用当前程序重新训练较早的运行。",
        ),
        look=_look,
    ),
)
