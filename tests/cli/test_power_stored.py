"""`ablate plan NAME --power`: the design of a study that only the store has."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from ablate.cli import app
from ablate.cli.asking import Wishes, asked
from ablate.errors import UsageError
from ablate.record import Ending, Scalar, State
from ablate.store import open_store
from tests.cli.test_power import GRID, Write, by_kind, noisy, numbers, offset, put, write

__all__ = ["write"]

HALF = [("false", 0.001, 70.0), ("true", 0.0003, 72.0), ("true", 0.001, 73.0), ("true", 0.003, 74)]


def said(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(app, ["plan", *words])


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose store holds study `half`, from a table: SD 0.1 points, three runs each."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ABLATE_DB", raising=False)
    (tmp_path / "ablate.toml").write_text("")
    rows = [
        f"{m0},{lr},{i},{mean + i / 10},10" for m0, lr, mean in HALF for i in range(3)
    ]  # fmt: skip
    (tmp_path / "half.csv").write_text("\n".join(["m0,lr,seed,mAP,params", *rows]) + "\n")
    assert CliRunner().invoke(app, ["import", "half.csv"]).exit_code == 0
    return tmp_path


def refused(*words: str) -> str:
    found = said(*words)
    assert isinstance(found.exception, UsageError), found.output
    assert found.stdout == ""
    return str(found.exception)


def document(*words: str) -> dict[str, Any]:
    found = said("half", "--power", "--json", *words)
    assert found.exit_code == 0, found.output
    plan: dict[str, Any] = json.loads(found.stdout)
    return plan


def test_an_imported_study_is_asked_by_its_name_with_its_own_noise(imported: Path) -> None:
    before = (imported / ".ablate" / "results.db").read_bytes()
    plan = document()
    seen = plan["power"]
    sigma = seen["sigma"]
    assert (sigma["study"], sigma["cells"], sigma["df"]) == ("half", 4, 8)
    assert sigma["value"] == pytest.approx(0.001)
    assert (seen["cells"], seen["seeds"]) == (4, 3)
    assert plan["counts"]["complete"] == len(plan["trials"]) == 12
    found = by_kind(seen)
    assert (found["alone"]["cells"], found["level"]["about"]) == (2, [["lr"]])
    # Levels by ratios: log10 of 0.0003, 0.001, 0.003 is close to even, and the line's S to 2.
    assert found["linear"]["spread"] == pytest.approx(2, abs=0.01)
    assert (imported / ".ablate" / "results.db").read_bytes() == before
    assert sorted(p.name for p in imported.iterdir()) == [".ablate", "ablate.toml", "half.csv"]


@pytest.mark.usefixtures("imported")
def test_runs_that_were_brought_in_took_no_time_that_is_known() -> None:
    text = said("half", "--power").stdout
    assert "unknown until a trial of this study has run" in text
    assert "over logarithms where levels are spaced by ratios" in " ".join(text.split())
    assert text.startswith("half: as the store has it, data import:half")
    assert text.endswith("12 trials: 12 complete, 0 failed, 0 to run\n")
    assert max(map(cell_len, text.splitlines())) <= 80
    assert all(q["hours"] is None for q in document()["power"]["questions"])


def test_the_store_answers_as_the_file_does(write: Write) -> None:
    sweep = '[[sweep]]\naround = "full"\nfactor = "rate"\nlevels = [0.1, 0.2, 0.3]\n'
    arm = '[[arm]]\nname = "fast"\nset = { rate = 0.5 }\n'
    path = write(GRID, sweep, arm)
    put(path, lambda name, seed: noisy(name, seed) + offset(name))
    by_file = numbers(path)
    answer = said("cube", "--power", "--json")
    assert json.loads(answer.stdout)["power"] == by_file
    assert {q["asks"] for q in by_file["questions"]} >= {"main", "level", "linear", "arm"}


def test_runs_that_broke_off_are_still_to_do(write: Write) -> None:
    found = asked(write(GRID), Wishes())
    ends = []
    for p in found.chosen:
        score = noisy(p.variant.name, p.trial.seed)
        state = State.INCOMPLETE if p.trial.seed == 2 else State.COMPLETED
        ends.append((p, Ending(state, 1.0, "", scalars=(Scalar(1, "test", "fit", score),))))
    with open_store(found.project.store, create=True) as store:
        store.put_results(found.study, ends, source="test")
    answer = json.loads(said("cube", "--power", "--json", "--sigma", "0.7").stdout)
    assert answer["counts"]["to_run"] == 8
    main = by_kind(answer["power"])["main"]
    assert (main["seeds"]["value"], main["runs_to_do"]) == (3, 8)


@pytest.mark.usefixtures("imported")
def test_other_seeds_and_a_told_sigma_are_heeded() -> None:
    ten = document("--seeds", "0-9", "--sigma", "1", "--effect", "2")["power"]
    assert (ten["seeds"], ten["sigma"]["source"]) == (10, "option")
    assert ten["effect"]["value"] == pytest.approx(0.02)


def test_uneven_runs_are_taken_as_the_commonest_number_and_said(imported: Path) -> None:
    rows = (imported / "half.csv").read_text().splitlines()
    (imported / "half.csv").write_text("\n".join([*rows[:-1], ""]))
    (imported / ".ablate" / "results.db").unlink()
    CliRunner().invoke(app, ["import", "half.csv"])
    found = said("half", "--power")
    assert "configurations have 2 to 3 runs: the design is taken to have 3 of each" in found.stderr
    assert "Smallest effects that 3 seeds can see" in found.stdout


@pytest.mark.parametrize(
    ("words", "option"),
    [(("lr=0.1",), "KEY=VALUE"), (("--only", "grid"), "--only"), (("--scale", "x"), "--scale")],
)
@pytest.mark.usefixtures("imported")
def test_what_makes_another_design_needs_a_file(words: tuple[str, ...], option: str) -> None:
    assert refused("half", *words, "--power").startswith(f"{option} means something with a study")


def test_without_power_the_message_says_that_power_works(imported: Path) -> None:
    assert refused("half") == (
        "half: there is no such file; of the study of that name in the store"
        " `ablate plan half --power` says what it can see"
    )
    assert refused("other") == "other: there is no such file"
    assert "half (did you mean 'half'?)" in refused("hal", "--power")
    assert refused("half.toml", "--power") == "half.toml: there is no such file"
    (imported / ".ablate" / "results.db").unlink()
    assert refused("half", "--power") == "half: there is no such file"


def test_cells_that_are_one_function_give_an_import_of_single_runs_its_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # by hand: 76.3 77.6 77.2 74.6 have the mean 76.425 and squares of 5.3275 about it, over 3
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ABLATE_DB", raising=False)
    (tmp_path / "ablate.toml").write_text("")
    rows = [
        "sacr,sdtps,lif,params,ops (G),rank1",
        "false,false,false,87.99,34.28,76.3",
        "true,false,false,96.38,34.28,77.6",
        "false,false,true,88.16,34.28,77.2",
        "true,false,true,96.55,34.28,74.6",
        "false,true,false,88.62,34.33,80.1",
        "true,true,false,97.02,37.55,78.0",
        "false,true,true,88.79,35.11,75.1",
        "true,true,true,97.19,38.33,78.8",
    ]
    (tmp_path / "table.csv").write_text("\n".join(rows) + "\n")
    assert CliRunner().invoke(app, ["import", "table.csv"]).exit_code == 0

    sigma = json.loads(said("table", "--power", "--json").stdout)["power"]["sigma"]

    assert sigma["value"] == pytest.approx(0.0133260, abs=1e-7)
    assert (sigma["cells"], sigma["df"]) == (4, 3)
