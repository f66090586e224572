"""What a program's attempt has started and left running, also in process groups of its own."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ablate.command.environment import places

_ROUNDS = 100
_AGAIN = 0.01


def kill_strays(folder: Path) -> None:
    """SIGKILL every process that the program of an attempt has left on this machine (Linux).

    They are known by the attempt's folder in their environment, which each inherits: a process
    that has become its own leader, or nobody's child, is found, and no reused id is.
    """
    mark = os.fsencode(f"\0ABLATE_WORKDIR={places(folder).work}\0")
    for _ in range(_ROUNDS):
        found = 0
        for handle in _marked(mark):
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                found += 1
        if not found:
            return
        time.sleep(_AGAIN)


def _marked(mark: bytes) -> Iterator[int]:
    """A handle of each process with the mark: of that very process, whatever becomes of its id."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            handle = os.pidfd_open(int(process.name))
        except OSError:
            continue
        try:
            if mark in b"\0" + (process / "environ").read_bytes():
                yield handle
        except OSError:
            continue
        finally:
            os.close(handle)
