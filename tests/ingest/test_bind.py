from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ablate import Metric, Outcome, System, design, real, switch
from ablate.errors import UsageError
from ablate.ingest.assemble import Assembled
from ablate.ingest.bind import ASSUMED, Bound, bind
from ablate.ingest.bring import Brought, Target, bring
from ablate.ingest.gather import holding
from ablate.ingest.run import Run
from ablate.ingest.seats import Wishes
from ablate.ingest.wanted import MapFile
from ablate.record import Ending, State
from ablate.spec.systems import FactorTable
from ablate.store import Store, open_store
from ablate.study import Modules, Placement, Study, Sweep
from tests.ingest.made import grid, run

SYSTEM = System(
    name="trainer",
    revision="3",
    factors=(switch("a"), switch("b"), real("b.ratio", 0.7, requires="b"), real("lr", 1e-3)),
    metrics=(Metric("mAP"),),
    train=lambda _: Outcome(),
    finds_data=True,
)
STUDY = Study(
    name="s",
    title="s",
    system=SYSTEM.name,
    revision=SYSTEM.revision,
    factors=SYSTEM.factors,
    metrics=SYSTEM.metrics,
    primary="mAP",
    seeds=(0, 1),
    modules=Modules(("a", "b")),
    sweeps=(Sweep("full", "b.ratio", (0.5, 0.7)),),
    data="unnamed",
)
KEYS = MapFile(
    factors={
        "a": FactorTable(key="MODEL.USE_A", reference=False),
        "b": FactorTable(key="MODEL.USE_B", reference=False),
        "b.ratio": FactorTable(key="MODEL.B_RATIO", reference=0.7, requires="b"),
        "lr": FactorTable(key="SOLVER.LR", reference=1e-3),
    }
)
RUNS = (
    run("full", grid(), seed=0),
    run("a", grid(b="False"), seed=0),
    run("half", grid(ratio="0.5"), seed=1),
)


def bound(runs: Sequence[Run], study: Study = STUDY, wanted: MapFile = KEYS) -> Assembled:
    with holding(runs, "demo") as gathered:
        return bind(gathered, Bound.of(study, "package.module:name", wanted), Wishes())


def brought(store: Store, runs: Sequence[Run], *, force: bool = False) -> Brought:
    with holding(runs, "demo") as gathered:
        found = bind(gathered, Bound.of(STUDY, "package.module:name", KEYS), Wishes())
        return bring(Target(store, "import logs", force), found, gathered)


def keys(found: Assembled) -> list[str]:
    return [p.trial.key for p in found.placements if p is not None]


def test_bound_runs_have_the_keys_that_the_study_file_makes() -> None:
    asked = {(p.variant.name, p.trial.seed): p for p in design.placements(STUDY)}
    found = bound(RUNS)
    assert found.placements == (
        asked["full", 0],
        asked["a", 0],
        asked["full b.ratio=0.5", 1],
    )


def test_only_what_is_missing_is_left_to_run(tmp_path: Path) -> None:
    with open_store(tmp_path / "a.db", create=True) as store:
        assert len(brought(store, RUNS).new) == 3
        states = store.states(p.trial.key for p in design.placements(STUDY))
    assert sorted(states.values()).count(State.COMPLETED) == 3
    assert sorted(states.values()).count(State.PENDING) == 7


def test_that_the_data_are_assumed_is_noted_with_every_run(tmp_path: Path) -> None:
    with open_store(tmp_path / "a.db", create=True) as store:
        brought(store, RUNS)
        attempts = [r.attempt for r in store.records("s") if r.attempt is not None]
    assert len(attempts) == 3
    assert {a.provenance["notes"] for a in attempts} == {ASSUMED}
    assert {a.provenance["data"] for a in attempts} == {"assumed"}


def test_runs_that_the_study_does_not_ask_for_stand_beside_it(tmp_path: Path) -> None:
    outside = run("slow", grid(lr="1e-4"), seed=7)
    found = bound([*RUNS, outside])
    place = found.placements[3]
    assert place is not None
    assert (place.extra, place.variant.name, place.trial.seed) == (True, "full lr=0.0001", 7)
    assert place.trial.changed == {"a": True, "b": True, "lr": 0.0001}
    with open_store(tmp_path / "a.db", create=True) as store:
        brought(store, [*RUNS, outside])
        store.put_study(STUDY, list(design.placements(STUDY)))
        assert "full lr=0.0001" in {r.variant for r in store.records("s")}


def test_a_fixed_level_of_the_study_is_where_its_runs_stand() -> None:
    study = replace(STUDY, fixed={"lr": 1e-4})
    found = bound([run("x", grid(lr="1e-4"), seed=0), run("y", grid(), seed=0)], study)
    assert [p.extra for p in found.placements if p] == [False, True]
    assert [p.variant.name for p in found.placements if p] == ["full", "full lr=0.001"]


