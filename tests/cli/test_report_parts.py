"""`ablate report --synergy`, `--sensitivity` and `--pareto` as commands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ablate.errors import UsageError
from ablate.report.markdown import render
from ablate.report.synergy_page import synergy_page
from tests.cli.conftest import ROOT, Call

PARTS = ("--synergy", "--sensitivity", "--pareto")


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_printed_in_eighty_columns_and_nothing_is_written(
    imported: Call, folder: Path, part: str
) -> None:
    found = imported("report", part)
    assert found.exit_code == 0
    assert found.stdout
    assert max(map(len, found.stdout.splitlines())) <= 80
    assert not (folder / "reports").exists()


@pytest.mark.parametrize("part", PARTS)
def test_a_part_as_json_is_one_document_with_a_schema(imported: Call, part: str) -> None:
    document = json.loads(imported("report", "seed000", part, "--json").stdout)
    assert document["schema"] == f"ablate.{part.removeprefix('--')}/1"
    assert document["study"]["name"] == "seed000"


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_written_as_markdown_or_json_by_its_suffix(
    imported: Call, folder: Path, part: str
) -> None:
    written = imported("report", part, "-o", "out/part.md")
    assert written.exit_code == 0
    assert "wrote out/part.md" in written.stdout
    assert (folder / "out" / "part.md").read_text() == imported("report", part, "--stdout").stdout
    assert imported("report", part, "-o", "part.json").exit_code == 0
    assert json.loads((folder / "part.json").read_text()) == json.loads(
        imported("report", part, "--json").stdout
    )
    assert imported("report", part, "-n", "-o", "dry.md").exit_code == 0
    assert not (folder / "dry.md").exists()


def test_the_file_is_the_page(imported: Call) -> None:
    document = json.loads(imported("report", "--synergy", "--json").stdout)
    assert imported("report", "--synergy", "--stdout").stdout == render(synergy_page(document))


def test_metrics_are_chosen_by_name_in_any_case_or_all(imported: Call) -> None:
    one = imported("report", "--synergy", "--metric", "map").stdout
    assert "mAP (%) ↑" in one
    assert "Rank-1 (%) ↑" not in one
    every = imported("report", "--synergy", "--metric", "all").stdout
    assert every.count("What the numbers rest on") == 3


def refused(call: Call, *arguments: str) -> str:
    found = call("report", *arguments)
    assert isinstance(found.exception, UsageError)
    assert not found.stdout
    return str(found.exception)


def test_an_unknown_metric_names_the_nearest_and_a_title_is_known(imported: Call) -> None:
    assert "did you mean 'rank1'?" in refused(imported, "--synergy", "--metric", "rank-2")
    by_title = imported("report", "--synergy", "--metric", "RANK-1").stdout
    assert by_title == imported("report", "--synergy", "--metric", "rank1").stdout


def test_parts_exclude_each_other_and_a_metric_needs_synergy(imported: Call) -> None:
    assert "choose one" in refused(imported, "--synergy", "--pareto")
    assert "--metric goes with --synergy" in refused(imported, "--metric", "mAP")
    assert "--metric goes with --synergy" in refused(imported, "--pareto", "--metric", "mAP")


def test_an_unknown_study_names_the_nearest(imported: Call) -> None:
    assert "did you mean 'seed000'?" in refused(imported, "seed00", "--synergy")


def test_a_rule_without_a_curve_is_refused(imported: Call) -> None:
    assert "no completed trial" in refused(imported, "--synergy", "--select", "best:mAP@val")


@pytest.mark.parametrize("part", ["--synergy", "--sensitivity", "--pareto"])
@pytest.mark.parametrize("there", ["seed000.csv", ".ablate/results.db", "studies/z.toml"])
def test_a_part_is_written_over_no_data_database_or_study_file(
    imported: Call, folder: Path, part: str, there: str
) -> None:
    (folder / "studies").mkdir()
    (folder / "studies" / "z.toml").write_text("mine")
    before = (folder / there).read_bytes()
    assert "ends in .md, .markdown or .json" in refused(imported, part, "-o", there)
    assert (folder / there).read_bytes() == before


def test_where_a_file_is_needed_a_folder_is_refused_and_the_other_way(
    imported: Call, folder: Path
) -> None:
    assert "it is a folder; name a file" in refused(imported, "--synergy", "-o", ".")
    inside = refused(imported, "--synergy", "-o", "seed000.csv/a/b.md")
    assert inside == "-o seed000.csv/a/b.md: seed000.csv is a file, not a folder"
    said = refused(imported, "-o", "seed000.csv")
    assert said == "-o seed000.csv: -o is a folder here, and seed000.csv is a file"
    assert "and seed000.csv is a file" in refused(imported, "-o", "seed000.csv/inside")
    assert imported("report", "-o", "new/folder").exit_code == 0
    assert (folder / "new" / "folder" / "README.md").exists()


def test_the_study_report_has_the_sections_of_the_part(imported: Call) -> None:
    whole = imported("report", "--stdout").stdout
    for line in ("| sacr × lif | 78.5 | 74.6 | −3.9 \\* | – |", "| sdtps × lif | ±0.00 | +0.78 |"):
        assert line in whole
        assert line in imported("report", "--synergy", "--stdout").stdout
    document = json.loads(imported("report", "--json").stdout)
    assert document["schema"] == "ablate.report/3"
    part = json.loads(imported("report", "--synergy", "--json").stdout)
    assert document["synergy"] == part["synergy"]


@pytest.mark.parametrize("part", PARTS)
def test_no_part_loads_torch_ray_pandas_or_scipy_stats(
    imported: Call, folder: Path, part: str
) -> None:
    assert imported("ls").exit_code == 0
    code = (
        "import sys\nfrom ablate.cli import main\n"
        f"sys.argv = ['ablate', 'report', {part!r}, '--json']\n"
        "try:\n    main()\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = set(found.stderr.split())
    assert "scipy.special" in loaded
    assert not loaded & {"torch", "ray", "pandas", "scipy.stats", "matplotlib"}
