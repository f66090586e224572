import json
import math
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ablate.errors import UsageError
from ablate.ingest.mlflow import READER
from ablate.ingest.run import Run
from ablate.record import State

WRITER = """
import math, sys
import mlflow

mlflow.set_tracking_uri(sys.argv[1])
client = mlflow.MlflowClient()
mlflow.set_experiment("grid")
with mlflow.start_run(run_name="sacr+lif") as run:
    mlflow.log_params({"model/sacr": True, "lr": 3.5e-4, "seed": 2})
    mlflow.log_param("data", "/home/someone/RGBNT201")
    for step, value in enumerate([0.5, 30.6, 77.6], 1):
        mlflow.log_metric("val/mAP", value, step=step)
    mlflow.log_metric("train_loss", math.nan, step=1)
    mlflow.log_metric("train_loss", math.inf, step=2)
    mlflow.log_metric("train_loss", -math.inf, step=3)
    mlflow.set_tag("mlflow.source.git.commit", "0ed2df3c0ffee0123456789abcdef0123456789a")
    with mlflow.start_run(run_name="child", nested=True):
        mlflow.log_metric("val/mAP", 0.25, step=1)
for name, status in [("boom", "FAILED"), ("stopped", "KILLED")]:
    with mlflow.start_run(run_name=name) as run:
        mlflow.log_metric("val/mAP", 0.1, step=1)
    client.set_terminated(run.info.run_id, status)
alive = client.create_run(run.info.experiment_id, run_name="alive")
client.log_metric(alive.info.run_id, "val/mAP", 0.1, step=1)
with mlflow.start_run(run_name="empty"):
    pass
with mlflow.start_run(run_name="deleted") as run:
    mlflow.log_metric("val/mAP", 0.1)
client.delete_run(run.info.run_id)
mlflow.set_experiment("given up")
with mlflow.start_run(run_name="deleted too") as run:
    mlflow.log_metric("val/mAP", 0.1)
client.delete_experiment(run.info.experiment_id)
"""


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same runs, written by MLflow itself into a file store and into SQLite."""
    pytest.importorskip("mlflow", reason="pip install 'ablate-lab[peers]' to write MLflow's stores")
    folder = tmp_path_factory.mktemp("mlflow")
    (folder / "write.py").write_text(WRITER)
    found = {"files": folder / "mlruns", "sqlite": folder / "mlflow.db"}
    environment = {
        **os.environ,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "GIT_PYTHON_REFRESH": "quiet",
    }
    for uri in (f"file://{found['files']}", f"sqlite:///{found['sqlite']}"):
        subprocess.run(
            [sys.executable, "write.py", uri],
            check=True,
            cwd=folder,
            env=environment,
            capture_output=True,
        )
    return found


def runs(path: Path) -> dict[str, Run]:
    places = READER.find(path) if path.is_dir() else [path]
    return {run.name: run for place in places for run in READER.read(place)}


def curve(run: Run, split: str, name: str) -> dict[int, float]:
    return {s.step: s.value for s in run.scalars if (s.split, s.name) == (split, name)}


@pytest.mark.parametrize("kind", ["files", "sqlite"])
def test_a_run_of_mlflow_is_read_with_its_parameters_and_curves(
    stores: dict[str, Path], kind: str
) -> None:
    run = runs(stores[kind])["sacr+lif"]
    assert run.settings == {
        "model/sacr": "True",
        "lr": "0.00035",
        "seed": "2",
        "data": "RGBNT201",
    }
    assert run.seed == 2
    assert curve(run, "val", "mAP") == {1: 0.005, 2: 0.306, 3: 0.776}
    loss = curve(run, "train", "loss")
    assert math.isnan(loss[1])
    assert (loss[2], loss[3]) == (math.inf, -math.inf)
    assert [m.name for m in run.metrics] == ["mAP"]


@pytest.mark.parametrize("kind", ["files", "sqlite"])
def test_the_status_of_each_run_decides_its_state_and_deleted_ones_stay_away(
    stores: dict[str, Path], kind: str
) -> None:
    found = {name: (run.state, run.reason) for name, run in runs(stores[kind]).items()}
    assert found == {
        "sacr+lif": (State.COMPLETED, ""),
        "child": (State.COMPLETED, ""),
        "boom": (State.FAILED, "MLflow says failed"),
        "stopped": (State.INCOMPLETE, "MLflow says killed"),
        "alive": (State.INCOMPLETE, "MLflow says running: it never said that it ended"),
        "empty": (State.INCOMPLETE, "it logged no metric"),
    }


@pytest.mark.parametrize("kind", ["files", "sqlite"])
def test_the_commit_is_a_fact_and_people_and_places_are_not(
    stores: dict[str, Path], kind: str
) -> None:
    found = runs(stores[kind])
    assert found["sacr+lif"].facts["commit"] == "0ed2df3c0ffee0123456789abcdef0123456789a"
    assert found["sacr+lif"].facts["experiment"] == "grid"
    assert found["child"].facts["nested"] == "a child of another run"
    assert "someone" not in repr(found)
    assert str(stores[kind].parent) not in repr(found)


def test_deleted_runs_of_a_database_are_counted(stores: dict[str, Path]) -> None:
    assert runs(stores["sqlite"])["boom"].facts["deleted runs passed over"] == "2"


def test_both_stores_hold_the_same_curves(stores: dict[str, Path]) -> None:
    files, database = runs(stores["files"]), runs(stores["sqlite"])
    for name, run in files.items():
        assert repr(sorted(map(repr, run.scalars))) == repr(
            sorted(map(repr, database[name].scalars))
        )


def test_reading_a_database_changes_no_byte_and_leaves_no_file(stores: dict[str, Path]) -> None:
    before = stores["sqlite"].read_bytes()
    there = sorted(stores["sqlite"].parent.iterdir())
    runs(stores["sqlite"])
    assert stores["sqlite"].read_bytes() == before
    assert sorted(stores["sqlite"].parent.iterdir()) == there


def file_store(folder: Path, metric: str, status: int = 3) -> Path:
    run = folder / "mlruns" / "1" / "abc"
    for name in ("params", "metrics", "tags"):
        (run / name).mkdir(parents=True)
    (run.parent / "meta.yaml").write_text("name: e\nlifecycle_stage: active\n")
    (run / "meta.yaml").write_text(
        f"run_id: abc\nrun_name: r\nstatus: {status}\nlifecycle_stage: active\n"
        "start_time: 1000\nend_time: 61000\n"
    )
    (run / "metrics" / "mAP").write_text(metric)
    return run


def test_lines_of_older_versions_without_a_step_are_read(tmp_path: Path) -> None:
    file_store(tmp_path, "1000 0.5\n")
    (run,) = runs(tmp_path).values()
    assert curve(run, "val", "mAP") == {0: 0.5}
    assert [(c.name, c.value, c.unit) for c in run.costs] == [("seconds", 60.0, "s")]


def test_a_line_of_a_metric_that_is_no_measurement_is_reported(tmp_path: Path) -> None:
    file_store(tmp_path, "1000 0.5 1\n1001 high 2\n")
    (run,) = runs(tmp_path).values()
    assert run.unread == ("line 1: mAP, line 2: 1001 high 2",)


def test_a_database_of_another_program_is_no_store_of_mlflow(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE runs (a)")
    other.close()
    (tmp_path / "text.db").write_text(json.dumps({}))
    assert list(READER.find(tmp_path)) == []
    with pytest.raises(UsageError, match=r"other\.db: neither a run of MLflow's file store"):
        next(READER.read(tmp_path / "other.db"))
