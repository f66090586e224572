"""`ablate compare -o`: what it writes, where it does not, and the words that every form shares."""

import re
from pathlib import Path

import pytest

from ablate.errors import UsageError
from tests.cli.comparing import LONG, Call, put_toy


@pytest.fixture
def toy(call: Call, folder: Path) -> Call:
    put_toy(folder)
    return call


def test_a_folder_is_no_file_to_write(toy: Call) -> None:
    wrong = toy("compare", "baseline", "lif", "-o", ".").exception
    assert isinstance(wrong, UsageError)
    assert str(wrong) == "-o .: it is a folder; name a file, as in answer.md"


@pytest.mark.parametrize("there", ["studies/toy.toml", "toy.csv", ".ablate/results.db", "noend"])
def test_no_file_but_one_of_markdown_or_json_is_written_over(
    toy: Call, folder: Path, there: str
) -> None:
    (folder / "studies").mkdir()
    if not (folder / there).exists():
        (folder / there).write_text("mine")
    before = (folder / there).read_bytes()
    wrong = toy("compare", "baseline", "lif", "-o", there).exception
    assert isinstance(wrong, UsageError)
    assert "ends in .md, .markdown or .json" in str(wrong)
    assert (folder / there).read_bytes() == before


def test_markdown_holds_the_same_sections(toy: Call, folder: Path) -> None:
    assert toy("compare", "baseline", "lif", "-o", "out/c.md").exit_code == 0
    text = (folder / "out" / "c.md").read_text()
    assert "| Reference | baseline |" in text
    assert "| Metric | baseline | lif | Δ | rel. % | Verdict |" in text
    assert "| mAP (%) ↑ | 61.33 ± 1.53 (3) | 67.67 ± 1.53 (3) | +6.33 | +10.33 | positive |" in text


def test_levels_stand_in_percent_with_a_space_everywhere(toy: Call) -> None:
    for words in (("baseline", "lif"), ("baseline", LONG, "sdtps"), (LONG, "poor")):
        answer = toy("compare", *words, "--fail-if", "mAP < 90")
        assert "its 95 % interval" in answer.stderr
        assert "95\N{NO-BREAK SPACE}%" in answer.stdout
        assert not re.search(r"\d%", answer.stdout + answer.stderr)
