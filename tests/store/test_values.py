import math
import sqlite3
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from ablate.errors import UsageError
from ablate.metric import Metric
from ablate.record import Ending, Finding, Item, Scalar, State
from ablate.selection import Selection
from ablate.store import Store, open_store
from ablate.study import (
    Arm,
    Axis,
    Check,
    Claims,
    Modules,
    Placement,
    Resources,
    Start,
    Study,
    Sweep,
    choice,
    real,
    switch,
    whole,
)

FULL = Study(
    name="everything",
    title="SACR, SDTPS | LIF \N{EM DASH} 消融",
    system="reid",
    revision="3",
    factors=(
        switch("sacr", title="SACR"),
        whole("depth", 2, low=1),
        real("lif.beta", 0.4, requires="sacr", low=0.0),
        choice("loss", "ce", "focal", "1", "true"),
    ),
    metrics=(Metric("rank1", "Rank-1"), Metric("fde", direction="down", display="number")),
    primary="rank1",
    selection=Selection("rank1", "val"),
    seeds=(0, 2**32 - 1),
    fixed={"sacr": True, "depth": 1, "lif.beta": 1.0, "loss": "1"},
    modules=Modules(("sacr",), "leave-one-out"),
    sweeps=(
        Sweep("full", "lif.beta", (1.0, 1e22, 0.1)),
        Sweep("full", "depth", (1, 2**62)),
        Sweep("full", "loss", ("true", "1")),
    ),
    arms=(Arm("aqr", {"sacr": False, "lif.beta": 0.0}, "lmsa", Start("pretrain", 0)),),
    axes=(Axis("lif.beta", (0.2,)),),
    checks=(Check("train.acc", 5, min=0.2, stop=True),),
    groups={"classes": {"small": ("pedestrian", "motorcycle")}},
    tiers={"clear": 3.0},
    limits={"params": 1.82e6},
    claims=Claims(0.01, 1.0, paired=True),
    resources=Resources(2, 0.5, 7200.0),
    scale="small",
    data_root="RGBNT201",
    data="standin/1",
    standin=True,
    text='[study]\nname = "everything"\r\n\t# 消融',
)


def test_a_study_comes_back_as_exactly_the_value_it_was(store: Store) -> None:
    store.put_study(FULL, [])
    back = store.study("everything")
    assert back == FULL
    # `==` takes 1, 1.0 and True for the same level: their types must be the same too.
    assert repr(back.fixed) == repr(FULL.fixed)
    assert repr(back.sweeps) == repr(FULL.sweeps)
    assert repr(back.arms) == repr(FULL.arms)
    assert [f.level(f.reference) for f in back.factors] == [False, 2, 0.4, "ce"]
    assert math.isinf(back.factor("lif.beta").high)


def test_a_study_that_is_not_there_is_named_with_the_nearest_one(store: Store) -> None:
    with pytest.raises(UsageError, match="holds none yet"):
        store.study("x")
    store.put_study(FULL, [])
    with pytest.raises(UsageError, match=r"did you mean 'everything'\?"):
        store.records("everythin")


def test_levels_keep_their_types(
    store: Store, study: Study, place: Callable[..., Placement]
) -> None:
    store.put_study(study, [place("lif", lr=2.0)])
    (record,) = store.records("small")
    assert repr(record.levels) == "{'lif': True, 'lr': 2.0}"
    assert repr(record.changed) == "{'lif': True, 'lr': 2.0}"
    assert record.key == place("lif", lr=2.0).trial.key


def test_all_that_an_attempt_left_behind_comes_back(
    store: Store, study: Study, placements: list[Placement], ending: Ending
) -> None:
    store.put_study(study, placements)
    key = placements[2].trial.key
    attempt = store.claim(key, "boot:1:2")
    assert attempt is not None
    assert attempt.folder == f"{key}/1"
    assert store.finish(attempt, ending)
    record = store.records("small")[2]
    assert (record.variant, record.seed, record.parent, record.role) == (
        "lif",
        0,
        "baseline",
        "grid",
    )
    assert (record.position, record.state, record.source) == (2, State.COMPLETED, "run")
    assert record.costs == {"params": ending.costs[0]}
    assert record.shares == {"lif": {"params": ending.costs[1]}}
    assert record.attempt == store.attempts(key)[0]
    assert record.attempt is not None
    assert record.attempt.provenance == ending.provenance
    assert (record.attempt.seconds, record.attempt.owner) == (12.5, "boot:1:2")
    assert record.attempt.device == "cpu"
    assert store.items(key) == list(ending.items)
    assert list(store.curves(key)["val", "rank1"].items()) == [(0, 0.3), (1, 0.7), (2, 0.6)]
    assert store.durations("small") == [("lif", 12.5)]


