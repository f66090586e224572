import json
import math
import os
from pathlib import Path

import pytest

from ablate.errors import UsageError
from ablate.ingest.histories import READER
from ablate.ingest.run import Run
from ablate.record import State


def runs(folder: Path) -> dict[str, Run]:
    return {run.name: run for place in READER.find(folder) for run in READER.read(place)}


def curve(run: Run, split: str, name: str) -> dict[int, float]:
    return {s.step: s.value for s in run.scalars if (s.split, s.name) == (split, name)}


def write(folder: Path, history: object = None, config: str = "lr: 5e-4\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(config)
    if history is not None:
        (folder / "history.json").write_text(json.dumps(history))
    return folder


def only(folder: Path) -> Run:
    (run,) = runs(folder).values()
    return run


def rising(best: int, length: int) -> list[float]:
    """A score that is best at epoch `best` of `length`."""
    return [0.5 - 0.001 * abs(epoch - best) for epoch in range(1, length + 1)]


@pytest.fixture
def real() -> Path:
    folder = Path(os.environ.get("ABLATE_REALDATA", "")) / "ce7454_histories"
    if not os.environ.get("ABLATE_REALDATA") or not folder.is_dir():
        pytest.skip("ABLATE_REALDATA names no folder with ce7454_histories")
    return folder


def test_the_real_histories_are_six_runs_and_one_that_never_trained(real: Path) -> None:
    found = runs(real)
    best = {n: max(curve(r, "val", "F").values(), default=math.nan) for n, r in found.items()}
    never = "microsegformer_20251005_191916"
    assert (found[never].state, found[never].reason) == (State.PENDING, "never trained")
    assert [round(best[n], 4) for n in sorted(best) if n != never] == [
        *(0.6036, 0.6483, 0.6753, 0.6819, 0.6702, 0.6664),
    ]
    trained = [r for n, r in found.items() if n != never]
    assert {(r.state, r.select, r.metrics[0].name) for r in trained} == {
        (State.COMPLETED, "best:F@val", "F")
    }


def test_every_value_of_the_real_histories_is_kept(real: Path) -> None:
    names = {"lr": ("train", "lr")}
    for split in ("train", "val"):
        names |= {f"{split}_{n}": (split, n) for n in ("loss", "accuracy")}
        names |= {f"{split}_f_score": (split, "F")}
    for name, run in runs(real).items():
        path = real / name / "history.json"
        if run.state is not State.PENDING:
            history = json.loads(path.read_text())
            assert history.keys() == names.keys()
            for key, values in history.items():
                assert curve(run, *names[key]) == dict(enumerate(values, 1))


def test_what_the_real_configurations_say_of_patience_is_doubted_where_it_did_not_hold(
    real: Path,
) -> None:
    found = runs(real)
    kept = found["microsegformer_20251005_192837"]
    assert kept.remarks == ()
    assert kept.facts["ended"].endswith("stopped early, 20 epochs after its best F")
    (remark,) = found["microsegformer_20251007_211515"].remarks
    assert remark.startswith("trained 98 of 250 epochs: it stopped 20 epochs after its best F")
    assert remark.endswith("though its configuration says a patience of 60")


def test_lists_of_a_history_are_curves_from_step_one(tmp_path: Path) -> None:
    history = {
        "train_loss": [2.5, 1.5],
        "val_f_score": [0.5, 0.625],
        "val_accuracy": [],
        "lr": [1e-3],
    }
    run = only(write(tmp_path / "a", history))
    assert run.name == "a"
    assert curve(run, "train", "loss") == {1: 2.5, 2: 1.5}
    assert curve(run, "val", "F") == {1: 0.5, 2: 0.625}
    assert curve(run, "train", "lr") == {1: 1e-3}
    assert run.settings == {"lr": "5e-4"}
    assert [m.text(0.625) for m in run.metrics] == ["62.50"]


def test_a_nan_is_a_value_and_null_is_none(tmp_path: Path) -> None:
    run = only(write(tmp_path / "a", {"val_loss": [math.nan, None, 1.0]}))
    loss = curve(run, "val", "loss")
    assert (math.isnan(loss[1]), loss[3], len(loss)) == (True, 1.0, 2)
    assert run.select == "best:loss@val"


def test_nested_lists_and_lists_of_epochs_are_the_same_curves(tmp_path: Path) -> None:
    nested = {"train": {"loss": [2.0, 1.0]}, "val": {"mAP": [0.25, 0.5]}}
    epochs = [
        {"epoch": 0, "train_loss": 2.0, "val/mAP": 0.25},
        {"epoch": 1, "train_loss": 1.0, "val/mAP": 0.5},
    ]
    first = only(write(tmp_path / "a", nested))
    second = only(write(tmp_path / "b", epochs))
    for run in (first, second):
        assert curve(run, "train", "loss") == {1: 2.0, 2: 1.0}
        assert curve(run, "val", "mAP") == {1: 0.25, 2: 0.5}


def test_something_in_a_list_that_is_no_number_is_reported(tmp_path: Path) -> None:
    run = only(write(tmp_path / "a", {"val_f_score": ["high", 0.5], "loss": [1.0]}))
    assert run.unread == ("line 1: val_f_score: 'high' in place 1 is no number",)


PLANNED = "training:\n  epochs: {}\n"
PATIENT = PLANNED + "  early_stopping_patience: {}\n"


@pytest.mark.parametrize(
    ("config", "best", "reason"),
    [
        (PLANNED.format(30), 20, ""),
        (PLANNED.format(50), 20, "the history ends in epoch 30 of 50"),
        (PATIENT.format(50, 10), 20, ""),
        (PATIENT.format(50, 10), 30, "the history ends in epoch 30 of 50"),
        (PATIENT.format(50, 20), 20, "the history ends in epoch 30 of 50"),
        ("lr: 1\n", 20, ""),
    ],
)
def test_a_shorter_history_is_complete_only_where_its_early_stop_explains_it(
    tmp_path: Path, config: str, best: int, reason: str
) -> None:
    run = only(write(tmp_path / "a", {"val_f_score": rising(best, 30)}, config))
    assert (run.state, run.reason) == (State.INCOMPLETE if reason else State.COMPLETED, reason)


def test_runs_beside_each_other_that_stop_at_one_distance_stopped_early(tmp_path: Path) -> None:
    for name, best in (("a", 20), ("b", 30)):
        write(tmp_path / name, {"val_f_score": rising(best, best + 7)}, PATIENT.format(90, 25))
    found = runs(tmp_path)
    assert {r.state for r in found.values()} == {State.COMPLETED}
    assert all("a patience of 25" in r.remarks[0] for r in found.values())


def test_the_patience_of_a_schedule_stops_nothing(tmp_path: Path) -> None:
    config = "epochs: 50\nscheduler:\n  patience: 10\n"
    assert only(write(tmp_path / "a", {"val_f_score": rising(20, 30)}, config)).state == (
        State.INCOMPLETE
    )


def test_a_configuration_alone_is_a_run_only_beside_trained_ones(tmp_path: Path) -> None:
    write(tmp_path / "sources" / "configs")
    write(tmp_path / "runs" / "a", {"val_f_score": [0.5]})
    write(tmp_path / "runs" / "b")
    assert {n: r.state for n, r in runs(tmp_path).items()} == {
        "a": State.COMPLETED,
        "b": State.PENDING,
    }


def test_a_history_cut_short_is_incomplete(tmp_path: Path) -> None:
    file = write(tmp_path / "a", {"val_f_score": [0.5, 0.6]}) / "history.json"
    file.write_text(file.read_text()[:-4])
    run = only(tmp_path)
    assert (run.state, run.reason) == (
        State.INCOMPLETE,
        "history.json is cut short: not whole JSON",
    )


def test_a_folder_of_hydra_is_read_with_its_overrides(tmp_path: Path) -> None:
    hydra = tmp_path / "2026-10-01" / "10-00-00" / ".hydra"
    hydra.mkdir(parents=True)
    (hydra / "config.yaml").write_text("model:\n  sacr: true\nseed: 3\ndata: /data/RGBNT201\n")
    (hydra / "overrides.yaml").write_text("- model.sacr=true\n- +seed=3\n")
    (hydra.parent / "metrics.jsonl").write_text(
        '{"epoch": 1, "split": "val", "mAP": 0.5}\n{"epoch": 2, "split": "val", "mAP": 0.75}\n'
    )
    run = only(tmp_path)
    assert run.options == {"model.sacr": "true", "seed": "3"}
    assert run.settings == {"model.sacr": "true", "seed": "3", "data": "RGBNT201"}
    assert (run.seed, curve(run, "val", "mAP")) == (3, {1: 0.5, 2: 0.75})


def test_lightning_s_csv_logger_is_read_by_step_and_epoch(tmp_path: Path) -> None:
    folder = tmp_path / "version_0"
    folder.mkdir()
    (folder / "hparams.yaml").write_text("lr: 0.001\n")
    (folder / "metrics.csv").write_text(
        "epoch,step,train_loss,val_acc\n0,49,2.5,\n0,99,2.0,\n0,99,,0.5\n1,149,1.5,\n1,199,,0.75\n"
    )
    run = only(tmp_path)
    assert curve(run, "train", "loss") == {49: 2.5, 99: 2.0, 149: 1.5}
    assert curve(run, "val", "accuracy") == {99: 0.5, 199: 0.75}


def test_a_link_that_leads_back_up_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "a", {"val_f_score": [0.5]})
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert list(READER.find(tmp_path)) == [tmp_path / "a"]


