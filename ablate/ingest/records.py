"""Records of a training: one object or row per step, whatever file they stand in."""

from collections.abc import Sequence
from typing import TypeAlias

from ablate.ingest.run import Draft
from ablate.ingest.series import Series
from ablate.ingest.table import is_number, number

Record: TypeAlias = tuple[int, dict[str, str]]
"""Its line, and its cells by name."""

EPOCHS = ("epoch", "epochs", "training_iteration")
STEPS = ("step", "global_step", "_step", "steps", "iteration", "iterations", "iter", "it")
SPLITS = ("split", "mode", "phase", "stage", "subset")
CLOCKS = frozenset(
    {
        *("time", "timestamp", "_timestamp", "_runtime", "runtime", "wall_time", "walltime"),
        *("date", "datetime", "elapsed", "eta", "seconds", "pid", "time_total_s"),
        *("time_this_iter_s", "time_since_restore", "iterations_since_restore", "done"),
    }
)


def axis_of(records: Sequence[Record]) -> str:
    """The name that counts the steps: the epoch, unless a value comes twice in one."""
    named = [n for n in (*EPOCHS, *STEPS) if any(_count(cells.get(n, "")) for _, cells in records)]
    for name in named:
        if not _collides(records, name):
            return name
    return named[-1] if named else ""


def add_records(draft: Draft, series: Series, records: Sequence[Record]) -> None:
    """The measurements of records; where nothing counts their steps, their places do, from 1.

    Epochs that begin at 0 are counted from 1; records with the newest first are turned round.
    """
    axis = axis_of(records)
    counted = [int(float(c[axis])) for _, c in records if axis and _count(c.get(axis, ""))]
    if counted[:1] > counted[-1:] and counted == sorted(counted, reverse=True):
        records = records[::-1]
    first = 1 if axis in EPOCHS and min(counted, default=1) == 0 else 0
    step = 0
    for place, (line, cells) in enumerate(records, 1):
        text = cells.get(axis, "")
        step = int(float(text)) + first if _count(text) else step if axis else place
        split = next((cells[n] for n in SPLITS if n in cells and not is_number(cells[n])), "")
        for name, value in _measured(cells):
            if is_number(value):
                series.add(name, step, number(value), split)
            else:
                draft.miss(line, f"{name}: {value}")
    for name in (*((axis,) if axis else ()), *SPLITS):
        if any(name in cells for _, cells in records):
            draft.consume(name)


def _measured(cells: dict[str, str]) -> list[tuple[str, str]]:
    others = {*EPOCHS, *STEPS, *SPLITS}
    return [
        (name, text)
        for name, text in cells.items()
        if text and name.lower() not in others | CLOCKS and _may_be(name, text)
    ]


def _may_be(name: str, text: str) -> bool:
    """Words are no measurement, unless their name is one of a loss or a score."""
    return is_number(text) or (
        any(c.isdigit() for c in text) and ("loss" in name.lower() or "acc" in name.lower())
    )


def _count(text: str) -> bool:
    return is_number(text) and abs(number(text)) < 2**53 and number(text) == int(number(text))


def _collides(records: Sequence[Record], axis: str) -> bool:
    seen: set[tuple[str, str, str]] = set()
    for _, cells in records:
        split = next((cells[n] for n in SPLITS if n in cells), "")
        for name, _ in _measured(cells):
            key = (cells.get(axis, ""), split, name)
            if key in seen:
                return True
            seen.add(key)
    return False
