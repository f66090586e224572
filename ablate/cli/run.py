"""`ablate run`: train what a study lacks, and keep every number."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ablate.cli.options import Data, Json, Only, Overrides, Scale, Seeds, StudyFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.cli.asking import Asked
    from ablate.cli.tally import Tally
    from ablate.record import State
    from ablate.run.driver import Driver, Setting
    from ablate.run.executor import Executor
    from ablate.store import Store
    from ablate.study import Placement


def run(
    study: StudyFile,
    overrides: Overrides = None,
    seeds: Seeds = "",
    only: Only = "",
    scale: Scale = None,
    data: Data = None,
    jobs: Annotated[
        int | None, typer.Option("-j", "--jobs", min=1, help="At most so many trials at once.")
    ] = None,
    executor: Annotated[
        Literal["ray", "inline"],
        typer.Option("--executor", help="Ray slots, or this very process (for debugging)."),
    ] = "ray",
    dry_run: Annotated[
        bool, typer.Option("-n", "--dry-run", help="Say what would run; write nothing.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Also trials that failed or timed out.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also complete trials, from the beginning.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Paper scale without a GPU; over 10,000 trials.")
    ] = False,
    no_progress: Annotated[
        bool, typer.Option("--no-progress", help="Plain lines instead of the live board.")
    ] = False,
    no_probe: Annotated[
        bool, typer.Option("--no-probe", help="Train without measuring the variants first.")
    ] = False,
    json: Json = False,
) -> None:
    """Train what the study lacks. Running again resumes; a new seed extends.

    Ctrl-C lets the running trials finish; a second one stops them, to be resumed later.
    """
    from ablate.cli.asking import Wishes, asked, headline, say_seed
    from ablate.cli.console import note

    wishes = Wishes(
        overrides=overrides or (), seeds=seeds, only=only, scale=scale, data=data, yes=yes
    )
    found = asked(study, wishes)
    _refuse(found, scale, yes=yes)
    note(headline(found.study, found.project))
    say_seed(found)
    if found.study.standin:
        note("stand-in data: these numbers say nothing about the real data set")
    again = _again(retry_failed=retry_failed, force=force)
    if dry_run:
        _would(found, again)
        return
    how = How(jobs, inline=executor == "inline", plain=no_progress, probe=not no_probe, json=json)
    _run(found, again, how)


def _refuse(found: "Asked", scale: str | None, *, yes: bool) -> None:
    from ablate import command
    from ablate.cli.asking import data_folder, gpu_here
    from ablate.errors import UsageError

    study = found.study
    if study.data == "missing" and study.data_root is not None:
        folder = data_folder(study, found.project)
        raise UsageError(f"{study.name}: there is no data at {folder} (--data FOLDER)")
    if study.data == "missing" or (study.standin and scale == "paper"):
        raise UsageError(
            f"{study.name}: paper scale needs the real data: set [data] root or --data FOLDER"
        )
    if _is_large(found) and not gpu_here() and not yes:
        raise UsageError(
            f"{study.name}: paper scale, {len(found.chosen)} trials, and no GPU here:"
            " `ablate plan` shows the hours where a trial has run; --yes runs it all the same"
        )
    if any(p.variant.start for p in found.chosen):
        raise UsageError(f"{study.name}: `start` (from another arm's checkpoint) cannot be run yet")
    if any(check.stop for check in study.checks):
        raise UsageError(f"{study.name}: checks with `stop = true` cannot be run yet")
    if (program := command.declaration(found.project.reference(study.system))) is not None:
        command.check(program)


def _is_large(found: "Asked") -> bool:
    """Whether it is at paper scale while there is a smaller one; a program's scale is its own."""
    study = found.study
    smaller = found.system.standin is not None or bool(found.document.file.scale)
    return study.scale == "paper" and not study.standin and smaller


def _refuse_name(found: "Asked", store: "Store") -> None:
    from ablate.errors import UsageError

    name, system = found.study.name, found.study.system
    if name in store.studies() and (other := store.study(name).system) != system:
        raise UsageError(
            f"the store holds a study {name!r} of system {other!r}, this one asks {system!r}:"
            " give it another name"
        )


def _again(*, retry_failed: bool, force: bool) -> "frozenset[State]":
    from ablate.record import State

    states = {State.FAILED, State.TIMEOUT} if retry_failed or force else set()
    return frozenset(states | ({State.COMPLETED} if force else set()))


def _would(found: "Asked", again: "frozenset[State]") -> None:
    from ablate.run.driver import due
    from ablate.store import open_store

    states: Mapping[str, State] = {}
    if found.project.store.exists():
        with open_store(found.project.store) as store:
            states = store.states([p.trial.key for p in found.chosen])
    todo = due(found.chosen, states, again)
    for placement in todo:
        typer.echo(f"{placement.trial.key}  {placement.variant.name} s{placement.trial.seed}")
    typer.echo(f"{len(todo)} of {len({p.trial.key for p in found.chosen})} trials would run")


@dataclass(frozen=True, slots=True)
class How:
    """The options of `run` that decide how trials are run, not which."""

    jobs: int | None
    inline: bool
    plain: bool
    probe: bool
    json: bool


