"""What the driver stored of an attempt, kept in its folder: who ran it, and how it was judged.

A child that is killed says nothing of its end: without this its folder could not tell a deadline
from a crash.
"""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ablate.files import write_atomically
from ablate.record import Attempt, Ending, State
from ablate.run.folder import Exit, ending

STORED = "stored.json"


def write_stored(folder: Path, attempt: Attempt, left: Ending) -> None:
    """Write what is now in the store beside the attempt's results; where it can be written."""
    document = {
        "key": attempt.key,
        "number": attempt.number,
        "owner": attempt.owner,
        "host": attempt.host,
        "started": attempt.started,
        "state": str(left.state),
        "ended": left.ended,
        "seconds": left.seconds,
        "exit_code": left.exit_code,
        "error_type": left.error_type,
        "error": left.error,
        "provenance": dict(left.provenance),
        "numbers": bool(left.scalars or left.items or left.costs or left.scores),
    }
    # The store has it: a folder that is gone or full makes the rebuild poorer, not the run wrong.
    with suppress(OSError):
        write_atomically(folder / STORED, json.dumps(document, indent=1).encode(), durable=False)


def read_stored(folder: Path, attempt: Attempt) -> tuple[Attempt, Ending]:
    """The attempt and its ending as they were stored, from `folder` alone.

    One that the driver never judged is taken as its own result says, or has crashed. Raises
    ValueError where the file cannot be read.
    """
    try:
        said = json.loads((folder / STORED).read_text())
    except FileNotFoundError:
        return attempt, ending(folder, Exit(None, 0.0, "its driver died"))
    except OSError as wrong:
        raise ValueError(f"{folder / STORED} cannot be read: {wrong.strerror}") from None
    left = ending(folder, Exit(said["exit_code"], said["seconds"], "as it was stored"))
    left = replace(
        left,
        state=State(said["state"]),
        ended=said["ended"],
        seconds=said["seconds"],
        error_type=said["error_type"],
        error=said["error"],
        provenance=said["provenance"],
    )
    if not said["numbers"]:
        left = replace(left, scalars=(), items=(), costs=(), scores={})
    known = replace(
        attempt, owner=said["owner"], host=said["host"], started=said["started"], state=left.state
    )
    return known, left
