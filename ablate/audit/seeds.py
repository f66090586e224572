"""Whether the seed reaches the training: runs of several seeds that are one run, counted again."""

from collections.abc import Callable, Mapping, Sequence

from ablate.record import Finding, Record, State
from ablate.selection import Curves
from ablate.study import Study

CODE = "W126"
_ENOUGH = 3
"""Different values that cannot agree by chance: one score of 0 or 1, or a rounded pair, can."""
_NAMED = 3


def unseeded(
    study: Study, records: Sequence[Record], curves: Callable[[str], Curves]
) -> list[Finding]:
    """W126: configurations whose completed runs of different seeds agree to the last digit.

    Their scores, and every curve of a score or a loss, are equal, and hold three values or more;
    `curves` gives those of one trial by its key.
    """
    runs: dict[str, dict[str, Record]] = {}
    for record in records:
        if record.state is State.COMPLETED:
            runs.setdefault(record.variant, {})[record.key] = record
    found = {
        variant: len(of)
        for variant, of in runs.items()
        if len(of) > 1 and _equal(study, list(of.values()), curves)
    }
    return [_finding(found)] if found else []


def _equal(study: Study, records: Sequence[Record], curves: Callable[[str], Curves]) -> bool:
    first, *others = records
    if any(_scores(r) != _scores(first) for r in others):
        return False
    measured = _measured(study, curves(first.key))
    values = {v for _, curve in measured for _, v in curve}
    return len(values) >= _ENOUGH and all(
        _measured(study, curves(r.key)) == measured for r in others
    )


def _scores(record: Record) -> Mapping[str, str]:
    return {name: repr(score.value) for name, score in record.scores.items()}


def _measured(study: Study, curves: Curves) -> list[tuple[tuple[str, str], list[tuple[int, str]]]]:
    """What the training made of its data: no learning rate, which is equal by design, no time."""
    names = {name.lower() for name in study.directions}
    return [
        (at, [(step, repr(value)) for step, value in sorted(curve.items())])
        for at, curve in sorted(curves.items())
        if at[1].lower() in names or "loss" in at[1].lower()
    ]


def _finding(found: Mapping[str, int]) -> Finding:
    names = list(found)
    shown = ", ".join(names[:_NAMED])
    more = f" and {len(names) - _NAMED} more configurations" if names[_NAMED:] else ""
    counts = sorted(set(found.values()))
    runs = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
    each = "each of " if len(names) > 1 else ""
    return Finding(
        CODE,
        "warning",
        f"the {runs} runs of {each}{shown}{more} are identical to the last digit:"
        " the seed may not reach the training",
        "give the program its seed: {seed} in its command, or ABLATE_SEED",
    )
