"""A published ablation's appendix goes in as CSV; every number of its tables comes out."""

import re
from pathlib import Path

import pytest

from ablate.ingest import read
from ablate.report import render_study, study_document
from ablate.store import open_store

APPENDIX = Path(__file__).parents[2] / "studies" / "seeds" / "000-rgbnt201.csv"

COMPLEXITY = """
baseline   87.99 34.28
sacr       96.38 34.28 +8.39 +0.00
lif        88.16 34.28 +0.17 +0.00
sdtps      88.62 34.33 +0.63 +0.05
sacr+lif   96.55 34.28 +8.56 +0.00
sacr+sdtps 97.02 37.55 +9.03 +3.27
sdtps+lif  88.79 35.11 +0.80 +0.83
full       97.19 38.33 +9.20 +4.05
"""
PERFORMANCE = """
baseline   76.3 72.3
sacr       77.6 74.0 +1.3 +1.7
lif        77.2 72.0 +0.9 -0.3
sdtps      80.1 76.0 +3.8 +3.7
sacr+lif   74.6 73.3 -1.7 +1.0
sacr+sdtps 78.0 74.8 +1.7 +2.5
sdtps+lif  75.1 71.7 -1.2 -0.6
full       78.8 74.7 +2.5 +2.4
"""
RANKING = """
1. sdtps 80.1
2. full 78.8
3. sacr+sdtps 78.0
4. sacr 77.6
5. lif 77.2
6. baseline 76.3
7. sdtps+lif 75.1
8. sacr+lif 74.6
"""
SETTINGS = """
lif.beta 0.2 79.3 74.6
lif.beta 0.4 78.8 74.7
lif.beta 0.6 76.9 75.5
lif.loss_weight 0.1 73.6 70.6
lif.loss_weight 0.2 78.8 74.7
lif.loss_weight 0.3 78.0 73.9
sdtps.loss_weight 1 80.0 76.6
sdtps.loss_weight 2 78.8 74.7
sdtps.loss_weight 3 74.3 69.7
sdtps.sparse_ratio 0.5 76.4 72.3
sdtps.sparse_ratio 0.7 78.8 74.7
sdtps.sparse_ratio 0.8 79.4 75.8
"""
RUNS = """
1|baseline|87.99 34.28 76.3 72.3 88.3
2|sacr|96.38 34.28 77.6 74.0 88.6
3|lif|88.16 34.28 77.2 72.0 88.5
4|sdtps|88.62 34.33 80.1 76.0 93.2
5|sacr+lif|96.55 34.28 74.6 73.3 89.6
6|sacr+sdtps|97.02 37.55 78.0 74.8 90.6
7|sdtps+lif|88.79 35.11 75.1 71.7 90.9
8|full|97.19 38.33 78.8 74.7 89.5
9|full lif.beta=0.2|97.19 38.33 79.3 74.6 91.7
10|full lif.beta=0.6|97.19 38.33 76.9 75.5 90.0
11|full lif.loss_weight=0.1|97.19 38.33 73.6 70.6 85.4
12|full lif.loss_weight=0.3|97.19 38.33 78.0 73.9 88.9
13|full sdtps.loss_weight=1|97.19 38.33 80.0 76.6 91.4
14|full sdtps.loss_weight=3|97.19 38.33 74.3 69.7 88.9
15|full sdtps.sparse_ratio=0.5|97.19 38.33 76.4 72.3 90.3
16|full sdtps.sparse_ratio=0.8|97.19 38.33 79.4 75.8 90.1
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("store")
    published = folder / "seed000.csv"
    published.write_text(APPENDIX.read_text("utf-8").replace("ops (G)", "gflops"), "utf-8")
    found = read(published)
    with open_store(folder / "results.db", create=True) as store:
        store.put_results(found.study, found.results, source="import seed000.csv")
        records = store.records("seed000")
        return render_study(study_document(store.study("seed000"), records))


def lines(table: str) -> list[str]:
    return [line for line in table.strip().splitlines() if line]


def section(report: str, title: str) -> str:
    part = re.search(
        rf"^## \d+\. {re.escape(title)}$(.*?)(?=^## |\Z)", report, re.MULTILINE | re.DOTALL
    )
    assert part, title
    return part[1]


def rows(text: str) -> dict[str, list[str]]:
    """First cell -> the other cells, without emphasis; the last row of a name wins."""
    found = {}
    for line in text.splitlines():
        if line.startswith("| "):
            cells = [c.strip().strip("*") for c in line.strip("|").split("|")]
            found[cells[0].strip()] = cells[1:]
    return found


def numbers(cells: list[str]) -> list[str]:
    """Printed numbers as text, a true minus as a hyphen and a plus-minus zero as +0."""
    return [c.replace("−", "-").replace("±", "+") for c in cells if c != "–"]


@pytest.mark.parametrize("line", lines(COMPLEXITY))
def test_table_1_1_is_in_the_report(report: str, line: str) -> None:
    name, *expected = line.split()
    assert numbers(rows(section(report, "Complexity"))[name]) == expected


@pytest.mark.parametrize("line", lines(PERFORMANCE))
def test_table_1_2_is_in_the_report(report: str, line: str) -> None:
    name, *expected = line.split()
    cells = numbers(rows(section(report, "Performance"))[name])
    kept = [cells[i] for i in (0, 1, 3, 4) if i < len(cells) and (i < 3 or len(cells) == 6)]
    assert kept == expected


def test_table_1_2_bolds_the_best_of_each_column(report: str) -> None:
    assert "| sdtps | **80.1** | **76.0** |" in section(report, "Performance")


@pytest.mark.parametrize("line", lines(RANKING))
def test_list_5_1_is_in_the_report_with_its_ranks(report: str, line: str) -> None:
    place, name, value = line.split()
    pattern = rf"^ *{re.escape(place)} {re.escape(name)} +{re.escape(value)}( |$)"
    assert re.search(pattern, section(report, "Ranking"), re.MULTILINE)


@pytest.mark.parametrize("line", lines(SETTINGS))
def test_table_6_1_is_in_the_report(report: str, line: str) -> None:
    factor, level, rank1, mean_ap = line.split()
    part = section(report, "Settings, one at a time").split(f"### {factor} around full")[1]
    own = rows(part.split("###")[0])
    cells = own.get(level) or own[f"{level} (default)"]
    assert (cells[0], cells[2]) == (rank1, mean_ap)
    defaults = {
        "lif.beta": "0.4",
        "lif.loss_weight": "0.2",
        "sdtps.loss_weight": "2",
        "sdtps.sparse_ratio": "0.7",
    }
    assert (f"{level} (default)" in own) == (defaults[factor] == level)


@pytest.mark.parametrize("line", lines(RUNS))
def test_table_8_1_is_in_the_report(report: str, line: str) -> None:
    number, name, values = line.split("|")
    cells = rows(section(report, "All runs"))[number]
    assert cells[1] == name
    assert cells[4:] == values.split()


def test_no_number_of_an_import_is_said_to_be_counted_by_us(report: str) -> None:
    assert "FLOPs as imported" in report
    assert "as the source reports" in report
