"""What earlier attempts of a trial left behind, for a program that goes on from it."""

import json
from dataclasses import dataclass
from pathlib import Path

from ablate.command.declaration import Declaration
from ablate.command.environment import places
from ablate.command.scores import Scores, Tail
from ablate.errors import UsageError
from ablate.ingest.run import Run
from ablate.system import Job, TrainingError

COMMAND = "command.json"
AFTER = "after"
LOG = "stdout.log"
"""What the runner calls an attempt's log."""


@dataclass(frozen=True, slots=True)
class Past:
    """The checkpoint to go on from, and the attempts that led to it, the first one first."""

    checkpoint: Path | None = None
    folders: tuple[Path, ...] = ()


def resumed(found: Declaration, job: Job, scores: Scores) -> Past:
    """The newest checkpoint of the newest attempt that has one; its curves are taken over.

    Points that the program logs again replace those. Also what the attempt had written and nobody
    has read, because it was killed, is taken.
    """
    table = found.table
    globs = table.checkpoints or (["checkpoints/*"] if table.resume_args else [])
    for folder in job.recorder.earlier:
        at = places(folder)
        left = [p for glob in globs for p in at.work.glob(glob) if _is_something(p)]
        if not left:
            continue
        checkpoint = max(left, key=lambda p: (p.stat().st_mtime_ns, p.name))
        scores.names |= job.recorder.carry(folder)
        for text in Tail(at.metrics).rest():
            scores.line(text)
        run = read_files(found, at.work)
        for point in run.scalars if run else ():
            scores.point(point)
        job.fact("resumed", f"attempt {folder.name}, {checkpoint.name}")
        return Past(checkpoint, (*_before(folder), folder))
    return Past()


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


def _is_something(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.stat().st_size > 0


def _before(folder: Path) -> tuple[Path, ...]:
    """The attempts that the attempt in `folder` went on from itself."""
    try:
        return tuple(map(Path, json.loads((folder / COMMAND).read_text())[AFTER]))
    except (OSError, ValueError, KeyError, TypeError):
        return ()
