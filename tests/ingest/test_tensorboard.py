import sys
from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from ablate.errors import UsageError
from ablate.ingest.run import Run
from ablate.ingest.tensorboard import READER
from ablate.record import State

UNSAID = "its record does not say whether it ended"


def runs(folder: Path) -> dict[str, Run]:
    return {run.name: run for place in READER.find(folder) for run in READER.read(place)}


def curve(run: Run, split: str, name: str) -> dict[int, float]:
    return {s.step: s.value for s in run.scalars if (s.split, s.name) == (split, name)}


def write(folder: Path, tags: dict[str, list[float]], first: int = 0, suffix: str = "") -> None:
    with SummaryWriter(str(folder), filename_suffix=suffix) as writer:
        for tag, values in tags.items():
            for step, value in enumerate(values, first):
                writer.add_scalar(tag, value, step)


def event_file(folder: Path) -> Path:
    return next(folder.glob("events.out.tfevents.*"))


def test_scalars_in_both_styles_are_curves_by_split_and_name(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path / "a")) as writer:
        for step in range(3):
            writer.add_scalar("Loss/train", 2.5 - step, step)
            writer.add_scalar("mAP/val", 0.1 * step, step, new_style=True)
            writer.add_scalar(
                "val/Rank-1", [0.763, 0.776, 0.801][step], step, double_precision=True
            )
    run = runs(tmp_path)["a"]
    assert curve(run, "train", "loss") == {0: 2.5, 1: 1.5, 2: 0.5}
    assert curve(run, "val", "mAP") == {0: 0.0, 1: 0.1, 2: 0.2}
    assert curve(run, "val", "rank1") == {0: 0.763, 1: 0.776, 2: 0.801}
    assert [m.name for m in run.metrics] == ["mAP", "rank1"]


def test_a_single_precision_number_is_the_decimal_that_was_logged(tmp_path: Path) -> None:
    write(tmp_path / "a", {"val/mAP": [0.763]})
    assert curve(runs(tmp_path)["a"], "val", "mAP") == {0: 0.763}


def test_a_score_logged_in_percent_is_stored_as_a_fraction(tmp_path: Path) -> None:
    write(tmp_path / "a", {"val/mAP": [0.5, 30.6, 77.6], "val/loss": [3.5, 2.5]})
    run = runs(tmp_path)["a"]
    assert curve(run, "val", "mAP") == {0: 0.005, 1: 0.306, 2: 0.776}
    assert curve(run, "val", "loss") == {0: 3.5, 1: 2.5}


def test_hyper_parameters_and_their_metrics_join_the_run_that_they_were_written_for(
    tmp_path: Path,
) -> None:
    with SummaryWriter(str(tmp_path / "a")) as writer:
        writer.add_scalar("train/loss", 1.0, 1)
        writer.add_hparams({"lr": 0.1, "depth": 3, "opt": "adam", "seed": 7}, {"hparam/mAP": 76.5})
    (run,) = runs(tmp_path).values()
    assert run.settings == {"lr": "0.1", "depth": "3", "opt": "adam", "seed": "7"}
    assert list(run.settings) == ["lr", "depth", "opt", "seed"]
    assert (run.seed, run.scores) == (7, {"mAP": 0.765})


def test_curves_of_add_scalars_are_told_apart_by_their_split(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path / "a")) as writer:
        writer.add_scalars("acc", {"train": 0.5, "val": 0.25}, 1)
        writer.add_scalar("loss", 1.0, 1)
    (run,) = runs(tmp_path).values()
    assert curve(run, "train", "accuracy") == {1: 0.5}
    assert curve(run, "val", "accuracy") == {1: 0.25}


def test_folders_train_and_validation_beside_each_other_are_one_run(tmp_path: Path) -> None:
    write(tmp_path / "model" / "train", {"epoch_loss": [1.0]})
    write(tmp_path / "model" / "validation", {"epoch_loss": [2.0]})
    run = runs(tmp_path)["model"]
    assert (curve(run, "train", "loss"), curve(run, "val", "loss")) == ({0: 1.0}, {0: 2.0})


def test_a_restart_keeps_the_later_value_of_a_step_and_says_so(tmp_path: Path) -> None:
    write(tmp_path / "a", {"val/mAP": [0.1, 0.2, 0.3]}, suffix=".one")
    write(tmp_path / "a", {"val/mAP": [0.5, 0.6]}, first=1, suffix=".two")
    run = runs(tmp_path)["a"]
    assert curve(run, "val", "mAP") == {0: 0.1, 1: 0.5, 2: 0.6}
    assert any("goes back or repeats" in remark for remark in run.remarks)
    assert run.facts["event files"] == "2"