def _run(found: "Asked", again: "frozenset[State]", how: How) -> None:
    import sys

    from ablate import command
    from ablate.cli import probed
    from ablate.cli.asking import data_folder
    from ablate.cli.board import Board, Lines
    from ablate.cli.console import note
    from ablate.cli.tally import Tally
    from ablate.record import State
    from ablate.report.tables import some
    from ablate.run.driver import Driver, Setting, due, reclaim
    from ablate.store import open_store

    with open_store(found.project.store, create=True) as store:
        for attempt, state in reclaim(store):
            note(f"{attempt.key}: attempt {attempt.number} had lost its driver: {state}")
        _refuse_name(found, store)
        store.put_study(found.study, found.placements)
        states = store.states([p.trial.key for p in found.chosen])
        todo = due(found.chosen, states, again)
        reference = found.project.reference(found.study.system)
        reference = command.frozen(reference) if todo else reference
        setting = Setting(
            study=found.study,
            system=reference,
            data=data_folder(found.study, found.project),
            provenance=_provenance(found),
            again={k: state for k, state in states.items() if state in again},
            scratch=State.COMPLETED in again,
        )
        tally = Tally(found.study, store, todo, found.chosen)
        # inline, nothing refreshes a board while a trial trains
        live = sys.stderr.isatty() and not how.plain and not how.inline
        driver: Driver | None = None
        said: set[str] = set()
        if todo:
            probe = probed.beside(found, todo, inline=how.inline) if how.probe else None
            running = _executor(found, setting, len(todo), how)
            tally.slots = running.slots
            try:
                said = probed.warn(found, probe) if probe else said
                with (Board if live else Lines)(tally) as watcher:
                    driver = Driver(store, setting, watcher)
                    driver.run(running, todo)
            finally:
                running.close()
        _say_findings(found, store, said)
        for text, variants in tally.doubts.items():
            note(f"noted by {some(list(variants))}: {text}")
        raise typer.Exit(_conclude(found, store, tally, driver, json=how.json))


def _provenance(found: "Asked") -> "Mapping[str, str]":
    """Where all numbers of this run come from; each attempt says the code of a program."""
    from ablate import command
    from ablate.run.provenance import provenance

    facts = provenance(found.project.root)
    if command.declaration(found.project.reference(found.study.system)) is None:
        return facts
    return {k: v for k, v in facts.items() if k not in {"commit", "dirty", "sources"}}


def _executor(found: "Asked", setting: "Setting", trials: int, how: How) -> "Executor":
    import sys

    from ablate.cli.console import note

    folder = str(found.project.root)
    if how.inline:
        from ablate.run.inline import InlineExecutor

        return InlineExecutor([folder])
    if sys.platform != "linux":
        from ablate.errors import HostError

        raise HostError("isolated trials need Linux; here use --executor inline")
    from ablate.run.provenance import cores
    from ablate.run.ray import RayExecutor

    note("starting Ray on this machine")
    wanted = min(trials, how.jobs or found.project.slots or cores())
    modules = [setting.system.partition(":")[0], *found.system.preload]
    return RayExecutor(found.study.resources, wanted, modules, [folder])


def _say_findings(found: "Asked", store: "Store", said: set[str]) -> None:
    """Audit the study, keep what is found, and say what was not known before this run."""
    from shlex import quote

    from ablate.cli.audit_text import asked, summary, told
    from ablate.cli.console import note

    name = found.study.name
    known = {f.name for f in store.findings(name)}
    (one,) = asked(store, [name], quote(str(found.document.path)))
    for finding in one.findings:
        if finding.name not in known | said:
            note(told(finding))
    note(summary(name, one.findings))


def _conclude(
    found: "Asked", store: "Store", tally: "Tally", driver: "Driver | None", *, json: bool
) -> int:
    from ablate.cli.console import print_json
    from ablate.record import State

    counts = _counts(found.chosen, store)
    missing = sum(counts.values()) - counts.get(State.COMPLETED, 0)
    if json:
        document = {
            "schema": "ablate.run/1",
            "study": found.study.name,
            "standin": found.study.standin,
            "counts": {str(state): n for state, n in counts.items()},
            "ran": tally.ran,
            "seconds": tally.elapsed,
            "cpu_seconds": tally.cpu,
        }
        print_json(document)
    else:
        shown = ", ".join(f"{n} {state}" for state, n in counts.items())
        typer.echo(f"{found.study.name}: {shown}; {tally.ran} trials run now,", nl=False)
        typer.echo(f" {tally.cpu / 60:.1f} CPU minutes in {tally.elapsed / 60:.1f} minutes")
        typer.echo(f"next: {_next(found, counts)}")
    if driver is not None and driver.exit_code:
        return driver.exit_code
    if missing and missing == counts.get(State.RUNNING):
        from ablate.cli.console import note

        note(f"{missing} trials are held by another `ablate run`")
        return 6
    return int(missing > 0)


def _next(found: "Asked", counts: "Mapping[State, int]") -> str:
    from ablate.record import RERUN, State

    if counts.get(State.FAILED) or counts.get(State.TIMEOUT):
        return "ablate logs TRIAL shows what failed; --retry-failed runs it again"
    if any(counts.get(state) for state in RERUN):
        return "the same command again goes on"
    return f"ablate report {found.study.name}"


def _counts(placements: "Sequence[Placement]", store: "Store") -> "dict[State, int]":
    from collections import Counter

    from ablate.record import State

    keys = {p.trial.key for p in placements}
    states = store.states(keys)
    return dict(Counter(states.get(key, State.PENDING) for key in keys))
