import gzip
import json
import math
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.errors import UsageError
from ablate.ingest.mmdet import READER
from ablate.ingest.run import Run
from ablate.record import State
from tests.ingest.mmdet_log import CLASSES, MmdetLog, json_lines, scalars, scores, terms, text

REAL = os.environ.get("ABLATE_REALDATA", "")
needs_real = pytest.mark.skipif(not REAL, reason="ABLATE_REALDATA is not set: no real logs here")
CLASSES_OF_NUSCENES = 10


def read(path: Path) -> list[Run]:
    return list(READER.read(path))


def of(tmp_path: Path, content: str) -> Run:
    path = tmp_path / "a.log"
    path.write_text(content, "utf-8")
    (run,) = read(path)
    return run


def points(run: Run) -> dict[tuple[str, str, int], float]:
    return {(s.split, s.name, s.step): s.value for s in run.scalars}


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


@needs_real
@pytest.mark.parametrize(
    ("name", "odd", "map_", "nds"),
    [
        ("baseline", {50: "nan", 100: "nan", 2100: "inf"}, 0.6575, 0.6908),
        ("aqr_2.5_0.6", {50: "nan", 1400: "nan"}, 0.6397, 0.6825),
    ],
)
def test_every_number_of_the_real_logs_is_read_and_none_is_wrong(
    name: str, odd: dict[int, str], map_: float, nds: float
) -> None:
    path = Path(REAL, "cmt_aqr_logs", f"{name}.log.gz")
    said = gzip.decompress(path.read_bytes()).decode()
    (run,) = read(path)
    found = points(run)
    count = 0
    for iteration, rest in re.findall(r"Epoch \[1\]\[(\d+)/4004\]\t(.*)", said):
        pairs = [part.split(": ") for part in rest.split(", ") if not part.startswith("eta")]
        for key, value in pairs:
            assert same(found["train", key, int(iteration)], float(value)), (iteration, key)
            count += 1
    assert count == 80 * 30
    assert len(found) == count + 7
    norms = {s.step: s.value for s in run.scalars if s.name == "grad_norm"}
    assert {i: str(v) for i, v in norms.items() if not math.isfinite(v)} == odd
    items = {(i.item, i.name): i.value for i in run.items if i.split == "val"}
    (validation,) = re.findall(r"Epoch\(val\) \[1\]\[753\]\t(.*)", said)
    per_class = 0
    for key, value in re.findall(r"pts_bbox_NuScenes/(\S+): ([^,\s]+)", validation):
        whole = found.get(("val", key, 1))
        if whole is None:
            item, measured = re.fullmatch(r"(.*?)_(AP_dist.*|[a-z]+_err)", key).groups()
            assert same(items[item, measured], float(value)), key
            per_class += 1
        else:
            assert whole == float(value), key
    assert per_class == CLASSES_OF_NUSCENES * (4 + 5)
    assert (found["val", "mAP", 1], found["val", "NDS", 1]) == (map_, nds)
    assert found["val", "mATE", 1] > 0.3
    peak = max(int(m) for m in re.findall(r"memory: (\d+)", said))
    assert next(c.value for c in run.costs if c.name == "memory") == peak * 2**20
    assert (run.state, run.unread) == (State.COMPLETED, ())
    assert re.findall(r"/data|pglkar|omokg|root@", repr(run)) == []


def engine(log: MmdetLog) -> str:
    return text(**{**vars_of(log), "engine": True})


def mmcv(log: MmdetLog) -> str:
    return text(**vars_of(log))


def vars_of(log: MmdetLog) -> dict[str, object]:
    return {name: getattr(log, name) for name in ("epochs", "first", "length", "every", "seed")}


@pytest.mark.parametrize(
    ("write", "name"),
    [(mmcv, "x.log"), (engine, "x.log"), (json_lines, "x.log.json"), (scalars, "scalars.json")],
)
def test_text_and_json_of_both_generations_say_the_same(
    tmp_path: Path, write: Callable[[MmdetLog], str], name: str
) -> None:
    log = MmdetLog(epochs=2, length=100)
    (tmp_path / name).write_text(write(log), "utf-8")
    (run,) = read(tmp_path / name)
    found = points(run)
    for epoch in (1, 2):
        for i in (50, 100):
            for key, value in terms(epoch, i).items():
                assert found["train", key, (epoch - 1) * 100 + i] == pytest.approx(value, 1e-3)
        for key in ("NDS", "mAP", "mATE"):
            assert found["val", key, epoch] == float(scores(epoch)[key])
    items = {(i.item, i.name): i.value for i in run.items}
    for key, value in scores(2).items():
        for of_class in CLASSES:
            if key.startswith(of_class):
                assert same(items[of_class, key.removeprefix(f"{of_class}_")], float(value)), key
    assert run.unread == ()
    assert [m.name for m in run.metrics][:2] == ["NDS", "mAP"]


def test_configuration_environment_and_seed_are_read_without_places(tmp_path: Path) -> None:
    run = of(tmp_path, text())
    assert run.settings["optimizer.lr"] == "0.0001"
    assert run.settings["model.bbox_head.loss_cls.loss_weight"] == "2.0"
    assert run.settings["model.backbone.init_cfg.checkpoint"] == "r50.pth"
    assert run.settings["train_pipeline.1.scale"] == "[1333, 800]"
    assert (run.settings["aqr"], run.seed) == ("True", 3)
    assert run.facts["GPU"] == "NVIDIA A100-SXM4-40GB"
    assert run.facts["PyTorch"] == "1.9.0+cu111"
    assert (run.state, run.started) == (State.COMPLETED, "2025-10-13T12:09:10")
    assert {"machine-17", "/home", "/usr"} & set(
        re.findall(r"machine-17|/home|/usr", repr(run))
    ) == set()


