"""W131, of settings: keys that appear, vanish or change their value from some run on."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

from ablate.audit.check import Hit, Text, some
from ablate.audit.evidence import Evidence
from ablate.audit.provenance.when import beginnings, minute
from ablate.audit.told import compared, how_many, shown, variants
from ablate.record import Record
from ablate.study import Factor, Kind, Study

Settings: TypeAlias = Mapping[str, Mapping[str, str]]
Layouts: TypeAlias = dict[tuple[str, ...], list[Record]]
"""The keys of a run's settings, in their order -> the runs that have just these."""
_FEWEST = 3
_OWN = re.compile(
    r"(.*[._/-])?(name|description|notes?|tags?|group|project|entity|user|host(name)?|dates?|time"
    r"(stamp)?|id|uuid|port|rank|devices?|gpus?|gpu_ids|seed|addr(ess)?|ur[il]|nodelist|job|commit|sha|resume\w*|load_from|ckpt|checkpoint"
    r"|\w*(dir|path|file|folder|root|seed))",
    re.IGNORECASE,
)
"""Keys that are a run's own affair, by their last word."""


class Change(NamedTuple):
    """Keys that all change at the same run: with the runs before it and those from it on."""

    kind: str
    keys: tuple[str, ...]
    before: tuple[Record, ...]
    after: tuple[Record, ...]


def changes(evidence: Evidence) -> Iterator[Hit]:
    """The changes of settings in time that the study's factors do not explain."""
    times = beginnings(evidence.completed) if evidence.settings else {}
    runs = sorted(
        (r for r in evidence.completed if r.key in times and evidence.settings.get(r.key)),
        key=lambda r: times[r.key],
    )
    if len(runs) < _FEWEST:
        return
    layouts: Layouts = {}
    for record in runs:
        layouts.setdefault(tuple(evidence.settings[record.key]), []).append(record)
    keys = _keys(evidence, layouts, runs, times)
    for change in (*keys, *_values(evidence.settings, layouts, runs, times)):
        yield _hit(evidence, change, times)


def _keys(
    evidence: Evidence, layouts: Layouts, runs: Sequence[Record], times: Mapping[str, datetime]
) -> Iterator[Change]:
    """Keys of which all runs from some on differ from all before in having them."""
    everywhere = set.intersection(*map(set, layouts))
    found: dict[tuple[str, int], list[str]] = {}
    for key in sorted({k for layout in layouts for k in layout} - everywhere):
        having = {r.key for layout, of in layouts.items() if key in layout for r in of}
        split = _split(runs, having, times)
        if split is not None and not _OWN.fullmatch(key):
            found.setdefault(split, []).append(key)
    for (kind, at), keys in found.items():
        change = Change(kind, tuple(keys), tuple(runs[:at]), tuple(runs[at:]))
        if any(_unexplained(evidence, key, change) for key in keys):
            yield change


def _split(
    runs: Sequence[Record], having: set[str], times: Mapping[str, datetime]
) -> tuple[str, int] | None:
    """Where those that have it are divided in time from those that have not, if they are."""
    late = runs[-1].key in having
    at = next(i for i, r in enumerate(runs) if (r.key in having) == late)
    if any((r.key in having) != late for r in runs[at:]):
        return None
    if times[runs[at - 1].key] == times[runs[at].key]:
        return None
    return ("appear" if late else "vanish"), at


def _unexplained(evidence: Evidence, key: str, change: Change) -> bool:
    """Whether a key's absence is neither what a switch means nor the way its off is written."""
    study = evidence.study
    having, lacking = change.after, change.before
    if change.kind == "vanish":
        having, lacking = lacking, having
    pairs = ((having, lacking), (lacking, having))
    if not any(_decides(of, study, a, b) for a, b in pairs for of in (_on, _off)):
        return True
    return any(
        _names(key, f)
        and any(evidence.settings[r.key][key].lower() == str(f.reference).lower() for r in having)
        and any(r.levels.get(f.name) == f.reference for r in lacking)
        for f in _switches(study)
    )


def _decides(
    of: Callable[[Study, Record], set[str]],
    study: Study,
    a: Sequence[Record],
    b: Sequence[Record],
) -> bool:
    """Whether switches that all of `a` have on (or off) are never all so in `b`."""
    common = set.intersection(*(of(study, r) for r in a))
    return bool(common) and not any(common <= of(study, r) for r in b)


def _switches(study: Study) -> list[Factor]:
    return [f for f in study.factors if f.kind in {Kind.BOOL, Kind.STR}]


