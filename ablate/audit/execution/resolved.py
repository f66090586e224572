"""Variants that are one configuration, and settings that did not reach their program."""

import re
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence

from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.evidence import Evidence
from ablate.audit.told import how_many, variants
from ablate.record import Record

NAMED = 4
FEWEST = 3
"""Keys that a configuration must have left for two to be called one."""
UNREAD = "unread"
"""The provenance in which an attempt keeps the levels that its training never read."""
DISOBEYED = "the program's own configuration says that "
LABELS = frozenset(
    {
        *("name", "experiment_name", "exp_name", "run_name", "run_id", "run", "project", "group"),
        *("tag", "tags", "description", "notes", "comment", "timestamp", "date", "time"),
        *("gpu", "gpus", "gpu_ids", "device", "device_id", "devices", "rank", "local_rank", "host"),
        *("hostname", "port", "master_port", "resume", "resume_from", "output"),
    }
)
"""Last parts of keys that name a run or its machine and decide none of its numbers."""
_RUN = frozenset({"", "experiment", "exp", "run", "wandb", "logger", "logging", "log", "system"})
"""Whose own labels name a run; `model.name` is one that decides."""
_PLACE = re.compile(r"(out|output|save|log|work|ckpt|checkpoint|result)s?_?(dir|path|root|folder)")


def _same(evidence: Evidence) -> Iterator[Hit]:
    yield from _same_trials(evidence)
    yield from _same_settings(evidence)


def _same_trials(evidence: Evidence) -> Iterator[Hit]:
    """Variants that are the same trials under two names."""
    trials: dict[str, list[Record]] = {}
    for record in evidence.records:
        trials.setdefault(record.variant, []).append(record)
    groups: dict[Hashable, list[str]] = {}
    for variant, of in trials.items():
        groups.setdefault(frozenset(r.key for r in of), []).append(variant)
    for names in groups.values():
        if len(names) > 1:
            said = some(names, NAMED)
            yield Hit(
                Text(
                    f"{said.en} are one configuration: same levels, same runs",
                    f"{said.zh} 的各因素取值相同，是同一个配置：它们的运行也是同一批",
                ),
                f"ablate plan {evidence.file}",
                names[0],
                tuple(r.key for r in trials[names[0]]),
            )


def _same_settings(evidence: Evidence) -> Iterator[Hit]:
    """Variants of different levels whose programs resolved the same configuration."""
    moved = {f.name.lower().rpartition(".")[2] for f in evidence.study.factors}
    kept: dict[str, bool] = {}
    groups: dict[frozenset[tuple[str, str]], dict[str, Record]] = {}
    told: set[str] = set()
    for record in evidence.completed:
        settings = {} if record.variant in told else evidence.settings.get(record.key, {})
        if settings:
            told.add(record.variant)
            left = _deciding(settings, moved, kept)
            if len(left) >= FEWEST:
                groups.setdefault(left, {})[record.variant] = record
    for left, of in groups.items():
        records = list(of.values())
        if len({frozenset(r.changed.items()) for r in records}) > 1:
            names, count = some(list(of), NAMED), len(left)
            yield Hit(
                Text(
                    f"{names.en} resolved one configuration ({count} keys, labels, paths and seeds"
                    " apart): what is said to tell them apart is not in it",
                    f"{names.zh} 最终解析出同一份配置（除标签、路径与种子外共 {count} 个键）："
                    "据称区分它们的设置不在其中",
                ),
                f"ablate show {records[0].key[:8]}",
                f"{next(iter(of))}.resolved",
                tuple(r.key for r in records),
            )


def _deciding(
    settings: Mapping[str, str], moved: Collection[str], kept: dict[str, bool]
) -> frozenset[tuple[str, str]]:
    """What may decide a result: no label, no folder and no seed, unless a factor is called so.

    `kept` remembers what was found of a key.
    """
    for key in settings:
        if key not in kept:
            owners, _, last = key.lower().replace("/", ".").rpartition(".")
            label = last in LABELS and owners.rpartition(".")[2] in _RUN
            kept[key] = last in moved or not (label or last == "seed" or _PLACE.fullmatch(last))
    return frozenset((key, text) for key, text in settings.items() if kept[key])


