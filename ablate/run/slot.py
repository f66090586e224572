"""A slot: a share of the machine that runs one attempt at a time, each in a process of its own."""

import contextlib
import json
import math
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ablate.errors import HostError
from ablate.run.capped import CappedLog
from ablate.run.folder import LOG, Exit
from ablate.run.forkserver import MESSAGE

GRACE = 2.0
"""Seconds between asking a stopped attempt to save and killing it."""

START_LIMIT = 600.0
"""Seconds that a fork server may take to import torch and the system."""

_AGAIN = 0.05

_ALWAYS = ("ablate.run.attempt",)
_ONE_THREAD = {
    # a server that computes with several threads leaves pools that its children hang on
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}


@dataclass(frozen=True, slots=True)
class _Ready:
    threads: int
    problems: tuple[str, ...]


class Slot:
    """Owns a fork server; starts it when first needed and again when it died."""

    def __init__(self, modules: Sequence[str], sys_path: Sequence[str]) -> None:
        """A slot whose children find `modules` imported already, `sys_path` before all else."""
        self.modules = list(modules)
        self.sys_path = list(sys_path)
        self.problems: list[str] = []
        self._link: socket.socket | None = None
        self._child = 0
        self._stopping = False

    def start(self) -> None:
        """Start the fork server; raises HostError when it cannot be started."""
        if self._link is not None:
            return
        ready = self._serve([*_ALWAYS, *self.modules])
        if ready.threads != 1:
            # a module computed while it was imported: import the system in each child instead
            self.close()
            self.problems.append(f"{self.modules} start threads when imported: not preloaded")
            ready = self._serve(list(_ALWAYS))
        self.problems += ready.problems

    def run(self, folder: str, timeout: float | None) -> Exit:
        """Run the attempt of `folder` to its end, or kill it at its deadline.

        Raises HostError when the fork server cannot be started.
        """
        began = time.monotonic()
        try:
            self.start()
            if self._stopping:
                return Exit(None, 0.0, "stopped")
            began = time.monotonic()
            code, reason = self._attempt(folder, timeout)
        finally:
            self._child = 0
            self._stopping = False
        return Exit(code, time.monotonic() - began, reason)

    def stop(self) -> None:
        """Ask the running attempt to save and end (from another thread); killed after `GRACE`."""
        self._stopping = True
        deadline = time.monotonic() + GRACE
        while self._stopping:  # until `run` says that the attempt has ended
            patient = time.monotonic() < deadline
            _signal(self._child, signal.SIGTERM if patient else signal.SIGKILL)
            time.sleep(_AGAIN)

    def close(self) -> None:
        """End the fork server and with it whatever it runs."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def _serve(self, modules: list[str]) -> _Ready:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-P", "-m", "ablate.run.forkserver", str(theirs.fileno())]
        server = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **_ONE_THREAD},
        )
        theirs.close()
        server.wait()
        wanted = {"sys_path": self.sys_path, "modules": modules}
        try:
            ours.settimeout(START_LIMIT)
            ours.send(json.dumps(wanted).encode())
            said = ours.recv(MESSAGE)
            ours.settimeout(None)
        except OSError:
            said = b""
        if not said:
            ours.close()
            raise HostError("the fork server did not start; try `--executor inline`")
        self._link = ours
        ready = json.loads(said)
        return _Ready(ready["threads"], tuple(ready["problems"]))

    def _attempt(self, folder: str, timeout: float | None) -> tuple[int | None, str]:
        assert self._link is not None
        log = CappedLog(Path(folder) / LOG)
        ours, theirs = os.pipe()
        try:
            try:
                socket.send_fds(self._link, [json.dumps({"folder": folder}).encode()], [theirs])
            finally:
                os.close(theirs)
            return self._follow(ours, log, timeout)
        except OSError as lost:
            self.close()
            return None, f"the fork server was lost: {lost}"
        finally:
            os.close(ours)
            log.close()

    def _follow(self, log_end: int, log: CappedLog, timeout: float | None) -> tuple[int, str]:
        assert self._link is not None
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        late = False
        with selectors.DefaultSelector() as watch:
            watch.register(self._link, selectors.EVENT_READ)
            watch.register(log_end, selectors.EVENT_READ)
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    # again and again: the child may not have been heard of, or lead no group yet
                    late = True
                    _signal(self._child, signal.SIGKILL)
                wait = _AGAIN if late else left
                for key, _ in watch.select(None if wait == math.inf else wait):
                    if key.fd == log_end:
                        _drain(log_end, log, watch)
                    elif (code := self._heard()) is not None:
                        _rest(log_end, log)
                        return code, self._why(late=late)

    def _heard(self) -> int | None:
        assert self._link is not None
        data = self._link.recv(MESSAGE)
        if not data:
            _signal(self._child, signal.SIGKILL)
            raise ConnectionError("it died")
        message = json.loads(data)
        if "started" in message:
            self._child = message["started"]
            return None
        return int(message["ended"])

    def _why(self, *, late: bool) -> str:
        if late:
            return "deadline"
        return "stopped" if self._stopping else ""


def _drain(log_end: int, log: CappedLog, watch: selectors.BaseSelector) -> None:
    data = os.read(log_end, 2**16)
    if data:
        log.write(data)
    else:
        watch.unregister(log_end)


def _rest(log_end: int, log: CappedLog) -> None:
    os.set_blocking(log_end, False)
    try:
        while data := os.read(log_end, 2**16):
            log.write(data)
    except BlockingIOError:
        return


def _signal(pid: int, number: signal.Signals) -> None:
    if not pid:
        return
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        # forked, but not yet the leader of its group
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