def test_a_restart_from_the_beginning_leaves_nothing_of_the_longer_run_before(
    tmp_path: Path,
) -> None:
    write(tmp_path / "a", {"val/mAP": [0.1, 0.2, 0.9]}, suffix=".one")
    write(tmp_path / "a", {"val/mAP": [0.15, 0.25]}, suffix=".two")
    assert curve(runs(tmp_path)["a"], "val", "mAP") == {0: 0.15, 1: 0.25}


def test_what_no_event_says_is_a_doubt_of_the_run(tmp_path: Path) -> None:
    write(tmp_path / "a", {"val/mAP": [0.1]})
    run = runs(tmp_path)["a"]
    assert (run.state, run.remarks) == (State.COMPLETED, (UNSAID,))


@pytest.mark.parametrize(
    ("planned", "state", "reason"),
    [
        (3, State.COMPLETED, ""),
        (50, State.INCOMPLETE, "its events end in epoch 3 of 50"),
    ],
)
def test_the_epochs_that_a_configuration_plans_say_whether_it_ended(
    tmp_path: Path, planned: int, state: State, reason: str
) -> None:
    write(tmp_path / "version_0", {"epoch": [0, 1, 2], "val_loss": [3.0, 2.0, 1.0]})
    (tmp_path / "version_0" / "hparams.yaml").write_text(f"max_epochs: {planned}\n")
    run = runs(tmp_path)["version_0"]
    assert (run.state, run.reason, run.remarks) == (state, reason, ())


@pytest.mark.parametrize("lost", [1, 5, 13, 20])
def test_a_file_cut_short_is_incomplete_and_keeps_what_came_before(
    tmp_path: Path, lost: int
) -> None:
    write(tmp_path / "a", {"val/mAP": [0.1, 0.2, 0.3]})
    file = event_file(tmp_path / "a")
    file.write_bytes(file.read_bytes()[:-lost])
    run = runs(tmp_path)["a"]
    assert (run.state, run.reason) == (
        State.INCOMPLETE,
        "an event file is cut short after 2 scalars",
    )
    assert curve(run, "val", "mAP") == {0: 0.1, 1: 0.2}


def test_a_damaged_byte_ends_the_reading_where_it_stands(tmp_path: Path) -> None:
    write(tmp_path / "a", {"val/mAP": [0.1, 0.2, 0.3]})
    file = event_file(tmp_path / "a")
    data = bytearray(file.read_bytes())
    data[-6] ^= 0xFF
    file.write_bytes(data)
    run = runs(tmp_path)["a"]
    assert (run.state, run.reason) == (State.INCOMPLETE, "an event file is damaged after 2 scalars")


def test_the_host_in_the_names_of_files_and_folders_stays_outside(tmp_path: Path) -> None:
    write(tmp_path / "first", {"val/mAP": [0.1]})
    host = event_file(tmp_path / "first").name.split(".")[4]
    (tmp_path / "first").rename(tmp_path / f"Nov21_08-15-09_{host}lr=0.1")
    (run,) = runs(tmp_path).values()
    assert run.name == "Nov21_08-15-09lr=0.1"
    assert host not in repr(run)


def test_a_folder_without_event_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no event file of TensorBoard"):
        next(READER.read(tmp_path))


def test_without_the_package_the_command_that_installs_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto.event_pb2", None)
    (tmp_path / "events.out.tfevents.1795248931.vm.1.0").write_bytes(b"")
    with pytest.raises(UsageError, match=r"pip install 'ablate-lab\[tensorboard\]'"):
        next(READER.read(tmp_path))


def test_runs_below_a_folder_with_events_of_another_process_are_runs_of_their_own(
    tmp_path: Path,
) -> None:
    write(tmp_path / "a", {"val/mAP": [0.1]})
    write(tmp_path / "b", {"val/mAP": [0.2]})
    (tmp_path / "events.out.tfevents.1795248931.vm.1.0").write_bytes(b"")
    found = runs(tmp_path)
    assert found.keys() == {"a", "b", tmp_path.name}
    assert curve(found["a"], "val", "mAP") == {0: 0.1}
    empty = found[tmp_path.name]
    assert (empty.state, empty.reason) == (State.INCOMPLETE, "its events hold no scalar")
    assert (empty.started, empty.scalars) == ("", ())


def test_an_address_for_a_host_stays_outside_too(tmp_path: Path) -> None:
    write(tmp_path / "Nov21_10.0.0.5", {"val/mAP": [0.1]})
    file = event_file(tmp_path / "Nov21_10.0.0.5")
    file.rename(file.with_name("events.out.tfevents.1795248931.10.0.0.5.123.0.suffix"))
    assert runs(tmp_path).keys() == {"Nov21"}
