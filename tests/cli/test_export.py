"""What is carried elsewhere, and read back."""

import csv
import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from ablate.errors import UsageError
from ablate.record import Cost, Ending, State
from ablate.store import open_store
from ablate.study import Placement, Study, Trial, Variant

Call = Callable[..., Result]
NASTY = r"50% of_{a}&b #1 \x ~^ <$>"
"""A name with every character that TeX reads as something else."""


def test_the_csv_of_an_export_is_read_back_to_the_same_numbers(
    call: Call, folder: Path, logs: Study
) -> None:
    assert call("export", logs.name, "-o", "out.csv").exit_code == 0
    rows = list(csv.DictReader((folder / "out.csv").read_text().splitlines()))
    assert [(r["variant"], r["seed"], r["state"]) for r in rows] == [
        ("baseline", "0", "completed"),
        ("baseline", "1", "completed"),
        ("lif", "0", "incomplete"),
    ]
    assert (rows[0]["mAP"], rows[0]["loss"], rows[2]["mAP"]) == ("0.7", repr(1 / 3), "")
    assert rows[0]["params (1)"] == "5000.0"
    assert rows[0]["counter of params"] == "as printed"
    assert call("import", "out.csv", "--study", "again").exit_code == 0
    again = json.loads(call("ls", "again", "--json").stdout)["trials"]
    first = json.loads(call("ls", "logs", "--json").stdout)["trials"]
    for a, b in zip(again[:2], first[:2], strict=True):
        assert {m: s["value"] for m, s in a["scores"].items()} == {
            m: s["value"] for m, s in b["scores"].items()
        }
        assert {c["name"]: c["mean"] for c in a["costs"]} == {
            c["name"]: c["mean"] for c in b["costs"]
        }


def test_what_did_not_complete_and_what_it_cost_survive_export_and_import(
    call: Call, folder: Path, logs: Study
) -> None:
    costs = (
        Cost("cpu", 75.5, "s", "resource usage"),
        Cost("ops", 38.33138826600001e9, "", "fvcore, as printed"),
        Cost("memory", 2.0**31, "bytes", "torch"),
    )
    levels = {"lif": True}
    trial = Trial("demo", "imported", levels, levels, 1, "import:logs")
    failed = Ending(State.FAILED, 5.0, "", error_type="x", error="no loss", costs=costs)
    with open_store(folder / ".ablate" / "results.db") as store:
        placement = Placement(Variant("lif", levels, "grid"), trial)
        store.put_results(logs, [(placement, failed)], source="import logs")
    assert call("export", "logs", "-o", "out.csv").exit_code == 0
    assert call("import", "out.csv", "--study", "again").exit_code == 0
    first, again = (
        json.loads(call("ls", name, "--json").stdout)["trials"] for name in ("logs", "again")
    )
    states = {(t["seed"], t["state"]): t for t in again}
    assert sorted(states) == [(0, "completed"), (0, "incomplete"), (1, "completed"), (1, "failed")]
    assert all(t["scores"] == {} for t in again if t["state"] != "completed")
    for trial_there in first:
        back = states[trial_there["seed"], trial_there["state"]]
        assert {c["name"]: (c["mean"], c["unit"]) for c in back["costs"]} == {
            c["name"]: (c["mean"], c["unit"]) for c in trial_there["costs"]
        }


def test_an_appendix_survives_export_and_import(imported: Call) -> None:
    assert imported("export", "seed000", "-o", "out.csv").exit_code == 0
    assert imported("import", "out.csv", "--study", "again").exit_code == 0
    first, again = (
        json.loads(imported("ls", name, "--json").stdout)["trials"] for name in ("seed000", "again")
    )
    assert len(first) == len(again) == 16
    assert [(t["variant"], t["seed"]) for t in first] == [(t["variant"], t["seed"]) for t in again]
    for a, b in zip(first, again, strict=True):
        assert {m: s["value"] for m, s in a["scores"].items()} == {
            m: s["value"] for m, s in b["scores"].items()
        }
        assert {c["name"]: c["mean"] for c in a["costs"]} == {
            c["name"]: c["mean"] for c in b["costs"]
        }


