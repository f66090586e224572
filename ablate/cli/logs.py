"""`ablate logs`: what a trial printed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ablate.record import Record
    from ablate.store import Store

PAUSE = 0.5
CHUNK = 2**16


def logs(
    ref: Annotated[str, typer.Argument(help="A trial's key or its beginning, or a configuration.")],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the trial ends.")
    ] = False,
    tail: Annotated[
        int | None, typer.Option("--tail", min=0, metavar="N", help="Only the last N lines.")
    ] = None,
    study: Annotated[str | None, typer.Option("--study", help="Look in this study.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of this seed.")] = None,
) -> None:
    """Print what the last attempt of a trial wrote to its standard output and error."""
    import sys

    from ablate.cli.reading import project_store
    from ablate.errors import UsageError

    with project_store() as store:
        record = _record(store, ref, study, seed)
        attempt = record.attempt
        if attempt is None:
            raise UsageError(f"{record.variant} at seed {record.seed} has not been run yet")
        path = store.attempts_folder / attempt.folder / "stdout.log"
        if not attempt.folder or not path.is_file():
            raise UsageError(f"{record.key} has no log: it was not run here ({record.source})")
        position = _print_tail(path, tail)
        while follow:
            going = any(a.key == record.key for a in store.running())
            position = _print_from(path, position)
            sys.stdout.flush()
            if not going:
                return
            _wait()


def _record(store: "Store", ref: str, study: str | None, seed: int | None) -> "Record":
    from ablate.cli.reading import holding, looks_like_key, record_of
    from ablate.errors import UsageError

    if looks_like_key(ref) and store.find_trial(ref):
        return record_of(store, ref, study)[1]
    found = [r for r in store.records(holding(store, [ref], study).name) if r.variant == ref]
    if seed is not None:
        found = [r for r in found if r.seed == seed]
    if not found:
        raise UsageError(f"{ref!r} has no trial at seed {seed}")
    if len(found) > 1:
        trials = ", ".join(f"{r.key[:8]} (seed {r.seed})" for r in found[:6])
        raise UsageError(f"{ref!r} is {len(found)} trials: {trials}; choose one with --seed")
    return found[0]


def _print_tail(path: Path, lines: int | None) -> int:
    import sys

    if lines is None:
        return _print_from(path, 0)
    data = path.read_bytes()
    kept = data.splitlines(keepends=True)[-lines:] if lines else []
    sys.stdout.write(b"".join(kept).decode("utf-8", "replace"))
    return len(data)


def _print_from(path: Path, position: int) -> int:
    import sys

    with path.open("rb") as file:
        file.seek(position)
        while chunk := file.read(CHUNK):
            sys.stdout.write(chunk.decode("utf-8", "replace"))
        return file.tell()


def _wait() -> None:
    import time

    time.sleep(PAUSE)
