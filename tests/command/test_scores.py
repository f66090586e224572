"""What a program says of its scores by itself: understood, or said to be not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.command.scores import Tail
from ablate.project import Project
from ablate.record import Ending, State

Make, Run = Callable[..., Project], Callable[..., Ending]

WRITES = "import os\nopen(os.environ['ABLATE_METRICS'], 'w').write({text!r})\n"


def _points(left: Ending) -> dict[tuple[str, int], float]:
    return {(s.name, s.step): s.value for s in left.scalars}


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-1" + "0" * 4000])
def test_a_number_that_no_float_holds_ends_no_training_and_is_said(
    project: Make, attempt: Run, number: str
) -> None:
    text = f'{{"step": 1, "score": 1, "other": 1}}\n{{"step": 2, "score": {number}}}\n'
    text += f'{{"step": {number}, "score": 1}}\n'

    left = attempt(project(WRITES.format(text=text)))

    assert left.state is State.COMPLETED, left.error
    assert _points(left) == {("score", 1): 1.0, ("other", 1): 0.01}
    assert left.provenance["notes"].startswith("2 lines of metrics.jsonl could not be read: ")


def test_of_a_line_with_texts_and_tables_the_numbers_are_taken_and_the_rest_is_said(
    project: Make, attempt: Run
) -> None:
    line = {"epoch": 3, "score": 0.5, "other": 50, "eta": "1:02", "per_class": {"a": 1}}

    left = attempt(project(WRITES.format(text=json.dumps(line) + "\n")))

    assert _points(left) == {("score", 3): 0.5, ("other", 3): 0.5}
    assert "'eta' is no number" in left.provenance["notes"]


def test_a_flood_of_lines_that_are_no_metrics_is_counted_and_five_are_shown(
    project: Make, attempt: Run
) -> None:
    good = '{"step": 1, "score": 1, "other": 1}\n'

    left = attempt(project(WRITES.format(text=good + "".join(f"no {i}\n" for i in range(5000)))))

    note = left.provenance["notes"]
    assert note.startswith("5000 lines of metrics.jsonl could not be read: not JSON: no 0;")
    assert note.endswith("no 4; ...")


def test_a_file_that_its_program_begins_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    tail = Tail(file)
    file.write_text("one\ntwo\n")
    first = list(tail.more())
    file.write_text("new\n")

    assert (first, list(tail.more())) == (["one", "two"], ["new"])


COUNTS = """
import os, pathlib, sys
from ablate import log
kept = pathlib.Path(os.environ["ABLATE_CHECKPOINTS"], "one")
begin = {begin} if os.environ.get("ABLATE_RESUME") else 1
for step in range(begin, begin + 3):
    log(step, score=step / 10, other=step)
kept.write_text("1")
sys.exit(0 if os.environ.get("ABLATE_RESUME") else 3)
"""


@pytest.mark.parametrize(("begin", "doubted"), [(1, True), (3, False), (4, False)])
def test_a_step_counter_that_begins_anew_after_a_checkpoint_is_doubted(
    project: Make, attempt: Run, tmp_path: Path, begin: int, *, doubted: bool
) -> None:
    made = project(COUNTS.format(begin=begin), 'resume_args = "--resume {checkpoint}"')
    attempt(made)

    left = attempt(made, number=2, earlier=(str(tmp_path / "attempts/1"),))

    assert left.state is State.COMPLETED, left.error
    assert left.provenance["resumed"] == "attempt 1, one"
    assert ("logs step 1 of test.score again" in left.provenance.get("notes", "")) == doubted
    assert {step for name, step in _points(left) if name == "score"} == {
        1,
        2,
        3,
        *range(begin, begin + 3),
    }


def test_no_memory_is_said_of_a_program_that_nobody_could_look_at(
    project: Make, attempt: Run
) -> None:
    made = project("", rest="")
    file = made.root / "ablate.toml"
    file.write_text(file.read_text().replace("python program.py {overrides}", "true {overrides}"))

    left = attempt(Project.find(made.root))

    assert left.error_type == "no metrics"
    assert {c.name for c in left.costs} == {"seconds", "cpu"}


PERCENT = (
    "score = 81.2 is no fraction: log 0.812, or declare"
    ' unit = "%" (or display = "number") in [systems.small.metrics.score]'
)


def test_percent_logged_for_a_fraction_ends_the_program_and_fails_the_trial(
    project: Make, attempt: Run, tmp_path: Path
) -> None:
    program = """
