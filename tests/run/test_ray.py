"""Attempts in Ray slots: faults stay where they happen, and nothing listens beyond loopback."""

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from ablate.errors import HostError
from ablate.project import Project
from ablate.record import Ending, State
from ablate.run.executor import Ended
from ablate.run.folder import Assignment, ending, write_job
from ablate.run.ray import RayExecutor
from ablate.run.sockets import exposed, tree
from ablate.study import Resources

pytestmark = [
    pytest.mark.ray,
    # Ray's own: sockets and threads that it lets the interpreter collect
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
]

DEADLINE = 6.0
HERE = str(Path(__file__).parent)


@pytest.fixture(scope="module")
def executor() -> Iterator[RayExecutor]:
    executor = RayExecutor(Resources(cpus=1, gpus=0.5), 2, ["trainers"], [HERE])
    yield executor
    executor.close()


@pytest.fixture
def assignment(tmp_path: Path) -> Callable[..., Assignment]:
    def make(system: str, name: str, **levels: object) -> Assignment:
        made = Assignment(
            name, 1, str(tmp_path / name), f"trainers:{system}", levels, 7, timeout=DEADLINE
        )
        write_job(made)
        return made

    return make


def _all(executor: RayExecutor, assignments: Sequence[Assignment]) -> dict[str, Ending]:
    waiting = list(assignments)
    ended: dict[str, Ending] = {}
    deadline = time.monotonic() + 60
    while len(ended) < len(assignments) and time.monotonic() < deadline:
        while waiting and executor.free:
            executor.submit(waiting.pop(0))
        found: list[Ended] = executor.wait(0.5)
        for e in found:
            ended[e.assignment.key] = ending(Path(e.assignment.folder), e.exit)
    return ended


def test_faults_end_in_their_states_and_change_no_neighbour(
    executor: RayExecutor, assignment: Callable[..., Assignment]
) -> None:
    quiet = _all(executor, [assignment("learner", "quiet", extra=True, epochs=5)])["quiet"]
    faults = {
        "raises": State.FAILED,
        "segfaults": State.CRASHED,
        "hangs": State.TIMEOUT,
        "leaves": State.COMPLETED,
    }
    asked = []
    for fault in faults:
        asked.append(assignment("rogue", fault, fault=fault))
        asked.append(assignment("learner", f"beside {fault}", extra=True, epochs=5))

    began = time.monotonic()
    ended = _all(executor, asked)

    assert {name: ended[name].state for name in faults} == faults
    assert time.monotonic() - began < DEADLINE + 20
    for fault in faults:
        assert list(map(repr, ended[f"beside {fault}"].scalars)) == list(map(repr, quiet.scalars))
    leaver = next(a for a in asked if a.key == "leaves")
    left = int((Path(leaver.folder) / "grandchild").read_text())
    assert not Path(f"/proc/{left}").exists()
    assert executor.free == executor.slots


def test_a_stopped_trial_is_cancelled_and_its_slot_goes_on(
    executor: RayExecutor, assignment: Callable[..., Assignment]
) -> None:
    executor.submit(assignment("rogue", "held", fault="hangs"))
    executor.wait(1.0)
    executor.stop()
    ended: list[Ended] = []
    while not ended:
        ended = executor.wait(1.0)

    left = ending(Path(ended[0].assignment.folder), ended[0].exit)
    assert left.state is State.CANCELLED
    after = _all(executor, [assignment("rogue", "after", fault="none")])
    assert after["after"].state is State.COMPLETED


PROGRAM = """
import json, os, subprocess, sys, time
with open(os.environ["ABLATE_METRICS"], "a") as file:
    file.write('{"step": 1, "score": 0.5}\\n')
if sys.argv[1] == "--hangs=True":
    left = [subprocess.Popen(["sleep", "600"], start_new_session=s).pid for s in (False, True)]
    open(os.path.join(os.environ["ABLATE_WORKDIR"], "left"), "w").write(json.dumps(left))
    time.sleep(600)
"""
TABLE = """
[systems.program]
command = "{python} program.py {{overrides}}"
style = "--k=v"
[systems.program.factors.hangs]
reference = false
[systems.program.metrics.score]
"""


def test_programs_end_at_their_deadline_with_all_they_started_and_free_both_slots(
    executor: RayExecutor, tmp_path: Path
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "ablate.toml").write_text(TABLE.format(python=sys.executable))
    reference = Project.find(tmp_path).reference("program")

    def made(name: str, *, hangs: bool) -> Assignment:
        limit = 2.0 if hangs else 60.0
        folder = str(tmp_path / name)
        one = Assignment(name, 1, folder, reference, {"hangs": hangs}, 7, timeout=limit)
        write_job(one)
        return one

    late = _all(executor, [made("a", hangs=True), made("b", hangs=True)])
    left = [p for n in late for p in json.loads((tmp_path / n / "work/left").read_text())]
    after = _all(executor, [made("c", hangs=False), made("d", hangs=False)])

    assert [e.state for e in late.values()] == [State.TIMEOUT] * 2
    assert len(left) == 4
    assert [pid for pid in left if Path(f"/proc/{pid}").exists()] == []
    assert [e.state for e in after.values()] == [State.COMPLETED] * 2
    assert executor.free == executor.slots


def test_every_listening_socket_of_the_run_is_on_loopback(executor: RayExecutor) -> None:
    pids = tree(os.getpid())

    assert len(pids) > executor.slots  # Ray's processes are among them
    assert exposed(pids) == []


def test_the_check_of_sockets_sees_one_that_is_open_to_others() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        (found,) = exposed([os.getpid()])

    assert found.endswith(f":{port:04X}")


def test_a_share_that_no_machine_has_is_refused(executor: RayExecutor) -> None:
    with pytest.raises(HostError, match="wants 100000 cores"):
        executor._share(Resources(cpus=100_000))
