"""Totals that are not the sum, the mean or the formula of their parts."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ablate.analysis.cells import Cell
from ablate.analysis.comparison import ERRORS, ERRORS_WEIGHT, MAP_WEIGHT, detection_score
from ablate.analysis.effects import corners
from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.evidence import Evidence
from ablate.audit.told import compared, decimals, half, labels, shown
from ablate.metric import Metric
from ablate.record import Item, Record

SCORE, PRECISION = "NDS", "mAP"
PARAMS = "params"
SLACK = 1e-9


def _look(evidence: Evidence) -> Iterator[Hit]:
    yield from _formula(evidence)
    yield from _means(evidence)
    yield from _shares(evidence)
    yield from _sums(evidence)


def _formula(evidence: Evidence) -> Iterator[Hit]:
    """NDS against what mAP and the five true-positive errors make."""
    names = {m.name.lower(): m for m in evidence.study.metrics}
    metrics = [names.get(n.lower()) for n in (SCORE, PRECISION, *ERRORS)]
    of = [m for m in metrics if m is not None]
    if len(of) != len(metrics):
        return
    places = {m.name: decimals(_scores(evidence, m.name)) for m in of}
    weights = (1.0, MAP_WEIGHT, *(ERRORS_WEIGHT for _ in ERRORS))
    slack = SLACK + sum(w * half(places[m.name]) for w, m in zip(weights, of, strict=True))
    wrong: list[tuple[Record, str, str]] = []
    for record in evidence.completed:
        scores = [record.scores[m.name].value for m in of if m.name in record.scores]
        if len(scores) == len(of) and all(map(math.isfinite, scores)):
            made = detection_score(scores[1], scores[2:])
            if abs(made - scores[0]) > slack:
                wrong.append((record, of[0].text(scores[0]), of[0].text(made)))
    yield from _told(evidence, of[0], wrong, Text("mAP and the errors", " mAP 和各误差"))


def _means(evidence: Evidence) -> Iterator[Hit]:
    """A mean over classes (mAP, mIoU) against the scores of its classes (AP, IoU)."""
    means = [m for m in evidence.study.metrics if m.name[:1] == "m" and m.name[1:2].isupper()]
    # a store is asked for the items of every run only where the first run has some
    if not means or not evidence.completed or not evidence.items(evidence.completed[0].key):
        return
    wrong: dict[str, list[tuple[Record, str, str]]] = {m.name: [] for m in means}
    places = {m.name: decimals(_scores(evidence, m.name)) for m in means}
    for record in evidence.completed:
        items = evidence.items(record.key)
        for metric in means if items else ():
            made = _mean(evidence, record, metric, items, places[metric.name])
            if made is not None:
                score = metric.text(record.scores[metric.name].value)
                wrong[metric.name].append((record, score, metric.text(made)))
    for metric in means:
        part = metric.name[1:]
        text = Text(f"the {part} of its items", f"各条目的 {part} ")
        yield from _told(evidence, metric, wrong[metric.name], text)


def _mean(
    evidence: Evidence, record: Record, metric: Metric, items: Sequence[Item], places: int | None
) -> float | None:
    """The mean of the items where it is neither the score nor any value of its curve.

    What is absent from a set has no score there: NaN, or a negative one by convention.
    """
    score = record.scores.get(metric.name)
    if score is None or not math.isfinite(score.value):
        return None
    part = metric.name[1:].lower()
    values = [
        i.value
        for i in items
        if i.name.lower() == part and i.split in {score.split, ""} and 0 <= i.value < math.inf
    ]
    if not values:
        return None
    mean = sum(values) / len(values)
    rounding = half(decimals(values))
    curve = evidence.curves.get(record.key, {}).get((score.split, metric.name), {})
    # items carry no step: those of another step than the score's are no contradiction, nor are
    # percentages beside fractions
    known = (score.value, *curve.values())
    same = any(
        abs(unit * mean - v) <= SLACK + unit * rounding + half(places)
        for unit in (1.0, 0.01)
        for v in known
    )
    return None if same else mean


def _scores(evidence: Evidence, metric: str) -> list[float]:
    return [r.scores[metric].value for r in evidence.completed if metric in r.scores]


def _told(
    evidence: Evidence, metric: Metric, wrong: Sequence[tuple[Record, str, str]], parts: Text
) -> Iterator[Hit]:
    if wrong:
        names = labels(evidence)
        runs = some([f"{names[r.key]} ({score}, made again {made})" for r, score, made in wrong])
        zh = some([f"{names[r.key]}（{score}，重算 {made}）" for r, score, made in wrong])
        yield Hit(
            Text(
                f"{metric.label} is not what {parts.en} make in {runs.en}",
                f"{metric.label} 与{parts.zh}不符：{zh.zh}",
            ),
            shown(evidence, wrong[0][0]),
            metric.name,
            tuple(r.key for r, _, _ in wrong),
        )


def _shares(evidence: Evidence) -> Iterator[Hit]:
    """A factor's own share of a cost that is larger than the whole."""
    wrong: dict[tuple[str, str], list[Record]] = {}
    for record in evidence.completed:
        for factor, shares in record.shares.items():
            for name, share in shares.items():
                of = record.costs.get(name)
                if of and of.counter == share.counter and share.value > of.value:
                    wrong.setdefault((factor, name), []).append(record)
    names: Mapping[str, str] = labels(evidence) if wrong else {}
    for (factor, name), records in wrong.items():
        first = records[0]
        part, whole = first.shares[factor][name].value, first.costs[name].value
        yield Hit(
            Text(
                f"{factor} has more {name} than the whole of {names[first.key]}"
                f" ({part:,.0f} of {whole:,.0f})",
                f"{factor} 的 {name} 多于 {names[first.key]} 的总量（{part:,.0f} / {whole:,.0f}）",
            ),
            shown(evidence, first),
            f"{name}.{factor}",
            tuple(r.key for r in records),
        )


