import re
from pathlib import Path

import pytest

from ablate.errors import UsageError
from ablate.ingest.build import Imported
from ablate.ingest.readers import READERS
from ablate.ingest.tables import TABLES, read_table_study
from ablate.record import State
from ablate.store import open_store

WANDB = """\
"Name","State","Notes","User","Tags","Created","Runtime","Sweep","Group","lr","sacr","seed","epoch","_step","val_acc","val_loss"
"fine-sun-1","finished","-","someone","","2026-10-01T10:00:00.000Z","3605","","a","0.001","false","0","50","5000","0.763","1.2"
"calm-sea-2","finished","-","someone","","2026-10-01T11:00:00.000Z","3610","","a","0.001","true","0","50","5000","0.776","1.1"
"old-hill-3","crashed","-","someone","","2026-10-01T12:00:00.000Z","105","","a","0.001","true","1","3","300","0.21","3.1"
"new-hill-4","finished","-","someone","","2026-10-01T13:00:00.000Z","3609","","b","0.001","true","1","50","5000","0.781","1.05"
"dry-oak-5","failed","-","someone","","2026-10-01T14:00:00.000Z","12","","b","0.001","false","1","","","",""
"""
OPTUNA = """\
number,value,datetime_start,datetime_complete,duration,params_depth,params_lr,user_attrs_accuracy,system_attrs_grid_id,state
0,0.763,2026-10-01 10:00:00.123,2026-10-01 10:01:00.123,0 days 00:01:00.000000,2,0.001,0.763,0,COMPLETE
1,0.776,2026-10-01 10:01:00.123,2026-10-01 10:02:30.123,0 days 00:01:30.500000,4,0.001,0.776,1,COMPLETE
2,,2026-10-01 10:02:00.123,2026-10-01 10:02:30.123,1 days 00:00:30.500000,2,0.01,,2,FAIL
3,0.5,2026-10-01 10:03:00.123,2026-10-01 10:03:10.123,0 days 00:00:10.500000,4,0.01,0.5,3,PRUNED
4,,,,,8,0.01,,4,WAITING
"""  # noqa: E501 - as Optuna's trials_dataframe prints it

TO_CSV = """\
,number,value,datetime_start,datetime_complete,duration,params_k,params_lr,user_attrs_acc,state
0,0,0.763,2026-10-01 10:00:00.123456,2026-10-01 10:01:00.123,0 days 00:01:00.000000,5,0.001,0.763,COMPLETE
1,1,0.776,2026-10-01 10:01:00.123456,2026-10-01 10:02:30.123,0 days 00:01:30.500000,7,0.001,0.776,COMPLETE
2,2,0.5,2026-10-01 10:03:00.123456,2026-10-01 10:03:10.123,0 days 00:00:10.500000,7,0.01,0.5,PRUNED
"""  # noqa: E501 - as pandas writes Optuna's trials_dataframe to a file


def imported(folder: Path, text: str, mapping: str | None = None, name: str = "t.csv") -> Imported:
    (folder / name).write_text(text, "utf-8")
    if mapping is None:
        return read_table_study(folder / name)
    (folder / "map.toml").write_text(mapping, "utf-8")
    return read_table_study(folder / name, mapping=folder / "map.toml")


def states(found: Imported) -> dict[tuple[str, int], State]:
    return {(p.variant.name, p.trial.seed): e.state for p, e in found.results}


def scores(found: Imported) -> list[dict[str, float]]:
    return [dict(e.scores) for _, e in found.results]


def roles(found: Imported) -> dict[str, str]:
    return {c.header: c.role for c in found.columns}


def test_the_bookkeeping_of_a_wandb_export_is_neither_factor_nor_score(tmp_path: Path) -> None:
    found = imported(tmp_path, WANDB)
    assert [f.name for f in found.study.factors] == ["lr", "sacr"]
    assert [m.name for m in found.study.metrics] == ["val_acc", "val_loss"]
    ignored = {c.header for c in found.columns if c.note == "bookkeeping"}
    assert ignored == {*("Notes", "User", "Tags", "Created", "Sweep", "Group", "epoch", "_step")}
    assert "someone" not in repr(found.results)


