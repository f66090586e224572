"""`ablate plan`: which trials a study makes, which are there, and what is left to do."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ablate.cli.options import Data, Json, Only, Overrides, Scale, Seeds, StudyFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.cli.asking import Asked
    from ablate.record import State
    from ablate.run.probing import Answer
    from ablate.study import Placement


def plan(
    study: StudyFile,
    overrides: Overrides = None,
    *,
    seeds: Seeds = "",
    only: Only = "",
    scale: Scale = None,
    data: Data = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Show so many rows.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Even over 10,000 trials.")] = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Build every variant: what it spends, what learns.")
    ] = False,
    ops: Annotated[
        Literal["", "seed"],
        typer.Option("--ops", help="With --probe: elementwise operations too, as the seeds count."),
    ] = "",
    json: Json = False,
) -> None:
    """Show the trials of a study: complete, failed, to run. Writes nothing, trains nothing."""
    from ablate.cli import probe_text, probed
    from ablate.cli.asking import Wishes, asked, say_seed
    from ablate.cli.console import print_json
    from ablate.errors import UsageError

    if ops and not probe:
        raise UsageError("--ops means something with --probe only")

    wishes = Wishes(
        overrides=overrides or (), seeds=seeds, only=only, scale=scale, data=data, yes=yes
    )
    found = asked(study, wishes)
    _say_absent(found)
    if len({p.trial.seed for p in found.chosen}) > 1:
        say_seed(found)
    states, seconds = _known(found)
    answers = _probed(found, ops) if probe else None
    if json:
        document = _document(found, states, seconds)
        extra = {} if answers is None else {"probe": probed.document(found, answers, ops)}
        print_json(document | extra)
        return
    _print(found, states, seconds, limit)
    if answers is not None:
        probe_text.show(found, answers)


def _probed(found: "Asked", ops: Literal["", "seed"]) -> "list[Answer]":
    from ablate import command
    from ablate.cli import probed
    from ablate.errors import UsageError
    from ablate.run import probing

    if found.system.probe is None:
        reference = found.project.reference(found.system.name)
        why = "has no probe" if command.declaration(reference) is None else "is a program"
        raise UsageError(
            f"system {found.system.name!r} {why}: nothing can be measured before it is trained"
        )
    inquiry = probed.inquiry(found, found.chosen, stepping=True, ops=ops)
    probed.announce(inquiry)
    return probing.answers(inquiry)


def _say_absent(found: "Asked") -> None:
    """Say that a program is not there: a plan needs none, a run refuses."""
    from ablate import command
    from ablate.cli.console import note
    from ablate.errors import UsageError

    program = command.declaration(found.project.reference(found.study.system))
    if program is not None:
        try:
            command.check(program)
        except UsageError as wrong:
            note(str(wrong))


def _known(found: "Asked") -> "tuple[Mapping[str, State], list[tuple[str, float]]]":
    """States by trial key and seconds by variant, as far as there is a store."""
    from ablate.store import open_store

    if not found.project.store.exists():
        return {}, []
    with open_store(found.project.store) as store:
        states = store.states([p.trial.key for p in found.chosen])
        known = found.study.name in store.studies()
        return states, store.durations(found.study.name) if known else []


def _document(
    found: "Asked", states: "Mapping[str, State]", seconds: "Sequence[tuple[str, float]]"
) -> dict[str, object]:
    study = found.study
    return {
        "schema": "ablate.plan/1",
        "study": study.name,
        "system": study.system,
        "scale": study.scale,
        "standin": study.standin,
        "data": study.data,
        "counts": _counts(found.chosen, states),
        "hours_left": _hours_left(found, states, seconds),
        "trials": [
            {
                "key": p.trial.key,
                "variant": p.variant.name,
                "role": p.variant.role,
                "parent": p.variant.parent,
                "seed": p.trial.seed,
                "state": str(states.get(p.trial.key, "pending")),
                "levels": dict(p.trial.levels),
                "changed": dict(p.trial.changed),
            }
            for p in found.chosen
        ],
    }


def _counts(placements: "Sequence[Placement]", states: "Mapping[str, State]") -> dict[str, int]:
    from ablate.record import RERUN, State

    keys = {p.trial.key for p in placements}
    now = [states.get(key, State.PENDING) for key in keys]
    return {
        "trials": len(keys),
        "complete": now.count(State.COMPLETED),
        "failed": now.count(State.FAILED) + now.count(State.TIMEOUT),
        "running": now.count(State.RUNNING),
        "to_run": sum(state in RERUN for state in now),
    }


def _hours_left(
    found: "Asked", states: "Mapping[str, State]", seconds: "Sequence[tuple[str, float]]"
) -> float | None:
    """Device hours where there are devices, else core hours, by medians of each variant or all."""
    from statistics import median

    from ablate.cli.asking import gpu_here
    from ablate.record import RERUN, State

    if not seconds:
        return None
    usual = median(s for _, s in seconds)
    by_variant: dict[str, list[float]] = {}
    for name, value in seconds:
        by_variant.setdefault(name, []).append(value)
    left = {p.trial.key: p.variant.name for p in found.chosen}
    total = sum(
        median(by_variant.get(name, [usual]))
        for key, name in left.items()
        if states.get(key, State.PENDING) in RERUN
    )
    share = found.study.resources
    return total * ((share.gpus if gpu_here() else 0) or share.cpus) / 3600


def _print(
    found: "Asked",
    states: "Mapping[str, State]",
    seconds: "Sequence[tuple[str, float]]",
    limit: int | None,
) -> None:
    import math

    from ablate.cli.asking import gpu_here, headline
    from ablate.cli.console import Column, note, out, print_table
    from ablate.design import shown

    console = out()
    console.print(headline(found.study, found.project), soft_wrap=True)
    rows = [
        [
            p.trial.key[:8],
            p.variant.name,
            str(p.trial.seed),
            str(states.get(p.trial.key, "pending")),
            p.variant.parent or "",
            " ".join(f"{n}={shown(v)}" for n, v in p.trial.changed.items()),
        ]
        for p in found.chosen
    ]
    columns = [
        Column("Trial"),
        Column("Configuration"),
        Column("Seed", right=True),
        Column("State"),
        Column("Parent", drop=1),
        Column("Changed", drop=2),
    ]
    print_table(columns, rows[:limit])
    if limit is not None and limit < len(rows):
        note(f"{limit} of {len(rows)} rows shown")
    hours = _hours_left(found, states, seconds)
    unit = "GPU-h" if found.study.resources.gpus and gpu_here() else "core-h"
    counts = _counts(found.chosen, states)
    parts = [f"{counts['complete']} complete", f"{counts['failed']} failed"]
    parts += [f"{counts['running']} running"] if counts["running"] else []
    parts += [f"{counts['to_run']} to run"]
    if hours:
        digits = max(1, 1 - math.floor(math.log10(hours)))
        parts.append(f"~{hours:.{digits}f} {unit} left")
    console.print(f"{counts['trials']} trials: {', '.join(parts)}", soft_wrap=True)
