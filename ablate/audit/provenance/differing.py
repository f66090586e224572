"""W130: runs that are read against each other and do not come from one program on one machine."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.evidence import Evidence
from ablate.audit.provenance.again import Values, committed, rarer, settling
from ablate.audit.provenance.origin import ORIGINS, Origin, origin, sources, uncommitted
from ablate.audit.provenance.when import beginnings, minute
from ablate.audit.told import how_many, variants
from ablate.record import Record

_FACTS = 2
_VALUES = 3
_ONE_KIND = Text(
    "compare times and memory of runs on machines of one kind only",
    "只在同型号机器的运行之间比较耗时与显存",
)
_NAMES: Mapping[Origin, Text] = {
    "code": Text("the code", "代码"),
    "libraries": Text("a library", "库"),
    "hardware": Text("the hardware", "硬件"),
    "data": Text("the data", "数据"),
}


def _warned(evidence: Evidence) -> Iterator[Hit]:
    yield from (hit for hit, harmless in _differing(evidence) if not harmless)
    yield from _dirty(evidence)


def _noted(evidence: Evidence) -> Iterator[Hit]:
    return (hit for hit, harmless in _differing(evidence) if harmless)


def _differing(evidence: Evidence) -> Iterator[tuple[Hit, bool]]:
    """What differs, and whether it is hardware that no step has on one side alone."""
    found: dict[Origin, dict[str, dict[str, list[Record]]]] = {kind: {} for kind in ORIGINS}
    for record in evidence.completed:
        for (kind, name), said in origin(record).items():
            found[kind].setdefault(name, {}).setdefault(said, []).append(record)
    found["code"] = {name: _by_sources(values) for name, values in found["code"].items()}
    times = beginnings(evidence.completed) if _any_differ(found.values()) else {}
    for kind, facts in found.items():
        differ = {name: _ranked(values) for name, values in facts.items() if len(values) > 1}
        if differ:
            apart = _apart(evidence, list(differ.values()))
            yield _hit(evidence, kind, (differ, apart), times), _harmless(kind, apart)


def _harmless(kind: Origin, apart: Sequence[tuple[str, str]]) -> bool:
    return kind == "hardware" and not apart


def _by_sources(values: Mapping[str, list[Record]]) -> dict[str, list[Record]]:
    """Versions of one code as one, where every run tells its sources: as the first is called."""
    if not all(sources(r) for runs in values.values() for r in runs):
        return dict(values)
    names: dict[str, str] = {}
    found: dict[str, list[Record]] = {}
    for value, runs in values.items():
        for record in runs:
            found.setdefault(names.setdefault(sources(record), value), []).append(record)
    return found


def _any_differ(groups: Iterable[Mapping[str, Mapping[str, object]]]) -> bool:
    return any(len(values) > 1 for facts in groups for values in facts.values())


def _ranked(values: Mapping[str, Sequence[Record]]) -> Values:
    return dict(sorted(values.items(), key=lambda item: -len(item[1])))


def _hit(
    evidence: Evidence,
    kind: Origin,
    found: tuple[Mapping[str, Values], Sequence[tuple[str, str]]],
    times: Mapping[str, datetime],
) -> Hit:
    differ, apart = found
    harmless = _harmless(kind, apart)
    said = [_fact(name, values, times) for name, values in differ.items()]
    more = len(said) - _FACTS
    en = "; ".join(s.en for s in said[:_FACTS]) + (f"; {more} more facts differ" * (more > 0))
    zh = "；".join(s.zh for s in said[:_FACTS]) + (f"；另有 {more} 项不同" * (more > 0))
    if apart:
        between, means = some([f"{a} → {b}" for a, b in apart]), _meaning(kind, len(apart))
        en += f"; the two sides of {between.en} have none of it in common: {means.en}"
        zh += f"；{between.zh} 的两侧所用完全不同：{means.zh}"
    elif any(c.parent for c in evidence.cells):
        en += "; no step has one on one side alone and another on the other"
        zh += "；没有哪一步的两侧各用一种"
    return Hit(
        Text(en, zh),
        _ONE_KIND if harmless else settling(evidence, kind, found, times),
        subject=kind,
        keys=tuple(dict.fromkeys(r.key for r in rarer(differ))),
    )


def _meaning(kind: Origin, steps: int) -> Text:
    """What is doubtful of steps whose sides have nothing in common."""
    if kind == "hardware":
        return Text("their times and memory do not compare", "其耗时与显存不可比")
    name = _NAMES[kind]
    which = "this step" if steps == 1 else "these steps"
    return Text(
        f"{which} may show {name.en} instead of the change",
        f"差异可能来自{name.zh}而非所做的改动",
    )


def _fact(name: str, values: Values, times: Mapping[str, datetime]) -> Text:
    (common, many), *others = values.items()
    shown = others[: _VALUES - 1]
    title = _NAMES["code"] if name == "code" else Text(name, name)
    en = [f"{common} in {how_many(len(many))}"]
    zh = [f"{len(many)} 次运行为 {common}"]
    for value, runs in shown:
        names = variants(runs)
        since = _since(runs, values, times)
        en.append(f"{value} in {how_many(len(runs))} ({names.en}{since.en})")
        zh.append(f"{len(runs)} 次为 {value}（{names.zh}{since.zh}）")
    if len(others) > len(shown):
        en.append(f"{len(others) - len(shown)} others elsewhere")
        zh.append(f"另有 {len(others) - len(shown)} 种")
    return Text(f"{title.en} is {', '.join(en[:-1])} and {en[-1]}", f"{title.zh}：{'，'.join(zh)}")


def _since(runs: Sequence[Record], values: Values, times: Mapping[str, datetime]) -> Text:
    """From when on, or until when, where all these runs lie on one side of all the others."""
    own = {r.key for r in runs}
    others = [r.key for of in values.values() for r in of if r.key not in own]
    if any(key not in times for key in (*own, *others)):
        return Text("", "")
    first, last = min(times[k] for k in own), max(times[k] for k in own)
    if first > max(times[k] for k in others):
        return Text(f", from {minute(first)} on", f"，自 {minute(first)} 起")
    if last < min(times[k] for k in others):
        return Text(f", until {minute(last)}", f"，至 {minute(last)} 止")
    return Text("", "")


def _apart(evidence: Evidence, facts: Sequence[Values]) -> list[tuple[str, str]]:
    """The steps whose two sides both say something of a fact, and nothing in common."""
    found: dict[tuple[str, str], None] = {}
    for values in facts:
        of: dict[str, set[str]] = {}
        for value, runs in values.items():
            for record in runs:
                of.setdefault(record.variant, set()).add(value)
        for cell in evidence.cells:
            a, b = of.get(cell.parent or "", set()), of.get(cell.variant, set())
            if cell.parent and a and b and not a & b:
                found[cell.parent, cell.variant] = None
    return list(found)


def _dirty(evidence: Evidence) -> Iterator[Hit]:
    runs = [r for r in evidence.completed if uncommitted(r)]
    if not runs:
        return
    many, everything = len(runs), len(evidence.completed)
    names = variants(runs)
    if many == everything:
        who = (
            Text(f"all {many} runs", f"全部 {many} 次运行")
            if many > 1
            else Text("the only run", "唯一的一次运行")
        )
    else:
        who = Text(
            f"{many} of {everything} runs ({names.en})",
            f"{everything} 次运行中的 {many} 次（{names.zh}）",
        )
    yield Hit(
        Text(
            f"the code of {who.en} had changes that were not committed:"
            " its commit does not tell what ran",
            f"{who.zh}的代码带有未提交的改动：commit 不能说明实际运行的代码",
        ),
        committed(evidence, runs),
        subject="dirty",
        keys=tuple(r.key for r in runs),
    )


CHECKS = (
    Check(
        code="W130",
        severity="warning",
        family="provenance",
        title=Text(
            "code, libraries, hardware or data differ within the study",
            "研究内的代码、库、硬件或数据不一致",
        ),
        why=Text(
            "Differences between configurations are read as effects of what was changed. Where the"
            " completed runs of a study record different commits, versions, devices or data, these"
            " may be the cause instead. It is worst where the two sides of a step have none of it"
            " in common; where each configuration has runs of both, it adds noise. Other devices"
            " matter for times and memory more than for scores: where no step has one kind on one"
            " side alone, that is N130. Only what two runs both record is compared. Machines of one"
            " kind count as one; so do commits that differ only in what no training reads, where"
            " the runs tell it: prose, ablate.toml, and the top folders docs, reports, studies and"
            " tests. Uncommitted changes are said unless the difference itself was kept.",
            "各配置之间的差异被解读为所做改动的效果。若研究中已完成的运行记录了不同的 commit、"
            "版本、设备或数据，差异也可能由它们造成。最严重的是某一步的两侧完全不同；若每个配置都各有两种，"
            "则只是增加噪声。设备不同主要影响耗时与显存，对得分影响较小："
            "若没有哪一步的两侧各用一种，则归为 N130。仅比较双方都有记录的内容；"
            "同型号的机器视为相同；若运行记录了源文件摘要，只在训练不会读取的文件（说明文字、"
            "ablate.toml，以及顶层的 docs、reports、studies、tests 文件夹）上有别的 commit"
            "也视为相同。若未保存改动本身，则未提交的改动也会指出。",
        ),
        settle=Text(
            "Commit, and train the rarer side again under what the others had.",
            "提交代码，并在与其余运行相同的条件下重新训练较少的一方。",
        ),
        look=_warned,
    ),
    Check(
        code="N130",
        severity="note",
        family="provenance",
        title=Text("runs on several kinds of machine", "运行分布在不同类型的机器上"),
        why=Text(
            "Devices, CPUs, or the numbers of cores and threads differ between completed runs, and"
            " no step has one kind on one side alone and another on the other. What is compared"
            " does not rest on it; times and memory of single runs do.",
            "已完成的运行在设备、CPU 或核数、线程数上不同，但没有哪一步的两侧各用一种。"
            "比较的结论不取决于它；单次运行的耗时与显存则取决于它。",
        ),
        settle=Text(
            "Compare times and memory of runs on machines of one kind only.",
            "只在同型号机器的运行之间比较耗时与显存。",
        ),
        look=_noted,
    ),
)