def test_an_export_does_not_replace_a_file_unasked(imported: Call, folder: Path) -> None:
    (folder / "out.json").write_text("mine")
    answer = imported("export", "-o", "out.json")
    assert "--force" in str(answer.exception)
    assert (folder / "out.json").read_text() == "mine"
    assert imported("export", "-o", "out.json", "--force").exit_code == 0
    document = json.loads((folder / "out.json").read_text())
    assert (document["schema"], len(document["trials"])) == ("ablate.export/1", 16)


def test_an_export_replaces_neither_a_folder_nor_the_database(imported: Call, folder: Path) -> None:
    wrong = imported("export", "-o", ".", "--format", "csv", "--force").exception
    assert isinstance(wrong, UsageError)
    assert "it is a folder; name a file" in str(wrong)
    database = folder / ".ablate" / "results.db"
    before = database.read_bytes()
    wrong = imported("export", "-o", str(database), "--format", "csv", "--force").exception
    assert isinstance(wrong, UsageError)
    assert str(wrong).endswith("is the database itself")
    assert database.read_bytes() == before


def test_an_export_into_a_suffix_that_is_unknown_is_refused(imported: Call, folder: Path) -> None:
    answer = imported("export", "seed000", "-o", "out.xlsx")
    assert isinstance(answer.exception, UsageError)
    assert ".xlsx is not one of .csv, .json, .tex, .db, .sqlite" in str(answer.exception)
    answer = imported("export", "seed000", "-o", "out.db")
    assert "leave the study out: out.db would be the whole database" in str(answer.exception)
    assert imported("export", "seed000", "-o", "out.dat", "--format", "csv").exit_code == 0
    assert sorted(f.name for f in folder.glob("out.*")) == ["out.dat"]


def test_the_database_is_exported_whole(imported: Call, folder: Path) -> None:
    assert imported("export", "-o", "copy.db").exit_code == 0
    with sqlite3.connect(folder / "copy.db") as copy:
        assert copy.execute("SELECT count(*) FROM trial").fetchone() == (16,)
    answer = imported("export", "--format", "sqlite", "-o", ".ablate/results.db", "--force")
    assert "is the database itself" in str(answer.exception)


def strict_tex(text: str) -> list[list[str]]:
    """The cells of one tabular; raises AssertionError where TeX would choke or set other rows."""
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    begin = re.fullmatch(r"\\begin\{tabular\}\{([lr]+)\}", lines[0])
    assert begin
    assert lines[-1] == r"\end{tabular}"
    rows = [line for line in lines[1:-1] if not re.fullmatch(r"\\(top|mid|bottom)rule", line)]
    cells = []
    for line in rows:
        assert line.endswith(r" \\")
        row = line.removesuffix(r" \\")
        known = r"\\text(?:backslash|asciitilde|asciicircum|less|greater|bar|quotedbl)\{\}"
        plain = re.sub(rf"{known}|\\[&%$#_{{}}]|\$(?:-|\\pm|\\uparrow|\\downarrow)\$", "", row)
        assert not re.search(r"[\\%$#_{}~^]", plain), row
        assert plain.count("&") == len(begin[1]) - 1
        cells.append([c.strip() for c in re.split(r"(?<!\\)&", row)])
    return cells


def test_a_tex_table_has_a_row_per_configuration_and_escapes_whatever_it_is_called(
    call: Call, folder: Path, logs: Study
) -> None:
    with open_store(folder / ".ablate" / "results.db") as store:
        levels = {"lif": True}
        trial = Trial("demo", "imported", levels, levels, 1, "import:logs")
        ending = Ending(State.COMPLETED, 1.0, "", scores={"mAP": 0.5})
        store.put_results(
            logs, [(Placement(Variant(NASTY, levels, "arm"), trial), ending)], source="import logs"
        )
    rows = strict_tex(call("export", "logs", "--format", "tex").stdout)
    assert rows[0] == ["Configuration", "n", r"mAP (\%) $\uparrow$", r"loss $\downarrow$"]
    assert rows[1] == ["baseline", "2", r"70.0 $\pm$ 0.0", r"0.333 $\pm$ 0.000"]
    assert rows[2] == ["lif", "0", "--", "--"]
    assert rows[3][1:3] == ["1, 0", "50.0"]
    assert rows[3][0].startswith(r"50\% of\_\{a\}\&b \#1 \textbackslash{}x")
