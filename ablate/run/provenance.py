"""Where a number comes from: the code's commit, the machine, the libraries. No environment."""

import os
import platform
import socket
from pathlib import Path

from ablate.command.code import sources


def provenance(root: Path) -> dict[str, str]:
    """The code around `root` as its sources tell it, and the machine."""
    return {
        "host": socket.gethostname(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": str(cores()),
        **sources(root),
    }


def cores() -> int:
    """The CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