def test_a_setting_that_cannot_be_read_is_said_and_the_others_are_kept(tmp_path: Path) -> None:
    broken = text().replace("optimizer = dict(type='AdamW',", "optimizer = dict(type='AdamW,")
    run = of(tmp_path, broken)
    assert run.remarks == ("the setting optimizer of the configuration cannot be read",)
    assert run.settings["runner.max_epochs"] == "2"
    code = text().replace("aqr = True", "aqr = range(0, 8)")
    assert of(tmp_path, code).settings["aqr"] == "range(0, 8)"


@pytest.mark.parametrize("engine", [False, True])
def test_a_log_cut_after_any_line_is_never_complete_and_holds_a_prefix(
    tmp_path: Path,
    engine: bool,  # noqa: FBT001 - a case of the test
) -> None:
    lines = text(engine=engine).splitlines(keepends=True)
    full = points(of(tmp_path, "".join(lines)))
    for end in range(1, len(lines)):
        path = tmp_path / "cut.log"
        path.write_text("".join(lines[:end]), "utf-8")
        try:
            (run,) = read(path)
        except UsageError:
            assert end < 40
            continue
        assert run.state is not State.COMPLETED, end
        assert points(run).items() <= full.items(), end


def test_how_a_run_ended_is_said(tmp_path: Path) -> None:
    run = of(tmp_path, text(epochs=12, printed=3))
    assert (run.state, run.reason) == (State.INCOMPLETE, "the log ends in epoch 3 of 12")
    error = "Traceback (most recent call last):\n  File x\nValueError: bad\n"
    run = of(tmp_path, text(epochs=12, printed=3) + error)
    assert (run.state, run.reason) == (
        State.FAILED,
        "ValueError: bad (the log ends in epoch 3 of 12)",
    )
    assert of(tmp_path, text().partition("Epoch [1]")[0]).state is State.PENDING


def test_a_restart_replaces_a_resume_goes_on_and_another_configuration_is_another_run(
    tmp_path: Path,
) -> None:
    first, path = text(epochs=3, printed=1), tmp_path / "a.log"
    run = of(tmp_path, first + text(epochs=3))
    assert run.state is State.COMPLETED
    assert "left out" in run.remarks[0]
    run = of(tmp_path, first + text(epochs=3, first=2))
    assert [s.step for s in run.scalars if s.name == "NDS"] == [1, 2, 3]
    path.write_text(first + text(epochs=3, aqr="False"), "utf-8")
    assert [r.settings["aqr"] for r in read(path)] == ["True", "False"]


def test_percent_becomes_a_fraction_and_not_a_number_stays(tmp_path: Path) -> None:
    whole = re.sub(r"mAP: 0\.(\d\d)(\d\d)", r"mAP: \1.\2", text(gradients={(1, 50): "nan"}))
    run = of(tmp_path, whole)
    assert points(run)["val", "mAP", 2] == 0.44
    assert math.isnan(points(run)["train", "grad_norm", 50])


def test_json_is_passed_over_where_text_says_the_same(tmp_path: Path) -> None:
    log = MmdetLog()
    (tmp_path / "1.log").write_text(text(), "utf-8")
    (tmp_path / "1.log.json").write_text(json_lines(log), "utf-8")
    (tmp_path / "2.log.json").write_text(json_lines(log), "utf-8")
    folder = tmp_path / "work" / "20230501_063626" / "vis_data"
    folder.mkdir(parents=True)
    (folder / "scalars.json").write_text(scalars(log), "utf-8")
    (folder / "config.py").write_text("max_epochs = 2\n", "utf-8")
    found = list(READER.find(tmp_path))
    assert [p.name for p in found] == ["1.log", "2.log.json", "scalars.json"]
    (run,) = read(folder / "scalars.json")
    assert (run.name, run.settings, run.state) == ("work", {"max_epochs": "2"}, State.COMPLETED)


def test_a_term_that_is_no_number_is_reported_and_the_others_of_its_line_are_read(
    tmp_path: Path,
) -> None:
    run = of(tmp_path, text().replace(" loss: ", " own: 3.5e, loss: ", 1))
    (line,) = run.unread
    assert "Epoch [1][50/" in line
    assert {s.name for s in run.scalars if s.step == 50} >= {"loss", "lr"}


def test_what_looks_like_a_measurement_and_is_not_understood_is_reported(tmp_path: Path) -> None:
    run = of(tmp_path, text() + "my own accuracy: 0.93\n")
    assert run.unread[0].endswith("my own accuracy: 0.93")


@pytest.mark.parametrize("rates", [{"backbone": 1e-5, "head": 1e-4}, [1e-5, 1e-4]])
def test_several_learning_rates_in_one_line_of_json_are_said_not_to_be_read(
    tmp_path: Path, rates: object
) -> None:
    head = json.dumps({"env_info": "", "seed": 1, "hook_msgs": {"a": 1}}) + "\n"
    line = json.dumps({"mode": "train", "epoch": 1, "iter": 50, "lr": rates, "loss": 0.5}) + "\n"
    (tmp_path / "a.log.json").write_text(head + line, "utf-8")
    (run,) = read(tmp_path / "a.log.json")
    assert [(s.name, s.value) for s in run.scalars] == [("loss", 0.5)]
    assert "lr has several values in one line of JSON: not read" in run.remarks
    assert not [r for r in run.remarks if "hook_msgs" in r]
