"""Who owns a process: an identity that no clock and no reused process id can forge (Linux)."""

import os
import signal
from pathlib import Path

_STAT_START = 19  # fields after the command's closing parenthesis: state is 0, start time is 19


def owner(pid: int | None = None) -> str:
    """`boot:pid:start` of a process: its boot id, its id and its start time in clock ticks.

    Raises ProcessLookupError when there is no such process.
    """
    pid = os.getpid() if pid is None else pid
    fields = _stat(pid)
    if fields is None:
        raise ProcessLookupError(pid)
    return f"{_boot()}:{pid}:{fields[_STAT_START]}"


def alive(who: str) -> bool:
    """Whether that very process still lives on this machine; a zombie does not."""
    boot, pid, start = _parts(who)
    fields = _stat(pid) if boot == _boot() else None
    return fields is not None and fields[0] != "Z" and fields[_STAT_START] == start


def here(who: str) -> bool:
    """Whether `who` was a process of this machine since it was started."""
    return _parts(who)[0] == _boot()


def kill_group(who: str) -> None:
    """SIGKILL the process group that this very process leads, if it still lives."""
    if alive(who):
        try:
            os.killpg(_parts(who)[1], signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return


def _parts(who: str) -> tuple[str, int, str]:
    boot, _, rest = who.partition(":")
    pid, _, start = rest.partition(":")
    return boot, int(pid) if pid.isdigit() else -1, start


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()
