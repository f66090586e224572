from pathlib import Path

import pytest

from ablate.errors import UsageError
from ablate.ingest.run import Run
from ablate.ingest.stepped import READER
from ablate.record import State


def read(folder: Path, text: str, name: str = "metrics.jsonl") -> Run:
    (folder / name).write_text(text)
    (found,) = READER.find(folder)
    (run,) = READER.read(found)
    return run


def curve(run: Run, split: str, name: str) -> dict[int, float]:
    return {s.step: s.value for s in run.scalars if (s.split, s.name) == (split, name)}


def test_a_line_per_step_with_its_split_makes_curves(tmp_path: Path) -> None:
    run = read(
        tmp_path,
        '{"step": 1, "split": "train", "loss": 2.5}\n'
        '{"step": 1, "split": "test", "mAP": 0.306, "rank-1": 0.5}\n'
        '{"step": 2, "split": "test", "mAP": 0.407, "rank-1": 0.6}\n',
    )
    assert run.name == tmp_path.name
    assert curve(run, "train", "loss") == {1: 2.5}
    assert curve(run, "test", "mAP") == {1: 0.306, 2: 0.407}
    assert curve(run, "test", "rank1") == {1: 0.5, 2: 0.6}
    assert run.state is State.COMPLETED


def test_a_scored_variant_stands_apart(tmp_path: Path) -> None:
    run = read(tmp_path, '{"epoch": 1, "split": "test.ori", "mAP": 0.3}\n')
    assert curve(run, "test.ori", "mAP") == {1: 0.3}


def test_a_metric_printed_twice_in_one_epoch_keeps_both_by_the_finer_counter(
    tmp_path: Path,
) -> None:
    run = read(
        tmp_path,
        '{"epoch": 1, "iter": 50, "loss": 3}\n{"epoch": 1, "iter": 100, "loss": 2}\n'
        '{"epoch": 2, "iter": 150, "loss": 1}\n',
    )
    assert curve(run, "train", "loss") == {50: 3.0, 100: 2.0, 150: 1.0}


def test_a_counter_that_begins_again_keeps_the_later_run_and_says_so(tmp_path: Path) -> None:
    run = read(
        tmp_path,
        "".join(
            f'{{"step": {step}, "val_mAP": {value}}}\n'
            for step, value in [(1, 0.1), (2, 0.2), (3, 0.9), (1, 0.15), (2, 0.25)]
        ),
    )
    assert curve(run, "val", "mAP") == {1: 0.15, 2: 0.25}
    assert any("goes back or repeats" in remark for remark in run.remarks)


def test_a_file_that_ends_within_a_line_is_incomplete(tmp_path: Path) -> None:
    run = read(tmp_path, '{"step": 1, "val_mAP": 0.5}\n{"step": 2, "val_m')
    assert (run.state, run.reason) == (State.INCOMPLETE, "metrics.jsonl ends within line 2")
    assert curve(run, "val", "mAP") == {1: 0.5}


def test_a_line_in_the_middle_that_is_no_object_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"metrics\.jsonl:2: a list"):
        read(tmp_path, '{"step": 1, "loss": 1}\n[1]\n{"step": 2, "loss": 1}\n')


def test_a_measurement_that_is_no_number_is_reported(tmp_path: Path) -> None:
    run = read(tmp_path, '{"step": 1, "loss": "1,5"}\n')
    assert run.unread == ("line 1: loss: 1,5",)


def test_the_configuration_beside_it_says_whether_it_ended(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("epochs: 3\nseed: 4\n")
    run = read(tmp_path, '{"epoch": 1, "val_mAP": 0.5}\n{"epoch": 2, "val_mAP": 0.6}\n')
    assert (run.state, run.reason, run.seed) == (
        State.INCOMPLETE,
        "it ends in epoch 2 of 3",
        4,
    )


def test_a_table_of_runs_is_no_file_of_curves(tmp_path: Path) -> None:
    (tmp_path / "runs.jsonl").write_text('{"lr": 0.1, "acc": 0.5}\n')
    (tmp_path / "broken.jsonl").write_text("{\n")
    assert list(READER.find(tmp_path)) == []


def test_bytes_that_are_no_utf_8_are_refused_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_bytes(b'{"step": 1, "loss": 1}\n{"step": 2, "n": "\xff"}\n')
    with pytest.raises(UsageError, match=r":2: not UTF-8"):
        next(READER.read(tmp_path / "metrics.jsonl"))


def test_lines_with_the_newest_first_are_turned_round(tmp_path: Path) -> None:
    run = read(
        tmp_path, "".join(f'{{"step": {step}, "val_mAP": 0.{step}}}\n' for step in (3, 2, 1))
    )
    assert curve(run, "val", "mAP") == {1: 0.1, 2: 0.2, 3: 0.3}
    assert not any("goes back" in remark for remark in run.remarks)
