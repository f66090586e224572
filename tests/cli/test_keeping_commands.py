"""What people add, take away, copy and carry elsewhere."""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import Result

from ablate.errors import LockedError, StoreError, UsageError
from ablate.metric import Metric
from ablate.record import Ending, State
from ablate.store import open_store
from ablate.study import Placement, Study, Trial, Variant
from tests.cli.comparing import BASE, STUDY, put, seeds

Call = Callable[..., Result]
SECOND = Path(__file__).parents[1] / "store" / "second-schema.db"


def test_a_score_measured_elsewhere_is_shown_apart_and_moves_no_mean(imported: Call) -> None:
    before = json.loads(imported("report", "--json").stdout)
    told = imported("record", "full", "RANK1=78.7%", "NDS=0.7207", *_CODABENCH)
    assert "recorded: full s0 rank1 = 0.787 (Codabench, 2026-01-02)" in told.stdout
    assert "'NDS' is new" in told.stderr
    after = json.loads(imported("report", "--json").stdout)
    assert after["cells"] == before["cells"]
    full = next(t for t in after["trials"] if t["variant"] == "full")
    assert [(e["metric"], e["value"], e["date"]) for e in full["externals"]] == [
        ("rank1", 0.787, "2026-01-02"),
        ("NDS", 0.7207, "2026-01-02"),
    ]
    page = imported("report", "--stdout").stdout
    assert "| full | 0 | rank1 | – | Codabench | 2026-01-02 | 78.7 % |" in page
    assert "| full | 0 | NDS | – | Codabench | 2026-01-02 | 0.7207 |" in page
    assert "elsewhere rank1 78.7 %, Codabench, 2026-01-02" in imported("show", "full").stdout


_CODABENCH = ("--source", "Codabench", "--date", "2026-01-02")


def test_recording_twice_changes_nothing_and_a_second_value_is_refused(imported: Call) -> None:
    imported("record", "full", "NDS=0.72", *_CODABENCH)
    first = imported("report", "--json").stdout
    assert "known already" in imported("record", "full", "NDS=0.72", *_CODABENCH).stdout
    assert imported("report", "--json").stdout == first
    answer = imported("record", "full", "NDS=0.73", *_CODABENCH)
    assert isinstance(answer.exception, UsageError)
    assert "--replace" in str(answer.exception)
    assert imported("record", "full", "NDS=0.73", *_CODABENCH, "--replace").exit_code == 0


@pytest.mark.parametrize(
    ("score", "why"),
    [
        ("NDS", "METRIC=VALUE"),
        ("NDS=high", "finite number"),
        ("NDS=nan", "finite number"),
        ("NDS=inf", "finite number"),
        ("rank1=78.7", "write rank1=0.787 or 78.7%"),
    ],
)
def test_a_value_that_no_one_could_have_meant_is_refused(
    score: str, why: str, imported: Call
) -> None:
    assert why in str(imported("record", "full", score, *_CODABENCH).exception)


def test_a_name_near_a_metric_is_recorded_as_given_and_the_metric_is_named(imported: Call) -> None:
    assert "did you mean 'rank1'" in imported("record", "full", "rank_1=0.5", *_CODABENCH).stderr


def test_a_date_that_is_none_is_refused(imported: Call) -> None:
    answer = imported("record", "full", "NDS=0.7", "--source", "x", "--date", "yesterday")
    assert "'yesterday' is not a date like 2026-01-31" in str(answer.exception)


