"""How many runs each configuration has: one is no replicate, unequal numbers weigh unequally."""

from collections.abc import Iterable, Iterator, Sequence

from ablate.analysis.cells import Cell
from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.design.measured import elsewhere
from ablate.audit.evidence import Evidence
from ablate.audit.told import how_many
from ablate.record import State

_FEW = 5
_COMING = {State.PENDING, State.RUNNING}


def one_run(evidence: Evidence) -> Iterator[Hit]:
    """W101: more than half of the configurations have, and will have, a single run."""
    cells = [c for c in evidence.cells if _counted(c)]
    single = [c for c in cells if len(_counted(c)) == 1]
    if not single or 2 * len(single) <= len(cells):
        return
    many, every = len(single), len(cells)
    planned = not evidence.completed
    has, hat = ("will have", "将只有") if planned else ("has", "只有")
    each = "each" if many > 1 else "the only configuration"
    en = f"each of the {many} configurations {has} one run"
    zh = f"{many} 个配置每个{hat}一次运行"
    if many == 1:
        en, zh = f"{each} {has} one run", f"唯一的配置{hat}一次运行"
    if many < every:
        have = "will have" if planned else "have"
        en, zh = (
            f"{many} of {every} configurations {have} one run",
            f"{every} 个配置中有 {many} 个{hat}一次运行",
        )
    yield Hit(Text(en, zh), more_seeds(evidence), keys=_keys(single))


def more_seeds(evidence: Evidence) -> str | Text:
    """The command that makes replicates, five or twice as many; or how they come to results."""
    if replayable(evidence):
        first = min(evidence.study.seeds)
        count = max(_FEW, 2 * len(evidence.study.seeds))
        return f"ablate run {evidence.file} --seeds {first}-{first + count - 1}"
    return brought(evidence, Text("further seeds", "更多种子"))


def seeds_needed(evidence: Evidence) -> str:
    """The command that says how many seeds would tell a gain, by the noise that is known."""
    return f"ablate plan {evidence.study.name} --power"


def brought(evidence: Evidence, what: Text) -> Text:
    """How runs of the original program come to a study of results, in words.

    Where these lie is not known here: a record has the name of its file or folder only.
    """
    source = min(r.source.removeprefix("import ") for r in evidence.records if r.source)
    option = f"--study {evidence.study.name}"
    return Text(
        f"train {what.en} with the original program, then import them beside {source} ({option})",
        f"用原程序训练{what.zh}，再与 {source} 一并导入（{option}）",
    )


def replayable(evidence: Evidence) -> bool:
    """Whether `ablate run` can train its configurations: there is a study file for them."""
    return not elsewhere(evidence) or bool(evidence.study.text)


def unbalanced(evidence: Evidence) -> Iterator[Hit]:
    """W102: configurations with different numbers of runs, or of seeds that a pairing needs."""
    coming = any(r.state in _COMING for r in evidence.records)
    seeds = {c.variant: _asked(c) if coming else _counted(c) for c in evidence.cells}
    cells = [c for c in evidence.cells if seeds[c.variant]]
    if not cells:
        return
    runs = {c.variant: len(seeds[c.variant]) for c in cells}
    fewest, most = min(runs.values()), max(runs.values())
    if fewest < most and len({len(c.records) for c in cells}) == 1:
        return  # trials that ended without a result make the difference: W103 names them
    rerun = more_seeds(evidence)
    if replayable(evidence):
        every = _range(seed for c in cells for seed in seeds[c.variant])
        rerun = f"ablate run {evidence.file} --seeds {every}"
    if fewest < most:
        few = [v for v, n in runs.items() if n == fewest]
        many = [v for v, n in runs.items() if n == most]
        en = f"{how_many(fewest)} of {some(few).en}, {how_many(most)} of {some(many).en}"
        zh = f"{some(few).zh} 有 {fewest} 次运行，{some(many).zh} 有 {most} 次"
        if coming and evidence.completed:
            en, zh = f"{en}, those still to come among them", f"{zh}（含待运行者）"
        odd = [c for c in cells if runs[c.variant] < most]
        yield Hit(Text(en, zh), rerun, keys=_keys(odd))
        return
    if evidence.study.claims.paired:
        start = cells[0].variant
        other = [c.variant for c in cells if seeds[c.variant] != seeds[start]]
        if other:
            en = (
                f"the study pairs runs by seed, and the seeds of {some(other).en} are not those"
                f" of {start}"
            )
            zh = f"研究按种子配对，而 {some(other).zh} 的种子与 {start} 不同"
            yield Hit(Text(en, zh), rerun)


def _counted(cell: Cell) -> frozenset[int]:
    """The seeds that have a result, or may still get one."""
    return frozenset(
        r.seed for r in cell.records if r.state is State.COMPLETED or r.state in _COMING
    )


def _asked(cell: Cell) -> frozenset[int]:
    """The seeds of all of its trials, whatever became of them."""
    return frozenset(r.seed for r in cell.records)


def _range(seeds: Iterable[int]) -> str:
    """`0-4`, or `0,2,3` where some are left out."""
    every = sorted(set(seeds))
    whole = len(every) > 1 and every == list(range(every[0], every[-1] + 1))
    return f"{every[0]}-{every[-1]}" if whole else ",".join(map(str, every))


def _keys(cells: Sequence[Cell]) -> tuple[str, ...]:
    return tuple(r.key for c in cells for r in c.completed)


W101 = Check(
    "W101",
    "warning",
    "design",
    Text("one run per configuration", "每个配置只有一次运行"),
    Text(
        "Two runs of one configuration differ, by as much as many modules are said to gain. Where"
        " a configuration has one run, a difference between two of them holds both. It is said"
        " where more than half of the configurations have a single run and no other is to come.",
        "同一配置的两次运行也会不同，幅度可达许多模块所称的增益。只有一次运行时，两配置之差无法与随机波动区分。"
        "当过半配置只有一次运行且没有待运行的种子时给出此项。",
    ),
    Text("Run further seeds: five tell much more than three", "运行更多种子：五个远胜三个"),
    one_run,
    planned=True,
)
W102 = Check(
    "W102",
    "warning",
    "design",
    Text("seeds unbalanced", "各配置的种子数不一致"),
    Text(
        "A mean of three runs and one of a single run are not known equally well, and the best of"
        " configurations with fewer runs is more often best by luck. It is said where"
        " configurations have different numbers of runs, those still to come among them, or, in a"
        " study that pairs runs by seed, different seeds; not where trials that ended without a"
        " result are all that makes the difference (W103).",
        "三次运行的均值与单次结果的可靠程度不同，运行少的配置更容易因运气显得最好。"
        "当各配置的运行数（含待运行者）不一致，或在按种子配对的研究中种子不同时给出此项；"
        "若差别全由结束而无结果的试验造成（W103），则不报告。",
    ),
    Text("Run the seeds that are missing", "补齐缺少的种子"),
    unbalanced,
    planned=True,
)
