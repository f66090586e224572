"""What `plan --probe` and `run` ask of a probe, and how they say what it found."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ablate.cli.asking import Asked
    from ablate.measure import Step
    from ablate.record import Cost, Finding
    from ablate.report.printed import Spent
    from ablate.run.probing import Answer, Inquiry
    from ablate.study import Placement

FOOTNOTE = "FLOPs are multiply–accumulates ({}), batch 1."
NAMES = 22
UNREAD = "Unread: modules without a path to the scored output."
OPS = "Ops: {}."
WORDS = "Live: the scored output depends on it. Trained: a loss of the score reaches it."


def inquiry(
    found: "Asked",
    placements: "Sequence[Placement]",
    *,
    stepping: bool,
    ops: Literal["", "seed"] = "",
) -> "Inquiry":
    """One question per variant; with `stepping`, one training step at the small scale too."""
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
    return Inquiry(reference, str(found.project.root), tuple(questions.values()), ops)


def findings(answers: "Sequence[Answer]") -> "list[Finding]":
    """What the audit says of the measured variants."""
    from ablate.audit import liveness, measured

    return liveness(measured({a.variant: a.measured.costs for a in answers if a.measured}))


def failures(answers: "Sequence[Answer]") -> list[str]:
    """One line per reason why something was not measured or counted, with the variants."""
    from ablate.report.tables import some

    found: dict[str, list[str]] = {}
    for answer in answers:
        told = "; ".join(answer.reasons)
        reasons = [f"not measured: {told}"] if told else []
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
    return partial(probing.answers, asked) if inline else probing.Beside(asked).answers


def warn(collect: "Callable[[], list[Answer]]") -> set[str]:
    """Say on stderr what the probe found, a line each; the sentences of its findings."""
    from ablate.cli.console import note
    from ablate.errors import HostError

    try:
        answers = collect()
    except HostError as wrong:
        note(f"warning: {wrong}; the run goes on without it")
        return set()
    for line in failures(answers):
        note(f"warning: {line}")
    found = findings(answers)
    for finding in found:
        note(f"warning: {finding.code} {finding.sentence} ({finding.command})")
    return {f.sentence for f in found}


def document(found: "Asked", answers: "Sequence[Answer]", ops: str) -> dict[str, Any]:
    """The `probe` of a plan's JSON: every count whole, every gradient."""
    from dataclasses import asdict

    from ablate.cli.asking import small

    return {
        "scale": found.study.scale,
        "step_scale": small(found)[0],
        "ops": ops or None,
        "seconds": sum(a.seconds for a in answers),
        "variants": [_variant(a) for a in answers],
        "findings": [asdict(f) for f in findings(answers)],
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
        "inert": list(answer.measured.inert) if answer.measured else None,
        "reached": None if step is None else [_reached(r) for r in step.reached],
        "switched": None
        if step is None
        else {
            f: {"output": s.output, "losses": s.losses, "gradients": s.gradients}
            for f, s in step.switched.items()
        },
        "seconds": answer.seconds,
        "reason": "; ".join(answer.reasons),
    }


def _reached(reached: Any) -> dict[str, Any]:  # noqa: ANN401 - a Reached; measure imports torch
    return {
        "part": reached.part,
        "factor": reached.factor,
        "loss": reached.loss,
        "tensors": reached.tensors,
        "of": reached.of,
        "norm": reached.norm,
    }


def _whole(cost: "Cost") -> int | float:
    return int(cost.value) if cost.value == int(cost.value) else cost.value


def show(found: "Asked", answers: "Sequence[Answer]") -> None:
    """Print tables that fit the terminal, what learns from what, and one line per finding."""
    from ablate.cli.asking import small
    from ablate.cli.console import note, out

    _print_costs(answers)
    _print_modules(answers)
    console = out()
    told = [*learning(answers), *switching(answers)]
    if told:
        console.print(f"\nOne training step ({small(found)[0]} scale)", soft_wrap=True)
    for line in told:
        console.print(line, soft_wrap=True)
    for line in failures(answers):
        note(f"warning: {line}")
    for finding in findings(answers):
        note(f"warning: {finding.code} {finding.sentence}")


def _print_costs(answers: "Sequence[Answer]") -> None:
    from ablate.cli.console import Column, out, print_table
    from ablate.report.printed import OPERATIONS, SIZE, spent_columns

    cells = {a.variant: _cell(a) for a in answers}
    spent = spent_columns(list(cells.values()), (*SIZE, "ops"))
    columns = [Column("Configuration"), *(Column(c.title, right=True) for c in spent)]
    columns.append(Column("Unread"))
    rows = [
        [
            a.variant,
            *_counts(spent, cells[a.variant]["costs"]),
            ", ".join(a.measured.inert) if a.measured else "not measured",
        ]
        for a in answers
    ]
    out().print()
    print_table(columns, rows)
    out().print(UNREAD)
    counted = dict.fromkeys(c.counter for c in spent if c.name in OPERATIONS)
    for counter in counted:
        out().print(FOOTNOTE.format(counter), soft_wrap=True)
    for column in spent:
        if column.name == "ops":
            out().print(OPS.format(column.counter), soft_wrap=True)