def unread(record: Record) -> list[str]:
    """The levels that a run's training never asked for."""
    told = record.attempt.provenance.get(UNREAD, "") if record.attempt else ""
    return [factor for factor in told.split(", ") if factor]


def _unread(evidence: Evidence) -> Iterator[Hit]:
    """Levels off their reference that no training read, and keys that a program set otherwise."""
    ignored: dict[str, list[Record]] = {}
    disobeyed: dict[str, list[Record]] = {}
    for record in evidence.completed:
        for factor in unread(record):
            ignored.setdefault(factor, []).append(record)
        notes = record.attempt.provenance.get("notes", "") if record.attempt else ""
        if DISOBEYED in notes:
            for line in notes.split("\n"):
                if line.startswith(DISOBEYED):
                    said = line.removeprefix(DISOBEYED).partition(": ")[0]
                    disobeyed.setdefault(said, []).append(record)
    for factor, records in ignored.items():
        names, runs = _who(records)
        yield Hit(
            Text(
                f"the training never read {factor}, which is set in {names.en} ({runs.en}): no"
                " difference can come from it",
                f"{names.zh} 设置了 {factor}（{runs.zh}），而训练从未读取它："
                "任何差异都不可能来自它",
            ),
            f"ablate show {records[0].key[:8]}",
            factor,
            tuple(r.key for r in records),
        )
    for said, records in disobeyed.items():
        names, runs = _who(records)
        key, is_, rest = said.partition(" is ")
        was, _, asked = rest.partition(" and not ")
        yield Hit(
            Text(
                f"{key} was set to {asked} in {names.en} ({runs.en}), and the program's own"
                f" configuration says {was}: it did not arrive",
                f"{names.zh}（{runs.zh}）将 {key} 设为 {asked}，"
                f"而程序自己的配置是 {was}：设置没有传到",
            )
            if is_ and asked
            else Text(said, said),
            f"ablate show {records[0].key[:8]}",
            f"{key}={asked}",
            tuple(r.key for r in records),
        )


def _who(records: Sequence[Record]) -> tuple[Text, Text]:
    n = len(records)
    return variants(records, NAMED), Text(how_many(n), f"{n} 次运行")


RESOLVED: tuple[Check, ...] = (
    Check(
        "W141",
        "warning",
        "execution",
        Text("A setting that was never read or never arrived", "从未读取或没有传到的设置"),
        Text(
            "A level that the study sets off its reference was never asked for by the training, as"
            " its attempt saw; or the configuration that a program printed has another value for"
            " the key that it was given.",
            "研究设置的、与参考值不同的水平，在运行中从未被训练读取；或程序打印的最终配置中，"
            "该键的值与所给的不同。",
        ),
        Text(
            "Read the level in the training, or correct the factor's key in ablate.toml.",
            "在训练中读取该水平，或更正 ablate.toml 中该因素的键。",
        ),
        _unread,
    ),
    Check(
        "W142",
        "warning",
        "execution",
        Text("Two variants that are one configuration", "两个变体其实是同一配置"),
        Text(
            "Two variants of the study are the same trials under two names; or variants of"
            " different levels logged configurations that are equal in every key but labels,"
            " folders and seeds, so that the setting which should tell them apart is not what the"
            " program ran with.",
            "两个变体是同一批试验的两个名字；或取值不同的变体，其日志中的最终配置除标签、路径与种子外"
            "完全相同，即本应区分它们的设置不是程序实际使用的。",
        ),
        Text(
            "Name one of them, or give the program the setting under the key that it reads.",
            "只保留一个，或按程序读取的键传入该设置。",
        ),
        _same,
        planned=True,
    ),
)
