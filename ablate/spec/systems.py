"""The tables of `ablate.toml` that declare command systems and readers."""

import shlex
from collections.abc import Iterator
from pathlib import PurePath
from string import Formatter
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ablate.errors import SpecError, not_one_of
from ablate.metric import Metric
from ablate.spec.schema import Setting, Table, Text
from ablate.spec.toml import Keys
from ablate.study import Factor, Kind

Long = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Style = Literal["--k v", "--k=v", "k=v", "K V", "yaml", "json", "toml"]


class FactorTable(Table):
    """A factor of a command system, and how it is written for the program.

    `key` is the program's own name of it (the factor's without); `kind` follows from the reference
    where it is not given; `on` and `off` are what a switch writes (`True` and `False`). A `flag` is
    a switch that is there by its key alone when on, and absent when off (argparse's `store_true`).
    Also what `ablate import --map` says of a key of old runs.
    """

    key: Text | None = None
    kind: Literal["switch", "whole", "number", "text"] | None = None
    reference: Setting
    requires: Text | None = None
    choices: list[Setting] = Field(default_factory=list)
    title: Annotated[str, StringConstraints(max_length=200)] = ""
    on: str = "True"
    off: str = "False"
    flag: bool = False


class MetricTable(Table):
    """A score of a command system; `key` is what the program calls it.

    `unit = "%"`: the program itself logs percent, which is stored as a fraction. Without `display`,
    what is better higher is a fraction shown in percent, and what is better lower a plain number.
    """

    key: Text | None = None
    title: Annotated[str, StringConstraints(max_length=200)] = ""
    direction: Literal["up", "down"] = "up"
    display: Literal["percent", "number"] | None = None
    digits: Annotated[int, Field(ge=0, le=12)] | None = None
    unit: Annotated[str, StringConstraints(max_length=20)] = ""


class CommandTable(Table):
    """[systems.NAME]: a program that trains, as it is.

    `command` may hold `{overrides}`, `{seed}`, `{workdir}` (a folder of the attempt's own),
    `{data}`, `{params}` (a JSON file of the levels) and `{resume}`; it is split as a shell would
    and started without one, in `directory` (relative to `ablate.toml`). `seed` is the key that the
    seed is written to where the command has no `{seed}`. Scores come through `reader` (from the
    output, or from the files `log` in `{workdir}`), and through `metrics.jsonl` there and
    `ablate.log` in any case. With `snapshot`, attempts run from a copy of the code as it was when
    the run began.
    `resume_args` stand at `{resume}`, or at the end, where one of `checkpoints` (globs in
    `{workdir}`) is left of an earlier attempt: `{checkpoint}` is the newest.
    """

    command: Long
    revision: Text = "1"
    style: Style = "--k v"
    seed: Text | None = None
    directory: Text = "."
    reader: Text | None = None
    log: Text | None = None
    factors: dict[Text, FactorTable] = Field(default_factory=dict)
    metrics: Annotated[dict[Text, MetricTable], Field(min_length=1)]
    environment: dict[Text, str] = Field(default_factory=dict)
    snapshot: bool = False
    resume_args: Annotated[str, StringConstraints(max_length=1000)] = ""
    checkpoints: list[Text] = Field(default_factory=list)


class PatternTable(Table):
    """A regular expression of a declared reader.

    Named groups say what is found: `step` and `split` are remembered for the lines that follow,
    `name` with `value` is a measurement of any name, every other group is a measurement of its own
    name (`__` stands for a dot). A number followed by `%` in the text is stored as a fraction.
    """

    match: Long
    split: Text | None = None
    kind: Literal["curve", "cost", "setting", "fact", "seed", "name", "best", "end"] = "curve"
    unit: Annotated[str, StringConstraints(max_length=20)] = ""


class ReaderTable(Table):
    """[readers.NAME]: a reader of a program's text output, declared by its patterns."""

    about: Annotated[str, StringConstraints(max_length=200)] = ""
    files: list[Text] = Field(default_factory=lambda: ["*.log", "*.txt"], min_length=1)
    patterns: Annotated[list[PatternTable], Field(min_length=1, max_length=200)]
    metrics: dict[Text, MetricTable] = Field(default_factory=dict)
    select: Text = "last"


PLACES = ("overrides", "seed", "workdir", "data", "params", "resume")
"""What a command may hold in braces."""

CHECKPOINT = "checkpoint"
"""What `resume_args` may hold besides."""

WRITTEN = ("yaml", "json", "toml")
"""The styles that write a file, whose path then stands at `{overrides}`."""

_PERCENT_DIGITS, _NUMBER_DIGITS = 1, 3
_KINDS = {"switch": Kind.BOOL, "whole": Kind.INT, "number": Kind.FLOAT, "text": Kind.STR}


def words(text: str, known: tuple[str, ...] = PLACES) -> list[str]:
    """A command line split as a shell would, its places still in it; raises SpecError."""
    try:
        found = shlex.split(text)
    except ValueError as wrong:
        raise SpecError(f"cannot be split into words: {str(wrong).lower()}") from None
    for word in found:
        for place in places(word):
            if place not in known:
                listed = [f"{{{name}}}" for name in known]
                hint = "; a brace of its own is written twice"
                raise SpecError(not_one_of("place", f"{{{place}}}", listed) + hint)
    return found


