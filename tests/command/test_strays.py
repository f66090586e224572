"""What programs leave running ends with their attempt, whoever their parent has become."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ablate.command.environment import places
from ablate.project import Project
from ablate.record import Ending, State
from ablate.run.strays import kill_strays

Make, Run = Callable[..., Project], Callable[..., Ending]

DAEMON = """
import os, signal, subprocess, time
from ablate import log
log(1, score=0.5, other=50)
if not os.fork():
    os.setsid()
    if not os.fork():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen(["sleep", "600"])
        open("daemon", "w").write(f"{os.getpid()} {child.pid}")
        time.sleep(600)
    os._exit(0)
while not os.path.exists("daemon") or not open("daemon").read():
    time.sleep(0.01)
"""


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_daemon_that_holds_the_output_open_neither_holds_the_attempt_nor_outlives_it(
    project: Make, attempt: Run
) -> None:
    made = project(DAEMON)

    left = attempt(made)

    assert left.state is State.COMPLETED, left.error
    assert left.seconds < 30
    pids = [int(p) for p in (made.root / "daemon").read_text().split()]
    assert [p for p in pids if _runs(p)] == []


def test_only_what_carries_the_attempt_s_own_folder_is_killed(tmp_path: Path) -> None:
    started = []
    for name in ("1", "11"):
        environment = {**os.environ, "ABLATE_WORKDIR": str(places(tmp_path / name).work)}
        words = [sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"]
        one = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE)
        assert one.stdout is not None
        one.stdout.readline()  # it has become the program: its environment is its own
        started.append(one)
    mine, other = started

    kill_strays(tmp_path / "1")

    assert mine.wait(timeout=10) == -signal.SIGKILL
    assert other.poll() is None
    other.kill()
    other.wait()
    for one in started:
        one.stdout.close()