def _sums(evidence: Evidence) -> Iterator[Hit]:
    """The parameters of the grid's cells against the baseline and what each module alone adds."""
    grid = corners([c for c in evidence.cells if c.role == "grid"], evidence.study.on)
    counts = {at: n for at, cell in grid.items() if (n := _params(cell)) is not None}
    base = counts.get(frozenset())
    if base is None:
        return
    unit = _unit(counts.values())
    wrong: list[tuple[Cell, float, float]] = []
    for at, count in counts.items():
        alone = [counts.get(frozenset((m,))) for m in at]
        known = [n - base for n in alone if n is not None]
        made = base + sum(known)
        # what is rounded: the cell, and for each module one count more than one baseline
        slack = unit * len(at) if unit > 1 else SLACK
        if len(known) == len(at) > 1 and abs(made - count) > slack:
            wrong.append((grid[at], count, made))
    if wrong:
        en = some([f"{c.variant} ({n:,.0f}, its parts make {m:,.0f})" for c, n, m in wrong])
        zh = some([f"{c.variant}（{n:,.0f}，各部分之和 {m:,.0f}）" for c, n, m in wrong])
        yield Hit(
            Text(
                f"the parameters are not those of the baseline and of each module in {en.en}",
                f"参数量不等于基线与各模块之和：{zh.zh}",
            ),
            compared(evidence, "baseline", wrong[0][0].variant)
            if "baseline" in {c.variant for c in evidence.cells}
            else shown(evidence, wrong[0][0].completed[0]),
            PARAMS,
            tuple(r.key for c, _, _ in wrong for r in c.completed),
        )


def _params(cell: Cell) -> float | None:
    """What every run of a cell counts alike, by one counter; None where they differ."""
    counts = {
        (c.counter, c.value) for r in cell.completed if (c := r.costs.get(PARAMS)) is not None
    }
    return next(iter(counts))[1] if len(counts) == 1 else None


def _unit(counts: Iterable[float]) -> float:
    """The last printed digit of counts: the largest power of ten that all are multiples of."""
    whole = [round(n) for n in counts]
    unit = 1
    while any(whole) and all(n % (unit * 10) == 0 for n in whole):
        unit *= 10
    return float(unit)


CHECK = Check(
    "W150",
    "warning",
    "measurement",
    Text("a total that does not equal its parts", "总量与其各部分不符"),
    Text(
        "Four totals are made again. NDS of mAP and the five true-positive errors; a mean over"
        " classes (mAP, mIoU) of the scores of its items; both within half of the last printed"
        " digit of everything in them. A factor's own share of a cost cannot be more than the"
        " whole. And the parameters of a cell of the grid are those of the baseline and of what"
        " each module adds alone: where they are not, modules share or resize something, and"
        " adding one changes more than itself.",
        "重算四种总量：由 mAP 与五项误差得 NDS；由各条目分数得类别均值（mAP、mIoU），"
        "均允许各数末位半个单位的误差；某因子自身的开销不得大于总量；"
        "网格配置的参数量应等于基线加各模块单独带来的参数量，"
        "否则模块间有共享或改变大小的部分，加一个模块改变的不止它自身。",
    ),
    Text(
        "Look at how the total is computed, and which set and step its parts are of",
        "检查总量如何计算，以及各部分取自哪个集合与哪一步",
    ),
    _look,
)
