"""Whether the steps were chosen on the split that the scores are of."""

from collections.abc import Iterator

from ablate.audit.check import Check, Hit, Text
from ablate.audit.evidence import Evidence
from ablate.record import Record

TEST = "test"


def _look(evidence: Evidence) -> Iterator[Hit]:
    study, done = evidence.study, evidence.completed
    found = [r for r in done if _on_test(evidence, r)]
    rule, many = study.selection, len(found)
    if found:
        of, zh = f"{many} of {len(done)} runs", f"{len(done)} 次运行中有 {many} 次"
        if many == len(done):
            of = f"all {many} runs" if many > 1 else "the only run"
            zh = f"全部 {many} 次运行" if many > 1 else "唯一一次运行"
        yield Hit(
            Text(
                f"the best step of {of} was chosen on the test split ({rule}):"
                " the scores are optimistic",
                f"{zh}的最佳步是在测试集上选出的（{rule}）：分数偏高",
            ),
            f"ablate report {study.name} --select last",
            keys=tuple(r.key for r in found),
        )
    elif not done and rule.metric and rule.split == TEST:
        yield Hit(
            Text(
                f"the best step of every run will be chosen on the test split ({rule}):"
                " the scores will be optimistic",
                f"每次运行的最佳步将在测试集上选出（{rule}）：分数会偏高",
            ),
            Text(
                f'log a val split, or set select = "last" in {evidence.file}',
                f'记录验证集，或在 {evidence.file} 中设 select = "last"',
            ),
        )


def _on_test(evidence: Evidence, record: Record) -> bool:
    rule, curves = evidence.study.selection, evidence.curves.get(record.key, {})
    ruled = any(s.selection == str(rule) for s in record.scores.values())
    return ruled and rule.chosen_on(curves) == TEST


CHECK = Check(
    "W120",
    "warning",
    "measurement",
    Text("the best step was chosen on the test split", "最佳步在测试集上选出"),
    Text(
        "A run whose best step is looked up on the split that its score is of reports the largest"
        " of many noisy values: higher than another set would give, and the more so the more the"
        " curve wobbles. It is said where the selection rule of the study reads the test split in"
        " the curves of a run, because it names it or because no val split is logged; of numbers"
        " without curves nothing is known.",
        "若最佳步与分数取自同一测试集，报告的就是许多带噪声数值中的最大者："
        "换一个数据集得不到这么高，曲线波动越大偏差越大。"
        "当研究的选择规则在运行的曲线中读取测试集时给出此项"
        "（规则指明了测试集，或没有记录验证集）；没有曲线的数值无从判断。",
    ),
    Text(
        'Log a val split, or set select = "last" in the study file; `--select last` shows what'
        " that would say of the same runs",
        '记录验证集，或在研究文件中设 select = "last"；'
        "`--select last` 可显示同一批运行按末步的结果",
    ),
    _look,
    planned=True,
)
