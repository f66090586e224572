"""Where a number comes from: the code's commit, the machine, the libraries. No environment."""

import os
import platform
import socket
import subprocess
from pathlib import Path


def provenance(root: Path) -> dict[str, str]:
    """The commit and dirty flag of the code under `root`, and the machine."""
    commit = _git(root, "rev-parse", "HEAD")
    facts = {
        "host": socket.gethostname(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": str(cores()),
    }
    if commit:
        facts["commit"] = commit
        facts["dirty"] = (
            "yes" if _git(root, "status", "--porcelain", "--untracked-files=no") else "no"
        )
    return facts


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


def _git(root: Path, *arguments: str) -> str:
    try:
        asked = subprocess.run(
            ["git", "-C", str(root), *arguments],  # noqa: S607 - whichever git the user has
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""