def test_nan_and_infinities_are_neither_missing_nor_each_other(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_study(study, placements)
    key = placements[0].trial.key
    attempt = store.claim(key, "me")
    assert attempt is not None
    points = tuple(
        Scalar(step, "test", "rank1", value)
        for step, value in enumerate((math.inf, -math.inf, math.nan))
    )
    items = (Item("test", "q", "ap", math.nan),)
    store.finish(
        attempt,
        Ending(State.COMPLETED, 1.0, "", scalars=points, items=items, scores={"NDS": -math.inf}),
    )
    curve = store.curves(key)["test", "rank1"]
    assert (curve[0], curve[1]) == (math.inf, -math.inf)
    assert math.isnan(curve[2])
    assert math.isnan(store.items(key)[0].value)
    scores = store.records("small")[0].scores
    assert math.isnan(scores["rank1"].value)
    assert scores["NDS"].value == -math.inf
    assert "rank1" not in store.records("small")[1].scores


@pytest.mark.parametrize(
    "number",
    [np.float32(0.5), np.float64(0.5), np.array(0.5), torch.tensor(0.5), torch.tensor([0.5])[0]],
)
def test_numbers_of_numpy_and_torch_are_stored_as_numbers(
    number: float, store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_study(study, placements)
    attempt = store.claim(placements[0].trial.key, "me")
    assert attempt is not None
    step = int(np.int64(3))
    store.finish(
        attempt,
        Ending(
            State.COMPLETED,
            1.0,
            "",
            scalars=(Scalar(np.int64(3), "test", "rank1", number),),  # type: ignore[arg-type]
        ),
    )
    assert store.curves(attempt.key) == {("test", "rank1"): {step: 0.5}}
    with sqlite3.connect(store.path) as raw:
        types = raw.execute("SELECT typeof(step), typeof(value) FROM scalar").fetchone()
    raw.close()
    assert types == ("integer", "real")


def test_a_point_or_an_item_logged_twice_keeps_its_later_value(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_study(study, placements)
    attempt = store.claim(placements[0].trial.key, "me")
    assert attempt is not None
    points = tuple(Scalar(1, "test", "rank1", value) for value in (0.1, 0.2))
    items = tuple(Item("test", "q", "ap", value) for value in (0.1, 0.2))
    store.finish(attempt, Ending(State.COMPLETED, 1.0, "", scalars=points, items=items))
    assert store.curves(attempt.key) == {("test", "rank1"): {1: 0.2}}
    assert store.items(attempt.key) == [items[1]]


def test_text_that_is_not_unicode_does_not_lose_the_result(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_study(study, placements)
    attempt = store.claim(placements[0].trial.key, "me")
    assert attempt is not None
    wrong = "cannot open 'caf\udce9' \x00 \N{RIGHT-TO-LEFT OVERRIDE}"
    assert store.finish(attempt, Ending(State.FAILED, 1.0, "", error=wrong))
    assert store.attempts(attempt.key)[0].error == wrong.replace("\udce9", "\\udce9")


def test_findings_are_replaced_as_a_whole(store: Store, study: Study) -> None:
    store.put_study(study, [])
    first = [Finding("A1", "warning", "the gap is 1.5 points", "ablate compare a b")]
    store.put_findings("small", [*first, Finding("A2", "note", "x")])
    store.put_findings("small", first)
    assert store.findings("small") == first


def test_a_store_reads_the_same_after_it_was_closed(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_study(study, placements)
    before = store.records("small")
    store.close()
    with open_store(store.path) as again:
        assert again.records("small") == before


def test_a_trial_is_found_by_the_beginning_of_its_key(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_study(study, placements)
    key = placements[0].trial.key
    assert store.find_trial(key[:8].upper()) == [key]
    assert store.find_trial("%") == []
    assert store.find_trial("") == sorted(p.trial.key for p in placements)


def test_the_settings_that_a_program_resolved_are_read_back_as_they_were_printed(
    store: Store, study: Study, placements: list[Placement], ending: Ending
) -> None:
    settings = {"SOLVER.SEED": "1234", "MODEL.NAME": "ViT-B/16", "DATASETS.ROOT_DIR": ""}
    key = placements[0].trial.key
    store.put_study(study, placements)
    attempt = store.claim(key, "me")
    assert attempt is not None
    store.finish(attempt, replace(ending, settings=settings))
    assert store.settings(key) == settings
    assert store.settings(placements[1].trial.key) == {}
