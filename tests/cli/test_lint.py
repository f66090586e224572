"""`ablate lint` on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ablate.cli import app
from ablate.errors import UsageError

Call = Callable[..., Result]
REPORT = """# Results

- SDTPS alone: mAP 76.0, the highest of all runs
- Rank-1: 77.6% vs 76.3% (+1.3%)
- Rank-1: 80.1% vs 76.3% (+3.8%)
- dropout 0.15
"""


@pytest.fixture
def report(folder: Path) -> Path:
    file = folder / "paper.md"
    file.write_text(REPORT)
    return file


def test_findings_stand_with_their_lines_and_what_the_records_say(
    imported: Call, report: Path
) -> None:
    result = imported("lint", report.name, "--study", "seed000")
    assert result.exit_code == 0, result.output
    out = result.stdout
    assert "paper.md against seed000" in out
    assert "line 3: mAP of full sdtps.loss_weight=1 is higher: 76.6" in out
    assert "> - SDTPS alone: mAP 76.0, the highest of all runs" in out
    assert "lines 4, 5: 2 differences of percentages are written as percent" in out
    assert out.index("Wrong by the records") < out.index("under a wrong unit or name")
    assert "line 6: 0.15" in out.split("Could not be traced")[1]


def test_strict_ends_with_1_where_a_statement_is_wrong_and_only_there(
    imported: Call, report: Path
) -> None:
    assert imported("lint", report.name, "--study", "seed000", "--strict").exit_code == 1
    report.write_text("- Rank-1: 77.6% vs 76.3% (+1.3%)\n")
    assert imported("lint", report.name, "--study", "seed000", "--strict").exit_code == 0


def test_the_document_has_every_finding_by_itself(imported: Call, report: Path) -> None:
    result = imported("lint", report.name, "--study", "seed000", "--json")
    document = json.loads(result.stdout)
    assert document["schema"] == "ablate.lint/1"
    assert document["studies"] == ["seed000"]
    assert [(f["line"], f["verdict"]) for f in document["findings"]] == [
        (3, "wrong"),
        (4, "mislabelled"),
        (5, "mislabelled"),
    ]
    assert document["findings"][0]["quote"] == "- SDTPS alone: mAP 76.0, the highest of all runs"
    assert document["untraced"] == [{"line": 6, "numbers": ["0.15"], "quote": "- dropout 0.15"}]
    assert document["counts"]["wrong"] == 1


def test_it_speaks_chinese(imported: Call, report: Path) -> None:
    out = imported("lint", report.name, "--study", "seed000", "--lang", "zh").stdout
    assert "第 3 行：full sdtps.loss_weight=1 的 mAP 更高：76.6" in out
    assert "无法追溯到记录" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.md", "--study", "seed000"), "cannot read nowhere.md"),
        (("paper.md", "--study", "other"), "there is no study 'other'"),
        (("seed.bin", "--study", "seed000"), "not UTF-8"),
        (("paper.md", "--study", "seed000", "--select", "last"), "no completed trial"),
    ],
)
def test_what_cannot_be_read_is_said(
    imported: Call, report: Path, arguments: tuple[str, ...], message: str
) -> None:
    (report.parent / "seed.bin").write_bytes(b"\xff\xfe")
    result = imported("lint", *arguments)
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)


def test_the_terminal_shows_twenty_untraced_lines_and_the_document_all(
    imported: Call, folder: Path
) -> None:
    lines = [f"- rate {i}.5" for i in range(23)] + [f"- {' '.join(['0.123'] * 21)}"]
    (folder / "long.md").write_text("\n".join([f"- {' '.join(['0.123'] * 21)}", *lines]))
    call = ("lint", "long.md", "--study", "seed000")
    shown = imported(*call).stdout.split("Could not be traced")[1]
    assert "0.123 and 1 more" in " ".join(shown.split())
    assert "line 20: 18.5" in shown
    assert "line 21" not in shown
    assert "25 more numbers on 5 more lines: --json" in shown
    assert "另有 5 行的 25 个数字：--json" in imported(*call, "--lang", "zh").stdout
    assert len(json.loads(imported(*call, "--json").stdout)["untraced"]) == 25


def test_a_report_is_read_from_a_pipe(imported: Call, report: Path) -> None:
    named = imported("lint", report.name, "--study", "seed000").stdout
    piped = CliRunner().invoke(app, ["lint", "-", "--study", "seed000"], input=REPORT).stdout
    assert piped == named.replace(report.name, "-", 1)


def test_a_report_about_something_else_is_not_judged(imported: Call, folder: Path) -> None:
    lines = "\n".join(f"- accuracy {50 + i}.{i}%" for i in range(30))
    (folder / "other.md").write_text(f"{lines}\n- no combination shows positive synergy\n")
    result = imported("lint", "other.md", "--study", "seed000", "--strict")
    assert result.exit_code == 0
    assert "too few to judge it" in result.stdout