def test_a_crashed_run_of_wandb_gives_way_to_the_one_that_finished(tmp_path: Path) -> None:
    found = imported(tmp_path, WANDB)
    assert states(found) == {
        ("baseline", 0): State.COMPLETED,
        ("full", 0): State.COMPLETED,
        ("full", 1): State.COMPLETED,
        ("baseline", 1): State.FAILED,
    }
    assert [e.seconds for _, e in found.results] == [3605, 3610, 3609, 12]


def test_trials_of_optuna_that_failed_or_were_pruned_are_no_results(tmp_path: Path) -> None:
    found = imported(tmp_path, OPTUNA)
    assert [(f.name, f.reference) for f in found.study.factors] == [("depth", 2), ("lr", 0.001)]
    assert [e.state for _, e in found.results] == [
        State.COMPLETED,
        State.COMPLETED,
        State.FAILED,
        State.INCOMPLETE,
    ]
    assert scores(found) == [{"accuracy": 0.763}, {"accuracy": 0.776}, {}, {}]
    assert [e.seconds for _, e in found.results] == [60, 90.5, 86430.5, 10.5]
    assert found.results[1][1].settings == {"depth": "4", "lr": "0.001"}


def test_the_objective_of_optuna_needs_a_direction(tmp_path: Path) -> None:
    text = OPTUNA.replace("user_attrs_accuracy", "user_attrs_host")
    with pytest.raises(UsageError, match=r"'value' is Optuna's objective.*direction = 'up'"):
        imported(tmp_path, text)
    found = imported(
        tmp_path, text, "[columns]\nvalue = { role = 'metric', as = 'err', direction = 'down' }\n"
    )
    assert [(m.name, m.direction) for m in found.study.metrics] == [("err", "down")]


def test_an_export_with_failed_runs_goes_into_the_store_twice_without_change(
    tmp_path: Path,
) -> None:
    found = imported(tmp_path, OPTUNA)
    with open_store(tmp_path / "results.db", create=True) as store:
        store.put_results(found.study, found.results, source="import")
        first = store.records("t")
        store.put_results(found.study, found.results, source="import")
        assert store.records("t") == first
    assert sorted(r.state for r in first) == ["completed", "completed", "failed", "incomplete"]


def test_lines_of_json_are_rows_with_inner_objects_as_columns(tmp_path: Path) -> None:
    text = (
        '{"config": {"lr": 1e-3, "sacr": false, "depth": 2, "out": "/data/x"}, "acc": 0.5}\n'
        '{"config": {"lr": 1e-3, "sacr": true, "depth": 2, "out": "/data/y"}, "acc": 0.6}\n'
    )
    found = imported(tmp_path, text, name="runs.jsonl")
    assert [f.name for f in found.study.factors] == ["sacr"]
    assert scores(found) == [{"accuracy": 0.5}, {"accuracy": 0.6}]
    notes = {c.header: c.note for c in found.columns}
    assert notes["config.lr"] == "the same in every run; kept as a setting"
    assert notes["config.out"] == "a file or a folder"
    assert found.results[0][1].settings == {
        "lr": "1e-3",
        "sacr": "false",
        "depth": "2",
        "out": "x",
    }


def test_dictionaries_in_cells_are_columns_of_their_own(tmp_path: Path) -> None:
    text = (
        "name,config,summary\na,\"{'lr': 0.1, 'm': True}\",\"{'acc': 0.5, '_step': 9}\"\n"
        "b,\"{'lr': 0.2, 'm': False}\",\"{'acc': nan, '_step': 9}\"\n"
    )
    found = imported(tmp_path, text)
    assert {f.name for f in found.study.factors} == {"lr", "m"}
    assert scores(found)[0] == {"accuracy": 0.5}
    assert scores(found)[1]["accuracy"] != scores(found)[1]["accuracy"]


def test_nan_and_null_of_json_are_a_measured_nan_and_a_missing_score(tmp_path: Path) -> None:
    text = '{"m": 0, "acc": NaN}\n{"m": 1, "acc": null, "loss": 0.5}\n'
    found = imported(tmp_path, text, name="runs.jsonl")
    assert scores(found)[0]["accuracy"] != scores(found)[0]["accuracy"]
    assert scores(found)[1] == {"loss": 0.5}


