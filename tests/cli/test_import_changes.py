"""An import takes nothing away unasked, and says what it changes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from ablate.errors import UsageError
from ablate.store import open_store
from tests.cli.old_logs import write
from tests.ingest import demo_log

Call = Callable[..., Result]

HEAD = "name,seed,lr,acc\n"
FIRST = HEAD + "a,0,0.1,0.5\nb,0,0.2,0.6\nc,0,0.3,0.7\n"
OTHER = HEAD + "d,0,0.4,0.8\ne,0,0.5,0.9\n"


@pytest.fixture
def grid(call: Call, folder: Path) -> Call:
    table(folder / "grid.csv", FIRST)
    assert "3 new, 0 as before" in call("import", "grid.csv").stderr
    return call


def table(path: Path, text: str) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return str(path)


def scores(folder: Path, study: str = "grid") -> dict[str, float]:
    with open_store(folder / ".ablate" / "results.db") as store:
        found = store.records(study)
        return {str(r.levels["lr"]): r.scores["accuracy"].value for r in found if r.scores}


def backups(folder: Path) -> int:
    return len(list((folder / ".ablate" / "backups").glob("results.import.*.db")))


def test_other_runs_under_a_studys_name_are_refused_and_nothing_is_lost(
    grid: Call, folder: Path
) -> None:
    other = table(folder / "other" / "grid.csv", OTHER)
    for arguments in (("-n",), ()):
        done = grid("import", other, *arguments)
        assert "3 runs leave the study" in done.stdout
        assert isinstance(done.exception, UsageError)
        assert done.exception.exit_code == 2
        said = str(done.exception)
        assert "--study OTHER" in said
        assert "--replace" in said
        assert "\n" not in said
    assert scores(folder) == {"0.1": 0.5, "0.2": 0.6, "0.3": 0.7}
    assert backups(folder) == 0


def test_runs_are_replaced_when_that_is_asked_and_a_copy_is_kept(grid: Call, folder: Path) -> None:
    other = table(folder / "other" / "grid.csv", OTHER)
    assert "3 runs leave the study" in grid("import", other, "--replace", "-n").stdout
    assert (len(scores(folder)), backups(folder)) == (3, 0)
    done = grid("import", other, "--replace")
    assert "2 new, 0 as before" in done.stderr
    assert scores(folder) == {"0.4": 0.8, "0.5": 0.9}
    (line,) = [line for line in done.stderr.splitlines() if "kept as it was: " in line]
    with open_store(Path(line.rpartition(": ")[2])) as copy:
        assert len(copy.records("grid")) == 3


def test_a_changed_value_is_said_with_its_run_and_the_old_one_is_kept(
    grid: Call, folder: Path
) -> None:
    table(folder / "grid.csv", FIRST.replace("0.6", "0.65"))
    assert "1 run changes: " in grid("import", "grid.csv", "-n").stdout
    assert scores(folder)["0.2"] == 0.6
    done = grid("import", "grid.csv")
    assert "(1 value)" in done.stdout
    assert "kept as it was: " in done.stderr
    assert "1 new, 2 as before" in done.stderr
    assert scores(folder)["0.2"] == 0.65
    assert "kept" not in grid("import", "grid.csv").stderr
    assert backups(folder) == 1


def test_more_runs_join_a_study_without_being_asked_for(grid: Call, folder: Path) -> None:
    table(folder / "grid.csv", FIRST + OTHER.removeprefix(HEAD))
    done = grid("import", "grid.csv")
    assert "2 new, 3 as before" in done.stderr
    assert len(scores(folder)) == 5
    assert backups(folder) == 0


def test_the_same_runs_from_another_folder_change_nothing(grid: Call, folder: Path) -> None:
    moved = table(folder / "moved" / "table.csv", FIRST)
    before = grid("ls", "grid", "--json").stdout
    assert "0 new, 3 as before" in grid("import", moved, "--study", "grid").stderr
    assert grid("ls", "grid", "--json").stdout == before


def test_runs_join_the_study_that_the_command_line_names(grid: Call, folder: Path) -> None:
    more = table(folder / "more.csv", HEAD + "a,1,0.1,0.4\na,2,0.1,0.3\n")
    done = grid("import", more, "--study", "grid", "--json")
    assert json.loads(done.stdout)["changes"]["leaving"] == []
    assert len(json.loads(done.stdout)["changes"]["staying"]) == 3
    assert "2 new, 0 as before" in done.stderr
    with open_store(folder / ".ablate" / "results.db") as store:
        assert len(store.records("grid")) == 5


def test_runs_of_other_factors_do_not_join_a_study(grid: Call, folder: Path) -> None:
    more = table(folder / "more.csv", "name,seed,wd,acc\nx,0,1,0.4\ny,0,2,0.3\n")
    done = grid("import", more, "--study", "grid")
    assert isinstance(done.exception, UsageError)
    assert "has other factors (lr is no more, wd is new)" in str(done.exception)
    assert "other factors than those of study grid" in done.stdout
    assert grid("import", more, "--study", "grid", "--replace").exit_code == 0
    assert backups(folder) == 1


def test_logs_of_another_folder_do_not_take_the_place_of_the_first(
    call: Call, folder: Path
) -> None:
    write(folder / "logs")
    call("import", "logs")
    before = call("ls", "logs", "--json").stdout
    for name, lr in (("x", "0.1"), ("y", "0.2")):
        demo_log.write(folder / "b" / "logs" / f"{name}.log", name=name, opts={"SOLVER.LR": lr})
    done = call("import", "b/logs")
    assert isinstance(done.exception, UsageError)
    assert "--replace" in str(done.exception)
    assert call("ls", "logs", "--json").stdout == before


def test_a_log_that_has_grown_completes_without_a_flag(call: Call, folder: Path) -> None:
    logs = write(folder / "logs")
    assert "10 new" in call("import", "logs").stderr
    (logs / "beta_0.8.log").unlink()
    gone = call("import", "logs")
    assert "1 run leaves the study: " in gone.stdout
    whole = {"MODEL.LIF_BETA": "0.8"} | {f"MODEL.USE_{m}": "True" for m in ("SACR", "SDTPS", "LIF")}
    demo_log.write(
        logs / "beta_0.8.log", name="beta_0.8", opts=whole, epochs=6, patterns=demo_log.THREE
    )
    done = call("import", "logs")
    assert "1 new, 9 as before" in done.stderr
    assert backups(folder) == 0
    states = {t["state"] for t in json.loads(call("ls", "logs", "--json").stdout)["trials"]}
    assert states == {"completed"}


def test_a_new_factor_of_the_same_runs_is_said_and_needs_no_flag(call: Call, folder: Path) -> None:
    logs = folder / "logs"
    for name, on in (("x", "True"), ("y", "False")):
        opts = {"MODEL.USE_LIF": on, "MODEL.LIF_BETA": "0.4"}
        demo_log.write(logs / f"{name}.log", name=name, opts=opts)
    assert "2 new" in call("import", "logs").stderr
    opts = {"MODEL.USE_LIF": "True", "MODEL.LIF_BETA": "0.8"}
    demo_log.write(logs / "z.log", name="z", opts=opts)
    done = call("import", "logs")
    assert "other factors than those of study logs: lif.beta is new" in done.stdout
    assert "leave" not in done.stdout
    assert "3 new" in done.stderr
    trials = json.loads(call("ls", "logs", "--json").stdout)["trials"]
    assert (backups(folder), len(trials)) == (1, 3)


def test_runs_that_were_imported_as_results_may_be_bound_to_a_study_of_that_name(
    call: Call, folder: Path
) -> None:
    write(folder / "logs")
    assert "10 new" in call("import", "logs").stderr
    done = call("import", "logs", "--guess")
    assert "10 new" in done.stderr
    assert "2 to run" in call("plan", "studies/logs.toml").stdout


def test_a_guess_that_would_take_runs_away_writes_no_file(call: Call, folder: Path) -> None:
    write(folder / "logs")
    demo_log.write(folder / "one.log", name="one", opts={"SOLVER.LR": "0.1"})
    assert "1 new" in call("import", "one.log", "--study", "reid").stderr
    before = (folder / "ablate.toml").read_text()
    done = call("import", "logs", "--guess", "--study", "reid")
    assert isinstance(done.exception, UsageError)
    assert "study 'reid' has 1 run that is not among these" in str(done.exception)
    assert (folder / "ablate.toml").read_text() == before
    assert not (folder / "studies" / "reid.toml").exists()
