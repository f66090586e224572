"""`ablate import` with a project's own reader, and with files that are for something else."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Call = Callable[..., Result]

PROJECT = """\
[readers.mine]
patterns = [
  { match = '^epoch (?P<step>\\d+) loss (?P<loss>\\S+)' },
  { match = '^Val (?P<val_acc>\\S+)' },
  { match = '^seed (?P<seed>\\d+)', kind = "seed" },
  { match = '^bye', kind = "end" },
]
"""


def logs(folder: Path, *outputs: str) -> None:
    (folder / "ablate.toml").write_text(PROJECT)
    (folder / "mine").mkdir(exist_ok=True)
    for i, output in enumerate(outputs):
        (folder / "mine" / f"run{i}.log").write_text(output)


def test_a_pattern_that_matched_in_no_file_is_named_and_one_that_matched_in_some_is_not(
    call: Call, folder: Path
) -> None:
    logs(folder, "seed 1\nepoch 1 loss 0.5\nval 0.7\n", "epoch 1 loss 0.6\nval 0.8\n")
    said = call("import", "mine", "-n", width=200)
    assert said.exit_code == 0
    assert "never matched: patterns[1] (val_acc): ^Val (?P<val_acc>\\S+)" in said.stdout
    assert "never matched: patterns[3] (end): ^bye" in said.stdout
    assert "never matched: patterns[2]" not in said.stdout
    assert "understood: patterns[2] (seed), patterns[0] (step, loss)" in said.stdout
    assert "no score outside training is in it: loss of training counts (2 runs)" in said.stdout
    found = json.loads(call("import", "mine", "-n", "--json").stdout)
    assert found["never_matched"] == ["patterns[1] (val_acc)", "patterns[3] (end)"]


@pytest.mark.parametrize("options", [(), ("--guess",), ("--reader", "mine")])
def test_ablates_own_json_is_no_record_of_runs_whatever_reader_is_declared(
    call: Call, folder: Path, options: tuple[str, ...]
) -> None:
    logs(folder)
    call("import", "seed000.csv", "--study", "old")
    call("export", "old", "-o", "own.json")
    refused = call("import", "own.json", *options)
    assert refused.exit_code != 0
    assert "own.json: it is ablate's own (ablate.export/1)" in str(refused.exception)
    assert "--format csv" in str(refused.exception)


def test_a_table_that_is_to_be_guessed_is_said_to_be_imported_without(
    call: Call, folder: Path
) -> None:
    logs(folder)
    refused = call("import", "seed000.csv", "--guess")
    assert "import it without --guess" in str(refused.exception)


def test_a_run_cut_before_its_first_score_does_not_make_its_training_loss_the_primary_score(
    call: Call, folder: Path
) -> None:
    cut, whole = "seed 1\nepoch 1 loss 0.5\n", "seed 2\nepoch 1 loss 0.6\nVal 0.8\nbye\n"
    logs(folder, cut, whole)
    found = json.loads(call("import", "mine", "-n", "--json").stdout)
    assert (found["primary"], [m["name"] for m in found["metrics"]]) == (
        "accuracy",
        ["accuracy", "loss"],
    )
