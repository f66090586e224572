"""Whether the numbers of one table were picked by one rule."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from ablate.audit.check import Check, Hit, Text
from ablate.audit.evidence import Evidence
from ablate.audit.measurement.parted import in_effect
from ablate.audit.told import how_many, variants
from ablate.metric import Metric
from ablate.record import Record
from ablate.selection import LAST, Selection
from ablate.study import Level

_FEWEST = 3
"""Rows of one rule that make it the rule of a table."""
_MOST = 2 / 3
"""Share of the rows that can be compared which follow the table's rule."""
_IN_FULL = 3
_ONE_RULE = Text(
    "score all runs by one rule; those without curves have to be looked up in their logs",
    "所有运行按同一规则取分；没有曲线的运行须在其日志中查找",
)
_Place: TypeAlias = frozenset[tuple[str, Level]]


class Row(NamedTuple):
    """A printed number and what each rule makes of the curves of the same configuration."""

    record: Record
    printed: float
    made: Mapping[Selection, float]
    same: frozenset[Selection]
    """The rules that give the printed number, as it is printed."""


def _look(evidence: Evidence) -> Iterator[Hit]:
    yield from _within(evidence)
    yield from _beside(evidence)


def _within(evidence: Evidence) -> Iterator[Hit]:
    """Scores of one metric that the study's own records took by several rules."""
    told: set[tuple[tuple[str, int], ...]] = set()
    for metric in evidence.study.metrics:
        having = [r for r in evidence.completed if metric.name in r.scores]
        rules = Counter(r.scores[metric.name].selection for r in having)
        counts = tuple(sorted(rules.items(), key=lambda of: (-of[1], of[0])))
        if len(counts) > 1 and counts not in told:
            told.add(counts)
            odd = [r for r in having if r.scores[metric.name].selection != counts[0][0]]
            names = variants(odd)
            yield Hit(
                Text(
                    f"{metric.label} {_counted(counts)} ({names.en}): one table holds numbers of"
                    " several rules",
                    f"{metric.label} 的取值规则不一：{_counted_zh(counts)}（{names.zh}）",
                ),
                f"ablate report {evidence.study.name} --select last"
                if all(evidence.curves.get(r.key) for r in having)
                else _ONE_RULE,
                metric.name,
                tuple(r.key for r in odd),
            )


def _counted(counts: Sequence[tuple[str, int]]) -> str:
    (rule, many), *others = counts
    rest = ", ".join(f"of {n} it is {named}" for named, n in others)
    return f"of {how_many(many)} is {rule}, {rest}"


def _counted_zh(counts: Sequence[tuple[str, int]]) -> str:
    return "，".join(f"{rule} {many} 次" for rule, many in counts)


def _beside(evidence: Evidence) -> Iterator[Hit]:
    """Numbers without curves, read against the curves that another study has of the same runs."""
    study = evidence.study
    bare = [r for r in evidence.completed if not evidence.curves.get(r.key)]
    if len(bare) < _FEWEST:
        return
    left = {m.name: m for m in study.metrics if any(m.name in r.scores for r in bare)}
    for other in evidence.others():
        pairs = _pairs(evidence, bare, other) if left else ()
        if len(pairs) < _FEWEST:
            continue
        made = {q.key: _made(other, q) for _, q in pairs}
        for metric in list(left.values()):
            rows = _rows(metric, _named(other, metric), pairs, made)
            rule = _rule(rows, other.study.selection)
            if rule is not None:
                del left[metric.name]
                yield from _odd(evidence, metric, other, (rows, rule))


def _pairs(
    evidence: Evidence, bare: Sequence[Record], other: Evidence
) -> Sequence[tuple[Record, Record]]:
    """The runs without curves, each with the run of the other study that is alike."""
    names = [{f.name.lower() for f in e.study.factors} for e in (evidence, other)]
    shared = names[0] & names[1]
    if not shared:
        return ()
    here, there = (
        _cells(e, runs, shared) for e, runs in ((evidence, bare), (other, other.completed))
    )
    return [
        (record, twin)
        for place, seeds in here.items()
        for record, twin in _alike(seeds, there.get(place, {}))
        if other.curves.get(twin.key)
    ]


def _cells(
    evidence: Evidence, runs: Sequence[Record], shared: set[str]
) -> Mapping[_Place, Mapping[int, Record]]:
    found: dict[_Place, dict[int, Record]] = {}
    for record in runs:
        place = _place(evidence, record, shared)
        if place is not None:
            found.setdefault(place, {})[record.seed] = record
    return found


def _alike(
    here: Mapping[int, Record], there: Mapping[int, Record]
) -> Sequence[tuple[Record, Record]]:
    """The runs of one configuration by seed; where both have a single one, whatever its seed."""
    if len(here) == len(there) == 1:
        return list(zip(here.values(), there.values(), strict=True))
    return [(record, there[seed]) for seed, record in here.items() if seed in there]


def _place(evidence: Evidence, record: Record, shared: set[str]) -> _Place | None:
    """The levels of a run over the factors of both; None where another one is changed, too."""
    if any(name.lower() not in shared for name in record.changed):
        return None
    levels = in_effect(evidence.study, record)
    return frozenset((n.lower(), _plain(v)) for n, v in levels.items() if n.lower() in shared)


