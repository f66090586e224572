"""Attempts in this process, one after another, without Ray: for tests and debugging.

The same folders, states and numbers as isolated attempts; but a crash of a trial is a crash of
the driver, and peak memory is that of the whole process.
"""

import contextlib
import io
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from ablate.record import State
from ablate.run.attempt import OutOfTime, Stopped, execute
from ablate.run.capped import CappedLog
from ablate.run.executor import Ended
from ablate.run.folder import LOG, PROCESS, Assignment, Exit
from ablate.run.owner import owner
from ablate.run.recorder import FolderRecorder
from ablate.run.strays import kill_strays

if TYPE_CHECKING:
    from typing_extensions import Buffer


class _Bytes(io.RawIOBase):
    def __init__(self, log: CappedLog) -> None:
        self._log = log

    def writable(self) -> bool:
        return True

    def write(self, data: "Buffer") -> int:
        whole = bytes(data)
        self._log.write(whole)
        return len(whole)


class InlineExecutor:
    """Runs an attempt inside `wait`; use it from the main thread, which the deadline interrupts."""

    slots = 1
    gpus = 0.0

    def __init__(self, sys_path: Sequence[str]) -> None:
        """An executor whose systems are found on `sys_path`."""
        sys.path[:0] = [p for p in sys_path if p not in sys.path]
        self._next: Assignment | None = None
        self._training = False
        self._stopped = False

    @property
    def free(self) -> int:
        """One, unless an attempt is waiting to be run."""
        return int(self._next is None)

    def submit(self, assignment: Assignment) -> None:
        """Keep the attempt for the next `wait`."""
        self._next = assignment

    def wait(self, timeout: float) -> list[Ended]:  # noqa: ARG002 - nothing runs beside it
        """Run the submitted attempt to its end."""
        assignment, self._next = self._next, None
        if assignment is None:
            return []
        began = time.monotonic()
        code, reason = None, ""
        try:
            self._training = True
            if not self._stopped:
                code = 0 if self._run(assignment) is State.COMPLETED else 1
            else:
                reason = "stopped"
        except Stopped:
            reason = "stopped"
        except OutOfTime:
            reason = "deadline"
        finally:
            self._training = False
            kill_strays(Path(assignment.folder))
        return [Ended(assignment, Exit(code, time.monotonic() - began, reason))]

    def stop(self) -> None:
        """Interrupt the running attempt; called from a signal handler."""
        self._stopped = True
        if self._training:
            self._training = False
            raise Stopped

    def _run(self, assignment: Assignment) -> State:
        folder = Path(assignment.folder)
        (folder / PROCESS).write_text(owner())
        recorder = FolderRecorder(folder, [Path(f) for f in assignment.earlier])
        log = CappedLog(folder / LOG)
        text = io.TextIOWrapper(
            io.BufferedWriter(_Bytes(log)),
            encoding="utf-8",
            errors="backslashreplace",
            line_buffering=True,
        )
        try:
            with (
                contextlib.redirect_stdout(text),
                contextlib.redirect_stderr(text),
                _deadline(assignment.timeout),
            ):
                return execute(assignment, recorder)
        finally:
            text.flush()
            log.close()

    def close(self) -> None:
        """Nothing is held."""


@contextlib.contextmanager
def _deadline(seconds: float | None) -> Iterator[None]:
    def late(_number: int, _frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds or 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
