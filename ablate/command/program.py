"""A program that runs: its output as it comes, its end, and the end of all that it started."""

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ablate.system import TrainingError

TICK = 0.1
"""Seconds after which a silent program is looked at."""

GRACE = 2.0
"""Seconds between asking a program to end and killing it."""

_CHUNK = 2**16
_LEFT = 32  # chunks: more than a pipe holds
_SET_PDEATHSIG = 1


class Program:
    """A program in a process group of its own; what is left of it ends with the block."""

    def __init__(self, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        """Start it; raises TrainingError where it cannot be started."""
        try:
            self._process = subprocess.Popen(
                words,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                start_new_session=True,
                preexec_fn=_dying_with_us(),  # noqa: PLW1509 - no thread runs here
            )
        except OSError as wrong:
            text = f"{words[0]!r} cannot be started in {folder.name}/: {wrong.strerror}"
            raise TrainingError("not started", text) from None
        self.code: int | None = None
        self.cpu = 0.0
        self.memory = 0.0
        """Its peak resident set in bytes; 0 where it ended before anybody could look."""
        self.heard = 0
        """All that it printed before this time (ns) has been given out; `output` moves it on."""
        self._asked = False
        self._sampled = 0.0
        self._next_sample = time.monotonic() + TICK / 2  # it has become the program by then
        self._ours = _peak(os.getpid())

    def __enter__(self) -> Self:
        """The program, running."""
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """Ask what still runs to save and end, then kill it and its children."""
        self.ask()
        deadline = time.monotonic() + GRACE
        while not self._ended() and time.monotonic() < deadline:
            time.sleep(TICK / 10)
        self._signal(signal.SIGKILL)
        while not self._ended():
            time.sleep(TICK / 10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def output(self) -> Iterator[bytes]:
        """What it prints as it prints it, and nothing (`b""`) at every tick, until it has ended."""
        assert self._process.stdout is not None
        handle = self._process.stdout.fileno()
        os.set_blocking(handle, False)
        with selectors.DefaultSelector() as watch:
            watch.register(handle, selectors.EVENT_READ)
            while not self._ended():
                looked = time.time_ns()
                self._sample()
                if watch.get_map():
                    ready = watch.select(TICK)
                else:
                    ready = []  # it has closed its output and works on
                    time.sleep(TICK / 10)
                data = _read(handle) if ready else b""
                if ready and data == b"":
                    watch.unregister(handle)
                yield data or b""
                if len(data or b"") < _CHUNK:
                    self.heard = looked
        for _ in range(_LEFT):  # a child that has left the group may write for ever
            if data := _read(handle):
                yield data
        self.heard = time.time_ns()

    def ask(self) -> None:
        """Ask the program and its children, once, to save and end."""
        if not self._asked:
            self._asked = True
            self._signal(signal.SIGTERM)

    def _ended(self) -> bool:
        if self.code is not None:
            return True
        # the group is killed while its leader is a zombie: its id cannot be anybody else's yet
        if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            return False
        self._signal(signal.SIGKILL)
        _, status, used = os.wait4(self._process.pid, 0)
        self.code = self._process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = used.ru_utime + used.ru_stime
        peak = used.ru_maxrss * (1.0 if sys.platform == "darwin" else 1024.0)
        # the kernel counts what the process was before it became the program: a copy of this one
        self.memory = peak if peak > self._ours else self._sampled
        return True

    def _sample(self) -> None:
        """Look at the program's own peak memory, at every tick."""
        now = time.monotonic()
        if now >= self._next_sample:
            self._next_sample = now + TICK / 2
            self._sampled = max(self._sampled, _peak(self._process.pid))

    def _signal(self, number: signal.Signals) -> None:
        if self.code is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


def _peak(pid: int) -> float:
    """The peak resident set of a process so far in bytes; 0 where it is not known."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = (line.split()[1] for line in text.splitlines() if line.startswith("VmHWM:"))
    return float(next(found, 0.0)) * 1024


def _read(handle: int) -> bytes | None:
    """What can be read now: nothing (`b""`) at the end of the output, None where none is there."""
    try:
        return os.read(handle, _CHUNK)
    except BlockingIOError:
        return None


def _dying_with_us() -> Callable[[], object] | None:
    """Ends the program when this process is killed (Linux), so that none trains on unwatched."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
