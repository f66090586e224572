import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from ablate.errors import UsageError
from ablate.ingest.exported import check_not_own
from ablate.ingest.tables import read_table_study
from ablate.metric import Metric
from ablate.record import Cost, Record, State
from ablate.report.export import export_csv, export_document
from ablate.selection import Score, Selection
from ablate.study import Factor, Kind, Level, Study

FACTORS = (
    Factor("sacr", Kind.BOOL, reference=False),
    Factor("lr", Kind.FLOAT, 99.0),
    Factor("loss", Kind.STR, "arc"),
)
METRICS = (
    Metric("gap"),
    Metric("top1"),
    Metric("acc"),
    Metric("val_loss", direction="down", display="number"),
)
STUDY = Study(
    name="s",
    title="s",
    system="trainer",
    revision="1",
    factors=FACTORS,
    metrics=METRICS,
    primary="gap",
    seeds=(0, 1),
    data="d",
)
COSTS = (
    Cost("cpu", 12.5, "s", "the kernel"),
    Cost("seconds", 99.0, "s", "the clock"),
    Cost("memory", 1e9, "bytes", "the allocator"),
    Cost("params", 1500.0, "", "trainable"),
    Cost("live_macs", 2e9, "MAC", "meta"),
)
SCORES = {"gap": 3.0, "top1": 99.0, "acc": 0.5, "val_loss": 1.25}


def record(
    position: int, levels: Mapping[str, Level], state: State, scores: Mapping[str, float]
) -> Record:
    return Record(
        study="s",
        variant="sacr" if levels["sacr"] else "baseline",
        role="grid",
        parent=None,
        position=position,
        levels=levels,
        changed={},
        seed=position,
        key=f"{position:016x}",
        state=state,
        scores={m: Score(m, v, 1, "val", "last") for m, v in scores.items()},
        costs={c.name: c for c in COSTS},
    )


RECORDS = (
    record(0, {"sacr": False, "lr": 99.0, "loss": "arc"}, State.COMPLETED, SCORES),
    record(1, {"sacr": True, "lr": 0.1, "loss": "cos"}, State.COMPLETED, {"top1": 0.75}),
    record(2, {"sacr": True, "lr": 0.1, "loss": "arc"}, State.INCOMPLETE, {"top1": 0.25}),
    record(3, {"sacr": True, "lr": 0.1, "loss": "arc"}, State.PENDING, {}),
)


def test_what_export_wrote_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    file = tmp_path / "s.csv"
    file.write_text(export_csv(STUDY, RECORDS, Selection()), "utf-8")
    found = read_table_study(file)
    assert [(f.name, f.kind) for f in found.study.factors] == [
        ("sacr", Kind.BOOL),
        ("lr", Kind.FLOAT),
        ("loss", Kind.STR),
    ]
    assert [m.name for m in found.study.metrics] == ["top1", "acc", "val_loss"]
    first, second, third = (ending for _, ending in found.results)
    assert first.scores == {"top1": 99.0, "acc": 0.5, "val_loss": 1.25}
    assert second.scores == {"top1": 0.75}
    assert (third.state, third.scores) == (State.INCOMPLETE, {})
    assert {c.name: c.value for c in first.costs} == {
        "cpu": 12.5,
        "seconds": 99.0,
        "memory": 1e9,
        "params": 1500.0,
    }
    assert [dict(p.variant.levels) for p, _ in found.results] == [r.levels for r in RECORDS[:3]]
    notes = {c.header: c.note for c in found.columns}
    assert "not known" in notes["gap"]


def test_a_json_document_of_ablate_itself_is_refused_by_name_and_any_other_is_not(
    tmp_path: Path,
) -> None:
    own, other = tmp_path / "own.json", tmp_path / "other.json"
    own.write_text(json.dumps(export_document(STUDY, (), Selection()), indent=1), "utf-8")
    other.write_text('{"schema": "mine/1", "mode": "train"}', "utf-8")
    with pytest.raises(UsageError, match=r"own.json: it is ablate's own \(ablate.export/1\).*csv"):
        check_not_own(own)
    check_not_own(other)
    check_not_own(tmp_path)
