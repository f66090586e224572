"""What `plan --probe` and `run` ask of a probe, and what it found as findings and as JSON."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ablate.cli.asking import Asked
    from ablate.record import Cost, Finding
    from ablate.run.probing import Answer, Inquiry
    from ablate.study import Placement

LIVENESS = ("W204", "N204", "E205")
"""The checks that a probe's answers are asked."""


def inquiry(
    found: "Asked",
    placements: "Sequence[Placement]",
    *,
    stepping: bool,
    ops: Literal["", "seed"] = "",
) -> "Inquiry":
    """One question per variant.

    With `stepping`, one training step at the small scale too. For what is not in an output the
    setting is looked for that would put it there.
    """
    from ablate.cli.asking import data_folder, small
    from ablate.run.probing import Inquiry, Question, Setting

    data = data_folder(found.study, found.project)
    levels = small(found)[1] if stepping else {}
    questions: dict[str, Question] = {}
    for p in placements:
        built = Setting(p.trial.levels, p.trial.seed, data)
        cheap = levels.get(p.variant.name)
        trained = built if cheap is None else Setting(cheap, p.trial.seed, None)
        name = p.variant.name
        questions.setdefault(name, Question(name, built, trained if stepping else None))
    reference = found.project.reference(found.study.system)
    root = str(found.project.root)
    return Inquiry(reference, root, tuple(questions.values()), ops, ways=True)


def findings(found: "Asked", answers: "Sequence[Answer]") -> "list[Finding]":
    """What the audit says of the measured variants."""
    from shlex import quote

    from ablate.audit import measured
    from ablate.audit.catalogue import check_of
    from ablate.audit.check import ask
    from ablate.audit.gather import planned

    shares = measured({a.variant: a.measured.costs for a in answers if a.measured})
    evidence = planned(found.study, found.chosen, quote(str(found.document.path)))
    records = [replace(r, shares=shares.get(r.variant, {})) for r in evidence.records]
    ways = {module: way for a in answers for module, way in a.ways.items()}
    made = replace(evidence, records=records, ways=ways)
    return ask([check_of(code) for code in LIVENESS], made)


def is_measured(answer: "Answer") -> bool:
    """Whether anything was counted of the variant."""
    return unread(answer) is not None


def unread(answer: "Answer") -> list[str] | None:
    """The factors none of whose parameters reaches the scored output; None if unmeasured."""
    found = answer.measured
    return list(found.inert) if found and found.costs else None


def failures(answers: "Sequence[Answer]") -> list[str]:
    """One line per reason why something was not measured or counted, with the variants."""
    from ablate.report.tables import some

    found: dict[str, list[str]] = {}
    for answer in answers:
        why = "; ".join(answer.reasons)
        prefix = "" if is_measured(answer) else "not measured: "
        reasons = [f"{prefix}{why}"] if why else []
        if answer.measured and answer.measured.uncounted:
            names = ", ".join(answer.measured.uncounted)
            reasons.append(f"operations that no formula counts, in no number: {names}")
        for reason in reasons:
            found.setdefault(reason, []).append(answer.variant)
    return [f"{reason} ({some(variants)})" for reason, variants in found.items()]


def beside(
    found: "Asked", todo: "Sequence[Placement]", *, inline: bool
) -> "Callable[[], list[Answer]] | None":
    """What gives the answers about the variants of `todo` when it is called.

    Unless `inline`, they are measured meanwhile in a process of their own. None for a system
    without a probe.
    """
    if found.system.probe is None:
        return None
    from ablate.run import probing

    asked = replace(inquiry(found, todo, stepping=False), seconds=probing.PATIENCE)
    return partial(_here, asked) if inline else probing.Beside(asked).answers


def _here(asked: "Inquiry") -> "list[Answer]":
    from ablate.run import probing

    announce(asked)
    return probing.answers(asked)


def announce(asked: "Inquiry") -> None:
    """Say what is done, first: a probe that hangs in this process is stopped by hand alone."""
    from ablate.cli.console import note

    n = len(asked.questions)
    note(f"probing {n} configuration{'' if n == 1 else 's'}")


def warn(found: "Asked", collect: "Callable[[], list[Answer]]") -> set[str]:
    """Say on stderr what the probe found, a line each; the names of its findings."""
    from ablate.cli.audit_text import told
    from ablate.cli.console import note
    from ablate.errors import HostError

    try:
        answers = collect()
    except HostError as wrong:
        note(f"warning: {wrong}; the run goes on without it")
        return set()
    for line in failures(answers):
        note(f"warning: {line}")
    told_of = findings(found, answers)
    for finding in told_of:
        note(told(finding))
    return {f.name for f in told_of}


def document(found: "Asked", answers: "Sequence[Answer]", ops: str) -> dict[str, Any]:
    """The `probe` of a plan's JSON: every count whole, every gradient."""
    from ablate.cli.asking import small
    from ablate.report.document import findings_document

    return {
        "scale": found.study.scale,
        "step_scale": small(found)[0],
        "ops": ops or None,
        "seconds": sum(a.seconds for a in answers),
        "variants": [_variant(a) for a in answers],
        "findings": findings_document(findings(found, answers), ()),
    }


def _variant(answer: "Answer") -> dict[str, Any]:
    costs = answer.measured.costs if answer.measured else ()
    whole = {c.name: _whole(c) for c in costs if not c.factor}
    by_factor: dict[str, dict[str, int | float]] = {}
    for cost in costs:
        if cost.factor:
            by_factor.setdefault(cost.factor, {})[cost.name] = _whole(cost)
    step = answer.step
    return {
        "variant": answer.variant,
        "params": whole.get("params"),
        "live_params": whole.get("live_params"),
        "trained_params": whole.get("trained_params"),
        "params_by_factor": {f: of.get("params") for f, of in by_factor.items()},
        "macs": {"executed": whole.get("macs"), "live": whole.get("live_macs")},
        "ops": whole.get("ops"),
        "by_factor": by_factor,
        "counter": answer.measured.counter if answer.measured else "",
        "counters": {c.name: c.counter for c in costs if not c.factor},
        "uncounted": list(answer.measured.uncounted) if answer.measured else [],
        "inert": unread(answer),
        "reached": step and [asdict(r) for r in step.reached],
        "switched": step and {f: asdict(s) for f, s in step.switched.items()},
        "seconds": answer.seconds,
        "reason": "; ".join(answer.reasons),
    }


def _whole(cost: "Cost") -> int | float:
    return int(cost.value) if cost.value == int(cost.value) else cost.value
