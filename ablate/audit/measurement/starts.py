"""Runs that begin from one checkpoint and yet not at one loss."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import PurePosixPath
from typing import NamedTuple

from ablate.audit.check import Check, Hit, Text
from ablate.audit.evidence import Evidence
from ablate.metric import plain
from ablate.record import Record

KEYS = ("load_from", "init_from", "init_checkpoint", "finetune_from")
"""What loads a whole trained network: neither a backbone nor what a run had left itself."""
NOTHING = frozenset({"", "none", "null", "false", "no", "true", "yes"})
JITTER = 5.0
"""How many times the loss's own step-to-step spread a start must be off."""
LARGE = 0.05
"""The share of the loss by which a start must be off as well."""
LEFT = 0.75
"""The share of the first difference that may be left at the end."""
POINTS = 8
"""Points of a loss curve below which its spread is not known."""


class Begun(NamedTuple):
    """A run that starts from a checkpoint: its loss first and last, the spread and the terms of it.

    `said` tells whether the run's own record names the checkpoint.
    """

    record: Record
    said: bool
    step: int
    first: float
    last: float
    spread: float
    terms: frozenset[str]


def _look(evidence: Evidence) -> Iterator[Hit]:
    names: Counter[str] = Counter()
    for path, runs in _groups(evidence).items():
        checkpoint = PurePosixPath(path).name
        begun = [b for r, said in runs if (b := _begun(evidence, r, said=said))]
        cells: dict[str, list[Begun]] = defaultdict(list)
        for one in begun:
            cells[one.record.variant].append(one)
        alike = len({(b.step, b.terms) for b in begun}) == 1  # else they are not one sum
        if len(cells) < 2 or not alike:  # noqa: PLR2004 - two are compared
            continue
        order = sorted(cells.values(), key=_first)
        low, high = order[0], order[-1]
        gap = _first(high) - _first(low)
        jitter = max(b.spread for b in (*low, *high))
        closed = _last(high) - _last(low) < LEFT * gap  # else one may have more terms
        if closed and gap > max(JITTER * jitter, LARGE * abs(_first(low))):
            names[checkpoint] += 1
            again = f" {names[checkpoint]}" if names[checkpoint] > 1 else ""
            yield Hit(
                _said(checkpoint, low, high),
                Text(
                    "train both until their losses no longer fall, or let what is added change"
                    " nothing at first",
                    "把两者都训练到损失不再下降，或让新增部分在开始时不改变输出",
                ),
                f"{checkpoint}{again}",
                tuple(b.record.key for b in (*low, *high)),
            )


def _groups(evidence: Evidence) -> Mapping[str, list[tuple[Record, bool]]]:
    """Checkpoint -> the runs that began from it, and whether they themselves say so.

    A run whose configuration was not recorded began where those of the same recorded experiment
    did.
    """
    groups: dict[str, list[tuple[Record, bool]]] = defaultdict(list)
    silent: list[Record] = []
    arms = {a.name: a.start.arm for a in evidence.study.arms if a.start is not None}
    experiments: dict[str, set[str]] = defaultdict(set)
    for record in evidence.completed:
        settings = evidence.settings.get(record.key, {})
        checkpoint = arms.get(record.variant, "") or _checkpoint(settings)
        if checkpoint:
            groups[checkpoint].append((record, True))
            experiments[_experiment(record)].add(checkpoint)
        elif not settings:
            silent.append(record)
    for record in silent:
        same = experiments.get(_experiment(record), set()) if _experiment(record) else set()
        if len(same) == 1:
            groups[next(iter(same))].append((record, False))
    return groups


def _checkpoint(settings: Mapping[str, str]) -> str:
    """The file of the checkpoint that a configuration loads; empty if none."""
    for key, text in settings.items():
        bare = text.strip().strip("'\"")
        if key.rpartition(".")[2].lower() in KEYS and bare.lower() not in NOTHING:
            return bare.replace("\\", "/")
    return ""


def _experiment(record: Record) -> str:
    return record.attempt.provenance.get("experiment", "") if record.attempt else ""


def _begun(evidence: Evidence, record: Record, *, said: bool) -> Begun | None:
    curves = evidence.curves.get(record.key, {})
    curve = curves.get(("train", "loss"), {})
    points = [(s, v) for s, v in sorted(curve.items()) if math.isfinite(v)]
    if len(points) < POINTS:
        return None
    values = [v for _, v in points]
    steps = sorted(abs(b - a) for a, b in pairwise(values))
    spread = steps[len(steps) // 2]
    terms = frozenset(n for split, n in curves if split == "train" and "loss" in n.lower())
    return Begun(record, said, points[0][0], values[0], values[-1], spread, terms)


def _first(runs: Sequence[Begun]) -> float:
    return sum(b.first for b in runs) / len(runs)


def _last(runs: Sequence[Begun]) -> float:
    return sum(b.last for b in runs) / len(runs)


def _said(checkpoint: str, low: Sequence[Begun], high: Sequence[Begun]) -> Text:
    names = [side[0].record.variant for side in (high, low)]
    first, last = ([plain(of(side), 2) for side in (high, low)] for of in (_first, _last))
    ends = Text(f"they end at {last[0]} and {last[1]}", f"末尾为 {last[0]} 与 {last[1]}")
    quiet = [s[0].record.variant for s in (high, low) if not any(b.said for b in s)]
    if quiet:
        loud = next(n for n in names if n != quiet[0])
        return Text(
            f"{loud} begins from {checkpoint}, and the log of {quiet[0]} names the same experiment"
            f" but no checkpoint; the training losses of {names[0]} and {names[1]} begin at"
            f" {first[0]} and {first[1]} and end at {last[0]} and {last[1]}",
            f"{loud} 从 {checkpoint} 开始，{quiet[0]} 的日志属同一实验但未写明检查点；"
            f"{names[0]} 与 {names[1]} 的起始训练损失为 {first[0]} 与 {first[1]}，{ends.zh}",
        )
    return Text(
        f"{names[0]} and {names[1]} begin from {checkpoint}, yet at training losses of"
        f" {first[0]} and {first[1]}; {ends.en}",
        f"{names[0]} 与 {names[1]} 从 {checkpoint} 开始，但起始训练损失为"
        f" {first[0]} 与 {first[1]}，{ends.zh}",
    )


CHECK = Check(
    "W154",
    "warning",
    "measurement",
    Text(
        "fine-tuned from one checkpoint with unequal starting loss",
        "从同一检查点微调而起始损失不等",
    ),
    Text(
        "Configurations that load one checkpoint are compared as if they began alike. It is said"
        " where their mean training losses at the first logged step differ by more than five times"
        " the median difference of neighbouring points, and by more than 5 %, and a quarter of the"
        " difference at least is gone at the end (else one may have more terms): what one of them"
        " adds disturbs the trained network, and a short training may end before it recovers.",
        "加载同一检查点的配置被当作起点相同来比较。"
        "若首个记录步的平均训练损失之差大于相邻点之差中位数的五倍且大于 5%，"
        "而到结束时此差至少缩小四分之一（否则可能是其一的损失多了一项），则给出此项："
        "其一所加的部分扰动了已训练的网络，短训练可能在恢复之前就已结束。",
    ),
    Text(
        "Train both until their losses no longer fall, or initialise what is added so that it"
        " changes nothing at first",
        "把两者都训练到损失不再下降，或让新增部分初始时不改变输出",
    ),
    _look,
)
