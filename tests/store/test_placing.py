import sqlite3
from collections.abc import Callable
from dataclasses import replace

from ablate.record import Ending, State
from ablate.selection import Selection
from ablate.store import Store
from ablate.study import Placement, Study

Place = Callable[..., Placement]


def complete(store: Store, placement: Placement, ending: Ending) -> None:
    attempt = store.claim(placement.trial.key, "me")
    assert attempt is not None
    assert store.finish(attempt, ending)


def named(store: Store, study: str = "small") -> list[tuple[str, int, int]]:
    return [(r.variant, r.seed, r.position) for r in store.records(study)]


def test_placements_are_read_back_in_the_order_they_were_given(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_study(study, reversed(placements))
    assert named(store) == [("lif", 1, 0), ("lif", 0, 1), ("baseline", 1, 2), ("baseline", 0, 3)]


def test_a_place_that_the_study_no_longer_has_is_removed_but_its_trial_stays(
    store: Store, study: Study, placements: list[Placement], ending: Ending
) -> None:
    store.put_study(study, placements)
    complete(store, placements[0], ending)
    store.put_study(study, placements[1:])
    assert named(store) == [("baseline", 1, 0), ("lif", 0, 1), ("lif", 1, 2)]
    assert store.states([placements[0].trial.key]) == {placements[0].trial.key: State.COMPLETED}
    store.put_study(study, placements)
    assert store.records("small")[0].scores["rank1"].value == 0.4


def test_an_extra_place_stays_until_the_study_itself_names_it(
    store: Store, study: Study, placements: list[Placement], place: Place
) -> None:
    store.put_study(study, [*placements[:2], place("lif", 7, extra=True)])
    store.put_study(study, placements)
    assert named(store)[-1] == ("lif", 7, 4)
    store.put_study(study, [*placements, place("lif", 7)])
    store.put_study(study, placements)
    assert len(named(store)) == 4


def test_a_place_given_to_another_trial_shows_that_trial(
    store: Store, study: Study, placements: list[Placement], place: Place, ending: Ending
) -> None:
    store.put_study(study, placements)
    complete(store, placements[2], ending)
    changed = place("lif", 0, lr=2.0)
    store.put_study(study, [*placements[:2], changed, placements[3]])
    record = store.records("small")[2]
    assert (record.key, record.state, record.scores) == (changed.trial.key, State.PENDING, {})


def test_a_trial_shared_by_two_places_and_two_studies_is_run_once(
    store: Store, study: Study, placements: list[Placement], ending: Ending
) -> None:
    arm = replace(placements[0], variant=replace(placements[0].variant, name="plain", role="arm"))
    best = replace(study, name="best", selection=Selection("rank1"))
    store.put_study(study, [placements[0], arm])
    store.put_study(best, [placements[0]])
    complete(store, placements[0], ending)
    assert [r.scores["rank1"].value for r in store.records("small")] == [0.4, 0.4]
    assert [r.scores["rank1"].value for r in store.records("best")] == [0.5]
    assert store.claim(placements[0].trial.key, "me") is None
    later = replace(study, name="later", selection=Selection("rank1", "test"))
    store.put_study(later, [placements[0]])
    assert [r.scores["rank1"].value for r in store.records("later")] == [0.5]


def test_studies_come_back_by_their_last_activity(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    for name in ("a", "b", "c"):
        store.put_study(replace(study, name=name), placements[:1] if name == "a" else [])
    assert store.studies() == ["c", "b", "a"]
    assert store.claim(placements[0].trial.key, "me") is not None
    assert store.studies() == ["a", "c", "b"]
    store.put_study(replace(study, name="b"), [])
    assert store.studies() == ["b", "a", "c"]


def test_an_attempt_of_a_shared_trial_keeps_its_studies_in_their_order(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    for name in ("a", "b", "c"):
        store.put_study(replace(study, name=name), placements[:1] if name != "c" else [])
    assert store.claim(placements[0].trial.key, "me") is not None
    assert store.studies() == ["b", "a", "c"]


def test_the_columns_beside_the_exact_study_can_be_read_by_hand(
    store: Store, study: Study, placements: list[Placement]
) -> None:
    store.put_study(study, placements)
    raw = sqlite3.connect(store.path)
    assert raw.execute("SELECT name, primary_metric, selection, standin FROM study").fetchall() == [
        ("small", "rank1", "last", 0)
    ]
    assert raw.execute("SELECT name, kind, reference FROM factor ORDER BY position").fetchall() == [
        ("lif", "bool", "false"),
        ("lr", "float", "1.0"),
    ]
    assert raw.execute("SELECT name, unit, direction FROM metric ORDER BY position").fetchall() == [
        ("rank1", "points", "up"),
        ("loss", "", "down"),
    ]
    assert raw.execute("SELECT identity, levels, changed FROM trial WHERE id = 3").fetchall() == [
        ("v1", '{"lif": true, "lr": 1.0}', '{"lif": true}')
    ]
    raw.close()


def test_an_edited_study_holds_no_run_that_was_asked_beside_the_old_one(
    store: Store, study: Study, placements: list[Placement], place: Callable[..., Placement]
) -> None:
    extra = place("baseline", 9, extra=True)
    store.put_study(study, [*placements, extra])
    store.put_study(replace(study, title="Another title"), placements)
    assert 9 in {r.seed for r in store.records("small")}

    store.put_study(replace(study, fixed={"lr": 0.1}), placements)

    assert 9 not in {r.seed for r in store.records("small")}
