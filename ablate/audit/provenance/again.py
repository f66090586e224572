"""What makes runs alike that are not: the commands that train some of them again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from shlex import quote
from typing import TypeAlias

from ablate.audit.check import Text
from ablate.audit.evidence import Evidence
from ablate.audit.provenance.origin import Origin
from ablate.audit.told import compared, variants
from ablate.record import Record

Values: TypeAlias = Mapping[str, Sequence[Record]]
"""What runs say of one fact -> the runs that say it, the most frequent first."""
_SIGNS = frozenset(",*?[")
"""What `--only` reads as no part of a name."""


def again(evidence: Evidence, runs: Sequence[Record]) -> str:
    """It names configurations and seeds where that leaves any out; a name means its parts, too."""
    names = list(dict.fromkeys(r.variant for r in runs))
    seeds = sorted({r.seed for r in runs})
    command = f"ablate run {quote(evidence.file)}"
    roles = {r.role for r in evidence.records}
    if len(names) < len(evidence.cells) and not any(_SIGNS & set(n) or n in roles for n in names):
        command += f" --only {quote(','.join(names))}"
    if set(seeds) < set(evidence.study.seeds):
        command += f" --seeds {','.join(map(str, seeds))}"
    return f"{command} --force"


def settling(
    evidence: Evidence,
    kind: Origin,
    found: tuple[Mapping[str, Values], Sequence[tuple[str, str]]],
    times: Mapping[str, datetime],
) -> str | Text:
    """Of the facts that differ, and the steps whose sides have nothing in common, what settles it.

    The present code and libraries are taken for those of the latest run: what is unlike it is
    trained again, or, where that is more than the rest, the rest under what most runs had.
    """
    differ, apart = found
    fewer = rarer(differ)
    if evidence.imported and apart:
        return compared(evidence, *apart[0])
    if evidence.imported or kind in {"hardware", "data"}:
        names = variants(fewer)
        return Text(
            f"train {names.en} again under what the other runs had",
            f"在与其余运行相同的条件下重新训练 {names.zh}",
        )
    older = _older(evidence, differ, times)
    if len(older) <= len({r.key for r in fewer}):
        return again(evidence, older)
    usual = ", ".join(f"{name} {next(iter(values))}" for name, values in differ.items())
    usual_zh = usual.replace("code ", "代码 ", 1) if kind == "code" else f" {usual}"
    command = again(evidence, fewer)
    return Text(
        f"go back to {usual}, then {command}",
        f"恢复到{usual_zh}，再运行 {command}",
    )


def committed(evidence: Evidence, runs: Sequence[Record]) -> Text:
    """How runs of uncommitted code become runs of a commit."""
    if evidence.imported:
        return Text(
            "commit before training, and train them again with the original program",
            "训练前先提交，并用原程序重新训练这些运行",
        )
    command = again(evidence, runs)
    return Text(f"commit, then {command}", f"先提交，再运行 {command}")


def rarer(differ: Mapping[str, Values]) -> Sequence[Record]:
    """The runs that say something else of a fact than most do."""
    return [r for values in differ.values() for of in [*values.values()][1:] for r in of]


def _older(
    evidence: Evidence, differ: Mapping[str, Values], times: Mapping[str, datetime]
) -> Sequence[Record]:
    """The runs that say something else than the latest; all, where that is not known."""
    if any(r.key not in times for r in evidence.completed):
        return evidence.completed
    latest = max(evidence.completed, key=lambda r: times[r.key]).key
    says = [[{r.key for r in of} for of in values.values()] for values in differ.values()]
    known = [sides for sides in says if any(latest in keys for keys in sides)]
    older = {key for sides in known for keys in sides if latest not in keys for key in keys}
    return [r for r in evidence.completed if r.key in older] or evidence.completed
