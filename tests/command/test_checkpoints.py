"""Which of the checkpoints that earlier attempts left is gone on from."""

from collections.abc import Callable
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("kept", ["", "keeps"])
def test_globs_that_match_nothing_of_an_attempt_that_had_come_far_are_said(
    project: Make, attempt: Run, tmp_path: Path, kept: str
) -> None:
    program = """
import os, pathlib, sys
from ablate import log
log(1, score=0.5, other=50)
work = pathlib.Path(os.environ["ABLATE_WORKDIR"])
(work / "checkpoint_1.pt").write_text("1")
if work.parent.name == "1":
    sys.exit(3)
"""
    glob = "checkpoint_*.pt" if kept else "chekpoint_*.pt"
    made = project(program, f'{RESUMES}\ncheckpoints = ["{glob}"]')
    attempt(made)

    left = attempt(made, number=2, earlier=(str(tmp_path / "attempts/1"),))

    said = "nothing matches chekpoint_*.pt: it begins at the beginning"
    assert left.state is State.COMPLETED, left.error
    assert (left.provenance.get("notes") == said) == (not kept)
    assert (said in (tmp_path / "attempts/2/stdout.log").read_text()) == (not kept)


def test_nothing_is_said_of_checkpoints_where_no_score_was_logged_before(
    project: Make, attempt: Run, tmp_path: Path
) -> None:
    made = project("raise SystemExit(2)", RESUMES)
    attempt(made)

    left = attempt(made, number=2, earlier=(str(tmp_path / "attempts/1"),))

    assert "notes" not in left.provenance
