"""What a study asks for and has no result of: trials, combinations, arms, runs left out."""

from collections.abc import Iterator, Sequence
from itertools import product

from ablate.analysis.cells import Cell
from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.design.measured import elsewhere
from ablate.audit.design.seeds import brought, replayable
from ablate.audit.evidence import Evidence
from ablate.design.names import cell_name
from ablate.record import LEFT_OUT, RERUN, Record, State

MOST = 6
"""Switches up to which results from elsewhere may imply all their combinations."""
_STATES = {
    State.FAILED: "失败",
    State.CRASHED: "崩溃",
    State.TIMEOUT: "超时",
    State.CANCELLED: "取消",
    State.INCOMPLETE: "不完整",
    State.RUNNING: "运行中",
}


def missing(evidence: Evidence) -> Iterator[Hit]:
    """W103: trials without a result, combinations that no run has, and runs left out."""
    yield from _ended(evidence)
    if evidence.completed:
        yield from _waiting(evidence)
        yield from _combinations(evidence)
    yield from _left_out(evidence)


def _ended(evidence: Evidence) -> Iterator[Hit]:
    lost = [r for r in evidence.records if r.state.ended and r.state is not State.COMPLETED]
    if not lost:
        return
    en = some([f"{r.variant} s{r.seed} ({r.state})" for r in lost]).en
    zh = some([f"{r.variant} s{r.seed}（{_STATES[r.state]}）" for r in lost]).zh
    of = len(evidence.records)
    retry = " --retry-failed" if any(r.state not in RERUN for r in lost) else ""
    command = f"ablate run {evidence.file}{retry}"
    if not replayable(evidence):
        command = f"ablate show {lost[0].key}"
    have = "has" if len(lost) == 1 else "have"
    yield Hit(
        Text(
            f"{len(lost)} of {of} trials {have} ended without a result: {en}",
            f"{of} 次试验中有 {len(lost)} 次结束而没有结果：{zh}",
        ),
        command,
        "failed",
        _keys(lost),
    )


def _waiting(evidence: Evidence) -> Iterator[Hit]:
    lost = [r for r in evidence.records if not r.state.ended]
    if not lost:
        return
    names = [f"{r.variant} s{r.seed}" for r in lost]
    of, have = len(evidence.records), "has" if len(lost) == 1 else "have"
    yield Hit(
        Text(
            f"{len(lost)} of {of} trials {have} no result yet: {some(names).en}",
            f"{of} 次试验中有 {len(lost)} 次尚无结果：{some(names).zh}",
        ),
        f"ablate run {evidence.file}",
        "missing",
        _keys(lost),
    )


def _combinations(evidence: Evidence) -> Iterator[Hit]:
    """Of results from elsewhere: half of the switches' combinations are there, others are not."""
    on = evidence.study.on
    if evidence.study.text or not elsewhere(evidence) or not 2 <= len(on) <= MOST:  # noqa: PLR2004 - one switch has no combination
        return
    there = {_corner(c, evidence) for c in evidence.cells if c.completed}
    every = list(product((False, True), repeat=len(on)))
    gone = [_name(evidence, of) for of in every if of not in there]
    if gone and 2 * len(there) >= len(every):
        was = "was" if len(gone) == 1 else "were"
        listed = some(list(on), MOST)
        yield Hit(
            Text(
                f"of the {len(every)} combinations of {listed.en}, {len(gone)} {was} never run:"
                f" {some(gone).en}",
                f"{listed.zh} 的 {len(every)} 种组合中有 {len(gone)} 种从未运行：{some(gone).zh}",
            ),
            brought(evidence, Text("them", "这些组合")),
            "combinations",
        )


def _corner(cell: Cell, evidence: Evidence) -> tuple[bool, ...]:
    return tuple(cell.levels.get(m) == level for m, level in evidence.study.on.items())


def _name(evidence: Evidence, corner: Sequence[bool]) -> str:
    on = [m for m, is_on in zip(evidence.study.on, corner, strict=True) if is_on]
    return cell_name(evidence.study, on)


def _left_out(evidence: Evidence) -> Iterator[Hit]:
    said = {r.attempt.provenance.get(LEFT_OUT, "") for r in evidence.records if r.attempt}
    lines = list(dict.fromkeys(line for text in sorted(said) for line in text.splitlines()))
    named = [tuple(part.strip() for part in line.partition(":")[::2]) for line in lines]
    if named:
        en = some([f"{name} ({why})" if why else name for name, why in named]).en
        zh = some([f"{name}（{why}）" if why else name for name, why in named]).zh
        runs = "1 run is" if len(named) == 1 else f"{len(named)} runs are"
        yield Hit(
            Text(f"{runs} in no table: {en}", f"有 {len(named)} 次运行不在任何表中：{zh}"),
            f"ablate report {evidence.study.name}",
            "left out",
        )


def _keys(records: Sequence[Record]) -> tuple[str, ...]:
    return tuple(r.key for r in records)


W103 = Check(
    "W103",
    "warning",
    "design",
    Text("failed or missing cells", "失败或缺失的单元"),
    Text(
        "A table without the trials that failed shows the configurations that could be trained,"
        " and an effect needs every cell that it compares. It is said of trials that ended without"
        " a result; of those without one while others have theirs; of runs that an import left"
        f" out; and, where half of the combinations of up to {MOST} imported switches are there,"
        " of the others, whatever their other settings.",
        "去掉失败试验的表只显示能训练成功的配置，而每个效应都需要它所比较的全部单元。"
        "适用于：结束而无结果的试验；其他试验已有结果而它尚无结果者；导入时略去的运行；"
        f"以及当至多 {MOST} 个导入开关的组合已有一半时其余的组合（不论其他设置）。",
    ),
    Text(
        "Run what is missing; read why a trial failed with `ablate logs`",
        "补上缺失的运行；用 `ablate logs` 查看失败原因",
    ),
    missing,
)
