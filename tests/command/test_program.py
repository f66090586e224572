"""Programs as they are: what is heard of them, what they spend, how they end."""

import math
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.project import Project
from ablate.record import Ending, State
from ablate.run.folder import Assignment, ending, write_job
from ablate.run.owner import owner
from ablate.run.slot import Slot

Make, Run = Callable[..., Project], Callable[..., Ending]

LOG = "from ablate import log\n"
BOTH = LOG + "log(1, score=0.5, other=50)\n"


def _scores(left: Ending) -> dict[tuple[str, str, int], float]:
    return {(s.split, s.name, s.step): s.value for s in left.scalars}


def test_two_lines_bring_the_scores_and_a_percentage_is_stored_as_a_fraction(
    project: Make, attempt: Run
) -> None:
    left = attempt(project(LOG + 'log(1, "val", score=0.25, other=77.6)\nlog(2, score="nan")'))

    assert left.state is State.COMPLETED
    assert _scores(left)["val", "other", 1] == 0.776
    assert math.isnan(_scores(left)["test", "score", 2])


def test_lines_of_metrics_that_cannot_be_understood_are_noted_and_the_rest_is_kept(
    project: Make, attempt: Run
) -> None:
    program = """
import os
with open(os.environ["ABLATE_METRICS"], "wb") as file:
    file.write(b'{"step": 1, "split": "val", "score": 0.5, "other": 40}\\n')
    file.write(b'{"score": 0.5}\\n[1]\\nnonsense\\n{"epoch": 2, "score": "high"}\\n\\xff\\xfe\\n')
    file.write(b'{"epoch": 3, "score": NaN}')
"""
    left = attempt(project(program))

    assert left.state is State.COMPLETED
    assert set(_scores(left)) == {("val", "score", 1), ("val", "other", 1), ("test", "score", 3)}
    (note,) = left.provenance["notes"].splitlines()
    assert note.startswith("5 lines of metrics.jsonl could not be read: without a step:")


@pytest.mark.parametrize(
    ("program", "state", "kind", "sentence"),
    [
        ("", "failed", "no metrics", "exit code 0 without its metrics score, other"),
        (LOG + "log(1, score=1)", "failed", "no metrics", "exit code 0 without its metrics other"),
        (BOTH + "raise SystemExit('sorry')", "failed", "exit code 1", "exit code 1\nsorry"),
        ("import os; os.kill(os.getpid(), 9)", "crashed", "signal 9", "signal 9 (SIGKILL)"),
        ("import os; os.abort()", "crashed", "signal 6", "signal 6 (SIGABRT)"),
    ],
)
def test_every_bad_end_is_said_in_one_line(  # noqa: PLR0917, PLR0913 - one table
    project: Make, attempt: Run, program: str, state: str, kind: str, sentence: str
) -> None:
    left = attempt(project(program))

    assert (left.state, left.error_type) == (state, kind)
    assert sentence in left.error
    assert "Traceback" not in left.error


def test_what_a_program_spends_is_its_own(project: Make, attempt: Run) -> None:
    program = BOTH + "import time\nx = bytearray(400_000_000)\ntime.sleep(0.2)\n"
    costs = {c.name: c for c in attempt(project(program)).costs}

    assert 400e6 < costs["memory"].value < 700e6
    assert costs["memory"].counter == "peak resident set of the program"


def test_a_small_program_is_not_billed_the_memory_of_its_runner(
    project: Make, attempt: Run
) -> None:
    left = attempt(project(BOTH + "import time\ntime.sleep(0.3)\n"))

    assert next(c.value for c in left.costs if c.name == "memory") < 60e6


def test_a_flood_of_output_is_read_in_bounded_memory(project: Make, attempt: Run) -> None:
    program = (
        BOTH
        + """
import os, sys
out = sys.stdout.buffer
bar = b"".join(b"\\r\\x1b[32m%d%%\\x1b[0m" % i for i in range(1000))
for _ in range(500):
    out.write(bar[:4000] + b"\\xff\\xfe")
for _ in range(80):
    out.write(b"x" * 1_000_000 + b"\\n")
out.write(b"x" * 20_000_000)
"""
    )
    before = _resident()
    left = attempt(project(program, 'reader = "lines"', rest=READER))

    assert left.state is State.COMPLETED, left.error
    assert _resident() - before < 200e6


