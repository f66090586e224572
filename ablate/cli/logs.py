"""`ablate logs`: what a trial printed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ablate.record import Attempt

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

    from ablate.cli.reading import project_store, trial_of
    from ablate.errors import UsageError

    with project_store() as store:
        record = trial_of(store, ref, study, seed)
        attempt = record.attempt
        if attempt is None:
            raise UsageError(f"{record.variant} at seed {record.seed} has not been run yet")
        path = store.attempts_folder / attempt.folder / "stdout.log"
        if not path.is_file():
            raise UsageError(f"{record.key} has no log: {_why_not(attempt, record.source)}")
        position = _print_tail(path, tail)
        while follow:
            going = any(a.key == record.key for a in store.running())
            position = _print_from(path, position)
            sys.stdout.flush()
            if not going:
                return
            _wait()


def _why_not(attempt: "Attempt", source: str) -> str:
    if attempt.owner == "import":
        return f"it was not run here but brought in ({source}); its source has what it printed"
    return f"the folder of its attempt {attempt.number} is not here any more"


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
