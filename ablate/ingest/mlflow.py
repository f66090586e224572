"""MLflow: its file store and its SQLite store, read as they lie there, without MLflow."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from ablate.errors import UsageError
from ablate.ingest.folders import digest, take, walk
from ablate.ingest.run import Draft, Reader, Run
from ablate.ingest.series import Series
from ablate.ingest.settings import read as read_settings
from ablate.ingest.table import is_number, number, read_text
from ablate.record import State

STATES = {
    "FINISHED": (State.COMPLETED, ""),
    "FAILED": (State.FAILED, "MLflow says failed"),
    "KILLED": (State.INCOMPLETE, "MLflow says killed"),
    "RUNNING": (State.INCOMPLETE, "MLflow says running: it never said that it ended"),
    "SCHEDULED": (State.PENDING, "never trained"),
}
_CODES = {"1": "RUNNING", "2": "SCHEDULED", "3": "FINISHED", "4": "FAILED", "5": "KILLED"}
_DATABASE = b"SQLite format 3\0"
_TABLES = frozenset({"experiments", "runs", "params", "metrics", "tags"})
_COMMIT = "mlflow.source.git.commit"
_HEX = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True, slots=True)
class _Point:
    key: str
    step: int
    value: float
    moment: int


@dataclass(slots=True)
class _Stored:
    """One run, as either store holds it. Moments are milliseconds since 1970."""

    name: str
    status: str
    experiment: str
    begun: int
    ended: int
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    points: list[_Point] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def find(path: Path) -> Iterator[Path]:
    """The folders of runs of file stores, and the SQLite stores, below a path.

    Deleted runs and those of deleted experiments are passed over.
    """
    for folder, names in walk(path):
        if "meta.yaml" in names and {"metrics", "params"} & names and _active(folder):
            yield folder
        for name in sorted(names):
            if name.endswith((".db", ".sqlite", ".sqlite3")) and _is_store(folder / name):
                yield folder / name


def read(path: Path) -> Iterator[Run]:
    """The run of one folder of a file store, or all of a SQLite store."""
    if path.is_dir():
        yield _run(_from_folder(path), {"meta.yaml": digest(path / "meta.yaml")})
        return
    if not _is_store(path):
        raise UsageError(f"{path}: neither a run of MLflow's file store nor its SQLite store")
    files = {path.name: digest(path)}
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as store:
            deleted = _deleted(store)
            for stored in _from_database(store):
                yield _run(stored, files, deleted)
    except (sqlite3.Error, UnicodeDecodeError) as wrong:
        raise UsageError(f"{path}: not a database of MLflow that can be read: {wrong}") from None


def _run(stored: _Stored, files: dict[str, str], deleted: int = 0) -> Run:
    draft = Draft()
    draft.name = stored.name
    draft.state, draft.reason = STATES.get(
        stored.status, (State.INCOMPLETE, f"MLflow's status {stored.status!r} is not known")
    )
    take(draft, stored.params)
    series = Series(draft)
    for point in sorted(stored.points, key=lambda p: p.moment):
        series.add(point.key, point.step, point.value)
    for i, text in enumerate(stored.unread, 1):
        draft.miss(i, text)
    _facts(draft, stored)
    metrics = series.settle()
    if not stored.points and draft.state is State.COMPLETED:
        draft.state, draft.reason = State.INCOMPLETE, "it logged no metric"
    if deleted:
        draft.facts["deleted runs passed over"] = str(deleted)
    return draft.done(metrics, "last", files)


def _facts(draft: Draft, stored: _Stored) -> None:
    if stored.begun:
        moment = datetime.fromtimestamp(stored.begun / 1000, UTC)
        draft.started = moment.isoformat(timespec="seconds")
    if stored.ended > stored.begun > 0:
        draft.cost("seconds", (stored.ended - stored.begun) / 1000, "s", "MLflow, begin to end")
    draft.facts["experiment"] = stored.experiment
    commit = stored.tags.get(_COMMIT, "")
    if _HEX.fullmatch(commit):
        draft.facts["commit"] = commit
    if "mlflow.parentRunId" in stored.tags:
        draft.facts["nested"] = "a child of another run"


def _meta(folder: Path) -> dict[str, str]:
    path = folder / "meta.yaml"
    try:
        return read_settings(read_text(path))
    except ValueError as wrong:
        raise UsageError(f"{path}: {wrong}") from None


def _active(folder: Path) -> bool:
    """Whether neither a run nor its experiment was deleted."""
    above = folder.parent / "meta.yaml"
    stages = [_meta(folder).get("lifecycle_stage")]
    stages += [_meta(folder.parent).get("lifecycle_stage")] if above.is_file() else []
    return "deleted" not in stages


def _from_folder(folder: Path) -> _Stored:
    meta = _meta(folder)
    above = _meta(folder.parent) if (folder.parent / "meta.yaml").is_file() else {}
    status = meta.get("status", "")
    stored = _Stored(
        name=meta.get("run_name") or meta.get("run_id", folder.name)[:8],
        status=_CODES.get(status, status),
        experiment=above.get("name", ""),
        begun=_moment(meta.get("start_time", "")),
        ended=_moment(meta.get("end_time", "")),
        params=_texts(folder / "params"),
        tags=_texts(folder / "tags"),
    )
    for key, text in _texts(folder / "metrics").items():
        for i, line in enumerate(text.splitlines(), 1):
            _point(stored, key, i, line)
    return stored


def _point(stored: _Stored, key: str, i: int, line: str) -> None:
    """`timestamp value [step]`, and perhaps more behind it."""
    parts = line.split()
    if len(parts) > 1 and parts[0].isdecimal() and is_number(parts[1]):
        step = int(parts[2]) if len(parts) > 2 and is_number(parts[2]) else 0  # noqa: PLR2004 - the third is the step
        stored.points.append(_Point(key, step, number(parts[1]), int(parts[0])))
    elif parts:
        stored.unread.append(f"{key}, line {i}: {line}")


def _texts(folder: Path) -> dict[str, str]:
    """Relative name -> text of every file in a folder; names may hold slashes."""
    if not folder.is_dir():
        return {}
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    return {p.relative_to(folder).as_posix(): read_text(p) for p in files}


def _moment(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _is_store(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            if file.read(len(_DATABASE)) != _DATABASE:
                return False
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as store:
            found = store.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    except (OSError, sqlite3.Error, UnicodeDecodeError):
        return False
    return {name for (name,) in found} >= _TABLES


def _deleted(store: sqlite3.Connection) -> int:
    rows = store.execute(
        "SELECT count(*) FROM runs JOIN experiments USING (experiment_id)"
        " WHERE 'deleted' IN (runs.lifecycle_stage, experiments.lifecycle_stage)"
    )
    return int(rows.fetchone()[0])


def _from_database(store: sqlite3.Connection) -> Iterator[_Stored]:
    rows = store.execute(
        "SELECT run_uuid, runs.name, status, experiments.name, start_time, end_time"
        " FROM runs JOIN experiments USING (experiment_id)"
        " WHERE 'deleted' NOT IN (runs.lifecycle_stage, experiments.lifecycle_stage)"
        " ORDER BY start_time, run_uuid"
    ).fetchall()
    for uuid, name, status, experiment, begun, ended in rows:
        tags = _pairs(store, "SELECT key, value FROM tags WHERE run_uuid = ?", uuid)
        yield _Stored(
            name=name or tags.get("mlflow.runName") or uuid[:8],
            status=status or "",
            experiment=experiment,
            begun=begun or 0,
            ended=ended or 0,
            params=_pairs(store, "SELECT key, value FROM params WHERE run_uuid = ?", uuid),
            tags=tags,
            points=_points(store, uuid),
        )


def _pairs(store: sqlite3.Connection, query: str, uuid: str) -> dict[str, str]:
    rows: Sequence[tuple[str, str | None]] = store.execute(query, (uuid,)).fetchall()
    return {key: value or "" for key, value in rows}


def _points(store: sqlite3.Connection, uuid: str) -> list[_Point]:
    """NaN is a flag there, and an infinity the largest float."""
    rows = store.execute(
        "SELECT key, step, value, is_nan, timestamp FROM metrics WHERE run_uuid = ?"
        " ORDER BY timestamp, step",
        (uuid,),
    )
    return [
        _Point(key, step, float("nan") if nan else _infinite(value), moment)
        for key, step, value, nan, moment in rows
    ]


def _infinite(value: float) -> float:
    return float("inf") * value if abs(value) >= 1.7976931348623157e308 else value  # noqa: PLR2004 - what MLflow stores for an infinity


READER = Reader(
    name="mlflow",
    about="MLflow: runs of its file store (mlruns) or of its SQLite store (mlflow.db)",
    find=find,
    read=read,
)
