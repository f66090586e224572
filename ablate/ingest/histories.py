"""Folders that hold a configuration and a history: one run each, trained or not."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from ablate.errors import UsageError
from ablate.ingest.folders import CONFIGURATIONS, configuration, configure, digest, walk
from ablate.ingest.jsonl import flat_object
from ablate.ingest.planned import UNSAID, Plan
from ablate.ingest.records import add_records
from ablate.ingest.run import Draft, Reader, Run
from ablate.ingest.series import Series
from ablate.ingest.stepped import lines
from ablate.ingest.table import parsed, read_text
from ablate.record import State

HISTORIES = (
    "history.json",
    "metrics.json",
    "metrics.jsonl",
    "metrics.csv",
    "results.csv",
    "progress.csv",
)
_BESIDE = 200


def find(path: Path) -> Iterator[Path]:
    """The folders that hold a configuration and a history.

    One with a configuration alone counts where a folder beside it has a history too.
    """
    unsure: dict[Path, list[Path]] = {}
    trained: dict[Path, None] = {}
    for folder, _ in walk(path):
        configured, history = _files(folder)
        if configured and history:
            trained[folder] = None
        elif configured:
            unsure.setdefault(folder.parent, []).append(folder)
    parents = {folder.parent for folder in trained}
    never = [f for parent in parents for f in unsure.get(parent, ())]
    yield from sorted((*trained, *never))


def read(path: Path) -> Iterator[Run]:
    """The run of one folder (or of the history named); raises UsageError where it holds none."""
    folder = path if path.is_dir() else path.parent
    configured, history = _files(folder)
    if configured is None and history is None:
        raise UsageError(
            f"{folder}: holds none of {', '.join(CONFIGURATIONS)} nor of {', '.join(HISTORIES)}"
        )
    draft = Draft()
    draft.name = folder.resolve().name
    if configured is not None:
        configure(draft, configured)
    files = {p.name: digest(p) for p in (configured, history) if p is not None}
    if history is None:
        draft.state, draft.reason = State.PENDING, "never trained"
        yield draft.done((), "last", files)
        return
    series = Series(draft)
    torn = _curves(draft, series, history)
    scores = series.scores
    primary = scores[0] if scores else ""
    draft.state, draft.reason = State.COMPLETED, ""
    if torn or not (series or draft.scores):
        draft.state, draft.reason = State.INCOMPLETE, torn or "its history holds no value"
    else:
        _settle(draft, series, primary, folder)
    chosen = bool(series.curve("val", primary))
    metrics = series.settle()
    yield draft.done(metrics, f"best:{primary}@val" if chosen else "last", files)


def _files(folder: Path) -> tuple[Path | None, Path | None]:
    history = next((folder / n for n in HISTORIES if (folder / n).is_file()), None)
    return configuration(folder), history


def _curves(draft: Draft, series: Series, path: Path) -> str:
    """Read the history; why its file is not whole, or nothing."""
    if path.suffix == ".csv":
        whole, _, rest = read_text(path).rpartition("\n")
        table = parsed(path, whole)
        add_records(draft, series, [(r.line, dict(r.cells)) for r in table.rows])
        return f"{path.name} ends in the middle of a line" if rest.strip() else ""
    if path.suffix == ".jsonl":
        records, torn = lines(path)
        add_records(draft, series, records)
        return torn
    try:
        found = json.loads(read_text(path))
    except (ValueError, RecursionError):
        return f"{path.name} is cut short: not whole JSON"
    if isinstance(found, list):
        epochs = [(i, flat_object(path, 1, json.dumps(one))) for i, one in enumerate(found, 1)]
        add_records(draft, series, epochs)
    elif isinstance(found, dict):
        _lists(draft, series, found, "")
    else:
        raise UsageError(f"{path}: neither lists by name nor a list of epochs")
    return ""


def _lists(draft: Draft, series: Series, tree: Mapping[str, object], above: str) -> None:
    """One list per name, a value per epoch from 1; null is an epoch without this measurement."""
    for key, value in tree.items():
        tag = f"{above}{key}"
        if isinstance(value, dict):
            _lists(draft, series, value, f"{tag}/")
        elif isinstance(value, list):
            _list(draft, series, tag, value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            draft.scores[tag.replace("/", ".")] = float(str(value))
            draft.consume(tag)


def _list(draft: Draft, series: Series, tag: str, values: Sequence[object]) -> None:
    if tag.lower().rpartition("/")[2] in {"epoch", "epochs", "step", "steps"}:
        draft.consume(tag)
        return
    for epoch, value in enumerate(values, 1):
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            draft.miss(1, f"{tag}: {value!r} in place {epoch} is no number")
            return
        if value is not None:
            series.add(tag, epoch, float(str(value)))


def _settle(draft: Draft, series: Series, primary: str, folder: Path) -> None:
    """Decide whether a history that is shorter than planned is an early stop or was cut."""
    plan = Plan.of(draft.settings)
    if plan.epochs is None:
        draft.remark(UNSAID)
    if plan.epochs is None or series.steps() >= plan.epochs:
        return
    ended = f"trained {series.steps()} of {plan.epochs} epochs"
    gap = _gap(series, primary)
    if plan.patience and gap is not None and gap in {plan.patience, plan.patience + 1}:
        draft.facts["ended"] = f"{ended}: stopped early, {gap} epochs after its best {primary}"
    elif plan.patience and gap and _gaps(folder.parent)[gap] > 1:
        draft.facts["ended"] = f"{ended}, {gap} after its best {primary}"
        draft.remark(
            f"{ended}: it stopped {gap} epochs after its best {primary}, as others beside it did,"
            f" though its configuration says a patience of {plan.patience}"
        )
    else:
        draft.state = State.INCOMPLETE
        draft.reason = f"the history ends in epoch {series.steps()} of {plan.epochs}"


def _gap(series: Series, primary: str) -> int | None:
    """How many epochs came after the best value of the primary score; the later of a tie."""
    curve = series.curve("val", primary) or series.curve("test", primary)
    up = primary not in {"loss", "error"}
    best = max(((v if up else -v, s) for s, v in curve.items() if v == v), default=None)  # noqa: PLR0124 - a NaN is no best
    return None if best is None else series.steps() - best[1]


def _gaps(parent: Path) -> Counter[int]:
    return _gaps_at(parent, parent.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _gaps_at(parent: Path, _changed: int) -> Counter[int]:
    """How often each gap between best and end occurs among the runs of one folder."""
    found: Counter[int] = Counter()
    for folder in sorted(p for p in parent.iterdir() if p.is_dir())[:_BESIDE]:
        history = _files(folder)[1]
        if history is None:
            continue
        series = Series(Draft())
        try:
            torn = _curves(Draft(), series, history)
        except UsageError:
            continue  # it is refused, with its reason, where it is read for itself
        gap = _gap(series, series.scores[0]) if series.scores and not torn else None
        if gap:
            found[gap] += 1
    return found


READER = Reader(
    name="histories",
    about="folders that hold a configuration and a history: one run each",
    find=find,
    read=read,
)
