"""`ablate audit` and `note --finding`, with checks that find what the tests say."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import Result

from ablate.audit import catalogue, gather, kept
from ablate.audit.check import Check, Hit, Text
from ablate.audit.evidence import Evidence
from ablate.errors import StoreError, UsageError
from ablate.store import open_store
from tests.cli.comparing import put_toy

Call = Callable[..., Result]
LONG = "a sentence that is longer than a terminal of eighty columns is wide, which must be folded"
ZH = (
    "这一句话比八十列的终端还要宽，所以必须折行显示，"
    "否则读者就看不到它的后半部分，也就不知道该怎么办"
)
REMEDY = '[study]\nname = "steps"\n'


def _check(code: str, severity: str, *hits: Hit, planned: bool = False) -> Check:
    def look(_evidence: Evidence) -> Iterator[Hit]:
        yield from hits

    return Check(
        code,
        severity,  # type: ignore[arg-type]
        "design",
        Text(f"title of {code}", f"{code} 的标题"),
        Text(f"why {code}", f"为何 {code}"),
        Text(f"what settles {code}", f"如何查明 {code}"),
        look,
        planned,
    )


CHECKS = (
    _check("N901", "note", Hit(Text("worth knowing", "值得知道"))),
    _check(
        "W902",
        "warning",
        Hit(Text(LONG, ZH), "ablate ls toy", "lif", remedy=REMEDY),
        Hit(Text("of sdtps", "关于 sdtps"), "ablate ls toy", "sdtps"),
        planned=True,
    ),
    _check("E903", "error", Hit(Text("no meaning", "没有意义"), "ablate show baseline")),
)


@pytest.fixture
def toy(call: Call, folder: Path) -> Call:
    put_toy(folder)
    return call


@pytest.fixture
def found(toy: Call, monkeypatch: pytest.MonkeyPatch) -> Call:
    for module in (catalogue, gather):
        monkeypatch.setattr(module, "CHECKS", CHECKS)
    return toy


@pytest.fixture
def clean(toy: Call, monkeypatch: pytest.MonkeyPatch) -> Call:
    for module in (catalogue, gather):
        monkeypatch.setattr(module, "CHECKS", (_check("W902", "warning"),))
    return toy


def stored(folder: Path) -> list[str]:
    with open_store(folder / ".ablate" / "results.db") as store:
        return [f.name for f in store.findings("toy")]


def test_a_clean_study_is_one_line(clean: Call) -> None:
    assert clean("audit").stdout == "toy: 1 check, nothing found in 13 runs\n"
    assert clean("audit", "--lang", "zh").stdout == "toy：1 项检查，13 次运行，未发现问题\n"
    assert clean("audit", "toy", "--strict").exit_code == 0


def test_findings_are_printed_by_severity_with_what_settles_them(found: Call) -> None:
    lines = found("audit").stdout.splitlines()
    assert lines[0] == "toy: 1 error, 2 warnings, 1 note (3 checks, 13 runs)"
    heads = [lines.index(head) for head in ("Errors", "Warnings", "Notes")]
    assert heads == sorted(heads)
    assert lines[heads[0] + 1 : heads[0] + 3] == [
        "E903  no meaning",
        "      ablate show baseline",
    ]
    text = " ".join(" ".join(lines).split())
    assert f"W902:lif {LONG} ablate ls toy ablate audit toy --remedy W902:lif W902:sdtps" in text
    assert lines[heads[2] + 1 :] == ["N901  worth knowing"]


def test_words_that_settle_a_finding_are_in_the_language_asked_for(
    toy: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = Text("train it elsewhere", "在别处训练")
    said = Text("one run", "一次运行"), Text("two runs", "两次运行")
    hits = Hit(said[0], words, "a"), Hit(said[1], "ablate ls toy", "b")
    for module in (catalogue, gather):
        monkeypatch.setattr(module, "CHECKS", (_check("W902", "warning", *hits),))
    assert "to settle it: train it elsewhere" in toy("audit").stdout
    for _ in range(2):  # as found, and as kept
        told = toy("audit", "--lang", "zh").stdout
        assert [line.strip() for line in told.splitlines() if "查明" in line] == [
            "如何查明：在别处训练"
        ]
        assert "      ablate ls toy" in told.splitlines()
    kept = json.loads(toy("report", "--json").stdout)["findings"]
    assert [f["chinese_command"] for f in kept] == ["在别处训练", "ablate ls toy"]
    assert [f["runnable"] for f in kept] == [False, True]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_command_stands_on_a_line_of_its_own_however_narrow_the_terminal(
    toy: Call, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    command = f"ablate compare {'a-long-name ' * 9}--study toy"
    hit = Hit(Text(LONG, ZH), command, "lif", remedy=REMEDY)
    for module in (catalogue, gather):
        monkeypatch.setattr(module, "CHECKS", (_check("W902", "warning", hit),))
    lines = toy("audit", "--lang", lang, width=40).stdout.splitlines()
    assert lines[-2:] == [f"      {command}", "      ablate audit toy --remedy W902:lif"]
    assert max(map(cell_len, lines[3:-2])) <= 40


@pytest.mark.parametrize(("lang", "words"), [("en", "train more, then"), ("zh", "先训练，再运行")])
def test_words_that_end_in_a_command_leave_it_a_line(
    toy: Call, monkeypatch: pytest.MonkeyPatch, lang: str, words: str
) -> None:
    command = f"ablate import {'a-long-folder/' * 5} --study toy"
    settle = Text(f"train more, then {command}", f"先训练，再运行 {command}")
    hit = Hit(Text(LONG, ZH), settle)
    for module in (catalogue, gather):
        monkeypatch.setattr(module, "CHECKS", (_check("W902", "warning", hit),))
    lines = toy("audit", "--lang", lang, width=40).stdout.splitlines()
    assert lines[-1] == f"      {command}"
    assert lines[-2].endswith(words)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_line_is_wider_than_the_terminal(found: Call, lang: str) -> None:
    lines = found("audit", "--lang", lang).stdout.splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert max(map(cell_len, lines)) > 60
    assert not any(line.endswith(" ") for line in lines)


def test_the_findings_are_kept_and_reading_commands_take_them(
    found: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stored(folder) == []
    first = json.loads(found("report", "--json").stdout)["findings"]
    assert stored(folder) == []  # a reading command writes nothing
    found("audit")
    assert stored(folder) == ["E903", "W902:lif", "W902:sdtps", "N901"]
    monkeypatch.setattr(gather, "ask", lambda *_, **__: pytest.fail("asked again"))
    assert json.loads(found("report", "--json").stdout)["findings"] == first


def test_what_is_stored_is_no_longer_taken_when_a_score_was_recorded(
    found: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    found("audit")
    monkeypatch.setattr(gather, "ask", lambda *_, **__: [])
    assert len(json.loads(found("report", "--json").stdout)["findings"]) == 4
    words = ("record", "lif", "NDS=0.5", "--seed", "0", "--source", "me", "--date", "2026-01-02")
    assert found(*words).exit_code == 0
    assert json.loads(found("report", "--json").stdout)["findings"] == []


def test_what_is_stored_is_not_taken_for_other_checks_or_another_rule(
    found: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    found("audit")
    one = json.loads(found("report", "--json", "--select", "best:loss@train").stdout)["findings"]
    assert len(one) == 4
    monkeypatch.setattr(kept, "__version__", "another")
    monkeypatch.setattr(gather, "CHECKS", CHECKS[:1])
    assert [f["code"] for f in json.loads(found("report", "--json").stdout)["findings"]] == ["N901"]


def test_strict_is_a_matter_of_errors_and_warnings_alone(
    found: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found("audit").exit_code == 0
    assert found("audit", "--strict").exit_code == 1
    note = ("note", "toy", "we know", "--author", "Ada", "--finding")
    for name in ("E903", "W902"):
        assert found(*note, name).exit_code == 0
    assert found("audit", "--strict").exit_code == 1  # acknowledging hides nothing
    monkeypatch.setattr(gather, "CHECKS", CHECKS[:1])
    assert found("audit", "--strict").exit_code == 0


def test_the_document_holds_both_languages_keys_and_who_acknowledged(found: Call) -> None:
    found("note", "toy", "seen in the logs", "--author", "Ada", "--finding", "w902:LIF")
    document = json.loads(found("audit", "--json").stdout)
    assert (document["schema"], document["checks"]) == ("ablate.audit/1", 3)
    (study,) = document["studies"]
    assert (study["study"], study["runs"]) == ("toy", 13)
    assert study["counts"] == {"error": 1, "warning": 2, "note": 1}
    assert [f["name"] for f in study["findings"]] == ["E903", "W902:lif", "W902:sdtps", "N901"]
    finding = study["findings"][1]
    assert (finding["sentence"], finding["chinese"]) == (LONG, ZH)
    assert finding["title"] == {"en": "title of W902", "zh": "W902 的标题"}
    assert (finding["family"], finding["remedy"], finding["keys"]) == ("design", REMEDY, [])
    (reason,) = finding["acknowledged"]
    assert (reason["author"], reason["text"]) == ("Ada", "seen in the logs")
    assert study["findings"][2]["acknowledged"] == []


def test_an_acknowledgement_is_printed_with_its_finding_everywhere(found: Call) -> None:
    told = found("note", "toy", "seen in the logs", "--author", "Ada", "--finding", "E903")
    assert told.exit_code == 0
    assert "E903: no meaning (ablate show baseline). Acknowledged by Ada, " in (
        found("report", "--stdout").stdout
    )
    for command in ("audit", "report"):
        pieces = () if command == "audit" else ("--pareto", "--stdout")
        assert "seen in the logs" in " ".join(found(command, *pieces).stdout.split())
    assert "seen in the logs" in found("compare", "baseline", "lif").stderr
    assert "on toy, E903: seen in the logs" in found("note", "toy", "--finding", "e903").stdout
    assert "E903" not in found("note", "toy", "--finding", "N901").stdout
    assert "| finding E903 | seen in the logs | Ada |" in found("report", "--stdout").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("toy", "x", "--finding", "W999"),
            "the audit of toy finds no W999: it finds E903, W902:lif, W902:sdtps, N901",
        ),
        (("toy/lif", "x", "--finding", "E903"), "--finding goes with a study's name"),
    ],
)
def test_what_the_audit_does_not_find_cannot_be_acknowledged(
    found: Call, words: tuple[str, ...], said: str
) -> None:
    answer = found("note", *words, "--author", "Ada")
    assert isinstance(answer.exception, UsageError)
    assert said in str(answer.exception)
    assert not found("note", "toy").stdout


def test_a_code_acknowledges_all_that_it_is_said_of(found: Call) -> None:
    found("note", "toy", "both", "--author", "Ada", "--finding", "W902")
    assert found("audit").stdout.count("acknowledged by Ada") == 2


def test_a_remedy_is_printed_or_written_to_a_new_file(found: Call, folder: Path) -> None:
    assert found("audit", "--remedy", "w902:lif").stdout == REMEDY
    told = found("audit", "toy", "--remedy", "W902:lif", "-o", "studies/steps.toml")
    assert told.stderr.splitlines()[0] == "wrote studies/steps.toml"
    assert (folder / "studies" / "steps.toml").read_text() == REMEDY
    again = found("audit", "toy", "--remedy", "W902:lif", "-o", "studies/steps.toml")
    assert "exists already" in str(again.exception)


def test_a_remedy_says_what_must_be_declared_before_it_can_be_planned(
    found: Call, folder: Path
) -> None:
    first = found("audit", "toy", "--remedy", "W902:lif", "-o", "a.toml").stderr.splitlines()
    assert len(first) == 2
    assert "system 'toy' is unknown" in first[1]
    assert "[systems.toy]" in first[1]
    assert found("audit", "toy", "--remedy", "W902:lif").stderr.splitlines() == first[1:]
    (folder / "ablate.toml").write_text('[systems]\ntoy = "a.module:system"\n')
    second = found("audit", "toy", "--remedy", "W902:lif", "-o", "my b.toml").stderr
    assert second.splitlines() == ["wrote my b.toml", "ablate plan 'my b.toml'"]
    assert found("audit", "toy", "--remedy", "W902:lif").stderr == ""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("E903", "E903: no study file settles it; ablate show baseline"),
        ("W902", "W902 is 2 findings: W902:lif, W902:sdtps"),
        ("W1", "there is no finding 'W1'; a study file settles W902:lif"),
    ],
)
def test_a_remedy_that_is_not_there_is_one_line(found: Call, name: str, said: str) -> None:
    answer = found("audit", "--remedy", name)
    assert isinstance(answer.exception, UsageError)
    assert said in str(answer.exception)


def test_a_database_or_a_folder_means_all_its_studies(
    found: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "elsewhere").mkdir()
    found("import", "seed000.csv", "--study", "printed")
    monkeypatch.chdir(folder / "elsewhere")
    for words in ((str(folder / ".ablate" / "results.db"),), (str(folder),), ("--all",)):
        studies = json.loads(found("audit", *words, "--json").stdout)["studies"]
        assert sorted(s["study"] for s in studies) == ["printed", "toy"]
    assert [s["study"] for s in json.loads(found("audit", "toy", "--json").stdout)["studies"]] == [
        "toy"
    ]
    assert isinstance(found("audit", "..", "--all").exception, UsageError)


def test_a_study_called_as_a_folder_is_the_study(found: Call, folder: Path) -> None:
    (folder / "toy").mkdir()
    assert found("audit", "toy").stdout.startswith("toy: 1 error")


def test_what_is_neither_a_study_nor_a_file_is_one_line(found: Call, folder: Path) -> None:
    wrong = found("audit", "tox")
    assert isinstance(wrong.exception, UsageError)
    assert "did you mean 'toy'?" in str(wrong.exception)
    (folder / "notes.txt").write_text("no database")
    assert isinstance(found("audit", "notes.txt").exception, StoreError)
    assert "-o means something with --remedy only" in str(found("audit", "-o", "x.toml").exception)


def test_an_import_audits_and_says_how_many(found: Call, folder: Path) -> None:
    said = found("import", "seed000.csv", "--study", "printed").stderr
    assert said.endswith("audit: 1 error, 2 warnings, 1 note (ablate audit printed)\n")
    with open_store(folder / ".ablate" / "results.db") as store:
        assert len(store.findings("printed")) == 4
        assert store.stamp("printed")


def test_at_most_five_findings_stand_in_a_report(
    toy: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = tuple(_check(f"W91{i}", "warning", Hit(Text(f"no. {i}", "一"))) for i in range(7))
    for module in (catalogue, gather):
        monkeypatch.setattr(module, "CHECKS", (*many, *CHECKS))
    page = toy("report", "--stdout").stdout
    warned = [line for line in page.splitlines() if line.startswith("> ⚠️ ") and "9" in line]
    assert [line[5:9] for line in warned[:5]] == ["E903", "W902", "W902", "W910", "W911"]
    assert "6 more findings: ablate audit toy" in page
    assert "W912" not in page
    assert "N901" not in page
    assert len(json.loads(toy("report", "--json").stdout)["findings"]) == 11
    assert "6 more findings: ablate audit toy" in toy("compare", "baseline", "lif").stderr


def test_an_acknowledgement_outlives_the_database(found: Call, folder: Path) -> None:
    found("note", "toy", "seen in the logs", "--author", "Ada", "--finding", "W902:lif")
    beside = folder / ".ablate" / "by-hand.json"
    document = json.loads(beside.read_text())
    assert document["notes"][0]["finding"] == "W902:lif"
    assert found("db", "check").exit_code == 0
    assert found("db", "rebuild").exit_code == 0
    assert found("audit").stdout.count("acknowledged by Ada") == 1
    copy = folder / "copy.db"
    assert found("export", "-o", str(copy)).exit_code == 0
    with open_store(copy) as store:
        assert [n.finding for n in store.notes("toy")] == ["W902:lif"]
        assert [f.name for f in store.findings("toy")] == ["E903", "W902:lif", "W902:sdtps", "N901"]


def test_notes_written_before_findings_could_be_acknowledged_are_read(
    found: Call, folder: Path
) -> None:
    found("note", "toy", "a word", "--author", "Ada")
    beside = folder / ".ablate" / "by-hand.json"
    document = json.loads(beside.read_text())
    del document["notes"][0]["finding"]
    (folder / ".ablate" / "results.db").unlink()
    beside.write_text(json.dumps(document))
    found("db", "rebuild")
    assert "on toy: a word" in found("note", "toy").stdout
