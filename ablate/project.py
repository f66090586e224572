"""A project: the folder of `ablate.toml`, the systems it names, and where its things are kept."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

from pydantic import Discriminator, Field, Tag

from ablate.errors import DeclarationError, SpecError, not_one_of
from ablate.spec.document import validated
from ablate.spec.schema import Table, Text
from ablate.spec.systems import CommandTable, ReaderTable, check
from ablate.spec.toml import load, located
from ablate.system import System, resolve

FILE = "ablate.toml"
STORE = ".ablate/results.db"
DATA = "data"
GROUP = "ablate.systems"
"""The entry-point group under which installed packages offer systems."""


def _form(given: object) -> str:
    """Which of the two a value is meant as, so that an error is about that one."""
    return "(table)" if isinstance(given, Mapping) else "(reference)"


_Reference = Annotated[Text, Tag("(reference)")]
_System = Annotated[_Reference | Annotated[CommandTable, Tag("(table)")], Discriminator(_form)]
_Reader = Annotated[_Reference | Annotated[ReaderTable, Tag("(table)")], Discriminator(_form)]


class _StoreTable(Table):
    path: Text = STORE


class _DataTable(Table):
    root: Text = DATA


class _RunnerTable(Table):
    slots: int | None = Field(default=None, ge=1, le=4096)


class _ProjectFile(Table):
    systems: dict[Text, _System] = Field(default_factory=dict)
    readers: dict[Text, _Reader] = Field(default_factory=dict)
    store: _StoreTable = _StoreTable()
    data: _DataTable = _DataTable()
    runner: _RunnerTable = _RunnerTable()


@dataclass(frozen=True, slots=True)
class Project:
    """Where studies find their systems, their results and their data.

    `systems` are references, as `ablate.system.resolve` takes them; `readers` are references to
    readers (`package.module:name`) or their declarations. `file` is None where no `ablate.toml` was
    found: there are then defaults and no systems.
    """

    root: Path
    store: Path
    data: Path
    systems: Mapping[str, str] = field(default_factory=dict)
    readers: Mapping[str, str | ReaderTable] = field(default_factory=dict)
    slots: int | None = None
    file: Path | None = None

    @classmethod
    def find(cls, start: Path | None = None) -> "Project":
        """The project of `start` (the current folder): the nearest `ablate.toml` upward.

        Stops at a git root and at the home folder. `ABLATE_DB` and `ABLATE_DATA` win over the
        file. Raises SpecError when the file is wrong.
        """
        start = (start or Path.cwd()).resolve()
        file = _nearest(start)
        return _read(file) if file else _project(start, _ProjectFile(), None)

    def reference(self, name: str) -> str:
        """The `package.module:name` behind a system's name; raises DeclarationError.

        `ablate.toml` wins over what installed packages offer; of two packages neither does.
        """
        if name in self.systems:
            return self.systems[name]
        offers = offered()
        if name in offers:
            return _only(name, offers[name])
        if self.file is None:
            raise DeclarationError(
                f"system {name!r} is unknown: there is no {FILE} here or above (ablate init)"
            )
        known = [*self.systems, *offers]
        raise DeclarationError(f"{self.file}: {not_one_of('system', name, known)}")

    def origins(self) -> dict[str, str]:
        """Each system's name, with where it comes from: `ablate.toml`, or `package 1.0`."""
        names = dict.fromkeys(self.systems, FILE)
        for name, offers in offered().items():
            if name not in names:
                names[name] = " and ".join(offer.origin for offer in offers)
        return names

    def system(self, name: str) -> System:
        """The system called `name`; its module is imported with the project's folder on the path.

        Raises DeclarationError when it is unknown, cannot be loaded or declares itself wrongly.
        """
        reference = self.reference(name)
        folder = str(self.root)
        if sys.path[:1] != [folder]:
            sys.path.insert(0, folder)
        try:
            found = resolve(reference)
        except DeclarationError as wrong:
            if self.file is None or not isinstance(wrong.__cause__, SpecError):
                raise
            text, _ = load(self.file)
            raise DeclarationError(str(located(wrong.__cause__, self.file, text))) from None
        if found.name != name:
            raise DeclarationError(
                f"system {name!r}: {reference} calls itself {found.name!r}: use one name"
            )
        return found


@dataclass(frozen=True, slots=True)
class Offer:
    """A system that an installed package offers: its reference, and the package with version."""

    reference: str
    origin: str


def offered() -> dict[str, list[Offer]]:
    """The systems of installed packages by name; several offers where packages clash."""
    found: dict[str, list[Offer]] = {}
    for point in entry_points(group=GROUP):
        package = point.dist
        origin = f"{package.name} {package.version}" if package else "an unnamed package"
        offer = Offer(f"{point.module}:{point.attr}", origin)
        offers = found.setdefault(point.name, [])
        if offer not in offers:
            offers.append(offer)
    return found


def _only(name: str, offers: list[Offer]) -> str:
    if len(offers) > 1:
        packages = " and ".join(offer.origin for offer in offers)
        raise DeclarationError(
            f"system {name!r} is offered by {packages}: name the one you mean in {FILE},"
            f' [systems] {name} = "{offers[0].reference}"'
        )
    return offers[0].reference


def _nearest(start: Path) -> Path | None:
    home = Path.home().resolve()
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
        if (folder / ".git").exists() or folder == home:
            return None
    return None


def _read(path: Path) -> Project:
    text, tables = load(path)
    try:
        return _project(path.parent, validated(_ProjectFile, tables), path)
    except SpecError as wrong:
        raise located(wrong, path, text) from None


def _project(root: Path, file: _ProjectFile, path: Path | None) -> Project:
    for kind, named in (("systems", file.systems), ("readers", file.readers)):
        for name, reference in named.items():
            if isinstance(reference, str):
                _check_reference(reference, (kind, name))
    return Project(
        root=root,
        store=_place(root, os.environ.get("ABLATE_DB"), file.store.path),
        data=_place(root, os.environ.get("ABLATE_DATA"), file.data.root),
        systems={name: _reference(name, root, found, file) for name, found in file.systems.items()},
        readers=dict(file.readers),
        slots=file.runner.slots,
        file=path,
    )


def _check_reference(reference: str, keys: tuple[str, str]) -> None:
    module, _, attribute = reference.partition(":")
    if not (all(p.isidentifier() for p in module.split(".")) and attribute.isidentifier()):
        raise SpecError(f"{reference!r} is not of the form 'package.module:name'", keys)


def _reference(name: str, root: Path, system: str | CommandTable, file: _ProjectFile) -> str:
    """A command system travels as its whole declaration: a queued attempt sees no later edit."""
    if isinstance(system, str):
        return system
    try:
        check(system)
    except SpecError as wrong:
        raise SpecError(str(wrong), ("systems", name, *wrong.keys)) from None
    reader = file.readers.get(system.reader or "")
    declared: dict[str, object] = {
        "name": name,
        "root": str(root),
        "command": system.model_dump(mode="json"),
        "reader": reader.model_dump(mode="json") if isinstance(reader, ReaderTable) else reader,
    }
    if system.reader and reader is None:
        declared["others"] = list(file.readers)
    return f"ablate.command:declared({json.dumps(declared, ensure_ascii=False)})"


def _place(root: Path, environment: str | None, written: str) -> Path:
    """A path of the environment is relative to the current folder, one of the file to the file."""
    return Path(environment).absolute() if environment else root / Path(written).expanduser()
