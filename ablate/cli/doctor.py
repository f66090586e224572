"""`ablate doctor`: whether this machine and this project can do what studies need."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from ablate.project import Project

GIB = 2**30
LITTLE_DISK, NO_DISK = 5 * GIB, GIB
PATIENCE = 120
"""Seconds that a library may take to be imported."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was looked at, and whether it is fine."""

    name: str
    state: Literal["ok", "warning", "failed"]
    detail: str


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check Python, torch, Ray, CUDA, project, store, disk and git; exit 4 if one is broken."""
    from ablate.cli.console import Column, print_json, print_table

    facts = list(_facts())
    broken = any(f.state == "failed" for f in facts)
    if json:
        rows = [asdict(f) for f in facts]
        print_json({"schema": "ablate.doctor/1", "ok": not broken, "checks": rows})
    else:
        columns = [Column("Check"), Column("State"), Column("Found")]
        print_table(columns, [[f.name, f.state, f.detail] for f in facts])
    if broken:
        raise typer.Exit(4)


def _facts() -> Iterator[Fact]:
    from ablate.errors import AblateError
    from ablate.project import Project

    yield _python()
    yield _imported("torch", "print(torch.__version__)")
    yield _imported("ray", "print(ray.__version__)")
    yield _cuda()
    try:
        project = Project.find()
    except AblateError as wrong:
        yield Fact("project", "failed", str(wrong))
        return
    yield from _project(project)
    yield _store(project)
    yield _disk(project)
    yield _git(project.root)


def _python() -> Fact:
    import platform
    import sys

    fine = (3, 11) <= sys.version_info < (3, 13)
    return Fact("python", "ok" if fine else "failed", f"{platform.python_version()} (3.11 or 3.12)")


def _imported(library: str, then: str) -> Fact:
    """Import in a process of its own: a broken library must not break the doctor."""
    code, text = _output(_python_command(f"import {library}; {then}"))
    return Fact(library, "failed" if code else "ok", text)


def _cuda() -> Fact:
    ask = "print(f'{torch.cuda.device_count()} devices, CUDA {torch.version.cuda}')"
    code, text = _output(_python_command(f"import torch; {ask}"))
    return Fact("cuda", "warning" if code or text.startswith("0 ") else "ok", text)


def _python_command(code: str) -> list[str]:
    import sys

    return [sys.executable, "-c", code]


def _output(command: list[str]) -> tuple[int, str]:
    """The exit code and the last line of what a program says."""
    import subprocess

    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as wrong:
        return 1, str(wrong)
    lines = ((done.stderr if done.returncode else done.stdout).strip() or "nothing").splitlines()
    return done.returncode, lines[-1]


def _project(project: "Project") -> Iterator[Fact]:
    from ablate.errors import AblateError

    if project.file is None:
        yield Fact("project", "warning", "no ablate.toml here or above (ablate init)")
    else:
        yield Fact("project", "ok", str(project.file))
    for name in project.systems:
        try:
            system = project.system(name)
        except AblateError as wrong:
            yield Fact(f"system {name}", "failed", str(wrong))
        else:
            yield Fact(f"system {name}", "ok", f"revision {system.revision}")


def _store(project: "Project") -> Fact:
    from ablate.errors import AblateError
    from ablate.store import open_store

    if not project.store.exists():
        return Fact("store", "ok", f"none yet; {project.store} will be made by the first run")
    try:
        with open_store(project.store) as store:
            held, writable = len(store.studies()), store.is_writable
    except AblateError as wrong:
        return Fact("store", "failed", str(wrong))
    found = f"{project.store}: {held} {'study' if held == 1 else 'studies'}"
    if not writable:
        return Fact("store", "warning", f"{found}; it cannot be written, only read")
    return Fact("store", "ok", found)


def _disk(project: "Project") -> Fact:
    import shutil

    folder = next(f for f in project.store.absolute().parents if f.exists())
    free = shutil.disk_usage(folder).free
    state: Literal["ok", "warning", "failed"] = "ok"
    if free < LITTLE_DISK:
        state = "failed" if free < NO_DISK else "warning"
    return Fact("disk", state, f"{free / GIB:.1f} GiB free at {folder}")


def _git(root: Path) -> Fact:
    code, commit = _output(["git", "-C", str(root), "rev-parse", "--short", "HEAD"])
    if code:
        return Fact("git", "warning", "no repository: results will not say which code made them")
    _, changes = _output(["git", "-C", str(root), "status", "--porcelain"])
    clean = changes == "nothing"
    state = "" if clean else ", with changes that are not committed"
    return Fact("git", "ok" if clean else "warning", f"commit {commit}{state}")
