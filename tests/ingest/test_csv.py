from pathlib import Path

import pytest

from ablate.errors import UsageError
from ablate.ingest import read
from ablate.ingest.build import Imported
from ablate.record import State
from ablate.store import open_store
from ablate.study import Kind

APPENDIX = Path(__file__).parents[2] / "studies" / "seeds" / "000-rgbnt201.csv"


def imported(folder: Path, text: str, mapping: str | None = None) -> Imported:
    file = folder / "grid.csv"
    file.write_text(text, "utf-8")
    if mapping is None:
        return read(file)
    (folder / "map.toml").write_text(mapping, "utf-8")
    return read(file, mapping=folder / "map.toml")


def scores(found: Imported) -> dict[tuple[str, int], dict[str, float]]:
    return {(p.variant.name, p.trial.seed): dict(e.scores) for p, e in found.results}


def costs(found: Imported) -> list[dict[str, float]]:
    return [{c.name: c.value for c in e.costs} for _, e in found.results]


def test_the_appendix_of_seed_000_is_a_grid_and_four_sweeps_around_full() -> None:
    found = read(APPENDIX)
    names = [p.variant.name for p, _ in found.results]
    assert names[:8] == [
        "baseline",
        "sacr",
        "lif",
        "sdtps",
        "sacr+lif",
        "sacr+sdtps",
        "sdtps+lif",
        "full",
    ]
    assert names[8] == "full lif.beta=0.2"
    sweeps = [p.variant for p, _ in found.results[8:]]
    assert {(v.role, v.parent) for v in sweeps} == {("sweep", "full")}
    assert found.study.factor("lif.beta").reference == 0.4
    assert found.study.factor("lif.beta").requires == "lif"
    assert found.study.primary == "rank1"


def test_percent_is_recognised_and_stored_as_the_nearest_fraction() -> None:
    found = read(APPENDIX)
    assert found.results[1][1].scores == {"rank1": 0.776, "mAP": 0.74, "rank10": 0.886}
    assert costs(found)[1] == {"params": 96.38e6, "ops": 34.28e9}


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    found = read(APPENDIX)
    with open_store(tmp_path / "results.db", create=True) as store:
        store.put_results(found.study, found.results, source="import")
        first = store.records("000-rgbnt201")
        store.put_results(read(APPENDIX).study, read(APPENDIX).results, source="import")
        assert store.records("000-rgbnt201") == first
        assert {r.state for r in first} == {State.COMPLETED}
        assert store.study("000-rgbnt201") == found.study


def test_seeds_are_read_and_make_one_configuration_several_runs(tmp_path: Path) -> None:
    found = imported(tmp_path, "m,seed,acc\nfalse,0,0.5\nfalse,1,0.6\ntrue,0,0.7\n")
    assert scores(found) == {
        ("baseline", 0): {"accuracy": 0.5},
        ("baseline", 1): {"accuracy": 0.6},
        ("full", 0): {"accuracy": 0.7},
    }
    assert found.study.seeds == (0, 1)


def test_fractions_stay_fractions_and_are_shown_in_percent_only_to_their_digits(
    tmp_path: Path,
) -> None:
    metric = imported(tmp_path, "m,mAP\n0,0.763\n1,0.8\n").study.metric("map")
    assert (metric.display, metric.digits) == ("percent", 1)
    assert metric.text(0.763) == "76.3"


def test_a_loss_is_better_when_lower_and_is_no_percent(tmp_path: Path) -> None:
    found = imported(tmp_path, "m,val_loss,Rank-1\n0,2.31,76.3\n1,1.98,77.6\n")
    loss = found.study.metric("val_loss")
    assert (loss.direction, loss.display, loss.digits) == ("down", "number", 2)
    assert scores(found)["full", 0] == {"val_loss": 1.98, "rank1": 0.776}


