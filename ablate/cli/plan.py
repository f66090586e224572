"""`ablate plan`: which trials a study makes, which are there, and what is left to do."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ablate.cli.options import Data, Json, Only, Overrides, Scale, Seeds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.cli.asking import Asked
    from ablate.cli.hours import Hours
    from ablate.record import Finding, State
    from ablate.run.probing import Answer
    from ablate.study import Study


def plan(
    study: Annotated[
        Path,
        typer.Argument(help="The study file; with --power also the name of a study in the store."),
    ],
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
    power: Annotated[
        bool, typer.Option("--power", help="What the design can see, instead of its trials.")
    ] = False,
    sigma: Annotated[
        float | None,
        typer.Option(
            "--sigma",
            metavar="S",
            help="With --power: the standard deviation of one run; points of a percentage.",
        ),
    ] = None,
    effect: Annotated[
        float | None,
        typer.Option(
            "--effect", metavar="D", help="With --power: the effect to see, 1 point if not said."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show the trials of a study: complete, failed, to run. Writes nothing, trains nothing."""
    from ablate.cli import power as planned
    from ablate.cli import power_text, probe_text, probed, stored_plan
    from ablate.cli.asking import Wishes, asked, say_seed
    from ablate.cli.console import print_json
    from ablate.errors import UsageError
    from ablate.report.document import findings_document

    if ops and not probe:
        raise UsageError("--ops means something with --probe only")
    if not power and (sigma is not None or effect is not None):
        option = "--effect" if sigma is None else "--sigma"
        raise UsageError(f"{option} means something with --power only")
    if power and probe:
        raise UsageError("--power and --probe answer two questions: ask one at a time")

    wishes = Wishes(
        overrides=overrides or (), seeds=seeds, only=only, scale=scale, data=data, yes=yes
    )
    if not _is_file(study) and stored_plan.answered(
        str(study), wishes, stored_plan.Asks(sigma, effect, json=json) if power else None
    ):
        return
    found = asked(study, wishes)
    _say_absent(found)
    if len({p.trial.seed for p in found.chosen}) > 1:
        say_seed(found)
    states, hours = _known(found)
    findings, seen = [] if power else _foreseen(found), None
    if power:
        seen = planned.document(planned.of_file(found, states), sigma, effect, hours)
    answers = _probed(found, ops) if probe else None
    if json:
        document = _document(found, states, hours)
        document |= {} if power else {"findings": findings_document(findings, ())}
        extra = {} if answers is None else {"probe": probed.document(found, answers, ops)}
        extra |= {} if seen is None else {"power": seen}
        print_json(document | extra)
        return
    _print_headline(found)
    if seen is None:
        _print_trials(found, states, limit)
    else:
        power_text.show(seen, found.study.name, hours)
    _print_counts(found, states, hours)
    _say_foreseen(findings)
    if answers is not None:
        probe_text.show(found, answers)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for any file
        return False


def _foreseen(found: "Asked") -> "list[Finding]":
    """What the checks that need no results find in the study of the file."""
    from shlex import quote

    from ablate.audit.catalogue import CHECKS
    from ablate.audit.check import ask
    from ablate.audit.gather import planned

    evidence = planned(found.study, found.placements, quote(str(found.document.path)))
    return ask(CHECKS, evidence, planned=True)


def _say_foreseen(findings: "Sequence[Finding]") -> None:
    """Say on stderr what was found, a line each."""
    from ablate.cli.audit_text import told
    from ablate.cli.console import note

    for finding in findings:
        note(told(finding))


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


def _known(found: "Asked") -> "tuple[Mapping[str, State], Hours]":
    """States by trial key and what trials take, as far as there is a store."""
    from ablate.cli.hours import Hours, hours_of
    from ablate.store import open_store

    share = found.study.resources
    if not found.project.store.exists():
        return {}, Hours((), share)
    with open_store(found.project.store) as store:
        states = store.states([p.trial.key for p in (*found.placements, *found.chosen)])
        return states, hours_of(store, found.study.name, share)


def head(
    study: "Study", states: "Mapping[str, State]", hours_left: float | None
) -> dict[str, object]:
    """What the document of a plan begins with; `states` by the trials' keys."""
    return {
        "schema": "ablate.plan/1",
        "study": study.name,
        "system": study.system,
        "scale": study.scale,
        "standin": study.standin,
        "data": study.data,
        "counts": counts(states),
        "hours_left": hours_left,
    }


def _document(found: "Asked", states: "Mapping[str, State]", hours: "Hours") -> dict[str, object]:
    return {
        **head(found.study, _now(found, states), hours.of(_left(found, states))),
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


def _now(found: "Asked", states: "Mapping[str, State]") -> "dict[str, State]":
    """The state of every chosen trial, by its key."""
    from ablate.record import State

    return {p.trial.key: states.get(p.trial.key, State.PENDING) for p in found.chosen}


def _left(found: "Asked", states: "Mapping[str, State]") -> "dict[str, int]":
    """The trials of each variant that a run would take up."""
    from collections import Counter

    from ablate.record import RERUN

    names = {p.trial.key: p.variant.name for p in found.chosen}
    return Counter(names[key] for key, now in _now(found, states).items() if now in RERUN)


def counts(states: "Mapping[str, State]") -> dict[str, int]:
    """How many trials there are, by where they stand; `states` by their keys."""
    from ablate.record import RERUN, State

    now = list(states.values())
    return {
        "trials": len(now),
        "complete": now.count(State.COMPLETED),
        "failed": now.count(State.FAILED) + now.count(State.TIMEOUT),
        "running": now.count(State.RUNNING),
        "to_run": sum(state in RERUN for state in now),
    }


def _print_headline(found: "Asked") -> None:
    from ablate.cli.asking import headline
    from ablate.cli.console import out

    out().print(headline(found.study, found.project), soft_wrap=True)


def _print_trials(found: "Asked", states: "Mapping[str, State]", limit: int | None) -> None:
    from ablate.cli.console import Column, note, print_table
    from ablate.design import shown

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


def _print_counts(found: "Asked", states: "Mapping[str, State]", hours: "Hours") -> None:
    say_counts(counts(_now(found, states)), hours.of(_left(found, states)), hours)


def say_counts(found: "Mapping[str, int]", left: float | None, hours: "Hours") -> None:
    """Print how many trials there are, and the hours `left` of those to run."""
    from ablate.cli.console import out

    parts = [f"{found['complete']} complete", f"{found['failed']} failed"]
    parts += [f"{found['running']} running"] if found["running"] else []
    parts += [f"{found['to_run']} to run"]
    parts += [f"~{hours.text(left)} {hours.unit} left"] if left else []
    out().print(f"{found['trials']} trials: {', '.join(parts)}", soft_wrap=True)
