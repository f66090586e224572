import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import Result

from ablate.errors import DeclarationError, SpecError, UsageError
from ablate.ingest import bring as bringing
from ablate.store import open_store
from tests.cli.old_logs import write
from tests.ingest import demo_log

Call = Callable[..., Result]


@pytest.fixture
def logs(folder: Path) -> Path:
    return write(folder / "logs")


def document(done: Result) -> dict[str, object]:
    assert done.exit_code == 0, done.exception
    found: dict[str, object] = json.loads(done.stdout)
    return found


def refused(done: Result, kind: type[Exception] = UsageError) -> str:
    assert isinstance(done.exception, kind), done.output
    return str(done.exception)


def test_a_dry_run_says_what_was_understood_and_writes_nothing(
    call: Call, folder: Path, logs: Path
) -> None:
    before = sorted(folder.rglob("*"))
    done = call("import", str(logs), "-n", width=120)
    assert "reader demo: 10 runs: 9 completed, 1 incomplete" in done.stdout
    assert "primary mAP, selection best:mAP@test" in done.stdout
    assert "incomplete: beta_0.8: " in done.stdout
    call("import", str(logs), "-n", "--guess")
    call("import", str(logs), "-n", "--json")
    assert sorted(folder.rglob("*")) == before


def test_the_json_holds_all_that_was_understood(call: Call, logs: Path) -> None:
    found = document(call("import", str(logs), "--json"))
    assert found["schema"] == "ablate.import/2"
    assert (found["study"], found["reader"], found["select"]) == ("logs", "demo", "best:mAP@test")
    assert found["brought"] == {"new": 10, "same": 0, "skipped": {}}
    runs = {r["name"]: r for r in found["runs"]}  # type: ignore[attr-defined]
    assert runs["full"]["variant"] == "full"
    assert runs["beta_0.8"]["state"] == "incomplete"
    assert runs["full"]["scored"] == ["train", "test.ori", "test.moe", "test"]
    factors = {f["name"]: f for f in found["factors"]}  # type: ignore[attr-defined]
    assert factors["lif.beta"] == {
        "name": "lif.beta",
        "key": "MODEL.LIF_BETA",
        "kind": "number",
        "reference": 0.4,
        "requires": "lif",
        "levels": [0.2, 0.4, 0.6, 0.8],
    }
    assert {c["name"] for c in found["costs"]} == {"params", "ops", "seconds"}  # type: ignore[attr-defined]


def test_importing_twice_changes_no_byte_that_a_command_reads(call: Call, logs: Path) -> None:
    call("import", str(logs))
    first = call("ls", "logs", "--json").stdout
    assert document(call("import", str(logs), "--json"))["brought"] == {
        "new": 0,
        "same": 10,
        "skipped": {},
    }
    assert call("ls", "logs", "--json").stdout == first


def test_files_folders_and_patterns_are_one_import(call: Call, logs: Path) -> None:
    found = document(
        call(
            "import",
            str(logs / "full.log"),
            str(logs / "s*.log"),
            str(logs),
            "--study",
            "x",
            "-n",
            "--json",
        )
    )
    assert len(found["runs"]) == 10  # type: ignore[arg-type]
    some = document(call("import", str(logs / "s*.log"), "--study", "y", "-n", "--json"))
    assert [r["name"] for r in some["runs"]] == [  # type: ignore[attr-defined]
        "sacr_lif",
        "sacr_only",
        "sacr_sdtps",
        "sdtps_only",
    ]


def test_a_bad_file_is_named_in_the_end_and_the_others_come_in(call: Call, logs: Path) -> None:
    (logs / "bad.log").write_bytes((logs / "full.log").read_bytes()[:0])
    done = call("import", str(logs), str(logs / "bad.log"), "--reader", "demo")
    assert done.exit_code == 1
    assert "not read: " in done.stderr
    assert "bad.log" in done.stderr
    assert "10 new" in done.stderr
    alone = call("import", str(logs / "bad.log"), "--reader", "demo")
    assert "nothing could be read" in refused(alone)


