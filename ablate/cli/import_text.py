"""What an import says before it writes: how runs were understood, and what was not."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablate.ingest.assemble import Assembled
    from ablate.ingest.bring import Brought
    from ablate.ingest.gather import Gathered
    from ablate.ingest.propose import Proposal
    from ablate.study import Level

ROWS, LEVELS, LINES = 40, 8, 20
"""How many runs, levels of a factor, and lines of one kind are printed."""
KINDS = {"bool": "switch", "int": "whole number", "float": "number", "str": "text"}


def show(gathered: "Gathered", found: "Assembled") -> None:
    """Print what was understood: runs, factors, scores, costs; then what was not, and doubts."""
    from ablate.cli.console import Column, note, out, print_table

    states = Counter(str(o.run.state) for o in gathered.outlines)
    said = ", ".join(f"{n} {state}" for state, n in states.items())
    out().print(f"reader {gathered.reader}: {len(gathered.outlines)} runs: {said}", soft_wrap=True)
    rows = list(_runs(gathered, found))
    columns = [
        Column("Run"),
        Column("State"),
        Column("Steps", right=True),
        Column("Seed", right=True),
        Column("Configuration"),
        Column("Scored", drop=1),
    ]
    print_table(columns, rows[:ROWS])
    if len(rows) > ROWS:
        note(f"{ROWS} of {len(rows)} runs shown (--json has all)")
    if found.factors:
        columns = [
            Column("Factor"),
            Column("Key"),
            Column("Kind"),
            Column("Reference"),
            Column("Requires"),
            Column("Levels"),
        ]
        print_table(columns, list(_factors(found)))
    for line in _lines(gathered, found):
        out().print(line, soft_wrap=True)


def said(study: str, brought: "Brought", file: str = "") -> Iterator[str]:
    """What became of the results, and where to look; `file` is their study file."""
    reasons = Counter(brought.skipped.values())
    for reason, count in reasons.items():
        yield f"{count} {'trial' if count == 1 else 'trials'} left as {_is(count)}: {reason}"
    new, same = len(brought.new), len(brought.same)
    where = f"ablate report {study}" + (f", ablate plan {file}" if file else "")
    yield f"imported as study {study}: {new} new, {same} as before ({where})"


def _is(count: int) -> str:
    return "it is" if count == 1 else "they are"


def show_proposal(proposal: "Proposal", *, written: bool) -> None:
    """Print the two texts of a guess, or say where they were written; the command is unsure."""
    from ablate.cli.console import note, out

    guess = proposal.guess
    files = (proposal.study_file, guess.study), (proposal.project_file, guess.stanza)
    for file, text in files:
        if not written:
            out().print(f"\n# {file.name}\n\n{text}", soft_wrap=True, end="")
    if written:
        names = " and ".join(str(file) for file, _ in files)
        note(f"{'there already' if proposal.there else 'written'}: {names}")
    note(f"check the command, its program's name is not in a log: {guess.command}")
    for line in guess.notes:
        note(line)


def proposed(proposal: "Proposal") -> dict[str, object]:
    """The two texts of a guess for JSON."""
    guess = proposal.guess
    return {
        "system": guess.system,
        "command": guess.command,
        "notes": list(guess.notes),
        "study_file": f"studies/{proposal.study_file.name}",
        "study_text": guess.study,
        "system_text": guess.stanza,
    }


def document(
    gathered: "Gathered", found: "Assembled", brought: "Brought | None"
) -> dict[str, object]:
    """All that was understood, as JSON."""
    study = found.study
    return {
        "schema": "ablate.import/2",
        "study": study.name,
        "system": study.system,
        "reader": gathered.reader,
        "bound": found.bound,
        "data": study.data,
        "seeds": study.seeds,
        "primary": study.primary,
        "select": str(study.selection),
        "runs": [_run(gathered, found, i) for i in range(len(gathered.outlines))],
        "factors": [
            {
                "name": k.factor.name,
                "key": k.key,
                "kind": KINDS[k.factor.kind],
                "reference": k.factor.reference,
                "requires": k.factor.requires,
                "levels": _levels(found, k.factor.name),
            }
            for k in found.factors
        ],
        "metrics": [
            {"name": m.name, "title": m.label, "direction": m.direction, "display": m.display}
            for m in study.metrics
        ],
        "costs": [
            {"name": name, "unit": unit, "counter": counter, "runs": n}
            for (name, unit, counter), n in _costs(gathered).items()
        ],
        "consumed": list(gathered.consumed),
        "never_matched": [name for name, _ in _missing(gathered)],
        "left_out": dict(found.left_out),
        "aside": dict(found.aside),
        "remarks": list(found.remarks),
        "problems": list(gathered.problems),
        "passed_over": list(gathered.passed),
        "brought": None
        if brought is None
        else {
            "new": len(brought.new),
            "same": len(brought.same),
            "skipped": dict(brought.skipped),
        },
    }


def _run(gathered: "Gathered", found: "Assembled", i: int) -> dict[str, object]:
    outline, placement = gathered.outlines[i], found.placements[i]
    run = outline.run
    return {
        "name": run.name,
        "files": list(run.files),
        "state": str(run.state),
        "reason": run.reason,
        "steps": outline.steps,
        "scored": list(outline.scored),
        "seed": placement.trial.seed if placement else run.seed,
        "variant": placement.variant.name if placement else None,
        "role": placement.variant.role if placement else None,
        "key": placement.trial.key if placement else None,
        "extra": bool(placement and placement.extra),
        "unread": list(run.unread),
        "doubts": [*run.remarks, *found.doubts[i]],
    }


def _runs(gathered: "Gathered", found: "Assembled") -> Iterator[list[str]]:
    for outline, placement in zip(gathered.outlines, found.placements, strict=True):
        seed = placement.trial.seed if placement else outline.run.seed
        scored = [s for s in outline.scored if s != "train"]
        beside = " (beside the study)" if placement and placement.extra else ""
        yield [
            outline.run.name,
            str(outline.run.state),
            str(outline.steps or ""),
            "" if seed is None else str(seed),
            f"{placement.variant.name}{beside}" if placement else "not brought in",
            ", ".join(scored),
        ]


def _factors(found: "Assembled") -> Iterator[list[str]]:
    from ablate.design import shown

    for keyed in found.factors:
        levels = [shown(level) for level in _levels(found, keyed.factor.name)]
        more = [f"... ({len(levels)})"] if len(levels) > LEVELS else []
        yield [
            keyed.factor.name,
            keyed.key,
            KINDS[keyed.factor.kind],
            shown(keyed.factor.reference),
            keyed.factor.requires or "",
            ", ".join([*levels[:LEVELS], *more]),
        ]


def _levels(found: "Assembled", name: str) -> "list[Level]":
    levels = {p.variant.levels[name] for p in found.placements if p is not None}
    return sorted(levels, key=lambda v: (isinstance(v, str), v))


def _costs(gathered: "Gathered") -> Mapping[tuple[str, str, str], int]:
    return Counter(
        (c.name, c.unit, c.counter) for outline in gathered.outlines for c in outline.run.costs
    )


def _lines(gathered: "Gathered", found: "Assembled") -> Iterator[str]:
    study = found.study
    scores = ", ".join(m.name for m in study.metrics)
    yield f"scores: {scores}; primary {study.primary}, selection {study.selection}"
    costs = [f"{n} ({counter})" for n, _, counter in _costs(gathered)]
    yield from [f"costs: {', '.join(costs)}"] if costs else []
    if gathered.consumed:
        yield f"understood: {', '.join(gathered.consumed)}"
    yield from _cut([f"never matched: {name}: {of}" for name, of in _missing(gathered)])
    yield from _cut(
        [
            f"{o.run.state}: {o.run.name}: {o.run.reason}"
            for o, placement in zip(gathered.outlines, found.placements, strict=True)
            if o.run.reason and placement is not None
        ]
    )
    yield from _cut([f"no factor: {key}: {why}" for key, why in found.left_out.items()])
    yield from _cut([f"not brought in: {run}: {why}" for run, why in found.aside.items()])
    if gathered.passed:
        files = "1 file" if len(gathered.passed) == 1 else f"{len(gathered.passed)} files"
        more = ", ..." if len(gathered.passed) > LEVELS else ""
        yield f"{files} passed over: {', '.join(gathered.passed[:LEVELS])}{more}"
    yield from _cut([f"remark: {text}" for text in found.remarks])
    yield from _cut(list(_doubts(gathered, found)))
    yield from _cut(
        [
            f"not understood: {outline.run.name}: {line}"
            for outline in gathered.outlines
            for line in outline.run.unread
        ]
    )


def _missing(gathered: "Gathered") -> Iterator[tuple[str, str]]:
    """What the reader looked for and found in no file."""
    yield from ((n, of) for n, of in gathered.expected.items() if n not in gathered.consumed)


def _doubts(gathered: "Gathered", found: "Assembled") -> Iterator[str]:
    said: dict[str, list[str]] = {}
    for outline, doubts in zip(gathered.outlines, found.doubts, strict=True):
        for text in dict.fromkeys((*outline.run.remarks, *doubts)):
            if text not in found.remarks:
                said.setdefault(text, []).append(outline.run.name)
    for text, runs in said.items():
        who = runs[0] if len(runs) == 1 else f"{len(runs)} runs"
        yield f"in doubt: {text} ({who})"


def _cut(lines: Sequence[str]) -> list[str]:
    more = [f"... and {len(lines) - LINES} more lines like this"] if len(lines) > LINES else []
    return [*lines[:LINES], *more]
