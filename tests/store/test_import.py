import sqlite3
from collections.abc import Callable
from dataclasses import replace

import pytest

from ablate.errors import LockedError
from ablate.record import Ending, Scalar, State
from ablate.store import Store
from ablate.study import Placement, Study

GRID = Ending(State.COMPLETED, 60.0, "", scores={"rank1": 0.723})


def dump(store: Store) -> list[str]:
    raw = sqlite3.connect(store.path)
    lines = list(raw.iterdump())
    raw.close()
    return lines


def test_imported_results_stand_beside_trained_ones(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_results(study, [(p, GRID) for p in placements], source="grid.csv")
    record = store.records("small")[3]
    assert (record.state, record.source) == (State.COMPLETED, "grid.csv")
    assert record.scores["rank1"].value == 0.723
    assert record.attempt is not None
    assert (record.attempt.owner, record.attempt.number) == ("import", 1)
    assert store.durations("small") == [("baseline", 60.0)] * 2 + [("lif", 60.0)] * 2


def test_importing_the_same_results_twice_changes_nothing(
    store: Store, study: Study, placements: list[Placement], ending: Ending
) -> None:
    results = [(placements[0], ending), *((p, GRID) for p in placements[1:])]
    store.put_results(study, results, source="grid.csv")
    store.put_study(replace(study, name="other"), [])
    before = dump(store)
    again = [(p, replace(e, ended="2027-01-01T00:00:00+00:00")) for p, e in results]
    store.put_results(study, again, source="grid.csv")
    assert dump(store) == before


def test_a_corrected_result_becomes_a_second_attempt(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_results(study, [(p, GRID) for p in placements], source="grid.csv")
    corrected = replace(GRID, scores={"rank1": 0.725})
    rest = [(p, GRID) for p in placements[1:]]
    store.put_results(study, [(placements[0], corrected), *rest], source="grid.csv")
    assert store.records("small")[0].scores["rank1"].value == 0.725
    assert [a.number for a in store.attempts(placements[0].trial.key)] == [1, 2]
    assert len(store.records("small")) == 4


def test_results_of_a_second_file_are_added_after_the_first(
    store: Store, study: Study, placements: list[Placement], place: Callable[..., Placement]
) -> None:
    store.put_results(study, [(p, GRID) for p in placements], source="a.csv")
    more = [place(name, seed) for name in ("lif", "baseline") for seed in (1, 2)]
    store.put_results(study, [(p, GRID) for p in more], source="b.csv")
    assert [(r.variant, r.seed) for r in store.records("small")] == [
        ("baseline", 0),
        ("baseline", 1),
        ("lif", 0),
        ("lif", 1),
        ("lif", 2),
        ("baseline", 2),
    ]


def test_an_import_that_cannot_be_finished_leaves_nothing_behind(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_study(study, placements)
    assert store.claim(placements[3].trial.key, "me") is not None
    before = dump(store)
    with pytest.raises(LockedError, match="is being run"):
        store.put_results(study, [(p, GRID) for p in placements], source="grid.csv")
    assert dump(store) == before


def test_a_run_leaves_a_study_only_where_others_are_to_replace_it(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_results(study, [(p, GRID) for p in placements], source="grid.csv")
    store.put_results(study, [(p, GRID) for p in placements[:3]], source="grid.csv")
    assert len(store.records("small")) == 4
    store.put_results(study, [(p, GRID) for p in placements[:3]], source="x.csv", replace=True)
    assert len(store.records("small")) == 3


def test_the_values_that_results_would_change_are_counted_before_they_are_written(
    store: Store, study: Study, placements: list[Placement], ending: Ending
) -> None:
    first, second, third, _ = placements
    cut = replace(ending, state=State.INCOMPLETE)
    store.put_results(study, [(first, ending), (second, GRID), (third, cut)], source="logs")
    before = dump(store)
    assert store.differing([(first, ending), (second, GRID), (third, ending)]) == {}
    doubted = replace(ending, settings={"a": "1"}, provenance={"notes": "a doubt"})
    assert store.differing([(first, doubted)]) == {}
    moved = replace(ending, scalars=(*ending.scalars[1:], Scalar(9, "test", "rank1", 0.1)))
    assert store.differing([(first, moved)]) == {first.trial.key: 2}
    priced = replace(ending, costs=(), scores={"NDS": 0.72})
    assert store.differing([(first, priced)]) == {first.trial.key: 3}
    assert store.differing([(first, cut), (second, GRID)]) == {first.trial.key: 1}
    assert store.differing([(placements[3], ending)]) == {}
    assert dump(store) == before


def test_parts_of_one_import_stand_beside_each_other(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    for placement in placements:
        store.put_results(study, [(placement, GRID)], source="logs")
    whole = dump(store)
    assert [(r.variant, r.seed) for r in store.records("small")] == [
        ("baseline", 0),
        ("baseline", 1),
        ("lif", 0),
        ("lif", 1),
    ]
    store.put_results(study, [(p, GRID) for p in placements[:2]], source="logs")
    assert dump(store) == whole


def test_a_record_that_ends_too_early_is_incomplete_and_has_no_score(
    store: Store, study: Study, placements: list[Placement], ending: Ending
) -> None:
    cut = replace(ending, state=State.INCOMPLETE, error="the log ends in epoch 31 of 50")
    store.put_results(study, [(placements[0], cut)], source="logs")
    record = store.records("small")[0]
    assert (record.state, record.scores) == (State.INCOMPLETE, {})
    assert store.curves(record.key)["val", "rank1"] == {0: 0.3, 1: 0.7, 2: 0.6}
    assert store.claim(record.key, "me") is not None


def test_an_import_with_other_settings_or_doubts_is_another_attempt(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    first = replace(GRID, settings={"SOLVER.SEED": "1"}, provenance={"notes": "a doubt"})
    for ending in (first, first, replace(first, settings={"SOLVER.SEED": "2"})):
        store.put_results(study, [(placements[0], ending)], source="logs")
    key = placements[0].trial.key
    assert [a.number for a in store.attempts(key)] == [1, 2]
    assert store.settings(key) == {"SOLVER.SEED": "2"}
    store.put_results(study, [(placements[0], replace(first, provenance={}))], source="logs")
    assert [a.provenance for a in store.attempts(key)][1:] == [{"notes": "a doubt"}, {}]
    assert store.settings(key) == {"SOLVER.SEED": "1"}
