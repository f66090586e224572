import json
import math
import re

import pytest

from ablate.cli.console import Column, fitting, json_text, print_table

COLUMNS = [
    Column("Name"),
    Column("Rank-1", right=True),
    Column("mAP", right=True, drop=10),
    Column("Params", right=True, drop=100),
    Column("GFLOPs", right=True, drop=101),
]
ROW = ["baseline", "76.3", "72.3", "87.99", "34.28"]


def kept(width: int) -> list[str]:
    return [c.title for c in fitting(COLUMNS, [ROW], width)[0]]


def test_columns_go_costs_first_then_secondary_metrics_and_never_the_rest() -> None:
    assert kept(100) == ["Name", "Rank-1", "mAP", "Params", "GFLOPs"]
    assert kept(34) == ["Name", "Rank-1", "mAP", "Params"]
    assert kept(26) == ["Name", "Rank-1", "mAP"]
    assert kept(5) == ["Name", "Rank-1"]


def test_wide_characters_count_for_the_two_cells_they_take() -> None:
    row = ["完整配置", "1", "1", "1", "1"]
    assert [c.title for c in fitting(COLUMNS, [row], 8 + 2 + 6 + 2)[0]] == ["Name", "Rank-1"]


def test_numbers_that_json_lacks_are_named_texts() -> None:
    text = json_text({"a": math.nan, "b": [math.inf, {"c": -math.inf}], "d": 0.5})
    assert json.loads(text) == {"a": "nan", "b": ["inf", {"c": "-inf"}], "d": 0.5}


@pytest.mark.parametrize("width", [80, 60, 40, 20])
def test_a_table_folds_texts_and_never_cuts_a_name_or_a_number(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    titles = ("Params (M)", "GFLOPs [1]", "GFLOPs [2]", "executed GFLOPs [2]")
    columns = [Column("Configuration"), *(Column(t, right=True) for t in titles), Column("Unread")]
    print_table(columns, [["baseline", "87.99", "34.17", "136.45", "1037.46", "sacr, sdtps, lif"]])
    said = capsys.readouterr()

    assert re.search(r"^Configuration +\(M\) +\[1\] +\[2\] +\[2\] +Unread", said.out, re.MULTILINE)
    assert re.search(r"^baseline +87.99 +34.17 +136.45 +1037.46 +sacr,", said.out, re.MULTILINE)
    assert said.err == ""
    # 13 + 6 + 6 + 6 + 8 and a text of 10, two cells after each
    assert max(map(len, said.out.splitlines())) <= max(width, 49 + 6 * 2)


def test_titles_break_before_a_column_is_dropped_and_it_is_named_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = [Column("Module"), Column("Trained (M)", True, 1), Column("Live (M)", True, 2)]
    monkeypatch.setenv("COLUMNS", "25")
    print_table(columns, [["sacr", "8.39", "8.39"]])
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("COLUMNS", "18")
    print_table(columns, [["sacr", "8.39", "8.39"]])
    assert capsys.readouterr().err == "not shown for lack of width: Live (M)\n"


def test_json_is_what_the_standard_library_writes() -> None:
    document = {
        "text": 'é "quoted" \\ \n\u2028\x01',
        "numbers": [0.1, 1e300, -0.0, 10**30, True, None],
        "empty": [[], {}, ()],
        "deep": {"1": {"2": [{"3": "4"}]}},
    }
    expected = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    assert json_text(document) == expected + "\n"
