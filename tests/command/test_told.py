"""What a program is told: its levels, its seed, its environment."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.project import Project
from ablate.record import Ending, State
from ablate.run.folder import Assignment, write_job
from ablate.run.slot import Slot

Make, Run = Callable[..., Project], Callable[..., Ending]

TELL = """
import json, os, sys
work = os.environ["ABLATE_WORKDIR"]
told = {"words": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd()}
if os.path.exists(sys.argv[-1]) and os.path.isfile(sys.argv[-1]):
    told["file"] = open(sys.argv[-1]).read()
json.dump(told, open(os.path.join(work, "told.json"), "w"))
from ablate import log
log(1, score=0.5, other=50)
"""


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ("--k v", ["--deep", "True", "--opt.rate", "0.5", "--word", "a b"]),
        ("--k=v", ["--deep=True", "--opt.rate=0.5", "--word=a b"]),
        ("k=v", ["deep=True", "opt.rate=0.5", "word='a b'"]),
        ("K V", ["deep", "True", "opt.rate", "0.5", "word", "a b"]),
    ],
)
def test_levels_reach_the_program_in_the_declared_style(
    project: Make, attempt: Run, said: Callable[..., dict], style: str, words: list[str]
) -> None:
    levels = {"deep": True, "net.rate": 0.5, "word": "a b"}

    left = attempt(project(TELL, f'style = "{style}"'), levels=levels)

    assert left.state is State.COMPLETED, left.error
    assert said()["words"] == words


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("yaml", "deep: true\nopt:\n  rate: 1.0e-05\nword: 'true'\n"),
        ("toml", '"deep" = true\n"opt"."rate" = 1e-05\n"word" = "true"\n'),
        (
            "json",
            '{\n "deep": true,\n "opt": {\n  "rate": 1e-05\n },\n "word": "true"\n}\n',
        ),
    ],
)
def test_levels_can_be_a_file_with_their_own_types(
    project: Make, attempt: Run, said: Callable[..., dict], style: str, text: str
) -> None:
    levels = {"deep": True, "net.rate": 1e-5, "word": "true"}

    attempt(project(TELL, f'style = "{style}"'), levels=levels)

    assert said()["file"] == text


def test_a_text_that_yacs_would_read_as_a_number_is_quoted(
    project: Make, attempt: Run, said: Callable[..., dict]
) -> None:
    levels = {"deep": False, "net.rate": 0.1, "word": "007"}

    attempt(project(TELL, 'style = "K V"'), levels={**levels, "word": "7"})

    assert said()["words"] == ["deep", "False", "word", "'7'"]


def test_a_factor_whose_switch_is_off_is_not_passed_but_one_at_its_reference_is(
    project: Make, attempt: Run, said: Callable[..., dict]
) -> None:
    attempt(project(TELL), levels={"deep": False, "net.rate": 0.1, "word": "plain"})

    assert said()["words"] == ["--deep", "False", "--word", "plain"]


def test_the_seed_is_written_where_its_key_says(
    project: Make, attempt: Run, said: Callable[..., dict]
) -> None:
    left = attempt(project(TELL, 'style = "K V"\nseed = "SOLVER.SEED"'))

    assert said()["words"][-2:] == ["SOLVER.SEED", "7"]
    assert "seed" not in left.provenance


def test_a_seed_that_only_the_environment_holds_is_said(project: Make, attempt: Run) -> None:
    assert attempt(project(TELL)).provenance["seed"] == "by ABLATE_SEED alone"


def test_the_environment_tells_the_program_of_its_trial(
    project: Make,
    attempt: Run,
    said: Callable[..., dict],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    more = '[systems.small.environment]\nMY_FLAG = "x"\n'

    left = attempt(project(TELL, rest=more), cpus=2, data=str(tmp_path / "set"))

    told, folder = said()["environment"], tmp_path / "attempts/1"
    expected = {
        "ABLATE_STUDY": "mine",
        "ABLATE_TRIAL": "k",
        "ABLATE_ATTEMPT": "1",
        "ABLATE_SEED": "7",
        "ABLATE_WORKDIR": str(folder / "work"),
        "ABLATE_PARAMS": str(folder / "params.json"),
        "ABLATE_METRICS": str(folder / "work/metrics.jsonl"),
        "ABLATE_CHECKPOINTS": str(folder / "work/checkpoints"),
        "ABLATE_DATA": str(tmp_path / "set"),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "2",
        "CUDA_VISIBLE_DEVICES": "3",
        "MY_FLAG": "x",
    }
    assert {k: told.get(k) for k in expected} == expected
    assert "RAY_AUTH_TOKEN" not in told
    assert "ABLATE_RESUME" not in told
    assert said()["folder"] == str(tmp_path)
    kept = (folder / "command.json").read_text() + str(left.provenance)
    assert "MY_FLAG" in kept
    assert "secret" not in kept


def _refuse() -> str:
    raise RuntimeError("all CUDA-capable devices are busy or unavailable")


@pytest.mark.parametrize(("name", "device"), [(lambda: "A GPU", "A GPU"), (_refuse, "cuda")])
def test_a_program_with_a_gpu_has_the_devices_of_its_slot_and_their_name_is_kept(  # noqa: PLR0917, PLR0913 - two fakes
    project: Make,
    attempt: Run,
    said: Callable[..., dict],
    monkeypatch: pytest.MonkeyPatch,
    name: Callable[[], str],
    device: str,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")  # as Ray sets them for a slot
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", name)

    left = attempt(project(TELL), gpus=2.0)

    assert left.state is State.COMPLETED, left.error
    assert left.device == device
    assert said()["environment"]["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert all("cuda" not in c.counter for c in left.costs)  # its memory there is not ours to say


def test_a_slot_hands_its_devices_on_to_the_program(
    project: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project(TELL)
    folder = tmp_path / "attempts/1"
    levels = {"deep": False, "net.rate": 0.1, "word": "plain"}
    write_job(Assignment("k", 1, str(folder), made.reference("small"), levels, 7))
    slot = Slot(["ablate.command"], [])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    slot.run(str(folder), 60.0)
    slot.close()

    told = json.loads((folder / "work/told.json").read_text())
    assert told["environment"]["CUDA_VISIBLE_DEVICES"] == "1"