READER = """
[readers.lines]
patterns = [{ match = 'epoch (?P<step>\\d+)', kind = "curve" },
            { match = 'score (?P<score>[\\d.]+)', kind = "curve" },
            { match = 'finished', kind = "end" }]
"""


def _resident() -> float:
    text = Path("/proc/self/status").read_text()
    return 1024 * float(next(x.split()[1] for x in text.splitlines() if x.startswith("VmHWM")))


def test_scores_are_heard_while_the_program_runs(
    project: Make, attempt: Run, tmp_path: Path
) -> None:
    program = (
        LOG
        + f"""
import pathlib, time
log(1, score=0.5, other=50)
for _ in range(500):
    if pathlib.Path({str(tmp_path)!r}, "heard").exists():
        log(2, score=0.75)
        break
    time.sleep(0.02)
"""
    )
    events = tmp_path / "attempts/1/events.jsonl"

    def listen() -> None:
        for _ in range(500):
            if events.exists() and '"step":1' in events.read_text():
                (tmp_path / "heard").touch()
                return
            time.sleep(0.02)

    listener = threading.Thread(target=listen)
    listener.start()
    left = attempt(project(program))
    listener.join()

    assert _scores(left)["test", "score", 2] == 0.75


GOES_ON = (
    LOG
    + """
import os, sys, time, pathlib
state = pathlib.Path(os.environ["ABLATE_CHECKPOINTS"], "state")
done = int(pathlib.Path(sys.argv[2]).read_text()) if sys.argv[1:2] == ["--resume"] else 0
for step in range(done + 1, 7):
    log(step, score=step / 10, other=step)
    time.sleep(0.15)
    state.write_text(str(step))
    if step == 4 and not done:
        time.sleep(600)
"""
)
RESUMES = 'resume_args = "--resume {checkpoint}"'


def _asked(project: Project, folder: Path, number: int, earlier: tuple[Path, ...]) -> Assignment:
    levels = {"deep": False, "net.rate": 0.1, "word": "plain"}
    assignment = Assignment(
        "k",
        number,
        str(folder / str(number)),
        project.reference("small"),
        levels,
        7,
        earlier=tuple(map(str, earlier)),
    )
    write_job(assignment)
    return assignment


def test_a_killed_program_goes_on_and_its_curve_is_whole(project: Make, tmp_path: Path) -> None:
    made = project(GOES_ON, RESUMES, place="{resume} {overrides}")
    slot = Slot(["ablate.command"], [])
    first = _asked(made, tmp_path, 1, ())
    cut = ending(tmp_path / "1", slot.run(first.folder, 2.0))
    second = _asked(made, tmp_path, 2, (tmp_path / "1",))
    left = ending(tmp_path / "2", slot.run(second.folder, 30.0))
    slot.close()

    assert cut.state is State.TIMEOUT
    assert left.state is State.COMPLETED, left.error
    curve = {s.step: s.value for s in left.scalars if s.name == "score"}
    assert curve == {n: n / 10 for n in range(1, 7)}
    assert left.provenance["resumed"] == "attempt 1, state"
    assert left.seconds > 2.0 + 0.3 - 0.5


def test_a_stopped_program_is_asked_once_and_its_children_end_with_it(
    project: Make, tmp_path: Path
) -> None:
    program = """
import pathlib, signal, subprocess, sys, time
here = pathlib.Path(sys.argv[0]).parent
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
(here / "child").write_text(str(child.pid))
while not asked:
    time.sleep(0.02)
time.sleep(0.3)
(here / "asked").write_text(str(len(asked)))
"""
    made = project(program)
    slot = Slot(["ablate.command"], [])
    asked = _asked(made, tmp_path, 1, ())

    def stop() -> None:
        while not (tmp_path / "child").exists():
            time.sleep(0.02)
        slot.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    left = ending(tmp_path / "1", slot.run(asked.folder, 30.0))
    stopper.join()
    slot.close()

    assert (left.state, left.error) == (State.CANCELLED, "stopped by the user")
    assert (tmp_path / "asked").read_text() == "1"
    assert not Path("/proc", (tmp_path / "child").read_text()).exists()


