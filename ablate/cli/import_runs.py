"""`ablate import` of runs: logs, histories and what trackers wrote."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ablate.ingest.assemble import Assembled
    from ablate.ingest.bind import Bound
    from ablate.ingest.bring import Brought, Target
    from ablate.ingest.changes import Changes
    from ablate.ingest.gather import Gathered
    from ablate.ingest.propose import Proposal
    from ablate.ingest.run import Reader
    from ablate.ingest.seats import Wishes
    from ablate.project import Project
    from ablate.store import Store

PROBLEMS = 20
"""Files that cannot be read of which each has its line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one call asks of runs."""

    paths: tuple[Path, ...]
    reader: str | None
    study: str | None
    system: str | None
    select: str
    mapping: Path | None
    data: Path | None
    replicates: bool
    guess: bool
    force: bool
    replace: bool
    dry_run: bool
    json: bool


def bring(asked: Asked) -> None:
    """Say what was understood of runs, then import them; exit 1 where a file was unreadable."""
    from ablate.cli import import_changes, import_text
    from ablate.cli.console import print_json
    from ablate.errors import UsageError
    from ablate.ingest.assemble import assemble
    from ablate.ingest.bind import bind
    from ablate.ingest.gather import gather, passed_over
    from ablate.ingest.seats import Wishes
    from ablate.ingest.wanted import NOTHING, read_wanted
    from ablate.project import Project

    project = Project.find()
    wanted = read_wanted(asked.mapping) if asked.mapping else NOTHING
    wishes = Wishes(select=asked.select, wanted=wanted, replicates=asked.replicates)
    bound = _bound(asked, project, wishes)
    if asked.data is not None and bound is None:
        raise UsageError("--data means something with --system and a study file only")
    name = "" if bound else _name(asked)
    reader, files = _sources(asked, project)
    with _progress("reading", len(files)) as heard, gather(files, reader, heard) as gathered:
        gathered.passed = passed_over(asked.paths, files, gathered)
        found = bind(gathered, bound, wishes) if bound else assemble(gathered, name, wishes)
        proposal = _proposal(asked, project, gathered, found) if asked.guess else None
        heard.done()
        if not asked.json:
            import_text.show(gathered, found)
        if proposal is not None and not asked.json:
            import_text.show_proposal(proposal, written=not asked.dry_run)
        if proposal is not None and not asked.dry_run:
            _check_free(asked, project, proposal, gathered)
            proposal.write()
            found = _bound_to(asked, proposal, gathered, wishes)
        changes = _changes(asked, project, found, gathered)
        brought = None if asked.dry_run else _brought(asked, project, found, gathered)
        if asked.json:
            document = import_text.document(gathered, found, brought)
            texts = {} if proposal is None else {"guess": import_text.proposed(proposal)}
            more = {"changes": import_changes.document(changes), "dry_run": asked.dry_run}
            print_json(document | more | texts)
        _say_problems(gathered)


def _sources(asked: Asked, project: "Project") -> "tuple[Reader, list[Path]]":
    import sys

    from ablate.ingest import readers
    from ablate.ingest.gather import existing, sources

    sys.path.insert(0, str(project.root))  # a project's own readers lie beside ablate.toml
    paths = existing(asked.paths)
    name = asked.reader or _declared_reader(asked, project)
    if name is None:
        reader, _ = readers.guess(paths, project.readers)
    else:
        reader = readers.reader(name, project.readers)
    return reader, sources(paths, reader)


def _declared_reader(asked: Asked, project: "Project") -> str | None:
    """The reader of the command system that the runs are bound to."""
    from ablate.ingest.bind import reader_of

    return reader_of(project.reference(asked.system)) if asked.system and not asked.guess else None


def _name(asked: Asked) -> str:
    from ablate.errors import UsageError
    from ablate.ingest.tables import study_name

    first = asked.paths[0]
    if asked.study is None and any(mark in first.name for mark in "*?["):
        first = first.parent
    if asked.study is not None and Path(asked.study).suffix == ".toml":
        raise UsageError(f"--guess writes the study file: give --study a name, not {asked.study}")
    return study_name(first.resolve(), asked.study)


def _bound(asked: Asked, project: "Project", wishes: "Wishes") -> "Bound | None":
    """The study file that the runs are bound to; None where they become a study of their own."""
    from ablate.errors import UsageError

    if asked.guess:
        return None
    if asked.study is not None and Path(asked.study).suffix == ".toml":
        return _bound_file(asked, project, wishes, Path(asked.study))
    if asked.system is None:
        return None
    project.reference(asked.system)
    file = project.root / "studies" / f"{asked.study}.toml"
    if asked.study is None or not file.is_file():
        raise UsageError(
            f"--system {asked.system}: name the study file that the runs are trials of"
            " (--study FILE), or let --guess write one"
        )
    return _bound_file(asked, project, wishes, file)


def _bound_file(asked: Asked, project: "Project", wishes: "Wishes", file: Path) -> "Bound":
    import sys
    from contextlib import redirect_stdout

    from ablate import spec
    from ablate.errors import UsageError
    from ablate.ingest.bind import Bound

    document = spec.read(file)
    if asked.system not in {None, document.system}:
        raise UsageError(f"{file} is a study of {document.system}, not of {asked.system}")
    with redirect_stdout(sys.stderr):  # what a system prints when imported is no result
        system = project.system(document.system)
    options = spec.Options(data_root=project.data, data=asked.data)
    study = spec.bind(document, system, options)
    return Bound.of(study, project.reference(document.system), wishes.wanted)


def _proposal(
    asked: Asked, project: "Project", gathered: "Gathered", found: "Assembled"
) -> "Proposal":
    from ablate.ingest.guess import guess
    from ablate.ingest.propose import Proposal

    return Proposal.of(guess(gathered, found, asked.system or gathered.reader), project)


def _check_free(
    asked: Asked, project: "Project", proposal: "Proposal", gathered: "Gathered"
) -> None:
    """Refuse, before a file is written, a study whose other runs the guess would take away."""
    from ablate.errors import UsageError
    from ablate.ingest.bring import marks
    from ablate.ingest.changes import taken_over
    from ablate.store import open_store

    if not project.store.exists():
        return
    guess = proposal.guess
    with open_store(project.store, create=True) as store:
        found = taken_over(store, guess.name, guess.system, marks(gathered))
    if found.takes_away and not asked.replace:
        raise UsageError(found.refusal())


def _bound_to(
    asked: Asked, proposal: "Proposal", gathered: "Gathered", wishes: "Wishes"
) -> "Assembled":
    """The runs bound to what was just written: so the missing trials can be run."""
    from ablate.ingest.bind import bind
    from ablate.project import Project

    written = replace(asked, system=proposal.guess.system, select="")
    bound = _bound_file(written, Project.find(), wishes, proposal.study_file)
    return bind(gathered, bound, replace(wishes, select=""))


def _changes(
    asked: Asked, project: "Project", found: "Assembled", gathered: "Gathered"
) -> "Changes | None":
    """What the import takes away or changes; a guess that is not written has no study yet."""
    from ablate.cli.import_changes import Change, agreed
    from ablate.ingest.bring import foresee

    if asked.guess and asked.dry_run:
        return None
    change = Change(
        path=project.store,
        look=lambda store: foresee(_target(asked, store), found, gathered),
        replace=asked.replace,
        dry_run=asked.dry_run,
        quiet=asked.json,
    )
    return agreed(change)


def _target(asked: Asked, store: "Store") -> "Target":
    from ablate.ingest.bring import Target

    joins = asked.study is not None and not asked.replace
    return Target(store, _source(asked.paths), asked.force, joins, asked.replace)


def _brought(
    asked: Asked, project: "Project", found: "Assembled", gathered: "Gathered"
) -> "Brought":
    from ablate.cli import audit_text
    from ablate.cli.console import note
    from ablate.cli.import_text import said
    from ablate.ingest.bring import bring
    from ablate.store import open_store

    total = sum(p is not None for p in found.placements)
    with open_store(project.store, create=True) as store, _progress("storing", total) as heard:
        try:
            brought = bring(_target(asked, store), found, gathered, heard)
        except KeyboardInterrupt:
            heard.done()
            note("what was written so far stays; the same command goes on from there")
            raise
        found_in = audit_text.asked(store, [found.study.name])
    file = _study_file(asked, project, found.study.name) if found.bound else ""
    for line in said(found.study.name, brought, file):
        note(line)
    note(audit_text.summary(found.study.name, found_in[0].findings))
    return brought


def _study_file(asked: Asked, project: "Project", name: str) -> str:
    """The study file that the runs are bound to, as `ablate plan` takes it from here."""
    import os

    if asked.study is not None and Path(asked.study).suffix == ".toml":
        return asked.study
    return os.path.relpath(project.root / "studies" / f"{name}.toml")


def _source(paths: tuple[Path, ...]) -> str:
    """What the store calls the origin of these results: base names only."""
    names = ", ".join(path.resolve().name for path in paths)
    return f"import {names[:100]}"


def _say_problems(gathered: "Gathered") -> None:
    from ablate.cli.console import note

    problems = gathered.problems
    for line in problems[:PROBLEMS]:
        note(f"not read: {line}")
    if len(problems) > PROBLEMS:
        note(f"and {len(problems) - PROBLEMS} more could not be read")
    if problems:
        raise typer.Exit(1)


@dataclass(slots=True)
class _Heard:
    """Counts what is done; on a terminal a bar shows it."""

    step: Callable[[int], None]
    done: Callable[[], None]

    def __call__(self, count: int = 1) -> None:
        self.step(count)


@contextmanager
def _progress(what: str, total: int) -> Iterator[_Heard]:
    import sys

    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True, markup=False, highlight=False)
    if not sys.stderr.isatty():
        yield _Heard(lambda _: None, lambda: None)
        return
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield _Heard(lambda count: progress.update(task, advance=count), progress.stop)
