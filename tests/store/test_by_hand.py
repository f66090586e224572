import pytest

from ablate.errors import UsageError
from ablate.record import External, Note
from ablate.store import Store
from ablate.study import Placement, Study

SCORE = External("NDS", 0.7207, "Codabench", "2026-01-02")


@pytest.fixture
def key(store: Store, study: Study, placements: list[Placement]) -> str:
    store.put_study(study, placements)
    return placements[0].trial.key


def test_an_external_score_stands_in_the_record_and_among_no_scores(store: Store, key: str) -> None:
    assert store.record(key, SCORE)
    record = store.records("small")[0]
    assert record.externals == (SCORE,)
    assert record.scores == {}
    assert store.records("small")[1].externals == ()


def test_recording_the_same_again_changes_nothing(store: Store, key: str) -> None:
    store.record(key, SCORE)
    assert not store.record(key, SCORE)
    assert store.records("small")[0].externals == (SCORE,)


def test_what_a_source_says_later_stands_beside_what_it_said_before(store: Store, key: str) -> None:
    later = External("NDS", 0.731, "Codabench", "2026-02-01")
    assert store.record(key, later)
    assert store.record(key, SCORE)
    assert store.records("small")[0].externals == (SCORE, later)


def test_a_source_that_says_two_values_on_one_day_is_refused_unless_the_new_one_replaces(
    store: Store, key: str
) -> None:
    other = External("NDS", 0.7208, "Codabench", "2026-01-02")
    store.record(key, SCORE)
    with pytest.raises(UsageError, match=r"'Codabench' said NDS = 0\.7207 of .* on 2026-01-02"):
        store.record(key, other)
    assert store.record(key, other, replace=True)
    assert store.records("small")[0].externals == (other,)


def test_replacing_takes_away_all_that_the_source_said_of_the_metric_on_the_split(
    store: Store, key: str
) -> None:
    kept = External("NDS", 0.70, "Codabench", "2025-12-01", "test")
    new = External("NDS", 0.74, "Codabench", "2026-03-01")
    for score in (SCORE, kept, External("NDS", 0.73, "Codabench", "2026-02-01")):
        store.record(key, score)
    store.record(key, new, replace=True)
    assert store.records("small")[0].externals == (kept, new)


def test_notes_are_kept_in_the_order_of_writing_each_once(store: Store, key: str) -> None:
    notes = [
        Note("the whole study", "Ada", "2026-01-02", study="small"),
        Note("one variant", "Ada", "2026-01-02", study="small", variant="lif"),
        Note("one trial", "Ada", "2026-01-01", key=key),
        Note("a finding", "Ada", "2026-01-01", study="small", finding="W204:lif"),
    ]
    assert [store.put_note(n) for n in (*notes, notes[0])] == [True, True, True, True, False]
    assert store.notes("small") == store.notes() == notes
