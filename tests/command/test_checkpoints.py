"""Which of the checkpoints that earlier attempts left is gone on from."""

from collections.abc import Callable
from pathlib import Path

from ablate.project import Project
from ablate.record import Ending, State

Make, Run = Callable[..., Project], Callable[..., Ending]

HALF = """
import os, pathlib, sys
from ablate import log
folder = pathlib.Path(os.environ["ABLATE_CHECKPOINTS"])
given = os.environ.get("ABLATE_RESUME")
if given and not pathlib.Path(given).read_text().endswith("whole"):
    raise SystemExit("this is no checkpoint")
for step in range(2 if given else 1, 4):
    log(step, score=step / 10, other=step)
if not given:
    (folder / "1").write_text("1 whole")
    os.utime(folder / "1", (0, 0))
    (folder / "2").write_text("2 wh")
    raise SystemExit(3)
"""
FIRST = """    (folder / "1").write_text("1 whole")
    os.utime(folder / "1", (0, 0))
"""
RESUMES = 'resume_args = "--resume {checkpoint}"'


def test_a_half_written_checkpoint_is_passed_over_once_an_attempt_has_failed_with_it(
    project: Make, attempt: Run, tmp_path: Path
) -> None:
    made = project(HALF, RESUMES)
    earlier = [str(tmp_path / f"attempts/{n}") for n in (1, 2)]
    attempt(made)

    failed = attempt(made, number=2, earlier=(earlier[0],))
    left = attempt(made, number=3, earlier=(earlier[1], earlier[0]))

    assert (failed.state, failed.provenance["resumed"]) == (State.FAILED, "attempt 1, 2")
    assert (left.state, left.provenance["resumed"]) == (State.COMPLETED, "attempt 1, 1")
    note = "checkpoint passed over: an attempt that went on from 2 has failed"
    assert left.provenance["notes"] == note
    assert {s.step: s.value for s in left.scalars if s.name == "score"} == {1: 0.1, 2: 0.2, 3: 0.3}


def test_the_only_checkpoint_is_tried_again(project: Make, attempt: Run, tmp_path: Path) -> None:
    program = HALF.replace(FIRST, "")
    made = project(program, RESUMES)
    earlier = [str(tmp_path / f"attempts/{n}") for n in (1, 2)]
    attempt(made)
    attempt(made, number=2, earlier=(earlier[0],))

    left = attempt(made, number=3, earlier=(earlier[1], earlier[0]))

    assert left.provenance["resumed"] == "attempt 1, 2"
    assert left.error.endswith("this is no checkpoint")