def test_decimal_commas_of_a_semicolon_table_are_decimals(tmp_path: Path) -> None:
    found = imported(tmp_path, "m;lr;mAP\n0;0,001;76,3\n1;0,001;77,6\n")
    assert scores(found) == [{"mAP": 0.763}, {"mAP": 0.776}]
    assert found.study.factor("lr").reference == 0.001


def test_a_mean_with_its_spread_is_taken_only_where_the_map_says_so(tmp_path: Path) -> None:
    text = "m,mAP\n0,76.3 ± 0.4\n1,77.6 +/- 0.3\n"
    with pytest.raises(UsageError, match=r":2: mAP: '76.3 ± 0.4' is a mean with its spread"):
        imported(tmp_path, text)
    found = imported(tmp_path, text, "[columns]\nmAP = { spread = 'drop' }\n")
    assert scores(found) == [{"mAP": 0.763}, {"mAP": 0.776}]
    assert found.results[0][1].provenance["notes"].endswith("its spread is dropped")


def test_the_map_settles_a_column_that_looks_mixed(tmp_path: Path) -> None:
    found = imported(tmp_path, "m,mAP\n0,0.4\n1,76.3\n", "[columns]\nmAP = { unit = '%' }\n")
    assert scores(found) == [{"mAP": 0.004}, {"mAP": 0.763}]


HOSTILE = {
    "mixed scales": ("m,mAP\n0,0.91\n1,90.1\n", "t.csv", r":3: mAP: 0.91 \(line 2\) looks like"),
    "comma and point": ("m;mAP\n0;76,3\n1;77.6\n", "t.csv", r":3: '76,3' \(line 2\) has a decimal"),
    "thousand or decimal": ("m;loss\n0;1,234\n", "t.csv", r":2: '1,234' is a thousand or a dec"),
    "no object": ('{"m": 0, "acc": 1}\n[1, 2]\n', "t.jsonl", r":2: a list, where each line must"),
    "a bare number": ("3\n", "t.jsonl", r":1: a text or number, where each line must"),
    "torn": ('{"m": 0, "acc": 1}\n{"m": 1,', "t.jsonl", r":2: not a line of JSON"),
    "key twice": ('{"m": 0, "m": 1, "acc": 1}\n', "t.jsonl", r":1: .*'m' stands there twice"),
    "empty": ("\n\n", "t.jsonl", r"t\.jsonl: it is empty"),
    "keys but for case": ('{"lr": 1, "LR": 2, "acc": 1}\n', "t.jsonl", r"two columns 'LR'"),
    "deep": ("[" * 100_000 + "\n", "t.jsonl", r":1: not a line of JSON"),
    "steps of a run": (
        '{"epoch": 1, "acc": 0.5}\n{"epoch": 2, "acc": 0.6}\n',
        "t.jsonl",
        r"its rows are steps, not runs: --reader jsonl-curves reads it",
    ),
    "chart": ("Step,a - acc\n1,0.5\n", "t.csv", r"not runs: --reader wandb-chart reads it"),
    "none began": ("m,state,acc\n0,WAITING,\n", "t.csv", r":2: no run of it ever began"),
    "broken object": (
        "m,config,acc\n0,{'lr': open('x')},1\n",
        "t.csv",
        r":2: config: neither JSON",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_table_that_can_be_read_two_ways_or_none_is_refused_with_its_line(
    tmp_path: Path, case: str
) -> None:
    text, name, message = HOSTILE[case]
    with pytest.raises(UsageError, match=message) as raised:
        imported(tmp_path, text, name=name)
    assert "\n" not in str(raised.value)


def test_the_map_in_the_documentation_is_one(tmp_path: Path) -> None:
    text = Path(__file__).parents[2].joinpath("docs", "trackers.md").read_text("utf-8")
    example, optuna = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    found = imported(
        tmp_path,
        "params_depth,config.num_workers,trial,val gloss,test mAP,Runtime\n"
        "2,4,0,12.5,76.3 ± 0.4,60\n4,8,1,11.5,77.6 ± 0.3,61\n",
        example,
    )
    assert [f.name for f in found.study.factors] == ["decoder.depth"]
    assert scores(found)[0] == {"val gloss": 0.125, "test mAP": 0.763}
    assert found.study.seeds == (0, 1)
    found = imported(tmp_path, TO_CSV, optuna)
    assert [(f.name, f.kind) for f in found.study.factors] == [("k", "int"), ("lr", "float")]
    assert scores(found) == [{"accuracy": 0.763}, {"accuracy": 0.776}, {}]
    notes = {c.header: c.note for c in found.columns}
    assert notes["(index)"] == "it has no name and counts the rows"
    assert notes["user_attrs_acc"] == "as 'value' says it"


def test_the_readers_in_the_documentation_are_those_there_are() -> None:
    text = Path(__file__).parents[2].joinpath("docs", "trackers.md").read_text("utf-8")
    rows = [line.split("|")[2] for line in text.splitlines() if line.startswith("|")]
    named = {name for row in rows for name in re.findall(r"`([a-z-]+)`", row)} - {"--reader"}
    assert named == {*READERS, *TABLES} - {"demo", "mmdet"}


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("completed", State.COMPLETED),
        ("OK", State.COMPLETED),
        ("TrialState.COMPLETE", State.COMPLETED),
        ("incomplete", State.INCOMPLETE),
        ("timeout", State.INCOMPLETE),
        ("timed out", State.INCOMPLETE),
        ("CANCELLED by 1000", State.INCOMPLETE),
        ("cancelled", State.INCOMPLETE),
        ("aborted", State.INCOMPLETE),
        ("crashed", State.INCOMPLETE),
        ("running", State.INCOMPLETE),
        ("failed", State.FAILED),
        ("OUT_OF_MEMORY", State.FAILED),
    ],
)
def test_a_row_says_in_the_words_of_ablate_a_tracker_or_a_scheduler_how_its_run_ended(
    tmp_path: Path, word: str, state: State
) -> None:
    found = imported(tmp_path, f"m,acc,status\n0,0.5,done\n1,0.6,{word}\n2,,pending\n")
    assert [e.state for _, e in found.results] == [State.COMPLETED, state]
    kept = {"accuracy": 0.6} if state is State.COMPLETED else {}
    assert scores(found)[1] == kept


