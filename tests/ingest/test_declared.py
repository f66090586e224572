import re
import tomllib
from pathlib import Path

import pytest

from ablate.errors import SpecError, UsageError
from ablate.ingest.readers import READERS, Declared, guess, reader
from ablate.ingest.run import Reader, Run
from ablate.record import State
from tests.ingest import demo_log, mmdet_log

MINE: dict[str, object] = {
    "files": ["*.out"],
    "patterns": [
        {"match": r"^Epoch (?P<step>\d+)/\d+"},
        {"match": r"(?P<split>train|test) \| loss (?P<loss>\S+) acc (?P<acc>[\d.]+)"},
        {"match": r"params: (?P<params>[\d.]+)M", "kind": "cost", "unit": "M"},
        {"match": r"^--(?P<name>\w+)=(?P<value>\S+)", "kind": "setting"},
        {"match": r"^seed (?P<seed>\d+)", "kind": "seed"},
        {"match": r"^run (?P<name>\S+)", "kind": "name"},
        {"match": r"torch (?P<torch>\S+) from (?P<source>\S+)", "kind": "fact"},
        {"match": r"^best so far: (?P<acc>[\d.]+)", "kind": "best", "split": "test"},
        {"match": r"^done$", "kind": "end"},
    ],
    "metrics": {"accuracy": {"key": "acc"}},
    "select": "best:accuracy@test",
}
OUTPUT = """\
run toy
seed 7
--lr=0.1
--data=/home/me/data
torch 2.1 from /opt/x/torch
params: 1.5M
Epoch 1/2
train | loss 2.5 acc 40%
test | loss nan acc 50.1%
best so far: 50.1%
Epoch 2/2
train | loss 2.0 acc 45%
test | loss 2.2 acc 50.1%
best so far: 50.1%
done
"""


def of(tmp_path: Path, content: str, table: dict[str, object] | None = None) -> Run:
    path = tmp_path / "a.out"
    path.write_text(content, "utf-8")
    (run,) = reader("mine", {"mine": table or MINE}).read(path)
    return run


def points(run: Run) -> dict[tuple[str, str, int], float]:
    return {(s.split, s.name, s.step): s.value for s in run.scalars}


def test_a_table_of_patterns_reads_a_run(tmp_path: Path) -> None:
    run = of(tmp_path, OUTPUT)
    found = points(run)
    assert (run.name, run.seed, run.state) == ("toy", 7, State.COMPLETED)
    assert run.settings == {"lr": "0.1", "data": "data"}
    assert run.facts == {"torch": "2.1", "source": "torch"}
    assert {c.name: c.value for c in run.costs} == {"params": 1.5e6}
    assert found["test", "accuracy", 2] == 0.501
    assert found["train", "accuracy", 1] == 0.4
    assert found["train", "loss", 2] == 2.0
    assert found["test", "loss", 1] != found["test", "loss", 1]
    assert found["test", "best_step.accuracy", 2] == 1.0
    assert [m.name for m in run.metrics] == ["accuracy"]
    assert run.select == "best:accuracy@test"


def test_without_the_line_that_ends_it_a_run_is_incomplete(tmp_path: Path) -> None:
    run = of(tmp_path, OUTPUT.removesuffix("done\n"))
    assert run.state is State.INCOMPLETE
    assert run.reason == "the log ends at step 2 without the line that ends a run"
    failed = OUTPUT.replace("done", "Traceback (most recent call last):\n  x\nOSError: full")
    assert (of(tmp_path, failed).state, of(tmp_path, failed).reason) == (
        State.FAILED,
        "OSError: full",
    )
    open_ended = {**MINE, "patterns": MINE["patterns"][:-1]}  # type: ignore[index]
    run = of(tmp_path, OUTPUT, open_ended)
    assert run.state is State.COMPLETED
    assert "whether the log is whole is unknown" in run.remarks[0]


def test_every_measurement_without_a_step_is_the_next_of_its_curve(tmp_path: Path) -> None:
    table: dict[str, object] = {"patterns": [{"match": r"(?P<name>\w+) = (?P<value>[\d.]+)"}]}
    run = of(tmp_path, "val_acc = 0.5\nval_acc = 0.6\nloss = 2\n", table)
    assert points(run) == {
        ("val", "accuracy", 1): 0.5,
        ("val", "accuracy", 2): 0.6,
        ("train", "loss", 1): 2.0,
    }


