"""What earlier attempts of a trial left behind, for a program that goes on from it."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ablate.command.declaration import Declaration
from ablate.command.environment import PARAMS, places
from ablate.command.scores import Scores, Tail
from ablate.errors import UsageError
from ablate.ingest.run import Run
from ablate.record import State
from ablate.system import Job, TrainingError

COMMAND = "command.json"
AFTER = "after"
CODE = "code"
LOG = "stdout.log"
EVENTS = "events.jsonl"
RESULT = "result.json"
"""What the runner calls an attempt's log, its points and its sealed end."""

UNFIT = "no fraction"
"""How an attempt has failed whose scores were not what its table says: none goes on from it."""

GRAIN = 10_000_000
"""Nanoseconds by which a file's time may lie before the clock's."""


@dataclass(frozen=True, slots=True)
class Past:
    """The checkpoint to go on from, and the attempts that led to it, the first one first.

    `code` is what the program was that wrote it: its command, commit and difference.
    """

    checkpoint: Path | None = None
    folders: tuple[Path, ...] = ()
    code: Mapping[str, str] = field(default_factory=dict)


def mark(folder: Path, heard: int) -> None:
    """Say that all which the program of `folder` printed before a time (ns) is kept."""
    os.utime(folder / PARAMS, ns=(heard, heard))


def resumed(found: Declaration, job: Job, scores: Scores) -> Past:
    """The newest checkpoint of the newest attempt that has one; its curves are taken over.

    Points that the program logs again replace those. Also what the attempt had written and nobody
    has read, because it was killed, is taken. A checkpoint with which a later attempt has failed
    is passed over where there is an older one: it may be half of one.
    """
    table = found.table
    globs = table.checkpoints or (["checkpoints/*"] if table.resume_args else [])
    failed: set[str] = set()
    absent = False
    for folder in job.recorder.earlier:
        if _ended(folder).get("error_type") == UNFIT:
            break
        at = places(folder)
        heard = at.params.stat().st_mtime_ns - GRAIN if at.params.exists() else 0
        left = [p for glob in globs for p in at.work.glob(glob) if _is_kept(p, heard)]
        if not left:
            failed |= _failed_with(folder)
            matched = any(True for glob in globs for _ in at.work.glob(glob))
            absent = absent or (_has_points(folder) and not matched)
            continue
        whole = [p for p in left if str(p) not in failed] or left
        checkpoint = max(whole, key=lambda p: (p.stat().st_mtime_ns, p.name))
        for path in sorted({*left} - {*whole}):
            job.note(f"checkpoint passed over: an attempt that went on from {path.name} has failed")
        scores.names |= job.recorder.carry(folder)
        for text in Tail(at.metrics).rest():
            scores.line(text)
        try:
            run = read_files(found, at.work)
        except TrainingError as wrong:
            job.note(f"attempt {folder.name}: {wrong}")
            run = None
        for point in run.scalars if run else ():
            scores.point(point)
        job.fact("resumed", f"attempt {folder.name}, {checkpoint.name}")
        said = _said(folder)
        before = [Path(one) for one in said.get(AFTER, ())]
        return Past(checkpoint, (*before, folder), said.get(CODE, {}))
    if absent and globs:
        job.note(f"nothing matches {', '.join(globs)}: it begins at the beginning")
    return Past()


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """The names of what two attempts do not have alike."""
    return [k for k in sorted({*one, *other}) if one.get(k) != other.get(k)]


def read_files(found: Declaration, work: Path) -> Run | None:
    """The run that the reader finds among the program's files; raises TrainingError.

    None where there is no reader, nothing to read, or the reader reads the output.
    """
    log, reader = found.table.log, found.reader
    if reader is None or (reader.begin is not None and log is None):
        return None
    paths = sorted(work.glob(log)) if log else list(reader.find(work))
    try:
        runs = [run for path in paths for run in reader.read(path)]
    except UsageError as wrong:
        raise TrainingError("unreadable", f"reader {reader.name}: {wrong}") from None
    if len(runs) > 1:
        raise TrainingError(
            "unreadable",
            f"reader {reader.name} finds {len(runs)} runs in the program's folder:"
            " name the file of its own with `log`",
        )
    return runs[0] if runs else None


def _is_kept(path: Path, heard: int) -> bool:
    """Whether a checkpoint is not empty, and what was printed before it is known.

    One that was written in the last moment of a killed attempt would leave a hole in the curves.
    """
    full = any(path.iterdir()) if path.is_dir() else path.stat().st_size > 0
    return full and path.stat().st_mtime_ns <= heard


def _failed_with(folder: Path) -> set[str]:
    """The checkpoint that an attempt went on from, where its program has then failed."""
    checkpoint = _said(folder).get("checkpoint")
    state = _ended(folder).get("state")
    return {checkpoint} if checkpoint and state in {State.FAILED, State.CRASHED} else set()


def _ended(folder: Path) -> dict[str, Any]:
    """How the attempt in `folder` says it ended; nothing where that cannot be read."""
    try:
        read = json.loads((folder / RESULT).read_text())["result"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return read if isinstance(read, dict) else {}


def _has_points(folder: Path) -> bool:
    """Whether the attempt in `folder` had come far enough to log a score."""
    try:
        return b'"scalars"' in (folder / EVENTS).read_bytes()
    except OSError:
        return False


def _said(folder: Path) -> dict[str, Any]:
    """What the attempt in `folder` kept of its own start; nothing where that cannot be read."""
    try:
        read = json.loads((folder / COMMAND).read_text())
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