import time
from ablate import log
log(1, score=1.4, other=50)
log(2, score=81.2, other=50)
log(3, score=90, other=50)
time.sleep(60)
print("trained")
"""
    left = attempt(project(program))

    assert (left.state, left.error_type, left.error) == (State.FAILED, "no fraction", PERCENT)
    printed = (tmp_path / "attempts/1/stdout.log").read_text().splitlines()
    assert PERCENT in printed
    assert "trained" not in printed


@pytest.mark.parametrize("declared", ['unit = "%"', 'display = "number"'])
def test_a_score_whose_table_says_percent_or_number_may_be_large(
    project: Make, attempt: Run, declared: str
) -> None:
    made = project(WRITES.format(text='{"step": 1, "score": 81.2, "other": 50}\n'))
    file = made.root / "ablate.toml"
    head = "[systems.small.metrics.score]\n"
    file.write_text(file.read_text().replace(head, head + declared + "\n"))

    left = attempt(Project.find(made.root))

    assert left.state is State.COMPLETED, left.error
    assert _points(left)["score", 1] == (0.812 if "unit" in declared else 81.2)


def test_percent_that_a_reader_finds_for_a_fraction_fails_the_trial_too(
    project: Make, attempt: Run
) -> None:
    reader = """
[readers.own]
patterns = [{ match = 'epoch (?P<step>\\d+) score (?P<score>[\\d.]+) (?P<other>\\d+)' }]
"""
    made = project("print('epoch 1 score 81.2 50')", 'reader = "own"', rest=reader)

    assert attempt(made).error == PERCENT


def test_a_score_that_is_better_lower_is_a_number_where_its_table_does_not_say(
    project: Make, attempt: Run
) -> None:
    made = project(WRITES.format(text='{"step": 1, "score": 6.9, "other": 50}\n'))
    file = made.root / "ablate.toml"
    head = "[systems.small.metrics.score]\n"
    file.write_text(file.read_text().replace(head, head + 'direction = "down"\n'))

    left = attempt(Project.find(made.root))

    assert left.state is State.COMPLETED, left.error
    assert _points(left)["score", 1] == 6.9


def test_an_infinite_score_is_not_taken_for_percent(project: Make, attempt: Run) -> None:
    made = project(WRITES.format(text='{"step": 1, "score": Infinity, "other": 50}\n'))

    assert attempt(made).state is State.COMPLETED


def test_no_attempt_goes_on_from_one_that_had_logged_percent(
    project: Make, attempt: Run, tmp_path: Path
) -> None:
    more = 'resume_args = "--resume {checkpoint}"'
    keeps = "import os\nopen(os.environ['ABLATE_CHECKPOINTS'] + '/one', 'w').write('1')\n"
    logs = keeps + "from ablate import log\nlog(1, score={}, other=50)\n"
    attempt(project(logs.format(81.2), more))

    left = attempt(project(logs.format(0.8), more), 2, earlier=(str(tmp_path / "attempts/1"),))

    assert left.state is State.COMPLETED, left.error
    assert "resumed" not in left.provenance


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("pass", "(it logged nothing)"),
        ("log(1, score=0)", "(it logged nothing else)"),
        (
            "log(1, 'val', scores=0)\nlog(1, 'train', loss=2)",
            'it logged loss on train, scores on val; did you mean key = "scores" in ',
        ),
    ],
)
def test_a_program_without_its_metrics_is_told_what_it_did_log(
    project: Make, attempt: Run, program: str, said: str
) -> None:
    left = attempt(project(f"from ablate import log\n{program}\n"))

    assert left.error_type == "no metrics"
    assert said in left.error