def _plain(level: Level) -> Level:
    if isinstance(level, bool):
        return str(level)
    return float(level) if isinstance(level, int | float) else level.lower()


def _made(other: Evidence, record: Record) -> Mapping[Selection, Mapping[str, float]]:
    """What each rule makes of a run's curves: rule -> metric -> value."""
    study, curves = other.study, other.curves[record.key]
    rules = [Selection(m.name, study.selection.split) for m in study.metrics]
    found = {rule: rule.apply(curves, study.directions) for rule in (study.selection, LAST, *rules)}
    return {rule: {n: s.value for n, s in scores.items()} for rule, scores in found.items()}


def _named(other: Evidence, metric: Metric) -> str:
    try:
        return other.study.metric(metric.name).name
    except KeyError:
        return ""


def _rows(
    metric: Metric,
    name: str,
    pairs: Sequence[tuple[Record, Record]],
    made: Mapping[str, Mapping[Selection, Mapping[str, float]]],
) -> list[Row]:
    half = 0.5 * 10.0 ** -(metric.digits + (2 if metric.display == "percent" else 0)) + 1e-9
    rows = []
    for record, twin in pairs:
        found = {rule: of[name] for rule, of in made[twin.key].items() if name in of}
        if metric.name in record.scores and found:
            printed = record.scores[metric.name].value
            same = frozenset(rule for rule, v in found.items() if abs(v - printed) <= half)
            rows.append(Row(record, printed, found, same))
    return rows


def _rule(rows: Sequence[Row], own: Selection) -> Selection | None:
    """The rule that nearly all rows follow, the other study's own before others."""
    follow = Counter(rule for row in rows for rule in row.same)
    rule = max(follow, key=lambda r: (follow[r], r == own, str(r)), default=None)
    enough = rule is not None and follow[rule] >= max(_FEWEST, _MOST * len(rows))
    return rule if enough else None


def _odd(
    evidence: Evidence, metric: Metric, other: Evidence, found: tuple[Sequence[Row], Selection]
) -> Iterator[Hit]:
    rows, rule = found
    name = _named(other, metric)
    odd = [row for row in rows if row.same and rule not in row.same]
    if not odd:
        return
    follow = sum(rule in row.same for row in rows)
    words = [_row(evidence, metric, row, (rule, name)) for row in odd[:_IN_FULL]]
    more = len(odd) - len(words)
    yield Hit(
        Text(
            f"{metric.label}: {follow} of {len(rows)} printed numbers are those of {rule} in study"
            f" {other.study.name}; {'; '.join(w.en for w in words)}"
            + (f"; and {more} more by other rules" if more else ""),
            f"{metric.label}：{len(rows)} 个数值中有 {follow} 个与研究 {other.study.name} 按"
            f" {rule} 所得一致；{'；'.join(w.zh for w in words)}"
            + (f"；另有 {more} 个按其他规则" if more else ""),
        ),
        f"ablate report {other.study.name}",
        metric.name,
        tuple(row.record.key for row in odd),
    )


def _row(evidence: Evidence, metric: Metric, row: Row, rules: tuple[Selection, str]) -> Text:
    rule, name = rules
    several = sum(r.variant == row.record.variant for r in evidence.completed) > 1
    who = f"{row.record.variant} s{row.record.seed}" if several else row.record.variant
    printed, made = metric.text(row.printed), metric.text(row.made[rule])
    how = _how(metric, row, name)
    return Text(
        f"{who} {printed} is its {how.en} ({made} by that rule)",
        f"{who} 的 {printed} 是其{how.zh}（按该规则为 {made}）",
    )


def _how(metric: Metric, row: Row, name: str) -> Text:
    """By which rule else a number was taken: its own best, the last step, or another's best."""
    if any(rule.metric == name for rule in row.same):
        up = metric.direction == "up"
        return Text(
            f"{'highest' if up else 'lowest'} of any step", f"各步中的最{'高' if up else '低'}值"
        )
    if LAST in row.same:
        return Text("last", "末步值")
    rule = min(map(str, row.same))
    return Text(f"value by {rule}", f"按 {rule} 的值")


CHECK = Check(
    "W122",
    "warning",
    "measurement",
    Text("selection rules are mixed within a table", "同一张表混用了选步规则"),
    Text(
        "Numbers of which some are taken at the step of one rule and others at that of another"
        " cannot be compared: the highest value of a curve is above its value at the best step of"
        " another metric. It is said where the runs of a study have scores of one metric by"
        " several rules; and where numbers without curves stand beside another study that has the"
        " curves of the same configurations, nearly all of them (two thirds, three at least) are,"
        " as printed, what one rule makes of these curves, and others what another rule does.",
        "若表中一部分数值按一种规则选步、另一部分按另一种，则不可比较："
        "曲线的最高值总不低于其在另一指标最佳步上的值。"
        "当同一研究中某指标的分数按多种规则取得时给出此项；"
        "或当无曲线的数值旁有另一研究记录了相同配置的曲线，"
        "而绝大多数（三分之二以上且不少于三个）与某一规则所得一致、个别与另一规则一致时给出。",
    ),
    Text(
        "One rule for all rows: the study that has the curves reports every run under one",
        "所有行用同一规则：记录了曲线的研究可按同一规则报告全部运行",
    ),
    _look,
)