def test_keys_are_found_in_another_case_or_as_a_tail_without_a_map() -> None:
    runs = [run("x", {"model.A": "true", "model.b": "false", "optimizer.lr": "1e-3"}, seed=0)]
    found = bound(runs, wanted=MapFile())
    place = found.placements[0]
    assert place is not None
    assert (place.variant.name, place.extra) == ("a", False)


def test_what_the_configuration_does_not_say_is_taken_from_the_study_in_doubt() -> None:
    settings = {k: v for k, v in grid().items() if k != "SOLVER.LR"}
    found = bound([run("x", settings, seed=0)])
    assert found.doubts[0] == (
        ASSUMED,
        "SOLVER.LR is not in its configuration: lr is taken as 0.001",
    )


def test_settings_that_differ_and_are_no_factor_are_said_to_be_mixed_in() -> None:
    runs = [
        run("x", grid() | {"SOLVER.WD": "0"}, seed=0),
        run("y", grid(a="False") | {"SOLVER.WD": "0"}, seed=0),
        run("z", grid(b="False") | {"SOLVER.WD": "1e-4", "OUTPUT_DIR": "b"}, seed=0),
    ]
    found = bound(runs)
    assert len(found.remarks) == 1
    assert found.remarks[0].startswith("SOLVER.WD differs in 1 of 3 runs")
    assert found.doubts[2][1].startswith("SOLVER.WD = 1e-4 where most runs have 0")


def test_a_level_that_the_factor_does_not_take_is_refused_with_its_key() -> None:
    with pytest.raises(UsageError, match=r"MODEL\.B_RATIO is no level of factor 'b\.ratio'"):
        bound([run("x", grid(ratio="auto"), seed=0)])


def test_scores_that_the_system_promises_and_no_run_has_are_said() -> None:
    more = replace(STUDY, metrics=(Metric("mAP"), Metric("rank1")))
    assert bound(RUNS, more).remarks == ("no run has the score 'rank1' of the system",)
    with pytest.raises(UsageError, match=r"no run has 'rank1', the primary score .* mAP"):
        bound(RUNS, replace(more, primary="rank1"))


@pytest.mark.parametrize(
    ("study", "message"),
    [
        (replace(STUDY, data="missing"), "its data set is not here"),
        (replace(STUDY, data="standin:1", standin=True), "is the generated stand-in"),
    ],
)
def test_runs_are_not_bound_to_data_that_they_cannot_have_had(study: Study, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        bound(RUNS, study)


def trained(store: Store, placement: Placement, score: float) -> None:
    store.put_study(STUDY, list(design.placements(STUDY)))
    attempt = store.claim(placement.trial.key, "me")
    assert attempt is not None
    ending = Ending(State.COMPLETED, seconds=1.0, ended="", scores={"mAP": score})
    assert store.finish(attempt, ending)


def test_a_trial_that_was_trained_here_is_never_overwritten_unless_forced(tmp_path: Path) -> None:
    own = next(p for p in design.placements(STUDY) if p.variant.name == "full")
    with open_store(tmp_path / "a.db", create=True) as store:
        trained(store, own, 0.9)
        result = brought(store, RUNS)
        assert list(result.skipped) == [own.trial.key]
        assert "--force" in result.skipped[own.trial.key]
        assert len(result.new) == 2
        record = next(r for r in store.records("s") if r.key == own.trial.key)
        assert record.scores["mAP"].value == 0.9
        assert len(brought(store, RUNS, force=True).new) == 1


def test_another_run_of_a_trial_does_not_replace_the_first_in_silence(tmp_path: Path) -> None:
    first = run("full", grid(), seed=0, started="2025-12-06T20:31:21")
    second = run("again", grid(), seed=0, started="2025-12-09T20:31:21", score=0.9)
    with open_store(tmp_path / "a.db", create=True) as store:
        brought(store, [first])
        (key,) = keys(bound([first]))
        said = brought(store, [second]).skipped[key]
        assert said.startswith("another run of it was imported before: full.log (--force")
        assert brought(store, [second], force=True).new == [key]
        grown = replace(second, files={"again.log": "longer"}, scalars=first.scalars)
        assert brought(store, [grown]).new == [key]


def test_a_run_cut_short_is_taken_up_again_and_does_not_replace_a_whole_one(
    tmp_path: Path,
) -> None:
    cut = run("full", grid(), seed=0, state=State.INCOMPLETE)
    with open_store(tmp_path / "a.db", create=True) as store:
        brought(store, [cut])
        key = keys(bound([cut]))[0]
        assert store.states([key]) == {key: State.INCOMPLETE}
        assert store.claim(key, "me") is not None
    with open_store(tmp_path / "b.db", create=True) as store:
        brought(store, RUNS)
        assert brought(store, [cut]).skipped == {key: "it has completed in another import"}
        assert store.states([key]) == {key: State.COMPLETED}