def test_a_step_that_goes_back_and_a_number_above_one_are_said(tmp_path: Path) -> None:
    table: dict[str, object] = {
        "patterns": [{"match": r"^(?P<step>\d+) acc (?P<acc>[\d.]+)", "split": "test"}]
    }
    run = of(tmp_path, "1 acc 50\n2 acc 60\n1 acc 55\n", table)
    said = " ".join(run.remarks)
    assert points(run)["test", "accuracy", 1] == 55.0
    assert "steps go back" in said
    assert "unit = '%'" in said


def test_what_no_pattern_takes_and_looks_measured_is_reported(tmp_path: Path) -> None:
    assert of(tmp_path, OUTPUT + "mAP: 12.3\n").unread == ("line 16: mAP: 12.3",)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ({"match": "("}, "no regular expression"),
        ({"match": r"acc \d+"}, "no named group"),
        ({"match": r"acc (?P<value>\d+)"}, "needs (?P<name>...)"),
        ({"match": r"(?P<acc>\d*)"}, "matches an empty line"),
        ({"match": r"(?P<acc>(\d+)+)x"}, "can take forever"),
        ({"match": r"s (?P<s>\d+)", "kind": "seed"}, "must have the group (?P<seed>...)"),
        ({"match": r"m (?P<memory>\d+)", "kind": "cost", "unit": "Gb/s"}, "unit of memory"),
    ],
)
def test_a_pattern_at_fault_is_named(pattern: dict[str, object], said: str) -> None:
    table: dict[str, object] = {"patterns": [{"match": "(?P<ok>x)"}, pattern]}
    with pytest.raises(SpecError, match=re.escape("readers.mine.patterns[1]")) as wrong:
        reader("mine", {"mine": table})
    assert said in str(wrong.value)


def test_readers_are_found_by_name_reference_and_table() -> None:
    assert reader("demo", {}) is READERS["demo"]
    assert reader("mine", {"mine": "ablate.ingest.demo:READER"}) is READERS["demo"]
    assert isinstance(reader("mine", {"mine": MINE}), Reader)
    with pytest.raises(UsageError, match="did you mean 'mmdet'"):
        reader("mmdt", {})
    with pytest.raises(UsageError, match=r"cannot be loaded: ModuleNotFoundError"):
        reader("mine", {"mine": "no.such:READER"})
    with pytest.raises(UsageError, match="is a str, not a Reader"):
        reader("mine", {"mine": "ablate.ingest.demo:NAME"})


def test_the_reader_that_knows_a_folder_is_guessed(tmp_path: Path) -> None:
    for i in range(3):
        demo_log.write(tmp_path / "demo" / f"{i}.log.gz", epochs=1)
    (tmp_path / "mm").mkdir()
    (tmp_path / "mm" / "a.log").write_text(mmdet_log.text(), "utf-8")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.out").write_text(OUTPUT, "utf-8")
    declared: Declared = {"mine": MINE}
    for folder, name, count in (("demo", "demo", 3), ("mm", "mmdet", 1), ("mine", "mine", 1)):
        found, files = guess([tmp_path / folder], declared)
        assert (found.name, len(files)) == (name, count)
    found, files = guess(sorted((tmp_path / "demo").iterdir()), declared)
    assert (found.name, len(files)) == ("demo", 3)
    found, files = guess([tmp_path], declared)
    assert (found.name, len(files)) == ("demo", 3)


