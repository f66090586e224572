"""The fork server of a slot: imports torch and the system once, then forks a child per attempt.

Started as `python -m ablate.run.forkserver FD` over a SEQPACKET socket. Single-threaded, it never
computes and never touches a GPU, so that its children may. Every process that an attempt leaves
behind becomes the server's own (it is a subreaper) and is killed when the attempt ends; when the
slot goes away, however it goes, the server kills what runs and ends. Linux only.
"""

import ctypes
import faulthandler
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
from pathlib import Path

MESSAGE = 64 * 1024
_SET_PDEATHSIG = 1
_SET_CHILD_SUBREAPER = 36


def main(handle: int) -> None:
    """Serve one slot until its socket closes."""
    if os.fork():
        os._exit(0)  # Ray kills the children of a worker it ends; then nobody would sweep
    link = socket.socket(fileno=handle)
    wanted = json.loads(link.recv(MESSAGE))
    sys.path[:0] = wanted["sys_path"]
    problems = _preload(wanted["modules"])
    _prctl(_SET_CHILD_SUBREAPER, 1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threads = len(list(Path("/proc/self/task").iterdir()))
    _say(link, ready=os.getpid(), threads=threads, problems=problems)
    gc.collect()
    gc.freeze()
    _Server(link).serve()


def _preload(modules: list[str]) -> list[str]:
    problems = []
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as wrong:  # noqa: BLE001 - said to the slot; the attempt will fail on it
            problems.append(f"{name}: {wrong!r}")
    return problems


class _Server:
    """One attempt at a time, its pid watched through a pidfd: no signal handler, no pid reuse."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.watch = selectors.DefaultSelector()
        self.watch.register(link, selectors.EVENT_READ)
        self.child = 0

    def serve(self) -> None:
        while True:
            for key, _ in self.watch.select():
                if key.fileobj is self.link:
                    self._request()
                else:
                    self._ended(key.fd)

    def _request(self) -> None:
        try:
            data, handles, _, _ = socket.recv_fds(self.link, MESSAGE, 1)
        except OSError:
            data, handles = b"", []
        if not data:
            if self.child:
                _kill_group(self.child)
            self.child = 0
            _sweep()
            os._exit(0)
        server = os.getpid()
        self.child = os.fork()
        if not self.child:
            self._become(json.loads(data)["folder"], handles[0], server)
        os.close(handles[0])
        self.watch.register(os.pidfd_open(self.child), selectors.EVENT_READ)
        _say(self.link, started=self.child)

    def _become(self, folder: str, log: int, server: int) -> None:
        code = 1
        try:
            self.watch.close()
            self.link.close()
            _own_process(log, server)
            from ablate.run import attempt  # noqa: PLC0415 - in the child; preloaded by the server

            code = attempt.main(folder)
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException as wrong:  # noqa: BLE001 - the last line before the process ends
            os.write(2, f"attempt could not be run: {wrong!r}\n".encode())
        finally:
            os._exit(code)

    def _ended(self, handle: int) -> None:
        pid, self.child = self.child, 0
        # still a zombie, so its group id cannot have been given to anybody else
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        _kill_group(pid)
        _, status = os.waitpid(pid, 0)
        self.watch.unregister(handle)
        os.close(handle)
        _say(self.link, ended=os.waitstatus_to_exitcode(status), swept=_sweep())


def _own_process(log: int, server: int) -> None:
    os.setsid()
    _prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    sys.stdin = Path(os.devnull).open()  # noqa: SIM115 - for the life of the process
    sys.stdout = os.fdopen(1, "w", buffering=1, errors="backslashreplace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    faulthandler.enable(file=2)
    gc.unfreeze()


def _sweep() -> int:
    """Kill and reap every process that became ours; how many there were."""
    swept = 0
    while left := _children():
        for pid in left:
            _kill(pid)
            try:
                os.waitpid(pid, 0)
            except ChildProcessError:
                continue
            swept += 1
    return swept


def _children() -> list[int]:
    found: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _say(link: socket.socket, **message: object) -> None:
    link.send(json.dumps(message).encode())


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl({option})")


if __name__ == "__main__":
    main(int(sys.argv[1]))