def test_an_interrupted_import_goes_on_where_it_was(
    call: Call, folder: Path, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bringing, "PART", 4)
    whole = bringing._parts
    seen = 0

    def interrupted(results: object) -> object:
        nonlocal seen
        for part in whole(results):  # type: ignore[arg-type]
            seen += 1
            if seen == 2:
                raise KeyboardInterrupt
            yield part

    monkeypatch.setattr(bringing, "_parts", interrupted)
    done = call("import", str(logs))
    assert done.exit_code in {1, 130}
    assert "goes on from there" in done.stderr
    with open_store(folder / ".ablate" / "results.db") as store:
        assert len(store.records("logs")) == 4
    assert document(call("import", str(logs), "--json"))["brought"] == {
        "new": 6,
        "same": 4,
        "skipped": {},
    }


def test_old_runs_are_bound_to_a_study_and_only_the_others_are_left(
    call: Call, folder: Path, logs: Path
) -> None:
    assert call("import", str(logs), "--guess", "--study", "reid").exit_code == 0
    (folder / ".ablate" / "results.db").unlink()
    bound = ("import", str(logs), "--system", "demo", "--study", "studies/reid.toml")
    assert document(call(*bound, "--json"))["bound"] is True
    counts = json.loads(call("plan", "studies/reid.toml", "--json").stdout)
    assert counts["counts"]["complete"] == 9
    left = [t["variant"] for t in counts["trials"] if t["state"] != "completed"]
    assert left == ["sdtps+lif", "full lif.beta=0.8"]
    by_name = call("import", str(logs), "--system", "demo", "--study", "reid", "--json")
    assert document(by_name)["brought"] == {"new": 0, "same": 10, "skipped": {}}
    report = call("report", "reid", "-o", "out")
    assert report.exit_code == 0
    page = (folder / "out" / "README.md").read_text("utf-8")
    assert "data is assumed" in page


def test_a_guess_overwrites_neither_a_study_nor_a_system(call: Call, logs: Path) -> None:
    call("import", str(logs), "--guess", "--study", "reid")
    again = call("import", str(logs), "--guess", "--study", "reid")
    assert "0 new, 10 as before" in again.stderr
    toml = Path("ablate.toml")
    toml.write_text(toml.read_text("utf-8").replace("train_net.py", "mine.py"), "utf-8")
    edited = call("import", str(logs), "--guess", "--study", "reid")
    assert "there is a study of this name" in refused(edited)
    assert "mine.py" in toml.read_text("utf-8")
    other = call("import", str(logs), "--guess", "--study", "other")
    assert "there is a system 'demo' already" in refused(other)
    assert "--system demo --study FILE" in refused(other)
    third = call("import", str(logs), "--guess", "--study", "other", "--system", "mine")
    assert third.exit_code == 0


def test_a_guess_names_its_texts_in_json(call: Call, logs: Path) -> None:
    found = document(call("import", str(logs), "--guess", "-n", "--json", "--study", "reid"))
    texts = found["guess"]
    assert texts["study_file"] == "studies/reid.toml"  # type: ignore[index]
    assert texts["command"].startswith("python train_net.py --config_file")  # type: ignore[index]