def test_an_unknown_metric_is_ignored_until_the_map_names_it(tmp_path: Path) -> None:
    text = "m,acc,gloss\n0,0.5,12.5\n1,0.6,11.5\n"
    ignored = next(c for c in imported(tmp_path, text).columns if c.header == "gloss")
    assert (ignored.role, "--map" in ignored.note) == ("ignore", True)
    mapping = "[columns]\ngloss = { role = 'metric', as = 'shine', unit = 'percent' }\n"
    found = imported(tmp_path, text, mapping)
    assert found.study.metric("shine").display == "percent"
    assert scores(found)["baseline", 0] == {"accuracy": 0.5, "shine": 0.125}


@pytest.mark.parametrize(
    ("header", "cell", "cost", "value"),
    [
        ("params", "87.99", "params", 87_990_000),
        ("params", "1721939", "params", 1_721_939),
        ("Params (M)", "1.75", "params", 1_750_000),
        ("params_k", "25.984", "params", 25_984),
        ("GMACs", "34.28", "macs", 34_280_000_000),
        ("minutes", "2.5", "seconds", 150),
        ("memory (GB)", "21", "memory", 21_000_000_000),
        ("memory_gib", "2", "memory", 2**31),
    ],
)
def test_costs_are_read_in_their_unit(
    tmp_path: Path, header: str, cell: str, cost: str, value: float
) -> None:
    found = imported(tmp_path, f"m,acc,{header}\n0,0.5,{cell}\n")
    assert costs(found) == [{cost: value}]


def test_names_are_the_configurations_where_there_is_no_factor(tmp_path: Path) -> None:
    found = imported(tmp_path, "config,F\nbaseline,0.6036\n+class weights,0.6483\n")
    assert [p.variant.name for p, _ in found.results] == ["baseline", "+class weights"]
    assert {p.variant.role for p, _ in found.results} == {"arm"}


def test_kinds_of_factors_follow_their_values(tmp_path: Path) -> None:
    text = "on,depth,lr,loss,acc\nyes,2,1e-3,ce,0.5\nno,2,1e-3,ce,0.4\nyes,4,0.01,focal,0.6\n"
    kinds = {f.name: f.kind for f in imported(tmp_path, text).study.factors}
    assert kinds == {"on": Kind.BOOL, "depth": Kind.INT, "lr": Kind.FLOAT, "loss": Kind.STR}


def test_a_level_that_means_nothing_without_its_switch_makes_no_configuration_of_its_own(
    tmp_path: Path,
) -> None:
    found = imported(tmp_path, "lif,lif.beta,acc\nfalse,,0.5\ntrue,0.4,0.6\ntrue,0.2,0.7\n")
    assert [p.variant.name for p, _ in found.results] == ["baseline", "full", "full lif.beta=0.2"]


def test_a_missing_score_is_missing_and_a_nan_is_kept(tmp_path: Path) -> None:
    found = imported(tmp_path, "m,acc,mAP\n0,0.5,\n1,nan,0.4\n")
    (first, second) = (dict(e.scores) for _, e in found.results)
    assert first == {"accuracy": 0.5}
    assert second["accuracy"] != second["accuracy"]


def test_semicolons_tabs_a_byte_order_mark_and_blank_lines_are_read(tmp_path: Path) -> None:
    for delimiter in ";\t":
        text = "﻿m,acc\n\nfalse,0.5\n\ntrue,0.6\n".replace(",", delimiter)
        assert len(imported(tmp_path, text).results) == 2


def test_the_study_is_named_after_the_file_or_as_asked(tmp_path: Path) -> None:
    file = tmp_path / "My Grid (v2).csv"
    file.write_text("m,acc\n0,0.5\n")
    assert read(file).study.name == "my-grid-v2"
    assert read(file, study="other").study.name == "other"