def test_no_reader_or_two_are_said_with_what_was_tried(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        guess([tmp_path / "none"], {})
    with pytest.raises(UsageError, match=r"readers demo, mmdet.*\[readers\.NAME\]"):
        guess([tmp_path], {})
    demo_log.write(tmp_path / "a" / "1.log", epochs=1)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2.log").write_text(mmdet_log.text(), "utf-8")
    with pytest.raises(UsageError, match="choose with --reader"):
        guess([tmp_path], {})


def test_every_table_of_docs_readers_parses_and_reads_the_output_beside_it(tmp_path: Path) -> None:
    page = Path(__file__).parents[2].joinpath("docs", "readers.md").read_text("utf-8")
    blocks = re.findall(r"```toml\n(.*?)```\n.*?```text\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    for toml, output in blocks:
        ((name, table),) = tomllib.loads(toml)["readers"].items()
        path = tmp_path / f"{name}.log"
        path.write_text(output, "utf-8")
        (run,) = reader(name, {name: table}).read(path)
        assert (run.state, run.unread) == (State.COMPLETED, ()), name
        assert run.scalars
        assert run.seed == 3
    (python,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    made: dict[str, object] = {}
    exec(python, made)
    (run,) = made["READER"].read(path)  # type: ignore[attr-defined]
    assert run.metrics[0].name == "mIoU"


def test_a_log_that_ends_in_the_middle_of_a_line_is_incomplete_and_that_line_is_listed(
    tmp_path: Path,
) -> None:
    pattern = {"match": r"epoch (?P<step>\d+) acc (?P<acc>[\d.]+)", "split": "val"}
    one = reader("mine", {"mine": {"patterns": [pattern]}})
    (tmp_path / "x.log").write_text("epoch 1 acc 0.25\nepoch 2 acc 0.7")
    (run,) = one.read(tmp_path / "x.log")
    assert run.state is State.INCOMPLETE
    assert [s.value for s in run.scalars] == [0.25]
    assert run.unread == ("line 2: epoch 2 acc 0.7 (the file ends in this line)",)


def test_a_percent_sign_inside_a_group_makes_a_fraction(tmp_path: Path) -> None:
    line = "epoch 3: val_acc=81.2% loss 0.43\n"
    for match in (r"(?P<val_acc>[\d.]+%)", r"(?P<name>val_acc)=(?P<value>\S+)"):
        table = {"patterns": [{"match": r"epoch (?P<step>\d+)"}, {"match": match}]}
        run = of(tmp_path, line, table)
        assert points(run) == {("val", "accuracy", 3): 0.812}
        assert [m.name for m in run.metrics] == ["accuracy"]
        assert run.unread == ()


def test_a_group_that_is_no_number_is_reported_with_its_line_and_why(tmp_path: Path) -> None:
    patterns = [
        {"match": r"epoch (?P<step>\w+)"},
        {"match": r"(?P<name>val_\w+)=(?P<value>\S+)"},
        {"match": r"loss (?P<loss>\S+)"},
    ]
    output = (
        "epoch 1: val_acc=1,234 loss 0.5\nepoch 2: val_acc=1,235 loss 0.4\n"
        "epoch 3: val_acc=n/a\nepoch four val_acc=0.5\n"
    )
    run = of(tmp_path, output, {"patterns": patterns})
    assert run.unread == (
        "line 1: patterns[1]: value = '1,234' is no number: epoch 1: val_acc=1,234 loss 0.5",
        "line 3: patterns[1]: value = 'n/a' is no number: epoch 3: val_acc=n/a",
        "line 4: patterns[0]: step = 'four' is no whole number: epoch four val_acc=0.5",
    )
    assert points(run)["train", "loss", 2] == 0.4


def test_a_score_that_was_declared_and_never_measured_is_said_before_another_counts(
    tmp_path: Path,
) -> None:
    patterns = [
        {"match": r"^epoch (?P<step>\d+) loss (?P<loss>\S+)"},
        {"match": r"^Val (?P<val_acc>\S+)"},
    ]
    output = "epoch 1 loss 0.5\nval 0.7\n"
    run = of(tmp_path, output, {"patterns": patterns})
    assert "no score outside training is in it: loss of training counts" in run.remarks
    declared = {"accuracy": {"key": "val_acc"}, "loss": {"direction": "down"}}
    run = of(tmp_path, output, {"patterns": patterns, "metrics": declared})
    assert "accuracy, the first score declared, is nowhere in it" in run.remarks
    both = of(tmp_path, output.replace("val", "Val"), {"patterns": patterns})
    assert [m.name for m in both.metrics] == ["accuracy"]
    assert not [r for r in both.remarks if "train" in r]


def test_what_was_found_and_what_was_looked_for_are_named_by_their_groups(tmp_path: Path) -> None:
    run = of(tmp_path, OUTPUT)
    expected = reader("mine", {"mine": MINE}).expected
    assert tuple(sorted(run.consumed)) == tuple(sorted(expected))
    assert expected["patterns[4] (seed)"] == r"^seed (?P<seed>\d+)"
    assert expected["patterns[8] (end)"] == "^done$"


def test_a_group_that_matches_the_beginning_of_a_number_alone_is_no_measurement(
    tmp_path: Path,
) -> None:
    table = {"patterns": [{"match": r"loss (?P<loss>[\d.]+)"}]}
    run = of(tmp_path, "loss 1.5e-05\nloss 1,234\nloss 0.5, acc 3\n", table)
    assert list(points(run).values()) == [0.5]
    assert [line.partition(": ")[2].partition(": loss 1")[0] for line in run.unread] == [
        "patterns[0]: loss = '1.5' is the beginning of a number alone",
        "patterns[0]: loss = '1' is the beginning of a number alone",
    ]
