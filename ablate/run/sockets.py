"""Which addresses a process tree listens on, read from /proc: Ray must stay on loopback."""

from collections.abc import Iterable, Iterator
from pathlib import Path

_LISTEN = "0A"
# the kernel prints each 32-bit word of an address as this machine stores it: 127 comes last
_LOOPBACK_4 = "7F"
_MAPPED = "0000000000000000FFFF0000"
_LOOPBACK_6 = "00000000000000000000000001000000"


def tree(root: int) -> set[int]:
    """The process `root` and all that descend from it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat[1])
    found = {root}
    while more := {p for p, up in parents.items() if up in found} - found:
        found |= more
    return found


def exposed(pids: Iterable[int]) -> list[str]:
    """The listening TCP sockets of `pids` beyond loopback, as `pid address:port` in hex."""
    open_beyond = {inode: address for inode, address in _listening() if not _loopback(address)}
    found = []
    for pid in pids:
        mine = _inodes(pid)
        found += [f"{pid} {address}" for inode, address in open_beyond.items() if inode in mine]
    return found


def _listening() -> Iterator[tuple[str, str]]:
    for name in ("tcp", "tcp6"):
        path = Path("/proc/net") / name
        if path.exists():
            for line in path.read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTEN:
                    yield fields[9], fields[1]


def _loopback(address: str) -> bool:
    host = address.partition(":")[0]
    version_4 = len(host) == len("0100007F") or host.startswith(_MAPPED)
    return host.endswith(_LOOPBACK_4) if version_4 else host == _LOOPBACK_6


def _inodes(pid: int) -> set[str]:
    found: set[str] = set()
    try:
        handles = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return found
    for handle in handles:
        try:
            target = str(handle.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found
