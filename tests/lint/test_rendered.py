"""Reports that ablate writes are not accused of anything; a number changed in one is found."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ablate.cli import app
from ablate.lint.document import parse
from tests.lint.conftest import AQR, FACES, MODULES, Lint

Write = Callable[..., str]
PARTS = ["--synergy", "--sensitivity", "--pareto"]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_report_is_not_accused(check: Lint, rendered: Write, part: str) -> None:
    found = check(rendered("report", MODULES, part), MODULES)
    assert found.findings == []
    assert len(found.traced) > 20


@pytest.mark.parametrize("study", [MODULES, FACES, AQR])
def test_a_whole_report_is_not_accused(
    check: Lint, project: Path, study: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    folder = project / f"of {study}"
    assert CliRunner().invoke(app, ["report", study, "-o", str(folder)]).exit_code == 0
    found = check((folder / "README.md").read_text(), study)
    assert found.findings == []
    assert found.traced


def test_a_comparison_is_not_accused(check: Lint, rendered: Write) -> None:
    one = rendered("compare", "baseline", "sacr", "full", "--study", MODULES)
    two = rendered("compare", "baseline", "aqr_2.5_0.6", "--study", AQR)
    assert check(one, MODULES).findings == []
    assert check(two, AQR).findings == []


def test_each_of_a_hundred_changes_to_a_table_of_scores_is_found(
    check: Lint, rendered: Write
) -> None:
    text = rendered("report", MODULES, "--pareto")
    document = parse(text)
    table = document.tables[1]
    lines = text.split("\n")
    draw = random.Random(6)
    for _ in range(100):
        row = draw.choice(table.rows)
        cells = lines[row.number - 1].split("|")
        column = draw.choice([2, 3])  # parameters, Rank-1
        number = re.search(r"\d+\.\d+", cells[column])
        assert number is not None
        moved = float(number[0]) + draw.choice([-1, 1]) * draw.uniform(0.1, 30)
        digits = len(number[0].partition(".")[2])
        cells[column] = cells[column].replace(number[0], f"{moved:.{digits}f}")
        changed = [*lines[: row.number - 1], "|".join(cells), *lines[row.number :]]
        found = check("\n".join(changed), MODULES).findings
        assert (row.number, "wrong", "value") in [(f.line, f.verdict, f.kind) for f in found]
        assert {f.line for f in found} == {row.number}