def test_a_state_that_is_no_known_word_is_refused_with_its_line_unless_the_map_ignores_it(
    tmp_path: Path,
) -> None:
    text = "m,acc,state\n0,0.5,done\n1,0.6,pending\n2,0.7,halfway\n"
    with pytest.raises(UsageError, match=r"t.csv:4: state: 'halfway' is no state.*--map"):
        imported(tmp_path, text)
    found = imported(tmp_path, text, "[columns]\nstate = { role = 'ignore' }\n")
    assert [e.state for _, e in found.results] == [State.COMPLETED] * 3


def test_a_first_column_without_a_name_that_does_not_count_the_rows_is_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(UsageError, match="column 1 has no name"):
        imported(tmp_path, ",m,acc\n0,0,0.5\n2,1,0.6\n")


@pytest.mark.parametrize("letter", ["k", "m", "b", "g"])
def test_a_parameter_of_optuna_called_by_one_letter_is_a_setting(
    tmp_path: Path, letter: str
) -> None:
    head = f"number,value,datetime_start,params_{letter},user_attrs_acc,state\n"
    text = f"{head}0,1,2026-10-01,5,0.5,COMPLETE\n1,2,2026-10-01,7,0.6,COMPLETE\n"
    found = imported(tmp_path, text)
    assert [f.name for f in found.study.factors] == [letter]
    assert [e.settings for _, e in found.results] == [{letter: "5"}, {letter: "7"}]
    named = f"[columns]\nparams_{letter} = {{ role = 'factor', as = 'neighbours' }}\n"
    assert [f.name for f in imported(tmp_path, text, named).study.factors] == ["neighbours"]
    counted = imported(tmp_path, f"m,acc,params_{letter}\n0,0.5,5\n1,0.6,7\n")
    assert roles(counted)[f"params_{letter}"] == "cost"
