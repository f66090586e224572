"""The printed numbers of three reports, as they stand in `studies/seeds`."""

import csv
import json
from pathlib import Path

import pytest

from ablate.errors import UsageError
from ablate.ingest import read
from ablate.ingest.build import Imported

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "studies" / "seeds"
GRID = ROOT / "tests" / "analysis" / "reference" / "rgbnt201-grid.json"


def by_name(found: Imported) -> dict[tuple[str, int], dict[str, float]]:
    return {
        (p.variant.name, p.trial.seed): {**e.scores, **{c.name: c.value for c in e.costs}}
        for p, e in found.results
    }


def test_the_grid_of_seed_000_is_the_one_that_the_analysis_is_tested_on() -> None:
    document = json.loads(GRID.read_text("utf-8"))
    cells = {tuple(map(bool, cell[:3])): cell[3:] for cell in document["cells"]}
    with (SEEDS / "000-rgbnt201.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = ("params", "ops (G)", "rank1", "mAP", "rank10")
    printed = {
        tuple(row[n] == "true" for n in ("sacr", "sdtps", "lif")): [float(row[c]) for c in columns]
        for row in rows[:8]
    }
    assert printed == cells


def test_seed_003_is_a_chain_of_four_steps_with_two_focal_runs_at_its_end() -> None:
    found = read(SEEDS / "003-ce7454.csv")
    numbers = by_name(found)
    assert [(name, seed, of["F"]) for (name, seed), of in numbers.items()] == [
        ("baseline", 0, 0.6036),
        ("class_weights", 0, 0.6483),
        ("class_weights+tuned", 0, 0.6753),
        ("lmsa+tuned", 0, 0.6819),
        ("lmsa+focal+tuned tuned.learning_rate=0.0005", 0, 0.6702),
        ("lmsa+focal+tuned tuned.learning_rate=0.0005", 1, 0.6664),
    ]
    without, best = numbers["class_weights+tuned", 0], numbers["lmsa+tuned", 0]
    assert best["params"] - without["params"] == 25_984
    assert best["test_F"] == 0.72


def test_the_classes_of_seed_004_have_the_mean_that_it_prints_of_them() -> None:
    found = read(SEEDS / "004-aqr.csv")
    for (_, ending), mean in zip(found.results, (0.6575, 0.6398), strict=True):
        assert {(i.split, i.name) for i in ending.items} == {("", "AP")}
        assert sum(i.value for i in ending.items) / 10 == pytest.approx(mean, abs=1e-12)
    numbers = by_name(found)
    assert numbers["baseline", 0]["step"] == 0.64
    assert numbers["aqr_2.5_0.6", 0]["memory"] == 23e9


def test_scores_of_items_in_percent_become_fractions_all_alike(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("name,mAP,AP:car,AP:cone,top:hat\na,30.2,60,0.4,1\nb,31,61,1,2\n", "utf-8")
    found = read(file)
    assert [[(i.item, i.value) for i in e.items] for _, e in found.results] == [
        [("car", 0.6), ("cone", 0.004)],
        [("car", 0.61), ("cone", 0.01)],
    ]
    assert next(c.role for c in found.columns if c.header == "top:hat") == "ignore"


def test_seed_003_is_read_as_the_chain_that_it_prints() -> None:
    found = read(SEEDS / "003-ce7454.csv")
    assert {p.variant.name: p.variant.parent for p, _ in found.results} == {
        "baseline": None,
        "class_weights": "baseline",
        "class_weights+tuned": "class_weights",
        "lmsa+tuned": "class_weights+tuned",
        "lmsa+focal+tuned tuned.learning_rate=0.0005": "lmsa+tuned",
    }


def test_a_parent_column_names_rows_and_agrees_with_itself(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("name,parent,mAP\na,,0.3\nb,a,0.4\nc,b,0.5\n", "utf-8")
    parents = [p.variant.parent for p, _ in read(file).results]
    assert parents == [None, "a", "b"]
    file.write_text("name,parent,m,seed,acc\na,,0,0,0.3\nb,a,1,0,0.4\nc,,1,1,0.5\n", "utf-8")
    with pytest.raises(UsageError, match=r":4: parent: full is read against nothing here"):
        read(file)
    file.write_text("name,mAP,parent\na,0.3,\nb,0.4,nobody\n", "utf-8")
    roles = {c.header: c.role for c in read(file).columns}
    assert roles["parent"] == "ignore"