def test_a_folder_that_holds_neither_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds none of .*config\.yaml.* nor of history\.json"):
        next(READER.read(tmp_path))


def test_paths_of_a_configuration_are_their_last_part(tmp_path: Path) -> None:
    run = only(write(tmp_path / "a", {"loss": [1.0]}, "root: /home/someone/data/CelebA\n"))
    assert run.settings == {"root": "CelebA"}


def test_a_history_without_a_value_is_incomplete(tmp_path: Path) -> None:
    run = only(write(tmp_path / "a", {"val_f_score": [], "loss": [None]}))
    assert (run.state, run.reason) == (State.INCOMPLETE, "its history holds no value")


def test_a_number_beyond_any_float_is_infinite(tmp_path: Path) -> None:
    run = only(write(tmp_path / "a", {"loss": [10**400, 1]}))
    assert curve(run, "train", "loss") == {1: math.inf, 2: 1.0}


@pytest.mark.parametrize("history", ["metrics.csv", "metrics.jsonl", "history.json"])
def test_a_history_cut_at_any_byte_is_not_complete_and_holds_no_wrong_number(
    tmp_path: Path, history: str
) -> None:
    values = {1: 0.3235, 2: 0.8824, 3: 0.1835}
    whole = {
        "metrics.csv": "epoch,val_acc\n" + "".join(f"{e},{v}\n" for e, v in values.items()),
        "metrics.jsonl": "".join(f'{{"epoch": {e}, "val_acc": {v}}}\n' for e, v in values.items()),
        "history.json": json.dumps({"val_acc": list(values.values())}),
    }[history]
    (tmp_path / "config.yaml").write_text("epochs: 3\n")
    for cut in range(len(whole) - 1):
        (tmp_path / history).write_text(whole[:cut])
        try:
            (run,) = READER.read(tmp_path)
        except UsageError:
            continue
        assert run.state is not State.COMPLETED, cut
        assert all(values[s.step] == s.value for s in run.scalars), cut
    (tmp_path / history).write_text(whole)
    (run,) = READER.read(tmp_path)
    assert run.state is State.COMPLETED
