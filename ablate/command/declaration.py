"""What `ablate.toml` says of one program, as it travels to the attempts."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate.ingest import readers
from ablate.ingest.run import Reader
from ablate.metric import Metric
from ablate.spec.systems import CommandTable, ReaderTable, factor, metric
from ablate.study import Factor

PREFIX = "ablate.command:declared("


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of a program's code: its folder, the folder it is of, and what it was."""

    folder: Path
    origin: Path
    facts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Declaration:
    """A command system: its name, the project's folder, its table, its reader and its code.

    `others` are the readers that the project declares, where the system's own is none of them.
    """

    name: str
    root: Path
    table: CommandTable
    given_reader: str | ReaderTable | None = None
    snapshot: Snapshot | None = None
    others: tuple[str, ...] = ()

    @property
    def directory(self) -> Path:
        """Where the program is started: in the copy of its code where there is one."""
        own = self.origin
        if self.snapshot is None:
            return own
        return self.snapshot.folder / own.relative_to(self.snapshot.origin)

    @property
    def origin(self) -> Path:
        """The folder of `directory` as it is in the project."""
        return (self.root / Path(self.table.directory).expanduser()).resolve()

    @property
    def factors(self) -> tuple[Factor, ...]:
        """What a study may change."""
        return tuple(factor(name, table) for name, table in self.table.factors.items())

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The scores it promises."""
        return tuple(metric(name, table) for name, table in self.table.metrics.items())

    @property
    def reader(self) -> Reader | None:
        """What understands its output; raises UsageError where there is no such reader."""
        name = self.table.reader
        if name is None:
            return None
        given = self.given_reader
        if isinstance(given, ReaderTable):  # it knows the system's scores by their names
            known = {**self.table.metrics, **given.metrics}
            given = given.model_copy(update={"metrics": known})
        return readers.reader(
            name, dict.fromkeys(self.others, "") if given is None else {name: given}
        )


def declaration(reference: str) -> Declaration | None:
    """The declaration inside a system's reference; None for a system that is no command."""
    if not reference.startswith(PREFIX):
        return None
    return parsed(reference.removeprefix(PREFIX).removesuffix(")"))


def parsed(text: str) -> Declaration:
    """A declaration out of its JSON."""
    read: dict[str, Any] = json.loads(text)
    reader, copied = read["reader"], read.get("snapshot")
    return Declaration(
        read["name"],
        Path(read["root"]),
        CommandTable.model_validate(read["command"]),
        ReaderTable.model_validate(reader) if isinstance(reader, dict) else reader,
        copied and Snapshot(Path(copied["folder"]), Path(copied["origin"]), copied["facts"]),
        tuple(read.get("others", ())),
    )