def places(word: str) -> list[str]:
    """What stands in braces in a word; raises SpecError where braces do not pair."""
    try:
        parts = list(Formatter().parse(word))
    except ValueError:
        raise SpecError(
            f"{word!r:.80}: a brace of its own is written twice: {{{{ or }}}}"
        ) from None
    return [
        name + (f"!{turned}" if turned else "") + (f":{form}" if form else "")
        for _, name, form, turned in parts
        if name is not None
    ]


def factor(name: str, table: FactorTable) -> Factor:
    """The factor that a table declares; raises SpecError with the key at fault."""
    kind = _KINDS[table.kind] if table.kind else _kind(table.reference)
    bare = Factor(name, kind, table.reference, table.requires, title=table.title)
    key = "reference"
    try:
        reference = bare.level(table.reference)
        key = "choices"
        choices = tuple(bare.level(c) for c in table.choices)
    except ValueError as wrong:
        raise SpecError(str(wrong), (key,)) from None
    if choices and reference not in choices:
        raise SpecError(f"do not hold the reference {reference!r}", ("choices",))
    return Factor(name, kind, reference, table.requires, choices, title=table.title)


def metric(name: str, table: MetricTable) -> Metric:
    """The metric that a table declares: one decimal of a percentage, three of a number."""
    fraction = table.direction == "up" or table.unit == "%"
    display = table.display or ("percent" if fraction else "number")
    usual = _PERCENT_DIGITS if display == "percent" else _NUMBER_DIGITS
    digits = usual if table.digits is None else table.digits
    return Metric(name, table.title, table.direction, display, digits)


def check(table: CommandTable) -> None:
    """Refuse a table that no trial could be started from; raises SpecError with the key."""
    for name, one in table.factors.items():
        try:
            _check_factor(name, one, table)
        except SpecError as wrong:
            raise SpecError(str(wrong), ("factors", name, *wrong.keys)) from None
    for key, problem in _problems(table):
        raise SpecError(problem, key)


def _kind(reference: Setting) -> Kind:
    if isinstance(reference, bool):
        return Kind.BOOL
    if isinstance(reference, str):
        return Kind.STR
    return Kind.INT if isinstance(reference, int) else Kind.FLOAT


def _check_factor(name: str, one: FactorTable, table: CommandTable) -> None:
    made = factor(name, one)
    if one.requires is not None:
        others = [n for n in table.factors if n != name]
        if one.requires not in others:
            raise SpecError(not_one_of("factor", one.requires, others), ("requires",))
    if one.flag and (made.kind is not Kind.BOOL or not table.style.startswith("--")):
        raise SpecError("is for a switch in the styles '--k v' and '--k=v'", ("flag",))


def _problems(table: CommandTable) -> Iterator[tuple[Keys, str]]:
    yield from _line_problems(table)
    yield from _key_problems(table)
    for name in table.environment:
        if name.startswith("ABLATE_") or not name.isidentifier():
            yield ("environment", name), "is not a variable that may be set here"
    globs = {"log": [table.log] if table.log else [], "checkpoints": table.checkpoints}
    for key, found in globs.items():
        for glob in found:
            if PurePath(glob).is_absolute() or ".." in PurePath(glob).parts:
                yield (key,), f"{glob!r} leaves the attempt's own folder"


def _line_problems(table: CommandTable) -> Iterator[tuple[Keys, str]]:
    command, resume = [], []
    try:
        command = words(table.command)
    except SpecError as wrong:
        yield ("command",), str(wrong)
    try:
        resume = words(table.resume_args, (*PLACES[1:-1], CHECKPOINT))
    except SpecError as wrong:
        yield ("resume_args",), str(wrong)
    held = [place for word in command for place in places(word)]
    alone = ["{resume}"] if table.style in WRITTEN else ["{resume}", "{overrides}"]
    for place in alone:
        if place[1:-1] in held and command.count(place) != held.count(place[1:-1]):
            yield ("command",), f"{place} must be a word of its own"
    if table.factors and not {"overrides", "params"} & set(held):
        yield (
            ("command",),
            "has neither {overrides} nor {params}: no factor would reach the program",
        )
    if "resume" in held and not resume:
        yield ("command",), "has {resume}, but there are no resume_args"
    if table.seed and "seed" in held:
        yield ("seed",), "the command has {seed} already: use one of the two"
    if table.seed and "overrides" not in held:
        yield ("seed",), "is written among {overrides}, which the command has not"
    if not command:
        yield ("command",), "is empty"


def _key_problems(table: CommandTable) -> Iterator[tuple[Keys, str]]:
    owners: dict[str, str] = {table.seed: "the seed"} if table.seed else {}
    for name, one in table.factors.items():
        key = one.key or name
        if key in owners:
            yield ("factors", name), f"key {key!r} is written by {owners[key]} already"
        owners[key] = name
    for key, name in owners.items():
        inside = next((k for k in owners if k.startswith(f"{key}.")), None)
        if table.style in WRITTEN and inside:
            yield ("factors", name), f"key {key!r} cannot hold a value and {inside!r} both"
