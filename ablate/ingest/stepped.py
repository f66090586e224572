"""`metrics.jsonl` as programs write it: one object per line and step, one file per run."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from ablate.errors import UsageError
from ablate.ingest.folders import configuration, configure, digest, walk
from ablate.ingest.jsonl import flat_object
from ablate.ingest.planned import UNSAID, Plan
from ablate.ingest.records import CLOCKS, EPOCHS, SPLITS, STEPS, Record, add_records, axis_of
from ablate.ingest.run import Draft, Reader, Run
from ablate.ingest.series import Series
from ablate.ingest.table import read_text
from ablate.record import State

SUFFIXES = (".jsonl", ".ndjson")
_PLAIN = frozenset({"metrics", "log", "logs", "history", "train_log", "events", "scalars"})
_HEAD = 65536


def find(path: Path) -> Iterator[Path]:
    """The files whose first object counts a step."""
    for folder, names in walk(path):
        for name in sorted(names):
            if name.endswith(SUFFIXES) and holds_steps(folder / name):
                yield folder / name


def read(path: Path) -> Iterator[Run]:
    """The run of one file, with the configuration that lies beside it."""
    draft = Draft()
    draft.name = path.resolve().parent.name if path.stem.lower() in _PLAIN else path.stem
    files = {path.name: digest(path)}
    found = configuration(path.parent)
    if found is not None:
        configure(draft, found)
        files[found.name] = digest(found)
    series = Series(draft)
    records, torn = lines(path)
    add_records(draft, series, records)
    plan = Plan.of(draft.settings)
    counted = axis_of(records) in EPOCHS
    draft.state, draft.reason = State.COMPLETED, ""
    if torn or not series:
        draft.state, draft.reason = State.INCOMPLETE, torn or "it holds no value"
    elif counted and plan.epochs and series.steps() < plan.epochs and not plan.patience:
        draft.state = State.INCOMPLETE
        draft.reason = f"it ends in epoch {series.steps()} of {plan.epochs}"
    elif not (counted and plan.epochs and series.steps() >= plan.epochs):
        draft.remark(UNSAID)
    yield draft.done(series.settle(), "last", files)


def lines(path: Path) -> tuple[list[Record], str]:
    """The objects of a file, and why its last line is not whole, or nothing.

    Raises UsageError with the line that is wrong.
    """
    text = read_text(path)
    held = [(i, line) for i, line in enumerate(text.split("\n"), 1) if line.strip()]
    records: list[Record] = []
    for i, line in held:
        try:
            records.append((i, flat_object(path, i, line)))
        except UsageError:
            if i == held[-1][0] and not text.endswith("\n"):
                return records, f"{path.name} ends within line {i}"
            raise
    if not records:
        raise UsageError(f"{path}: it is empty")
    return records, ""


def holds_steps(path: Path) -> bool:
    """Whether a file's lines are steps of one run, going by its first two."""
    try:
        with path.open("rb") as file:
            first, second = _object(file), _object(file)
    except OSError:
        return False
    if not _measures(first):
        return False
    axis = next(name for name in (*EPOCHS, *STEPS) if name in first)
    alike = second and first.keys() == second.keys() and not first.keys() & set(SPLITS)
    return not alike or first[axis] != second[axis] or _finer(first, second)


def _object(file: IO[bytes]) -> Mapping[str, object]:
    """What the next line that is not blank holds; nothing where it is no object, or too long."""
    line = file.readline(_HEAD)
    while line and not line.strip():
        line = file.readline(_HEAD)
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _measures(first: Mapping[str, object]) -> bool:
    """Whether an object counts a step and holds no setting: those are words and switches."""
    words = {*SPLITS, *CLOCKS}
    plain = all(
        key in words or value is None or type(value) in {int, float} or _wrong(value)
        for key, value in first.items()
    )
    return plain and bool({*EPOCHS, *STEPS} & first.keys())


def _wrong(value: object) -> bool:
    """A number in quotes is a measurement gone wrong, which the reader reports."""
    return isinstance(value, str) and value[:1].isdigit()


def _finer(first: Mapping[str, object], second: Mapping[str, object]) -> bool:
    return any(first[name] != second[name] for name in STEPS if name in first)


READER = Reader(
    name="jsonl-curves",
    about="metrics.jsonl: one object per line and step, one file per run",
    find=find,
    read=read,
)
