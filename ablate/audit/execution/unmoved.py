"""Settings that changed nothing: they never arrived, or nothing reads them."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from ablate.audit.check import Check, Hit, Text
from ablate.audit.evidence import Evidence
from ablate.audit.execution.alike import alike
from ablate.audit.execution.resolved import unread
from ablate.record import Record
from ablate.study import Level


def _unmoved(evidence: Evidence) -> Iterator[Hit]:
    """Factors two of whose levels gave one run, all else equal."""
    pairs: dict[str, list[tuple[Record, Record]]] = {}
    at = sorted(evidence.completed, key=lambda r: r.seed)
    for _, of in groupby(at, key=lambda r: r.seed):
        for same in alike(evidence, of):
            for factor, a, b in _one_apart(same):
                if not _explained(evidence, factor, a, b):
                    pairs.setdefault(factor, []).append((a, b))
    for factor, found in pairs.items():
        a, b = found[0]
        levels = [_text(r.levels[factor]) for r in (a, b)]
        more = len(found) - 1
        and_more = f" (and {more} more pair{'s' if more > 1 else ''})" if more else ""
        also = f"（另有 {more} 对）" if more else ""
        yield Hit(
            Text(
                f"{a.variant} and {b.variant} are identical to the last digit at seed {a.seed}"
                f"{and_more}, though {factor} is {levels[0]} in one and {levels[1]} in the other:"
                " it may never have arrived",
                f"{a.variant} 与 {b.variant} 在种子 {a.seed} 下逐位相同{also}，"
                f"而 {factor} 分别为 {levels[0]} 与 {levels[1]}：该设置可能从未传到训练",
            ),
            f"ablate show {a.key[:8]}",
            factor,
            tuple(dict.fromkeys(r.key for pair in found for r in pair)),
        )


def _one_apart(same: Sequence[Record]) -> Iterator[tuple[str, Record, Record]]:
    """The pairs of runs that differ in the level of one factor, which stands at its reference once.

    Two levels off the reference are told by what they share but for this factor.
    """
    whole = {frozenset(r.changed.items()): r for r in same}
    seen: dict[tuple[str, frozenset[tuple[str, Level]]], Record] = {}
    for changed, record in whole.items():
        for factor, level in record.changed.items():
            rest = changed - {(factor, level)}
            other = whole.get(rest) or seen.get((factor, rest))
            if other is not None:
                yield factor, record, other
            seen.setdefault((factor, rest), record)


def _explained(evidence: Evidence, factor: str, a: Record, b: Record) -> bool:
    """Whether it is known what became of it.

    Other parameters show that it arrived; the training told that it never read it (W141); or a
    module of its is in no output.
    """
    if any(factor in unread(r) for r in (a, b)):
        return True
    params = [r.costs["params"] for r in (a, b) if "params" in r.costs]
    if len({c.value for c in params}) > 1 and len({c.counter for c in params}) == 1:
        return True
    inert = evidence.inert.get(a.variant, frozenset()) | evidence.inert.get(b.variant, frozenset())
    return bool(inert & {factor, *_needed(evidence, factor)})


def _needed(evidence: Evidence, factor: str) -> Iterator[str]:
    by_name = {f.name: f for f in evidence.study.factors}
    wanted = by_name[factor].requires if factor in by_name else None
    while wanted is not None and wanted in by_name:
        yield wanted
        wanted = by_name[wanted].requires


def _text(level: Level) -> str:
    return str(level).lower() if isinstance(level, bool) else str(level)


UNMOVED: tuple[Check, ...] = (
    Check(
        "W140",
        "warning",
        "execution",
        Text("A setting that changed nothing", "没有改变任何结果的设置"),
        Text(
            "Two runs at one seed whose configurations differ in one factor have equal scores, and"
            " equal curves of every score and loss, to the last digit: the override never arrived,"
            " or the training does not use it. Not said where the parameters differ, or where it is"
            " explained: never read by the training (W141), its module not in the output (W204).",
            "同一种子下只差一个因素的两次运行，其分数以及每条分数和损失曲线都逐位相同："
            "设置没有传到，或训练没有用到它。若参数量不同，"
            "或训练从未读取它（W141）、其模块不在输出中（W204）足以解释，则不报告。",
        ),
        Text(
            "Compare the configurations that the two runs resolved.",
            "比较两次运行最终解析出的配置。",
        ),
        _unmoved,
    ),
)
