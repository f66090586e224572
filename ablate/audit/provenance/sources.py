"""N132 and N133: numbers that are not of the real data, and numbers without their curves."""

from collections.abc import Iterator

from ablate.audit.check import Check, Hit, Text
from ablate.audit.evidence import Evidence
from ablate.audit.told import variants


def _standin(evidence: Evidence) -> Iterator[Hit]:
    study = evidence.study
    if not study.standin:
        return
    name = study.data.removeprefix("standin:").partition(":")[0]
    yield Hit(
        Text(
            f"the data are a stand-in ({name}), not those that the system is for:"
            " the scores say nothing about the real data",
            f"数据是替代数据（{name}），并非该系统的真实数据：得分不能说明在真实数据上的表现",
        ),
        Text(
            f"where {study.system} knows real data: name them ([data] root in {evidence.file}, or"
            " --data) and run it again",
            f"若 {study.system} 有真实数据：用 {evidence.file} 中的 [data] root 或 --data"
            " 指明其位置，再重新运行",
        ),
    )


def _curveless(evidence: Evidence) -> Iterator[Hit]:
    brought = [r for r in evidence.completed if r.source.startswith("import") and r.scores]
    bare = [r for r in brought if not evidence.curves.get(r.key)] if brought else []
    if not bare:
        return
    if len(bare) == len(brought):
        of = Text(f"all {len(bare)} imported runs have", f"全部 {len(bare)} 次导入的运行都")
        if len(bare) == 1:
            of = Text("the only imported run has", "唯一一次导入的运行")
    else:
        names = variants(bare)
        verb = "have" if len(bare) > 1 else "has"
        of = Text(
            f"{len(bare)} of {len(brought)} imported runs ({names.en}) {verb}",
            f"{len(brought)} 次导入的运行中有 {len(bare)} 次（{names.zh}）",
        )
    yield Hit(
        Text(
            f"{of.en} no curves: by which rule the numbers were selected,"
            " and whether training had settled, they alone do not show",
            f"{of.zh}没有曲线：数值按何种规则选取、训练是否已收敛，仅凭它们无从得知",
        ),
        Text(
            "import the logs of the same runs instead of the table",
            "改为导入同一批运行的日志，而不是表格",
        ),
        keys=tuple(r.key for r in bare),
    )


CHECKS = (
    Check(
        code="N132",
        severity="note",
        family="provenance",
        title=Text("stand-in data", "替代数据"),
        why=Text(
            "A system may bring small made-up data, so that a study can be tried without its data"
            " set. Such scores show that the study runs, not what its modules do on real data.",
            "系统可自带小型人造数据，以便在没有数据集时试跑研究。这样的得分只说明研究能够运行，"
            "不能说明模块在真实数据上的作用。",
        ),
        settle=Text("Run it on the real data.", "在真实数据上运行。"),
        look=_standin,
        planned=True,
    ),
    Check(
        code="N133",
        severity="note",
        family="provenance",
        title=Text("imported numbers without curves", "导入的数值没有曲线"),
        why=Text(
            "Numbers from a table stand alone: which step they are of, what the other steps"
            " scored, and whether the curve was flat is not known. Counted are completed imported"
            " runs with scores and without any curve.",
            "来自表格的数值是孤立的：不知道属于哪一步、其他步得分如何、曲线是否已平。"
            "此处统计已完成、有得分而没有任何曲线的导入运行。",
        ),
        settle=Text(
            "Import the logs of the same runs instead of the table.",
            "改为导入同一批运行的日志，而不是表格。",
        ),
        look=_curveless,
    ),
)
