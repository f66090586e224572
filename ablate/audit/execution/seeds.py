"""Whether runs that are counted as different seeds are different runs."""

from collections.abc import Iterator, Mapping, Sequence

from ablate.audit.check import Check, Hit, Text, some
from ablate.audit.evidence import Evidence
from ablate.audit.execution.alike import alike
from ablate.record import Record

NAMED = 3
_OTHERS = frozenset({"data", "dataset", "datasets", "split", "splits", "fold", "folds", "eval"})
"""Whose own seed a key of theirs is, and not the training's."""


def logged_seed(settings: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The keys of a resolved configuration that hold the training's seed, with their texts."""
    found = []
    for key, text in settings.items():
        if key[-4:].lower() == "seed":
            *owners, last = key.lower().replace("/", ".").split(".")
            if last == "seed" and not _OTHERS & {*owners}:
                found.append((key, text))
    return tuple(sorted(found))


def one_seed(evidence: Evidence, records: Sequence[Record]) -> tuple[tuple[str, str], ...]:
    """The seed that all of these runs logged; nothing where one logged another, or none."""
    first = logged_seed(evidence.settings.get(records[0].key, {}))
    same = all(logged_seed(evidence.settings.get(r.key, {})) == first for r in records[1:])
    return first if same else ()


def _unseeded(evidence: Evidence) -> Iterator[Hit]:
    """Configurations all of whose runs of different seeds agree; none that logged one seed."""
    found = {
        variant: of
        for variant, of in _seeds_of(evidence).items()
        if not one_seed(evidence, of) and any(len(a) == len(of) for a in alike(evidence, of))
    }
    if not found:
        return
    names, runs = some(list(found), NAMED), _counts(found)
    each = "each of " if len(found) > 1 else ""
    yield Hit(
        Text(
            f"the {runs.en} runs of {each}{names.en} are identical to the last digit:"
            " the seed may not reach the training",
            f"{names.zh} 各自的 {runs.zh} 次运行逐位相同：种子可能没有传到训练",
        ),
        f"ablate show {next(iter(found.values()))[0].key[:8]}",
        keys=tuple(r.key for of in found.values() for r in of),
    )


def _repeated(evidence: Evidence) -> Iterator[Hit]:
    """Runs that are counted as different seeds, and whose own configurations name one seed."""
    same: dict[tuple[tuple[str, str], ...], dict[str, list[Record]]] = {}
    other: dict[tuple[tuple[str, str], ...], dict[str, list[Record]]] = {}
    for variant, of in _seeds_of(evidence).items():
        by_seed: dict[tuple[tuple[str, str], ...], list[Record]] = {}
        for record in of:
            by_seed.setdefault(logged_seed(evidence.settings.get(record.key, {})), []).append(
                record
            )
        for seed, records in by_seed.items():
            if seed and len(records) > 1:
                copies = max(map(len, alike(evidence, records)), default=0) == len(records)
                (same if copies else other).setdefault(seed, {})[variant] = records
    yield from _hits(same, identical=True)
    yield from _hits(other, identical=False)


def _hits(
    found: Mapping[tuple[tuple[str, str], ...], Mapping[str, Sequence[Record]]], *, identical: bool
) -> Iterator[Hit]:
    for seed, of in found.items():
        key, value = seed[0]
        names, runs = some(list(of), NAMED), _counts(of)
        each = "each of " if len(of) > 1 else ""
        said = Text(
            f"the {runs.en} runs of {each}{names.en} are counted as different seeds and log one"
            f" ({key} = {value})",
            f"{names.zh} 各自的 {runs.zh} 次运行算作不同种子，日志中却是同一个（{key} = {value}）",
        )
        more = Text(
            ": their spread shows only what is not deterministic, unless another seed reached them",
            "：若种子没有另外传入，其离散只反映不确定性运算",
        )
        if identical:
            more = Text(
                ", and are identical to the last digit: all but one hold no information",
                "，且逐位相同：除一次外都不含新信息",
            )
        yield Hit(
            Text(said.en + more.en, said.zh + more.zh),
            f"ablate show {next(iter(of.values()))[0].key[:8]}",
            f"{key}={value}{'.copies' if identical else ''}",
            tuple(r.key for records in of.values() for r in records),
        )


def _seeds_of(evidence: Evidence) -> dict[str, list[Record]]:
    """The completed runs of every configuration that has two or more, each trial once."""
    runs: dict[str, list[Record]] = {}
    for record in evidence.completed:
        runs.setdefault(record.variant, []).append(record)
    return {variant: of for variant, of in runs.items() if len(of) > 1}


def _counts(found: Mapping[str, Sequence[Record]]) -> Text:
    counts = sorted({len(of) for of in found.values()})
    ends = list(dict.fromkeys(map(str, (counts[0], counts[-1]))))
    return Text(" to ".join(ends), " 至 ".join(ends))


SEEDS: tuple[Check, ...] = (
    Check(
        "W126",
        "warning",
        "execution",
        Text("Runs of several seeds are one run", "多个种子的运行其实是同一次"),
        Text(
            "All completed runs of a configuration have equal scores, and equal curves of every"
            " score and loss, to the last digit (three different values or more): they are one"
            " result counted several times, and their spread of nothing is no precision.",
            "某配置的全部已完成运行，其分数以及每条分数和损失曲线都逐位相同"
            "（至少三个不同的值）：这是同一个结果被重复计数，零离散并不是精确。",
        ),
        Text(
            "Give the training its seed, and run again.",
            "把种子传给训练后重跑。",
        ),
        _unseeded,
    ),
    Check(
        "W127",
        "warning",
        "execution",
        Text("The same logged seed repeated", "日志中的种子重复"),
        Text(
            "Completed runs of one configuration that are counted as different seeds name one seed"
            " in the configuration that they resolved (keys whose last part is `seed`; those of"
            " data sets and splits apart). Identical runs count one result several times; others"
            " show what is not deterministic, and not what another seed would do.",
            "某配置中算作不同种子的已完成运行，其最终配置写的是同一个种子（键名末段为 seed；"
            "数据集与划分的除外）。逐位相同的运行把同一结果计了几次；否则只反映不确定性运算，"
            "而不是换种子的差异。",
        ),
        Text(
            "Run the configuration with seeds that its own log shows to differ.",
            "用日志可见的不同种子重跑该配置。",
        ),
        _repeated,
    ),
)
