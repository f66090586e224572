"""The tables of `ablate.toml` that declare command systems and readers."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ablate.spec.schema import Setting, Table, Text

Long = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Style = Literal["--k v", "--k=v", "k=v", "K V", "yaml", "json", "toml"]


class FactorTable(Table):
    """A factor of a command system, and how it is written for the program.

    `key` is the program's own name of it (the factor's without); `kind` follows from the reference
    where it is not given; `on` and `off` are what a switch writes (`True` and `False`). Also what
    `ablate import --map` says of a key of old runs.
    """

    key: Text | None = None
    kind: Literal["switch", "whole", "number", "text"] | None = None
    reference: Setting
    requires: Text | None = None
    choices: list[Setting] = Field(default_factory=list)
    title: Annotated[str, StringConstraints(max_length=200)] = ""
    on: str = "True"
    off: str = "False"


class MetricTable(Table):
    """A score of a command system; `key` is what the program calls it."""

    key: Text | None = None
    title: Annotated[str, StringConstraints(max_length=200)] = ""
    direction: Literal["up", "down"] = "up"
    display: Literal["percent", "number"] = "percent"
    digits: Annotated[int, Field(ge=0, le=12)] | None = None
    unit: Annotated[str, StringConstraints(max_length=20)] = ""


class CommandTable(Table):
    """[systems.NAME]: a program that trains, as it is.

    `command` may hold `{overrides}`, `{seed}`, `{workdir}` (the attempt's own folder) and `{data}`;
    it is split as a shell would and started without one, in `directory` (relative to
    `ablate.toml`). `seed` is the key that the seed is written to where the command has no
    `{seed}`. Scores come through `reader` (from the output, or from the files `log` in the
    attempt's folder), and through `metrics.jsonl` and `ablate.log` in any case. With `snapshot`,
    attempts run from a copy of the code as it was when the run began. `resume_args` are added where
    one of `checkpoints` (globs in the attempt's folder) exists: `{checkpoint}` is the newest.
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
