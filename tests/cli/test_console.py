import json
import math

from ablate.cli.console import Column, fitting, json_text

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