def test_a_deadline_ends_the_program_inline_too(
    project: Make, attempt: Run, tmp_path: Path
) -> None:
    program = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)"

    left = attempt(project(program), timeout=0.5)

    assert left.state is State.TIMEOUT
    with pytest.raises(ProcessLookupError):
        owner(int((tmp_path / "pid").read_text()))


def test_a_program_that_is_not_there_says_so(project: Make, attempt: Run, tmp_path: Path) -> None:
    made = project(BOTH)
    (tmp_path / "program.py").unlink()

    left = attempt(made)

    assert left.state is State.FAILED
    assert left.error == "system 'small': there is no program.py in '.' (command = ...)"


def test_a_declared_reader_reads_the_output_and_an_unfinished_one_is_no_result(
    project: Make, attempt: Run
) -> None:
    whole = 'print("epoch 1\\nscore 0.5")\n' + BOTH.replace("score=0.5, ", "")

    done = attempt(project(whole + "print('finished')", 'reader = "lines"', rest=READER))
    cut = attempt(project(whole, 'reader = "lines"', rest=READER), number=2)

    assert done.state is State.COMPLETED, done.error
    assert _scores(done)["test", "score", 1] == 0.5
    assert cut.state is State.FAILED
    assert "exit code 0, but its output is incomplete" in cut.error


def test_a_program_that_was_killed_leaves_no_group_behind(project: Make, attempt: Run) -> None:
    program = "import os, subprocess, signal\nchild = subprocess.Popen(['sleep', '600'])\n"
    program += "open('child', 'w').write(str(child.pid))\nos.kill(os.getpid(), signal.SIGKILL)"
    made = project(program)

    attempt(made)

    child = int((made.root / "child").read_text())
    for _ in range(100):
        if not _runs(child):
            break
        time.sleep(0.02)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False


FAULTY = """
from ablate.ingest.run import Reader

class Lines:
    def line(self, text):
        if "two" in text:
            raise ZeroDivisionError("of the reader")

    def end(self):
        pass

def begin(draft):
    return Lines()

reader = Reader(name="faulty", about="", find=lambda path: iter(()), read=None, begin=begin)
"""


def test_a_fault_of_a_reader_does_not_end_the_training_but_is_said_at_its_end(
    project: Make, attempt: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "faulty_reader.py").write_text(FAULTY)
    monkeypatch.syspath_prepend(tmp_path)
    program = LOG + "print('one')\nprint('two', flush=True)\nimport time; time.sleep(0.3)\n"
    program += "log(3, score=1, other=1)\n"
    more = '[readers]\nown = "faulty_reader:reader"\n'

    left = attempt(project(program, 'reader = "own"', rest=more))

    assert left.state is State.FAILED
    assert left.error == "reader faulty failed: ZeroDivisionError: of the reader"
    assert _scores(left)["test", "score", 3] == 1


def test_the_log_that_the_program_writes_itself_is_read_when_it_ends(
    project: Make, attempt: Run
) -> None:
    program = (
        LOG
        + """
import os, pathlib
out = pathlib.Path(os.environ["ABLATE_WORKDIR"], "logs")
out.mkdir()
(out / "train.log").write_text("epoch 1\\nscore 0.25\\nepoch 2\\nscore 0.5\\nfinished\\n")
log(2, other=1)
"""
    )
    left = attempt(project(program, 'reader = "lines"\nlog = "logs/*.log"', rest=READER))

    assert left.state is State.COMPLETED, left.error
    assert _scores(left)["test", "score", 2] == 0.5


def test_a_program_that_does_not_take_over_what_it_is_told_is_doubted(
    project: Make, attempt: Run
) -> None:
    reader = """
[readers.config]
patterns = [{ match = 'rate (?P<opt__rate>.+)', kind = "setting" }]
"""
    obeys = attempt(project(BOTH + "print('rate 5e-1')", 'reader = "config"', rest=reader))
    other = attempt(project(BOTH + "print('rate 0.1')", 'reader = "config"', rest=reader), number=2)

    assert "notes" not in obeys.provenance
    assert obeys.settings == {"opt.rate": "5e-1"}
    assert "says that opt.rate is 0.1 and not 0.5" in other.provenance["notes"]
