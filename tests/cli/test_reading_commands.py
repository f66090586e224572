"""Commands that look and conclude need nothing but the store."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import Result

from ablate.cli import main
from ablate.errors import StoreError, UsageError
from ablate.metric import Metric
from ablate.record import Ending, State
from ablate.store import open_store
from ablate.study import Placement, Study, Trial, Variant, switch

Call = Callable[..., Result]
Program = Callable[..., "subprocess.CompletedProcess[str]"]


def test_an_import_says_what_it_understood_and_dry_runs_write_nothing(
    call: Call, folder: Path
) -> None:
    told = call("import", "seed000.csv", "-n").stdout
    assert re.search(r"lif\.beta +factor .*number, reference 0\.4", told)
    assert re.search(r"rank1 +metric .*percent", told)
    assert not (folder / ".ablate").exists()


def test_a_score_that_would_be_a_factor_is_warned_of(call: Call, folder: Path) -> None:
    rows = [f"{i < 4},{i % 4},{70.1 + i},{60 + i}" for i in range(8)]
    (folder / "odd.csv").write_text("\n".join(["sacr,seed,score1,mAP", *rows]))
    for more in ((), ("--json",)):
        said = call("import", "odd.csv", "-n", *more)
        assert said.exit_code == 0
        assert "warning: 'score1' is taken for a factor, though it holds 8 values" in said.stderr
        assert "warning" not in said.stdout


def test_importing_twice_leaves_the_same_study(imported: Call) -> None:
    first = imported("ls", "seed000", "--json").stdout
    assert imported("import", "seed000.csv").exit_code == 0
    assert imported("ls", "seed000", "--json").stdout == first


def test_an_import_does_not_take_the_place_of_a_study_that_was_run(
    call: Call, folder: Path
) -> None:
    put_toy(folder, "seed000")
    answer = call("import", "seed000.csv")
    assert isinstance(answer.exception, UsageError)
    assert "--study" in str(answer.exception)


def test_a_hostile_table_leaves_no_trace(call: Call, folder: Path) -> None:
    (folder / "bad.csv").write_text("m,acc\n0,good\n")
    assert isinstance(call("import", "bad.csv").exception, UsageError)
    assert not (folder / ".ablate").exists()


def test_ls_lists_studies_and_their_trials(imported: Call) -> None:
    assert re.search(r"seed000 +csv +16 +16", imported("ls").stdout)
    assert len(json.loads(imported("ls", "seed000", "--json").stdout)["trials"]) == 16


def test_ls_sorts_by_a_metric_best_first(imported: Call) -> None:
    trials = json.loads(imported("ls", "seed000", "--sort", "MAP", "--json").stdout)["trials"]
    assert [t["scores"]["mAP"]["value"] for t in trials[:3]] == [0.766, 0.76, 0.758]


def test_ls_sorts_by_a_metrics_title_too_and_shows_it_first(imported: Call) -> None:
    by_title = imported("ls", "seed000", "--sort", "rank-1").stdout
    assert by_title == imported("ls", "seed000", "--sort", "rank1").stdout
    assert "State      Rank-1 ↑" in imported("ls", "seed000", "--sort", "Rank-1", width=200).stdout


def test_ls_with_an_unknown_metric_names_the_nearest(imported: Call) -> None:
    answer = imported("ls", "seed000", "--sort", "rank2")
    assert "did you mean 'rank1'" in str(answer.exception)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("command", [("ls", "seed000"), ("show", "seed000"), ("status",)])
def test_tables_fit_the_terminal(imported: Call, command: tuple[str, ...], width: int) -> None:
    lines = imported(*command, width=width).stdout.splitlines()
    assert lines
    assert max(map(len, lines)) <= width


def test_costs_are_the_first_columns_to_go_and_the_primary_metric_never_goes(
    imported: Call,
) -> None:
    assert "GFLOPs" in imported("show", "seed000", width=120).stdout
    narrow = imported("show", "seed000", width=60).stdout
    assert "GFLOPs" not in narrow
    assert "Rank-1" in narrow
    assert "Δ" in narrow


def test_show_ranks_a_study_and_tells_all_of_a_trial(imported: Call) -> None:
    board = imported("show", "seed000").stdout
    assert re.search(r"1 +sdtps +1 +80\.1 +\+3\.8", board)
    key = json.loads(imported("ls", "seed000", "--json").stdout)["trials"][3]["key"]
    told = imported("show", key[:8]).stdout
    assert "sdtps, seed 0: completed" in told
    assert "sdtps = true" in told
    assert "Params (M) 88.62 (as imported)" in told
    assert "Rank-1 80.1" in told
    assert imported("show", "sdtps").stdout == told


def test_compare_shows_settings_then_scores_then_costs_by_the_noise_of_one_function(
    imported: Call,
) -> None:
    told = imported("compare", "baseline", "sdtps").stdout
    places = [told.index(f"\n{t}") for t in ("Configuration", "In short", "Metrics:", "Costs:")]
    assert places == sorted(places)
    assert re.search(r"sdtps +false +true", told)
    assert re.search(r"Rank-1 \(%\) ↑ +76\.3 \(1\) +80\.1 \(1\) +\+3\.8 +\+5\.0 +undecided", told)
    # 3.8 by t(3) 1.33 sqrt(2) = 6.0 of the four runs that lack sdtps
    assert re.search(r"Rank-1 +\[−2\.2, \+9\.8\]", told)
    assert "baseline, sacr, lif and sacr+lif are one function" in " ".join(told.split())


def test_compare_gives_no_interval_between_runs_of_one_function(imported: Call) -> None:
    told = imported("compare", "baseline", "sacr").stdout
    assert re.search(r"Rank-1 \(%\) ↑ +76\.3 \(1\) +77\.6 \(1\) +\+1\.3 +\+1\.7 +±6\.0", told)
    text = " ".join(told.split())
    assert "both are one function, what stands between them is noise: no verdict" in text
    assert "baseline and sacr are one function, so what stands between their means is noise" in text
    assert not re.search(r"95 % interval|significant |wins|positive|negative|undecided", text)


def test_compare_names_the_noise_beside_two_single_runs(imported: Call) -> None:
    told = " ".join(imported("compare", "sdtps", "full").stdout.split())
    assert "one run a side: no verdict (noise ±6.0 points)" in told
    assert "pooled over 4 configurations of 1 function (Rank-1: s = 1.3, 3 df)" in told


def test_compare_says_which_study_it_read_and_looks_in_the_latest_that_holds_both(
    imported: Call, folder: Path
) -> None:
    put_toy(folder, "newer")
    assert imported("compare", "baseline", "sdtps").stdout.startswith("study seed000:")
    assert imported("compare", "baseline", "full").stdout.startswith("study newer:")
    told = imported("compare", "baseline", "full", "--study", "seed000").stdout
    assert told.startswith("study seed000:")


def test_compare_with_an_unknown_name_names_the_nearest(imported: Call) -> None:
    answer = imported("compare", "baseline", "sdpts")
    assert isinstance(answer.exception, UsageError)
    assert "did you mean 'sdtps'" in str(answer.exception)


def test_compare_writes_json_and_markdown(imported: Call, folder: Path) -> None:
    document = json.loads(imported("compare", "baseline", "lif", "--json").stdout)
    assert document["schema"] == "ablate.compare/3"
    assert document["differs"] == {"lif": {"baseline": False, "lif": True}}
    assert document["pairs"][0]["differs"] == {"lif": {"a": False, "b": True}}
    assert imported("compare", "baseline", "lif", "-o", "out/c.md").exit_code == 0
    assert "| lif | false | true |" in (folder / "out" / "c.md").read_text()


def test_report_writes_markdown_and_every_number_as_json(imported: Call, folder: Path) -> None:
    assert imported("report", "seed000", "-n").exit_code == 0
    assert not (folder / "reports").exists()
    assert imported("report").exit_code == 0
    written = (folder / "reports" / "seed000" / "README.md").read_text()
    assert written == imported("report", "seed000", "--stdout").stdout
    document = json.loads((folder / "reports" / "seed000" / "report.json").read_text())
    assert document == json.loads(imported("report", "--json").stdout)
    assert document["cells"][3]["differences"]["rank1"]["estimate"] == pytest.approx(0.038)


def test_status_counts_and_names_the_last_failures(call: Call, folder: Path) -> None:
    put_toy(folder, "toy")
    told = call("status").stdout
    assert re.search(r"toy +1 +0 +1 +0 +2", told)
    assert "failed  full s0  ValueError: no  (ablate logs" in told
    document = json.loads(call("status", "--json").stdout)
    assert document["failures"][0]["error"] == "ValueError: no"


def test_status_counts_apart_what_stands_beside_a_study(call: Call, folder: Path) -> None:
    put_toy(folder, "toy")
    with open_store(folder / ".ablate" / "results.db") as store:
        study, record = store.study("toy"), store.records("toy")[0]
        trial = Trial("toy", "1", {"m": True}, {"m": True}, 7, "standin:1")
        beside = Placement(Variant("full", trial.levels, record.role), trial, extra=True)
        cut = Ending(State.INCOMPLETE, 1.0, "", error="the log ends too early")
        store.put_results(study, [(beside, cut)], source="import logs")
    assert re.search(r"Trials +Beside\n.*toy +1 +0 +1 +0 +2 +1", call("status").stdout, re.DOTALL)


def test_show_takes_one_seed_of_a_configuration(call: Call, folder: Path) -> None:
    table = folder / "two.csv"
    table.write_text("name,seed,lr,acc\na,0,0.1,0.5\na,1,0.1,0.6\nb,0,0.2,0.7\n")
    call("import", "two.csv")
    (name, *_) = [t["variant"] for t in json.loads(call("ls", "two", "--json").stdout)["trials"]]
    assert len(json.loads(call("show", name, "--json").stdout)["trials"]) == 2
    (only,) = json.loads(call("show", name, "--seed", "1", "--json").stdout)["trials"]
    assert only["seed"] == 1
    assert "has no trial at seed 5" in str(call("show", name, "--seed", "5").exception)
    assert "--seed is of a configuration" in str(call("show", "two", "--seed", "1").exception)


def test_stand_in_data_are_said_on_stderr_and_not_in_the_result(call: Call, folder: Path) -> None:
    put_toy(folder, "toy")
    answer = call("show", "toy")
    assert "stand-in data" in answer.stderr
    assert json.loads(call("show", "toy", "--json").stdout)["study"]["standin"] is True


def test_logs_print_what_the_last_attempt_wrote(call: Call, folder: Path) -> None:
    put_toy(folder, "toy")
    assert call("logs", "full").stdout == "one\ntwo\nthree\n"
    assert call("logs", "full", "--tail", "2").stdout == "two\nthree\n"
    assert call("logs", "full", "-f", "--tail", "1").stdout == "three\n"
    assert "not been run" not in call("logs", "baseline").stdout


def test_logs_of_an_imported_trial_say_that_there_are_none(imported: Call) -> None:
    assert "was not run here" in str(imported("logs", "sdtps").exception)


def test_without_a_store_reading_commands_end_with_3(call: Call) -> None:
    for command in (("ls",), ("status",), ("show",), ("report",), ("compare", "a", "b")):
        assert isinstance(call(*command).exception, StoreError)


def test_an_error_is_one_line_on_stderr_and_its_exit_code(program: Program) -> None:
    missing = program("ls")
    assert missing.returncode == 3
    assert missing.stdout == ""
    assert missing.stderr.startswith("error: ")
    assert missing.stderr.count("\n") == 1
    assert "Traceback" in program("--debug", "ls").stderr
    assert program("import", "none.csv").returncode == 2
    assert program("ls", "--nothing").returncode == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("compare",), "Missing argument 'A B [C]...'"),
        (("compare", "a"), "compare needs two configurations or more: ablate compare A B"),
        (("ls", "--nonsense"), "No such option: --nonsense"),
        (("shwo",), "Did you mean 'show'?"),
        (("--debug",), "Missing command"),
    ],
)
def test_wrong_usage_is_one_line_on_stderr_and_ends_with_2(
    program: Program, words: tuple[str, ...], said: str
) -> None:
    done = program(*words)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert said in line


def test_help_and_version_end_with_0_and_an_empty_line_with_help_and_2(program: Program) -> None:
    done = [program("--help"), program("--version"), program()]
    assert [d.returncode for d in done] == [0, 0, 2]
    assert done[2].stdout == done[0].stdout


@pytest.mark.parametrize(("raised", "code"), [(typer.Exit(6), 6), (typer.Abort(), 130)])
def test_a_command_that_exits_or_is_aborted_passes_its_code(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, code: int
) -> None:
    def fails() -> None:
        raise raised

    own = typer.Typer()
    own.command()(fails)
    monkeypatch.setattr("ablate.cli.app", own)
    monkeypatch.setattr("sys.argv", ["ablate", "--"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == code


def test_a_pipe_gets_plain_text(program: Program) -> None:
    assert program("import", "seed000.csv").returncode == 0
    answer = program("show", "seed000")
    assert answer.returncode == 0
    assert "\x1b" not in answer.stdout + answer.stderr


def put_toy(folder: Path, name: str) -> None:
    """A run study of two trials: the baseline done, full failed, with a log."""
    factors, metrics = (switch("m"),), (Metric("acc", "Accuracy"),)
    study = Study(
        name=name,
        title=name,
        system="toy",
        revision="1",
        factors=factors,
        metrics=metrics,
        primary="acc",
        data="standin:1",
        standin=True,
    )
    variants = [
        Variant("baseline", {"m": False}, "grid"),
        Variant("full", {"m": True}, "grid", "baseline"),
    ]
    trials = [
        Trial("toy", "1", v.levels, {"m": True} if v.levels["m"] else {}, 0, "standin:1")
        for v in variants
    ]
    endings = [
        Ending(State.COMPLETED, 1.0, "2026-01-01T00:00:00Z", scores={"acc": 0.5}),
        Ending(State.FAILED, 1.0, "2026-01-01T00:00:01Z", error="Trace\nValueError: no"),
    ]
    with open_store(folder / ".ablate" / "results.db", create=True) as store:
        placements = [Placement(v, t) for v, t in zip(variants, trials, strict=True)]
        store.put_study(study, placements)
        for trial, ending in zip(trials, endings, strict=True):
            attempt = store.claim(trial.key, "me")
            assert attempt is not None
            log = store.attempts_folder / attempt.folder / "stdout.log"
            log.parent.mkdir(parents=True)
            log.write_text("one\ntwo\nthree\n")
            assert store.finish(attempt, ending)