def test_notes_are_signed_and_dated_and_stand_in_reports(
    imported: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767312000")  # 2026-01-02 UTC
    before = json.loads(imported("report", "--json").stdout)["cells"]
    for ref, text in (("seed000", "All of them"), ("seed000/full", "Only | this")):
        assert imported("note", ref, text, "--author", "Ada").exit_code == 0
    assert imported("note", "seed000").stdout.splitlines() == [
        "2026-01-02  Ada  on seed000: All of them",
        "2026-01-02  Ada  on seed000/full: Only | this",
    ]
    assert imported("note", "seed000/full").stdout.count("Ada") == 1
    page = imported("report", "--stdout").stdout
    assert "Notes (by hand)" in page
    assert "| the study | All of them | Ada | 2026-01-02 |" in page
    assert r"| full | Only \| this | Ada | 2026-01-02 |" in page
    assert "on seed000/full: Only | this" in imported("show", "full").stdout
    assert json.loads(imported("report", "--json").stdout)["cells"] == before


def test_a_note_on_what_is_not_there_names_what_is_near(imported: Call) -> None:
    assert "did you mean 'sdtps'" in str(imported("note", "seed000/sdtsp", "x").exception)
    assert "did you mean 'seed000'" in str(imported("note", "sead000", "x").exception)


@pytest.mark.usefixtures("logs")
def test_another_rule_gives_its_own_scores_and_is_named_wherever_they_stand(call: Call) -> None:
    rule = ("--select", "best:MAP@test")
    answer = call("ls", "logs", "--json", *rule)
    trials = json.loads(answer.stdout)
    assert trials["selection"] == "best:mAP@test"
    assert trials["trials"][0]["scores"]["mAP"]["value"] == 0.723
    assert "the own rule of study logs is last" in call("ls", "logs", *rule).stderr
    page = call("report", "logs", "--stdout", *rule).stdout
    assert "| Selection | best:mAP@test (the study's own rule is last) |" in page
    assert json.loads(call("report", "logs", "--json", *rule).stdout)["study"]["selection"] == [
        "best:mAP@test"
    ]
    assert "| Selection | last |" in call("report", "logs", "--stdout").stdout
    compared = json.loads(call("compare", "baseline", "lif", "--json", *rule).stdout)
    assert compared["study"]["selection"] == ["best:mAP@test"]
    assert "0.723" in call("export", "logs", *rule).stdout
    assert "not a metric" in str(call("ls", "logs", "--select", "best:rank7").exception)


@pytest.mark.usefixtures("logs")
@pytest.mark.parametrize(
    "command", [("ls", "logs"), ("report", "logs"), ("compare", "baseline", "lif"), ("export",)]
)
def test_a_rule_on_a_split_without_a_curve_names_the_splits_there_are(
    call: Call, command: tuple[str, ...]
) -> None:
    wrong = call(*command, "--select", "best:mAP@valid").exception
    assert isinstance(wrong, UsageError)
    assert "a curve of mAP on 'valid', only on test" in str(wrong)
    assert call(*command, "--select", "best:mAP@test").exit_code == 0


@pytest.mark.parametrize("rule", ["last", "best:mAP", "best:mAP@val"])
@pytest.mark.parametrize(
    "command",
    [
        ("ls", "seed000"),
        ("report", "seed000"),
        ("report", "--synergy"),
        ("compare", "baseline", "full"),
        ("export",),
    ],
)
def test_no_rule_makes_anew_scores_that_came_as_numbers(
    imported: Call, folder: Path, command: tuple[str, ...], rule: str
) -> None:
    answer = imported(*command, "--select", rule)
    assert isinstance(answer.exception, UsageError)
    assert str(answer.exception) == (
        f"--select {rule}: no completed trial of study seed000 has a curve: no rule can make anew"
        " scores that were imported or reported as numbers"
    )
    assert not answer.stdout
    assert not (folder / "reports").exists()


@pytest.mark.usefixtures("logs")
def test_a_rule_by_a_metric_without_a_curve_is_refused(call: Call, folder: Path) -> None:
    study = replace(STUDY, name="other", metrics=(*STUDY.metrics, Metric("F1")))
    put(folder, [("a", {}, seeds(BASE))], study)
    wrong = call("ls", "other", "--select", "best:F1").exception
    assert isinstance(wrong, UsageError)
    assert str(wrong).endswith("has a curve of F1 to choose a step by")
    assert call("ls", "other", "--select", "best:loss@train").exit_code == 0


@pytest.mark.usefixtures("logs")
def test_a_report_of_imported_runs_says_where_the_seed_changed_nothing(call: Call) -> None:
    findings = json.loads(call("report", "logs", "--json").stdout)["findings"]
    told = {f["code"]: f["sentence"] for f in findings}
    assert "identical to the last digit" in told["W127"]  # both logs say SOLVER.SEED = 1234
    assert f"W127: {told['W127']}" in call("report", "logs", "--stdout").stdout


@pytest.mark.usefixtures("logs")
def test_an_imported_trial_that_is_incomplete_says_so_everywhere(call: Call) -> None:
    shown = call("ls", "logs", width=200).stdout
    assert re.search(r"lif +0 +incomplete .*import logs", shown)
    page = call("report", "logs", "--stdout").stdout
    assert "2 done · 0 failed · 1 incomplete · 0 missing" in page
    assert "the log ends in epoch 31 of 50" in page
    assert "the data are assumed" in page
    assert "| Read from | a.log, by the reader demo |" in page
    assert "was not run here" in str(call("logs", "lif").exception)
    assert "incomplete" in call("show", "lif").stdout
    assert "1 as its program resolved them" in call("show", "lif").stdout
    assert json.loads(call("show", "lif", "--json").stdout)["trials"][0]["settings"] == {
        "SOLVER.SEED": "1234"
    }
    assert "SOLVER.SEED" not in page.split("\n# Logs\n")[1]  # below what the audit says


@pytest.mark.usefixtures("logs")
def test_nothing_is_removed_unless_somebody_says_yes(call: Call, folder: Path) -> None:
    assert "baseline s1" in call("rm", "logs", "-n").stdout
    assert "--yes" in str(call("rm", "logs").exception)
    assert len(json.loads(call("ls", "logs", "--json").stdout)["trials"]) == 3
    assert not (folder / ".ablate" / "backups").exists()


def test_removing_keeps_a_copy_and_what_other_studies_use(
    call: Call, folder: Path, logs: Study
) -> None:
    path = folder / ".ablate" / "results.db"
    with open_store(path) as store:
        kept = store.records("logs")[0].key
        levels = {"lif": False}
        place = Placement(
            Variant("same", levels, "arm"),
            Trial("demo", "imported", levels, levels, 0, "import:logs"),
        )
        store.put_study(replace(logs, name="other"), [place])
        assert place.trial.key == kept
    told = call("rm", "logs", "--yes").stdout
    copy = folder / ".ablate" / "backups" / "results.before-rm.1.db"
    assert copy.name in told.replace("\n", "")
    with sqlite3.connect(copy) as raw:
        assert raw.execute("SELECT count(*) FROM placement").fetchone() == (4,)
    with open_store(path) as store:
        assert store.studies() == ["other"]
        assert store.records("other")[0].scores["mAP"].value == 0.7
        assert store.find_trial("") == [kept]
        assert store.problems() == []


@pytest.mark.usefixtures("logs")
def test_one_configuration_or_one_trial_is_removed_alone(call: Call) -> None:
    assert call("rm", "logs", "--variant", "lif", "-y").exit_code == 0
    trials = json.loads(call("ls", "logs", "--json").stdout)["trials"]
    assert [t["variant"] for t in trials] == ["baseline", "baseline"]
    assert call("rm", trials[0]["key"][:8], "-y").exit_code == 0
    assert len(json.loads(call("ls", "logs", "--json").stdout)["trials"]) == 1
    assert "did you mean 'logs'" in str(call("rm", "lags", "-y").exception)


@pytest.mark.usefixtures("logs")
def test_what_people_wrote_is_counted_before_it_goes(call: Call) -> None:
    signed = ("--author", "Ada")
    call("note", "logs", "of all", *signed)
    call("note", "logs/lif", "of one", *signed)
    said = ("lif", "mAP=0.5", "--seed", "0", "--source", "me", "--date", "2026-01-02")
    assert call("record", *said).exit_code == 0
    one = json.loads(call("ls", "logs", "--json").stdout)["trials"][2]
    call("note", one["key"], "of its trial", *signed)
    partly = call("rm", "logs", "--variant", "lif", "-n").stdout
    assert "1 place, 1 trial, 1 note, 1 recorded score; folders" in partly
    assert (
        "3 places, 3 trials, 3 notes, 1 recorded score; folders" in call("rm", "logs", "-n").stdout
    )
    assert call("rm", "logs", "-y").stdout.endswith(
        "removed: 3 places, 3 trials, 3 notes, 1 recorded score\n"
    )


@pytest.mark.usefixtures("logs")
def test_what_is_running_is_not_removed(call: Call, folder: Path) -> None:
    with open_store(folder / ".ablate" / "results.db") as store:
        assert store.claim(store.records("logs")[2].key, "me") is not None
    answer = call("rm", "logs", "--variant", "lif", "-y")
    assert isinstance(answer.exception, LockedError)
    assert not (folder / ".ablate" / "backups").exists()


@pytest.mark.usefixtures("logs")
def test_failed_trials_are_removed_and_their_folders_only_when_asked(
    call: Call, folder: Path
) -> None:
    path = folder / ".ablate" / "results.db"
    with open_store(path) as store:
        attempt = store.claim(store.records("logs")[2].key, "me")
        assert attempt is not None
        store.finish(attempt, Ending(State.FAILED, 1.0, ""))
        place = store.attempts_folder / attempt.folder
    place.mkdir(parents=True)
    shutil.copy(path, folder / "again.db")
    assert call("rm", "--failed", "-y").exit_code == 0
    assert place.is_dir()
    shutil.copy(folder / "again.db", path)
    assert call("rm", "--failed", "-y", "--files").exit_code == 0
    assert not place.parent.exists()
    assert len(json.loads(call("ls", "logs", "--json").stdout)["trials"]) == 2


def test_a_sound_database_is_said_to_be_and_one_that_lies_is_not(
    imported: Call, folder: Path
) -> None:
    assert "sound" in imported("db", "check").stdout
    with sqlite3.connect(folder / ".ablate" / "results.db") as raw:
        raw.execute("UPDATE final SET value = 0.99 WHERE metric = 'rank1' AND trial_id = 3")
        raw.execute("UPDATE trial SET seed = 7 WHERE id = 5")
    answer = imported("db", "check")
    assert isinstance(answer.exception, StoreError)
    assert "the final rank1 of" in answer.stdout.replace("\n", " ")
    assert "is not what its key says" in answer.stdout.replace("\n", " ")
    assert "2 things are wrong" in str(answer.exception)


def test_a_copy_is_never_made_over_a_file(imported: Call, folder: Path) -> None:
    assert imported("db", "backup", "mine.db").exit_code == 0
    before = (folder / "mine.db").read_bytes()
    assert "exists already" in str(imported("db", "backup", "mine.db").exception)
    assert (folder / "mine.db").read_bytes() == before
    made = Path(imported("db", "backup").stdout.strip())
    with sqlite3.connect(made) as copy:
        assert copy.execute("SELECT count(*) FROM trial").fetchone() == (16,)


def test_an_old_database_is_read_after_an_upgrade_that_keeps_it(call: Call, folder: Path) -> None:
    path = folder / ".ablate" / "results.db"
    path.parent.mkdir()
    shutil.copy(SECOND, path)
    answer = call("ls")
    assert isinstance(answer.exception, StoreError)
    assert "ablate db upgrade" in str(answer.exception)
    told = call("db", "upgrade").stdout.replace("\n", "")
    assert "schema 2 is now 4" in told
    assert "results.schema-2.1.db" in told
    assert re.search(r"second +toy +2 +5", call("ls").stdout)
    assert "up to date" in call("db", "upgrade").stdout
    assert "sound" in call("db", "check").stdout


def test_a_lost_database_is_rebuilt_from_the_command_line(call: Call, folder: Path) -> None:
    path = folder / ".ablate" / "results.db"
    assert isinstance(call("db", "rebuild").exception, StoreError)
    path.parent.mkdir()
    shutil.copy(SECOND, path)
    call("db", "upgrade")
    path.write_bytes(b"nothing")
    answer = call("db", "rebuild")
    assert "rebuilt 1 studies from 0 attempts run here" in answer.stdout.replace("\n", " ")
    assert "what only the old database held" in answer.stderr
    assert re.search(r"second +toy +0 +5", call("ls").stdout)


def test_a_comparison_has_the_notes_and_outside_scores_of_its_two_sides_only(
    imported: Call,
) -> None:
    imported("record", "full", "NDS=0.7207", *_CODABENCH)
    imported("record", "lif", "NDS=0.5", *_CODABENCH)
    imported("note", "seed000/full", "the best", "--author", "Ada")
    imported("note", "seed000/lif", "the worst", "--author", "Ada")
    page = imported("compare", "baseline", "full", width=200).stdout
    assert "Scores measured elsewhere" in page
    assert "0.7207" in page
    assert "the best" in page
    assert "the worst" not in page
    document = json.loads(imported("compare", "baseline", "full", "--json").stdout)
    assert [t["variant"] for t in document["externals"]] == ["full"]


def test_a_note_without_an_author_is_signed_by_git_or_the_user(
    imported: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(folder / "none"))
    monkeypatch.setenv("USER", "lovelace")
    imported("note", "seed000", "first")
    (folder / "gitconfig").write_text("[user]\n\tname = Ada Lovelace\n")
    imported("note", "seed000", "second")
    lines = imported("note", "seed000").stdout.splitlines()
    assert [line.split("  ")[1] for line in lines] == ["lovelace", "Ada Lovelace"]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "today")
    assert "whole number of seconds" in str(imported("note", "seed000", "third").exception)
