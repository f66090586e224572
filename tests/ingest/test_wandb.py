from pathlib import Path

import pytest

from ablate.errors import UsageError
from ablate.ingest.wandb import READER

CHART = """\
"Step","sacr - lif - val/mAP","sacr - lif - val/mAP__MIN","base - val/mAP","base - _step"
"10","30.6","30.6","28.1","10"
"20","77.6","77.6","",""
"""  # as W&B exports a chart


def test_the_chart_of_wandb_is_a_run_for_each_of_its_lines(tmp_path: Path) -> None:
    (tmp_path / "chart.csv").write_text(CHART)
    (tmp_path / "table.csv").write_text("m,acc\n0,0.5\n")
    (found,) = READER.find(tmp_path)
    first, second = READER.read(found)
    assert (first.name, second.name) == ("sacr - lif", "base")
    assert [(s.step, s.split, s.name, s.value) for s in first.scalars] == [
        (10, "val", "mAP", 0.306),
        (20, "val", "mAP", 0.776),
    ]
    assert [s.value for s in second.scalars] == [0.281]


def test_a_column_of_a_chart_without_its_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "chart.csv").write_text("Step,loss\n1,2\n")
    with pytest.raises(UsageError, match=r"chart\.csv:1: 'loss' is not 'RUN - METRIC'"):
        list(READER.read(tmp_path / "chart.csv"))


def test_a_step_that_is_none_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "chart.csv").write_text("Step,a - loss\n1,2\nx,3\n")
    with pytest.raises(UsageError, match=r"chart\.csv:3: Step: 'x' is no step"):
        list(READER.read(tmp_path / "chart.csv"))