HOSTILE = {
    "empty": ("", r"grid\.csv: it is empty"),
    "only blank lines": ("\n\n,,\n", r"grid\.csv: it is empty"),
    "no header": ("0,76.3\n1,77.6\n", r":1: a header is needed"),
    "header only": ("m,acc\n", r":1: there is a header and no row"),
    "ragged": ("m,acc\n0,0.5\n1,0.6,0.7\n", r":3: 3 cells under 2 columns"),
    "short row": ("m,acc\n0\n", r":2: 1 cells under 2 columns"),
    "unnamed column": ("m,,acc\n0,1,0.5\n", r":1: column 2 has no name"),
    "column twice": ("m,Acc,acc\n0,0.5,0.5\n", r":1: there are two columns 'acc'"),
    "metric twice": ("m,rank-1,r1\n0,0.5,0.5\n", r":1: two columns mean the metric 'rank1'"),
    "no metric": ("m,n\n0,1\n", r":1: no column is a known metric"),
    "text metric": ("m,acc\n0,0.5\n1,good\n", r":3: acc: 'good' is not a number"),
    "thousands": ('m,acc,loss\n0,0.5,"1,000"\n', r":2: loss: '1,000' is not a number"),
    "underscored": ("m,acc,loss\n0,0.5,1_000\n", r":2: loss: '1_000' is not a number"),
    "same run twice": ("m,acc\n0,0.5\n0,0.6\n", r":3: baseline at seed 0 again, as in line 2"),
    "seed text": ("m,seed,acc\n0,a,0.5\n", r":2: seed: 'a' is not a seed"),
    "seed negative": ("m,seed,acc\n0,-1,0.5\n", r":2: seed: '-1' is not a seed"),
    "seed huge": ("m,seed,acc\n0,4294967296,0.5\n", r":2: seed: '4294967296' is not a seed"),
    "quote left open": ('m,acc\n0,"0.5\n', r":\d+: unexpected end of data"),
    "nul": ("m,acc\n0,0.5\0\n", r":2: holds a NUL"),
    "infinite cost": ("m,acc,params\n0,0.5,1\n1,0.6,inf\n", r":3: params: 'inf' is no cost"),
    "cost nan": ("m,acc,params\n0,0.5,nan\n", r":2: params: 'nan' is no cost"),
    "empty name": ("config,acc\n,0.5\n", r":2: config: the configuration has no name"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_table_gives_one_line_with_its_place(tmp_path: Path, case: str) -> None:
    text, message = HOSTILE[case]
    with pytest.raises(UsageError, match=message) as raised:
        imported(tmp_path, text)
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 2


def test_a_file_that_is_not_utf_8_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "grid.csv").write_bytes("m,acc\n0,0.5\n1,0.6 é\n".encode("latin-1"))
    with pytest.raises(UsageError, match=r":3: not UTF-8"):
        read(tmp_path / "grid.csv")


def test_a_file_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read(tmp_path / "none.csv")


def test_an_unknown_suffix_asks_for_a_reader(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--reader takes csv"):
        read(tmp_path / "grid.xlsx")


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("[columns]\nacccc = { role = 'metric' }", "did you mean 'acc'"),
        ("[columns]\nacc = { rule = 'metric' }", "did you mean 'role'"),
        ("[columns]\nacc = { role = 'metrik' }", "did you mean 'metric'"),
        ("[columns]\nacc = 'metric'", "must be a table"),
        ("[columns]\nacc = { unit = 3 }", "3 is not text"),
        ("[columns]\nacc = { direction = 'left' }", "neither 'up' nor 'down'"),
        ("[column]\n", "unknown key 'column'"),
        ("columns = 3\n", "must be a table"),
        ("not toml", "not a TOML file"),
    ],
)
def test_a_wrong_map_is_told_in_one_line(tmp_path: Path, mapping: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        imported(tmp_path, "m,acc\n0,0.5\n", mapping)


def test_a_switch_given_as_words_and_digits_is_one_factor(tmp_path: Path) -> None:
    found = imported(tmp_path, "A,B,acc\nTrue,1,0.5\nfalse,0,0.4\n")
    assert [p.variant.name for p, _ in found.results] == ["full", "baseline"]


def keys(found: Imported) -> dict[tuple[float | None, bool, int], str]:
    """Key of each configuration, by what the file says of it."""
    return {
        (float(of["m.x"]) if of["m"] else None, bool(of["m"]), p.trial.seed): p.trial.key
        for p, _ in found.results
        for of in (p.variant.levels,)
    }


def test_a_key_stands_for_its_levels_whatever_rows_are_added(tmp_path: Path) -> None:
    text = "m,m.x,seed,acc\nfalse,,0,0.4\ntrue,0.1,0,0.5\ntrue,0.1,1,0.5\ntrue,0.2,0,0.6\n"
    more = "".join(f"true,0.2,{seed},0.6\n" for seed in (1, 2, 3))
    before, after = imported(tmp_path, text), imported(tmp_path, text + more)
    assert before.study.factor("m.x").reference == 0.1
    assert after.study.factor("m.x").reference == 0.2
    first, second = keys(before), keys(after)
    assert len(set(second.values())) == len(second) == 7
    assert first.items() <= second.items()


def test_results_beyond_any_size_are_read_without_a_traceback(tmp_path: Path) -> None:
    found = imported(tmp_path, "m,loss\n0,1e30\n1,1e99999999999999999999\n")
    assert [e.scores["loss"] for _, e in found.results] == [1e30, float("inf")]


def grid(*more: str, seeds: int = 3) -> str:
    """A grid of two modules; `more` are further columns before the metric, of numbers in steps."""
    lines = [f"a,b,{'seed,' if seeds > 1 else ''}{''.join(f'{m},' for m in more)}mAP"]
    for i in range(4 * seeds):
        cells = [str(bool(i // seeds & 1)), str(bool(i // seeds & 2))]
        cells += [str(i % seeds)] if seeds > 1 else []
        cells += [f"{70 + i * 0.37 * (m + 1):.2f}" for m in range(len(more))]
        lines.append(",".join([*cells, f"{60 + i}"]))
    return "\n".join(lines)


def doubts(found: Imported) -> dict[str, str]:
    return {c.header: c.doubt for c in found.columns if c.doubt}


@pytest.mark.parametrize("seeds", [1, 3])
def test_an_unknown_score_that_would_be_a_factor_is_doubted(tmp_path: Path, seeds: int) -> None:
    found = imported(tmp_path, grid("score1", "first_hit", seeds=seeds))
    said = doubts(found)
    assert list(said) == ["score1", "first_hit"]
    rows = 4 * seeds
    assert f"holds {rows} values in {rows} rows that other columns tell apart" in said["score1"]
    assert "[columns] 'score1' = { role = 'metric', direction = 'up' }" in said["score1"]


def test_what_the_doubt_says_to_write_makes_it_a_metric(tmp_path: Path) -> None:
    mapping = "[columns]\n'score1' = { role = 'metric', direction = 'up' }\n"
    found = imported(tmp_path, grid("score1"), mapping)
    assert [m.name for m in found.study.metrics] == ["score1", "mAP"]
    assert doubts(found) == {}
    kept = imported(tmp_path, grid("score1"), "[columns]\nscore1 = { role = 'factor' }\n")
    assert doubts(kept) == {}


@pytest.mark.parametrize(
    "text",
    [
        # a sweep of single runs, with and without a seed: only the level tells them apart
        "lr,mAP\n" + "\n".join(f"{0.1 * i:.1f},{60 + i}" for i in range(8)),
        "lr,seed,mAP\n" + "\n".join(f"{0.1 * i:.1f},0,{60 + i}" for i in range(8)),
        # a random search of two settings
        "lr,decay,seed,mAP\n"
        + "\n".join(f"{0.1 * i:.1f},{0.9**i:.4f},0,{60 + i}" for i in range(8)),
        # a sweep with replicates: a level stands in several rows
        "a,lr,seed,mAP\n"
        + "\n".join(f"{bool(i % 2)},{0.1 * (i // 4):.1f},{i},{60 + i}" for i in range(12)),
    ],
)
def test_a_swept_setting_is_not_doubted(tmp_path: Path, text: str) -> None:
    found = imported(tmp_path, text)
    assert {c.role for c in found.columns if c.header == "lr"} == {"factor"}
    assert doubts(found) == {}


def test_the_tables_of_the_published_reports_raise_no_doubt() -> None:
    assert doubts(read(APPENDIX)) == {}
