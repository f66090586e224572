"""Findings in the store, what they are stamped with, and the reads that an audit makes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ablate.record import Ending, External, Finding, Note, Scalar, State
from ablate.selection import Selection
from ablate.store import Place, Store
from ablate.study import Placement, Study

FOUND = [
    Finding(
        "E205",
        "error",
        "lif: no gradient",
        "ablate plan",
        "lif",
        "lif：没有梯度",
        ("a", "b"),
        "[x]",
        "execution",
        "接通损失",
    ),
    Finding("W120", "warning", "chosen on the test split"),
]


@pytest.fixture
def filled(store: Store, study: Study, placements: list[Placement], ending: Ending) -> Store:
    """The study with two results, and a second study with one."""
    store.put_results(study, [(p, ending) for p in placements[:2]], source="import a")
    store.put_study(study, placements)
    return store


def test_findings_come_back_whole_with_their_stamp(filled: Store) -> None:
    filled.put_findings("small", FOUND, "stamp")
    assert filled.findings("small") == FOUND
    assert filled.stamp("small") == "stamp"
    filled.put_findings("small", FOUND[1:], "later")
    assert (filled.findings("small"), filled.stamp("small")) == (FOUND[1:], "later")
    filled.put_findings("small", [], "clean")
    assert (filled.findings("small"), filled.stamp("small")) == ([], "clean")


def test_a_study_that_nobody_audited_has_neither(filled: Store) -> None:
    assert filled.findings("small") == []
    assert not filled.stamp("small")


CHANGES: dict[str, Callable[[Store, Study, list[Placement], Ending], object]] = {
    "a trial is claimed": lambda s, _, p, __: s.claim(p[2].trial.key, "me"),
    "a result is imported": lambda s, study, p, e: s.put_results(
        study, [(p[2], e)], source="import b"
    ),
    "a result is another": lambda s, study, p, e: s.put_results(
        study, [(p[0], replace(e, seconds=1.0))], source="import a"
    ),
    "a place is removed": lambda s, _, p, __: s.remove(
        [Place("small", "baseline", 0, p[0].trial.key)]
    ),
    "a place that never ran is removed": lambda s, _, p, __: s.remove(
        [Place("small", "lif", 1, p[3].trial.key)]
    ),
    "the order is another": lambda s, study, p, _: s.put_study(study, p[::-1]),
    "a parent is another": lambda s, study, p, _: s.put_study(
        study, [*p[:3], replace(p[3], variant=replace(p[3].variant, parent=None))]
    ),
    "the rule is another": lambda s, study, p, _: s.put_study(
        replace(study, selection=Selection("rank1", "val")), p
    ),
    "a score is recorded": lambda s, _, p, __: s.record(
        p[0].trial.key, External("rank1", 0.5, "Codabench", "2026-01-02")
    ),
    "another study has results": lambda s, study, p, e: s.put_results(
        replace(study, name="other"), [(p[0], e)], source="import b"
    ),
}


OTHERS: dict[str, Callable[[Store, Study, list[Placement], Ending], object]] = {
    "a result is another": lambda s, other, p, e: s.put_results(
        other, [(p[2], replace(e, seconds=1.0))], source="import b"
    ),
    "a result is no more": lambda s, other, p, e: s.put_results(
        other, [(p[2], replace(e, state=State.INCOMPLETE))], source="import b"
    ),
    "a result is being made again": lambda s, _, p, __: s.claim(
        p[2].trial.key, "me", again=State.COMPLETED
    ),
    "a place is removed": lambda s, _, p, __: s.remove([Place("other", "lif", 0, p[2].trial.key)]),
    "all its places are removed": lambda s, _, p, __: s.remove(
        [Place("other", at.variant.name, at.trial.seed, at.trial.key) for at in p[2:]]
    ),
    "its rule is another": lambda s, other, p, _: s.put_study(
        replace(other, selection=Selection("rank1", "val")), p[2:]
    ),
}


@pytest.mark.parametrize("change", OTHERS)
def test_the_state_changes_with_the_results_of_other_studies(
    change: str, filled: Store, study: Study, placements: list[Placement], ending: Ending
) -> None:
    other = replace(study, name="other")
    bare = replace(study, name="bare")
    filled.put_results(other, [(p, ending) for p in placements[2:]], source="import b")
    filled.put_results(bare, [(placements[0], ending)], source="import c")
    before = filled.state("bare")
    OTHERS[change](filled, other, placements, ending)
    assert filled.state("bare") != before


@pytest.mark.parametrize("change", CHANGES)
def test_the_state_changes_with_all_that_findings_rest_on(
    change: str, filled: Store, study: Study, placements: list[Placement], ending: Ending
) -> None:
    before = filled.state("small")
    CHANGES[change](filled, study, placements, ending)
    assert filled.state("small") != before


def test_the_state_changes_when_an_attempt_ends(
    filled: Store, placements: list[Placement], ending: Ending
) -> None:
    attempt = filled.claim(placements[2].trial.key, "me")
    assert attempt is not None
    before = filled.state("small")
    filled.finish(attempt, replace(ending, state=State.FAILED, scores={}))
    assert filled.state("small") != before


def test_a_score_recorded_in_place_of_another_changes_the_state(
    filled: Store, placements: list[Placement]
) -> None:
    key = placements[0].trial.key
    filled.record(key, External("rank1", 0.5, "Codabench", "2026-01-02"))
    before = filled.state("small")
    filled.record(key, External("rank1", 0.6, "Codabench", "2026-01-02"), replace=True)
    assert filled.state("small") != before


def test_the_state_stays_where_nothing_changed(
    filled: Store, study: Study, placements: list[Placement], ending: Ending
) -> None:
    before = filled.state("small")
    filled.put_results(study, [(placements[0], ending)], source="import a")
    filled.put_study(study, placements)
    filled.put_findings("small", FOUND, "stamp")
    filled.put_note(Note("seen", "Ada", "2026-01-02", study="small", finding="W120"))
    assert filled.state("small") == before


def test_curves_and_settings_of_a_study_are_those_of_its_trials(
    store: Store, study: Study, placements: list[Placement], ending: Ending
) -> None:
    first = replace(ending, settings={"SEED": "1", "A": "2"})
    bare = replace(ending, scalars=(), settings={})
    cut = replace(ending, state=State.INCOMPLETE, scalars=(Scalar(3, "val", "rank1", 0.1),))
    store.put_results(
        study, list(zip(placements, (first, bare, cut), strict=False)), source="import a"
    )
    keys = [p.trial.key for p in placements]
    curves = store.all_curves("small")
    assert set(curves) == {keys[0]}  # what ended early is no curve of a result
    assert repr(curves[keys[0]]) == repr(store.curves(keys[0]))
    assert next(list(c) for c in curves[keys[0]].values()) == [0, 1, 2]
    assert store.all_settings("small") == {keys[0]: {"A": "2", "SEED": "1"}}
