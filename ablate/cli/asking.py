"""What `plan` and `run` share: the study file, the options beside it, and the trials they mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablate.project import Project
    from ablate.spec import Document
    from ablate.study import Level, Placement, Study
    from ablate.system import System

ROLES = ("grid", "sweep", "arm")


@dataclass(frozen=True, slots=True)
class Asked:
    """What one call asks for.

    `study` is the study of the file; `placements` are all that the store should hold for it, those
    from the command line marked extra; `chosen` are the ones this call is about.
    """

    project: "Project"
    system: "System"
    study: "Study"
    placements: "list[Placement]"
    chosen: "list[Placement]"
    document: "Document"
    wishes: "Wishes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The options of `plan` and `run` that decide which trials are meant."""

    overrides: Sequence[str] = ()
    seeds: str = ""
    only: str = ""
    scale: str | None = None
    data: Path | None = None
    yes: bool = False


def asked(path: Path, wishes: Wishes) -> Asked:
    """Read the study file at `path` and find its trials; raises UsageError of some kind."""
    import sys
    from contextlib import redirect_stdout
    from dataclasses import replace

    from ablate import design, spec
    from ablate.project import Project

    document = spec.read(path)
    project = Project.find()
    with redirect_stdout(sys.stderr):  # what a system prints when imported is no result
        system = project.system(document.system)
    options = spec.Options(data_root=project.data, data=wishes.data, scale=wishes.scale)
    study = spec.bind(document, system, options)
    limit = None if wishes.yes else design.LIMIT
    own = list(design.placements(study, limit=limit))
    if not wishes.seeds and not wishes.overrides:
        return Asked(project, system, study, own, chosen(own, wishes.only), document, wishes)
    moved = spec.bind(
        document, system, replace(options, seeds=wishes.seeds, overrides=tuple(wishes.overrides))
    )
    wanted = chosen(list(design.placements(moved, limit=limit)), wishes.only)
    placed = design.beside(study, wanted)
    return Asked(project, system, study, placed, wanted, document, wishes)


def small(found: Asked) -> "tuple[str, dict[str, Mapping[str, Level]]]":
    """The scale at which one training step is cheap, and its levels by variant.

    The study's own `small`, on stand-in data, where it has one; else the scale it is asked for at,
    and no levels.
    """
    from dataclasses import replace

    from ablate import design, spec
    from ablate.study import settled

    file = found.document.file
    if "small" not in file.scale or found.system.standin is None:
        return found.study.scale, {}
    bare = replace(found.document, file=file.model_copy(update={"data": None}))
    options = spec.Options(scale="small", overrides=tuple(found.wishes.overrides))
    study = spec.bind(bare, found.system, options)
    limit = None if found.wishes.yes else design.LIMIT
    variants = design.variants(study, limit=limit)
    return "small", {v.name: settled(v.levels, study.factors) for v in variants}


def chosen(placements: "Sequence[Placement]", only: str) -> "list[Placement]":
    """Those that `only` means: roles, parts of names or globs, with commas between.

    Raises UsageError when it means none.
    """
    from ablate.errors import UsageError

    if not only:
        return list(placements)
    words = [w.strip() for w in only.split(",") if w.strip()]
    found = [p for p in placements if any(_means(w, p) for w in words)]
    if not found:
        names = ", ".join(list(dict.fromkeys(p.variant.name for p in placements))[:12])
        raise UsageError(f"--only {only!r:.60} means none of {names} (or {', '.join(ROLES)})")
    return found


def _means(word: str, placement: "Placement") -> bool:
    from fnmatch import fnmatchcase

    name = placement.variant.name
    if word in ROLES:
        return placement.variant.role == word
    return fnmatchcase(name, word) if set(word) & set("*?[") else word in name


def headline(study: "Study", project: "Project") -> str:
    """The first line of `plan` and `run`: scale, and which data."""
    from ablate.spec.data import FOUND, PAPER, UNNAMED

    if study.data == UNNAMED:
        scale = "" if study.scale == PAPER else f"{study.scale} scale, "
        return f"{study.name}: {scale}data {FOUND}"
    first = f"{study.name}: {study.scale} scale, "
    if study.standin:
        return f"{first}stand-in data ({study.data.removeprefix('standin:')})"
    folder = data_folder(study, project)
    if study.data == "missing" and study.data_root is None:
        return f"{first}data missing: no data set is named ([data] root, or --data FOLDER)"
    if study.data == "missing":
        return f"{first}data missing: there is no folder {folder}"
    return f"{first}data {folder} ({study.data[:18]})"


def say_seed(found: Asked) -> None:
    """Say it where a program is told its seed in no word of its command."""
    from ablate import command
    from ablate.cli.console import note

    program = command.declaration(found.project.reference(found.study.system))
    if program and program.table.seed is None and "{seed}" not in program.table.command:
        note(f"{program.name}: the seed reaches the program by the variable ABLATE_SEED alone")


def data_folder(study: "Study", project: "Project") -> Path | None:
    """What a job is told of its data; the folder may be absent.

    None for the stand-in, and where the program finds its data itself.
    """
    from ablate.spec.data import UNNAMED

    if study.standin or study.data == UNNAMED:
        return None
    return project.data / (study.data_root or "")


def gpu_here() -> bool:
    """Whether this machine has an NVIDIA device, found without loading torch."""
    return Path("/proc/driver/nvidia/gpus").exists() or Path("/dev/nvidia0").exists()