def test_the_rule_and_the_map_of_the_command_line_win(call: Call, folder: Path, logs: Path) -> None:
    (folder / "map.toml").write_text(
        '[factors.temperature]\nkey = "MODEL.LIF_BETA"\nkind = "number"\nreference = 0.2\n'
    )
    found = document(
        call("import", str(logs), "--select", "last", "--map", "map.toml", "--json", "-n")
    )
    assert found["select"] == "last"
    names = [f["name"] for f in found["factors"]]  # type: ignore[attr-defined]
    assert names == ["temperature", "sacr", "sdtps", "lif"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "nowhere: there is no such file or folder"),
        (("logs", "--reader", "demos"), "did you mean 'demo'"),
        (("logs", "--select", "best:mAp2"), "--select: 'mAp2' is not a metric"),
        (("logs", "--study", "A B"), "is no study name"),
        (("logs", "--system", "demo"), "system 'demo' is unknown"),
        (("logs", "--reader", "demo", "--system", "nope"), "system 'nope' is unknown"),
        (("logs", "--study", "no.toml"), "no.toml"),
        (("logs", "--map", "no.toml"), "no.toml"),
        (("logs", "--data", "x"), "--data means something with --system"),
        (("logs", "--guess", "--study", "x.toml"), "give --study a name"),
        (("seed000.csv", "--guess", "--reader", "csv"), "--guess means nothing for a table"),
        (("seed000.csv", "seed000.csv"), "import one at a time"),
    ],
)
def test_a_wrong_call_is_one_clear_line(
    call: Call,
    logs: Path,  # noqa: ARG001 - the folder that is asked for
    arguments: tuple[str, ...],
    said: str,
) -> None:
    import re

    done = call("import", *arguments)
    assert isinstance(done.exception, UsageError | SpecError | DeclarationError)
    assert re.search(said, str(done.exception)), str(done.exception)
    assert "\n" not in str(done.exception)


def test_repeated_runs_are_refused_unless_they_are_replicates(call: Call, folder: Path) -> None:
    for day, name in enumerate(("a", "b"), start=6):
        start = datetime(2025, 12, day)  # noqa: DTZ001 - logs name no zone
        demo_log.write(folder / "twice" / f"{name}.log", name=name, start=start)
    demo_log.write(folder / "twice" / "c.log", opts={"MODEL.USE_LIF": "False"})
    assert "--replicates" in refused(call("import", "twice"))
    found = document(call("import", "twice", "--replicates", "--json"))
    assert [r["seed"] for r in found["runs"]] == [1111, 1112, 1111]  # type: ignore[attr-defined]


def test_a_reader_of_ablate_toml_reads_programs_that_print_no_configuration(
    call: Call, folder: Path
) -> None:
    (folder / "ablate.toml").write_text(
        '[readers.mine]\nselect = "best:acc@val"\n'
        "[[readers.mine.patterns]]\n"
        "match = 'epoch (?P<step>\\d+) val acc (?P<acc>[\\d.]+)'\nsplit = 'val'\n"
        "[readers.mine.metrics.acc]\n"
    )
    for name, best in (("baseline", 0.7), ("wide", 0.8)):
        lines = [f"epoch {e} val acc {best - 0.1 * (e == 1)}" for e in (1, 2)]
        (folder / "mine").mkdir(exist_ok=True)
        (folder / "mine" / f"{name}.log").write_text("\n".join(lines) + "\n")
    found = document(call("import", "mine", "--reader", "mine", "--json"))
    assert [(r["name"], r["variant"]) for r in found["runs"]] == [  # type: ignore[attr-defined]
        ("baseline", "baseline"),
        ("wide", "wide"),
    ]
    with open_store(folder / ".ablate" / "results.db") as store:
        assert [r.scores["acc"].value for r in store.records("mine")] == [0.7, 0.8]


def test_a_table_keeps_working_through_the_same_command(call: Call) -> None:
    found = document(call("import", "seed000.csv", "--json"))
    assert (found["schema"], found["rows"]) == ("ablate.import/2", 16)


def test_files_that_hold_no_run_are_named_as_passed_over(
    call: Call, folder: Path, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (logs / "notes.txt").write_text("nothing that counts\n")
    (logs / "plot.png").write_bytes(b"\x89PNG")
    (logs / ".hidden").write_text("x")
    assert "2 files passed over: notes.txt, plot.png" in call("import", str(logs)).stdout
    assert document(call("import", str(logs), "--json"))["passed_over"] == ["notes.txt", "plot.png"]
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != "notes.txt")
    found = document(call("import", str(logs), "--json"))
    assert found["passed_over"] == ["notes.txt (no permission)", "plot.png"]
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    one = folder / "runs" / "one"
    one.mkdir(parents=True)
    (one / "config.yaml").write_text("lr: 1\n")
    (one / "history.json").write_text('{"val_acc": [0.5, 0.6]}')
    (one / "model.pth").write_bytes(b"weights of the run")
    assert document(call("import", "runs", "--json"))["passed_over"] == []
