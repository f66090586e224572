"""What a probe found, in the terminal: costs, modules, and what learns from what."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ablate.cli.asking import Asked
    from ablate.measure import Step
    from ablate.report.printed import Spent
    from ablate.run.probing import Answer

FOOTNOTE = "FLOPs are multiply–accumulates ({}), batch 1."
NAMES = 22
UNREAD = "Unread: modules none of whose parameters reaches the scored output."
OPS = "Ops: {}."
NOTHING = "switching it off changes nothing: same scored output, losses and gradients, bit by bit"
WORDS = "Live: the scored output depends on it. Trained: a loss of the score reaches it."


def show(found: "Asked", answers: "Sequence[Answer]") -> None:
    """Print tables that fit the terminal, what learns from what, and one line per finding."""
    from ablate.cli.asking import small
    from ablate.cli.audit_text import told
    from ablate.cli.console import note, out
    from ablate.cli.probed import failures, findings

    print_costs(answers)
    _print_modules(answers)
    console = out()
    lines = [*learning(answers), *switching(answers)]
    if lines:
        console.print(f"\nOne training step ({small(found)[0]} scale)", soft_wrap=True)
    for line in lines:
        console.print(line, soft_wrap=True)
    for line in (*failures(answers), *exploding(answers)):
        note(f"warning: {line}")
    for finding in findings(found, answers):
        note(told(finding))


def print_costs(answers: "Sequence[Answer]") -> None:
    """A row for each variant with what it spends, and below it what counted that."""
    from ablate.cli.console import Column, out, print_table
    from ablate.cli.probed import unread

    cells = {a.variant: _cell(a) for a in answers}
    spent, marks = _columns(answers)
    drops = {"macs": 1}
    columns = [
        Column("Configuration"),
        *(Column(c.title, True, drops.get(c.name, 0)) for c in spent),
    ]
    columns.append(Column("Unread"))
    rows = []
    for a in answers:
        names = unread(a)
        counts = _counts(spent, cells[a.variant]["costs"])
        rows.append([a.variant, *counts, "not measured" if names is None else ", ".join(names)])
    out().print()
    print_table(columns, rows)
    out().print(UNREAD, soft_wrap=True)
    for line in _footnotes(spent, marks):
        out().print(line, soft_wrap=True)


def _columns(answers: "Sequence[Answer]") -> "tuple[list[Spent], dict[str, str]]":
    """The cost columns, and the mark of each counter that a title names."""
    from ablate.report.printed import SIZE, spent_columns

    spent = spent_columns([_cell(a) for a in answers], (*SIZE, "ops"))
    marks = _marks(spent)
    return [_marked(c, marks) for c in spent], marks


def _marks(spent: "Sequence[Spent]") -> dict[str, str]:
    """A number for each counter that stands in a title, because columns differ by it."""
    told = dict.fromkeys(c.counter for c in spent if c.title.endswith(f"[{c.counter}]"))
    return {counter: f"[{n}]" for n, counter in enumerate(told, 1)}


def _marked(column: "Spent", marks: Mapping[str, str]) -> "Spent":
    from dataclasses import replace

    if column.counter not in marks:
        return column
    return replace(column, title=column.title.replace(f"[{column.counter}]", marks[column.counter]))


def _footnotes(spent: "Sequence[Spent]", marks: Mapping[str, str]) -> list[str]:
    """What counted the operations of each column, once."""
    from ablate.report.printed import OPERATIONS

    lines = []
    for column in spent:
        if column.name in (*OPERATIONS, "ops"):
            text = (OPS if column.name == "ops" else FOOTNOTE).format(column.counter)
            lines.append(f"{marks.get(column.counter, '')} {text}".lstrip())
    return list(dict.fromkeys(lines))


def _counts(spent: "Sequence[Spent]", costs: Sequence[Mapping[str, Any]]) -> list[str]:
    """A text per column; executed operations only where they are not the live ones."""
    live = {c.counter: c.text(costs) for c in spent if c.name == "live_macs"}
    texts = [c.text(costs) for c in spent]
    return [
        "same" if c.name == "macs" and c.of(costs) and live.get(c.counter) == text else text
        for c, text in zip(spent, texts, strict=True)
    ]


def _print_modules(answers: "Sequence[Answer]") -> None:
    from ablate.cli.console import Column, out, print_table
    from ablate.cli.tally import shortened
    from ablate.report.tables import OWN, sizes, some

    spent, found = sizes([_cell(a) for a in answers])
    if not found:
        return
    _, whole = _columns(answers)
    marks = whole or _marks(spent)
    spent = [_marked(c, marks) for c in spent]
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


def exploding(answers: "Iterable[Answer]") -> list[str]:
    """The losses whose gradient is not finite, by part, with the variants."""
    from ablate.report.tables import some

    found: dict[str, list[str]] = {}
    for answer in answers:
        for r in answer.step.reached if answer.step else ():
            if not math.isfinite(r.norm):
                line = f"the gradient of loss {r.loss} on {r.part} is not finite"
                found.setdefault(line, []).append(answer.variant)
    return [f"{line} ({some(variants)})" for line, variants in found.items()]


def switching(answers: "Iterable[Answer]") -> list[str]:
    """For each switch that is on, what it cuts, and what one step without it leaves unchanged."""
    said: dict[str, dict[str, list[str]]] = {}
    for answer in answers:
        for factor, s in answer.step.switched.items() if answer.step else ():
            facts = {
                "the scored output": s.output,
                "the losses that remain": s.losses,
                "the gradients that remain": s.gradients,
            }
            for r in s.cut:
                sentence = f"on, it cuts {r.part} off from loss {r.loss} ({r.tensors} tensors)"
                said.setdefault(factor, {}).setdefault(sentence, []).append(answer.variant)
            same = [name for name, moved in facts.items() if not moved]
            if same:
                unchanged = f"switching it off does not change {', '.join(same)}"
                own = _own_losses(factor, answer.step)
                sentence = NOTHING + own if len(same) == len(facts) else unchanged
                said.setdefault(factor, {}).setdefault(sentence, []).append(answer.variant)
    return list(_by_factor(said))


def _own_losses(factor: str, step: "Step | None") -> str:
    """The losses that teach this factor's parts and no other, which go with the switch."""
    taught: dict[str, set[str | None]] = {}
    for r in step.reached if step else ():
        if r.tensors:
            taught.setdefault(r.loss, set()).add(r.factor)
    own = [loss for loss, of in taught.items() if of == {factor}]
    return f", its own loss {', '.join(own)} aside" if own else ""


def _by_factor(said: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterable[str]:
    from ablate.report.tables import some

    for factor, sentences in said.items():
        for sentence, variants in sentences.items():
            where = f", in {some(variants)}" if len(sentences) > 1 or len(variants) > 1 else ""
            yield f"  {factor}: {sentence}{where}"
