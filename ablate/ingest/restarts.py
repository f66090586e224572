"""Logs to which a training was appended more than once, as the runs that they hold."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ablate.ingest.run import Run
from ablate.record import Cost, State

_PLACES = (
    "OUTPUT_DIR",
    "DEVICE_ID",
    "work_dir",
    "gpu_ids",
    "resume_from",
    "load_from",
    "resume",
    "local_rank",
)


@dataclass(frozen=True, slots=True)
class Start:
    """What one start of a program left in a file, and its first epoch (0: it never trained)."""

    run: Run
    first: int


def joined(starts: Sequence[Start]) -> list[Run]:
    """One run for each configuration that follows another; `starts` are in the file's order.

    A start of the same configuration replaces the one before it where it begins at the beginning,
    and goes on with it where it begins later; after a run that completed, a start from the
    beginning is a run of its own. One that never trained is passed over. Names that come again are
    numbered.
    """
    runs: list[Run] = []
    for start in starts:
        run = start.run
        if runs and _same(runs[-1], run) and not _anew(runs[-1], start):
            runs[-1] = _with(runs[-1], run, start.first)
        elif run.settings or run.scalars or run.scores or run.name:
            runs.append(run)
    return list(_numbered(runs)) or [start.run for start in starts[:1]]


def _anew(before: Run, start: Start) -> bool:
    """Whether a start follows a finished run and goes on with nothing of it."""
    trained = bool(start.run.scalars or start.run.scores)
    return before.state is State.COMPLETED and start.first <= 1 and trained


def _numbered(runs: Sequence[Run]) -> Iterator[Run]:
    seen: Counter[str] = Counter()
    for run in runs:
        seen[run.name] += 1
        again = run.name and seen[run.name] > 1
        yield replace(run, name=f"{run.name} ({seen[run.name]})") if again else run


def _same(before: Run, after: Run) -> bool:
    if not after.settings or not before.settings:
        return not (before.name and after.name and before.name != after.name)
    ours, theirs = _identity(before.settings), _identity(after.settings)
    return ours == theirs and before.options == after.options


def _identity(settings: Mapping[str, str]) -> dict[str, str]:
    return {
        key: value
        for key, value in settings.items()
        if not {*_PLACES} & {key, key.rpartition(".")[2].lstrip("-")} and "/" not in value
    }


def _with(before: Run, after: Run, first: int) -> Run:
    if not before.scalars and not before.scores:
        return replace(after, remarks=(*before.remarks, *after.remarks))
    if not after.scalars and not after.scores:
        doubt = "it was started again and did not train: the earlier start counts"
        return replace(before, remarks=(*before.remarks, doubt, *after.remarks))
    if first <= 1:
        doubt = f"an earlier start in the same file is left out: {before.reason or before.state}"
        return replace(after, remarks=(doubt, *after.remarks))
    return _continued(before, after)


def _continued(before: Run, after: Run) -> Run:
    points = {(s.split, s.name, s.step): s for s in (*before.scalars, *after.scalars)}
    items = {(i.split, i.item, i.name): i for i in (*before.items, *after.items)}
    costs = {c.name: c for c in before.costs} | {c.name: c for c in after.costs}
    spent = [c.value for c in (*before.costs, *after.costs) if c.name == "seconds"]
    if spent:
        seconds = costs["seconds"]
        costs["seconds"] = Cost(seconds.name, sum(spent), seconds.unit, seconds.counter)
    how = before.reason or "the end"
    return replace(
        after,
        name=after.name or before.name,
        settings=after.settings or before.settings,
        options=after.options or before.options,
        command=after.command or before.command,
        seed=before.seed if after.seed is None else after.seed,
        scalars=tuple(points.values()),
        items=tuple(items.values()),
        costs=tuple(costs.values()),
        scores={**before.scores, **after.scores},
        uncalled=after.uncalled or before.uncalled,
        started=before.started,
        facts={**before.facts, **after.facts},
        consumed=tuple(dict.fromkeys((*before.consumed, *after.consumed))),
        unread=tuple(dict.fromkeys((*before.unread, *after.unread))),
        remarks=(*before.remarks, f"it was resumed after {how}", *after.remarks),
        state=after.state if after.state is not State.PENDING else before.state,
    )