def _on(study: Study, record: Record) -> set[str]:
    return {f.name for f in _switches(study) if record.levels.get(f.name) != f.reference}


def _off(study: Study, record: Record) -> set[str]:
    return {f.name for f in _switches(study)} - _on(study, record)


def _names(key: str, factor: Factor) -> bool:
    """Whether a key is where a factor is written, as `loss.use_focal` is of `focal`."""
    last = re.split(r"[./]", key.lower())[-1]
    own = re.escape(factor.name.lower().rsplit(".", 1)[-1])
    return re.fullmatch(rf"((use|with|enable)[_-]?)?{own}", last) is not None


def _values(
    settings: Settings, layouts: Layouts, runs: Sequence[Record], times: Mapping[str, datetime]
) -> Iterator[Change]:
    """Keys with one value up to some run and another from it on, within one configuration too."""
    values: dict[str, set[str]] = {}
    for layout, of in layouts.items():
        for key, column in zip(
            layout, zip(*(settings[r.key].values() for r in of), strict=True), strict=True
        ):
            values.setdefault(key, set()).update(column)
    found: dict[int, list[str]] = {}
    for key, texts in sorted(values.items()):
        if len(texts) != 2 or _OWN.fullmatch(key):  # noqa: PLR2004 - one before, one after
            continue
        having = [r for r in runs if key in settings[r.key]]
        last = settings[having[-1].key][key]
        split = _split(having, {r.key for r in having if settings[r.key][key] == last}, times)
        if split is not None and _within(having[: split[1]], having[split[1] :]):
            found.setdefault(runs.index(having[split[1]]), []).append(key)
    for at, keys in found.items():
        yield Change("value", tuple(keys), tuple(runs[:at]), tuple(runs[at:]))


def _within(before: Sequence[Record], after: Sequence[Record]) -> bool:
    """Whether some configuration has runs on both sides: then no level decides the value.

    Nor may the seed: where each side is of one seed, the value may go with it, as a fold does.
    """
    seeds = [{r.seed for r in side} for side in (before, after)]
    by_seed = len(seeds[0]) == len(seeds[1]) == 1 and seeds[0] != seeds[1]
    return not by_seed and not {r.variant for r in before}.isdisjoint(r.variant for r in after)


def _hit(evidence: Evidence, change: Change, times: Mapping[str, datetime]) -> Hit:
    kind, keys, before, after = change
    a, b = before[-1], after[0]
    at = minute(times[b.key])
    since = Text(f"from {b.variant} s{b.seed} ({at}) on", f"自 {b.variant} s{b.seed}（{at}）起")
    early, late = _side(before), _side(after)
    if kind == "value":
        names = some([_moved(evidence.settings, k, change) for k in keys])
        said = Text(
            f"{names.en} changed {since.en}, which no factor names:"
            f" the {late.en} against the {early.en} before",
            f"{names.zh} {since.zh}改变，而没有因子与之对应：{late.zh}，此前为 {early.zh}",
        )
    else:
        names, verb = some(list(keys)), "are" if len(keys) > 1 else "is"
        there, gone = (late, early) if kind == "appear" else (early, late)
        none = "not of" if len(after if kind == "vanish" else before) == 1 else "of none of"
        when, then = (f" {since.en}", " before") if kind == "appear" else ("", f" {since.en}")
        zh, zh_then = (f"{since.zh}的 ", "此前 ") if kind == "appear" else ("", f"{since.zh}的 ")
        said = Text(
            f"{names.en} {verb} in the settings of the {there.en}{when},"
            f" and {none} the {gone.en}{then}: the program may have changed between them",
            f"{names.zh} 见于{zh}{there.zh}的设置，{zh_then}{gone.zh}均没有：其间程序可能已改变",
        )
    one = a.variant == b.variant
    command = f"{shown(evidence, b)} --json" if one else compared(evidence, a.variant, b.variant)
    return Hit(said, command, subject=keys[0], keys=tuple(r.key for r in after))


def _side(records: Sequence[Record]) -> Text:
    names = variants(records)
    return Text(f"{how_many(len(records))} ({names.en})", f"{len(records)} 次运行（{names.zh}）")


def _moved(settings: Settings, key: str, change: Change) -> str:
    old = next(settings[r.key][key] for r in change.before if key in settings[r.key])
    new = next(settings[r.key][key] for r in change.after if key in settings[r.key])
    return f"{key} ({old} → {new})"