def _counts(spent: "Sequence[Spent]", costs: Sequence[Mapping[str, Any]]) -> list[str]:
    """A text per column; executed operations only where they are not the live ones."""
    live = {c.counter: c.text(costs) for c in spent if c.name == "live_macs"}
    texts = [c.text(costs) for c in spent]
    return [
        "same" if c.name == "macs" and live.get(c.counter) == text else text
        for c, text in zip(spent, texts, strict=True)
    ]


def _print_modules(answers: "Sequence[Answer]") -> None:
    from ablate.cli.console import Column, out, print_table
    from ablate.cli.tally import shortened
    from ablate.report.tables import OWN, sizes, some

    spent, found = sizes([_cell(a) for a in answers])
    if not found:
        return
    drops = {"trained_params": 3, "macs": 1}
    columns = [Column("Module"), *(Column(c.title, True, drops.get(c.name, 0)) for c in spent)]
    columns.append(Column("Configurations", drop=2))
    out().print("\nWhat each module adds")
    rows = [
        [factor, *texts, shortened(some(variants, 1), NAMES)] for factor, variants, texts in found
    ]
    print_table(columns, rows)
    for line in (OWN, WORDS):
        out().print(line, soft_wrap=True)


def _cell(answer: "Answer") -> dict[str, Any]:
    from ablate.report.document import costs_of

    shares: dict[str, list[dict[str, Any]]] = {}
    costs = answer.measured.costs if answer.measured else ()
    for cost in costs:
        if cost.factor:
            shares.setdefault(cost.factor, []).append(costs_of([cost]))
    whole = [costs_of([c]) for c in costs if not c.factor]
    return {"variant": answer.variant, "role": "grid", "costs": whole, "shares": shares}


def learning(answers: "Iterable[Answer]") -> list[str]:
    """For each factor, which losses give its tensors a gradient, and in which variants."""
    said: dict[str, dict[str, list[str]]] = {}
    for answer in answers:
        for factor, sentence in _taught(answer.step).items():
            said.setdefault(factor, {}).setdefault(sentence, []).append(answer.variant)
    return list(_by_factor(said))


def _taught(step: "Step | None") -> dict[str, str]:
    counts: dict[str, dict[str, tuple[int, int]]] = {}
    for r in step.reached if step else ():
        if r.factor is not None:
            own = counts.setdefault(r.factor, {})
            tensors, of = own.get(r.loss, (0, 0))
            own[r.loss] = tensors + r.tensors, of + r.of
    return {factor: _sentence(by_loss) for factor, by_loss in counts.items()}


def _sentence(by_loss: Mapping[str, tuple[int, int]]) -> str:
    reached = {loss: n for loss, n in by_loss.items() if n[0]}
    if not reached:
        return "no gradient from any loss"
    if len(set(reached.values())) == 1:
        n, of = next(iter(reached.values()))
        names = ", ".join(reached)
        if len(reached) == 1:
            return f"gradient from loss {names} only ({n} of {of} tensors)"
        return f"gradient from losses {names} ({n} of {of} tensors each)"
    parts = [f"{loss} ({n} of {of} tensors)" for loss, (n, of) in reached.items()]
    return f"gradient from losses {', '.join(parts)}"


def switching(answers: "Iterable[Answer]") -> list[str]:
    """For each switch that is on, what one step without it changes, where it is not everything."""
    said: dict[str, dict[str, list[str]]] = {}
    for answer in answers:
        for factor, s in answer.step.switched.items() if answer.step else ():
            facts = {
                "the scored output": s.output,
                "the losses that remain": s.losses,
                "the gradients that remain": s.gradients,
            }
            same = [name for name, moved in facts.items() if not moved]
            if same:
                sentence = f"switching it off does not change {', '.join(same)}"
                said.setdefault(factor, {}).setdefault(sentence, []).append(answer.variant)
    return list(_by_factor(said))


def _by_factor(said: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterable[str]:
    from ablate.report.tables import some

    for factor, sentences in said.items():
        for sentence, variants in sentences.items():
            where = f", in {some(variants)}" if len(sentences) > 1 or len(variants) > 1 else ""
            yield f"  {factor}: {sentence}{where}"
