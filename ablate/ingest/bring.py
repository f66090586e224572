"""Imported results go to the store, in parts: what is written stays, whatever happens then."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from ablate.errors import UsageError
from ablate.ingest.assemble import Assembled
from ablate.ingest.build import Imported
from ablate.ingest.changes import Changes, changes, taken_over
from ablate.ingest.gather import Gathered
from ablate.record import Attempt, Ending, State
from ablate.store import Store
from ablate.study import Placement, Study

PART = 200
"""Results of one transaction."""
_OWNER = "import"


@dataclass(slots=True)
class Brought:
    """What became of the results: keys whose trial changed, those as before, and those skipped."""

    new: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    """Key -> why the store's own result was left alone."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where results go, under the name of their `source`; `force` replaces results made here.

    They may `replace` a study of results; where they join it, its other runs stay.
    """

    store: Store
    source: str
    force: bool = False
    joins: bool = False
    replace: bool = False


def bring(
    target: Target,
    assembled: Assembled,
    gathered: Gathered,
    heard: Callable[[int], None] = lambda _: None,
) -> Brought:
    """Store every result that is new; `heard` is told how many were written.

    A trial that completed here, in a run of its own, is left alone unless it is to `force`; so is
    one that completed in another import, where this result did not or is of another run. Raises
    UsageError where the study's name belongs to other runs, LockedError where a trial is being run.
    """
    store, study = target.store, assembled.study
    placements = [p for p in assembled.placements if p is not None]
    held = _held(target, assembled, placements)
    _make_room(target, _fit(target, assembled, gathered), assembled)
    before = _attempts(store, study)
    brought = Brought()
    for taken, skipped in _chosen(held, assembled, gathered):
        brought.skipped.update(skipped)
        store.put_results(study, taken, source=target.source)
        heard(len(taken) + len(skipped))
    _tell_apart(brought, placements, (before, _attempts(store, study)))
    return brought


def bring_table(target: Target, found: Imported) -> Brought:
    """Store every row that is new; raises as `bring` does."""
    store, study = target.store, found.study
    placements = [p for p, _ in found.results]
    fitting = changes(store, study, placements, joins=target.joins)
    _refuse(target, fitting)
    before = _attempts(store, study)
    alone = not fitting.staying
    store.put_results(study, found.results, source=target.source, replace=alone)
    brought = Brought()
    _tell_apart(brought, placements, (before, _attempts(store, study)))
    return brought


def foresee(target: Target, assembled: Assembled, gathered: Gathered) -> Changes:
    """What `bring` would take away and change; raises UsageError where it could not fit at all."""
    store, placements = target.store, [p for p in assembled.placements if p is not None]
    found = _fit(target, assembled, gathered)
    states = store.states(p.trial.key for p in placements)
    if State.COMPLETED not in states.values():
        return found
    counts: dict[str, int] = {}
    held = _held(target, assembled, placements)
    for taken, _ in _chosen(held, assembled, gathered):
        counts |= store.differing(taken)
    return replace(found, changed=_named(counts, placements))


def foresee_table(target: Target, found: Imported) -> Changes:
    """What `bring_table` would take away and change; raises UsageError as it does."""
    placements = [p for p, _ in found.results]
    fitting = changes(target.store, found.study, placements, joins=target.joins)
    return replace(fitting, changed=_named(target.store.differing(found.results), placements))


def _named(counts: Mapping[str, int], placements: Iterable[Placement]) -> dict[str, int]:
    places = {p.trial.key: f"{p.variant.name} s{p.trial.seed}" for p in placements}
    return {places[key]: count for key, count in counts.items()}


def _chosen(
    held: Mapping[str, Attempt], assembled: Assembled, gathered: Gathered
) -> Iterator[tuple[list[tuple[Placement, Ending]], dict[str, str]]]:
    """The results in parts: those that are to be written, and why each of the others is not."""
    now = marks(gathered)
    for part in _parts(assembled.results(gathered)):
        left = [_kept(held.get(p.trial.key), e, now, bound=assembled.bound) for p, e in part]
        taken = [pair for pair, why in zip(part, left, strict=True) if not why]
        yield taken, {p.trial.key: why for (p, _), why in zip(part, left, strict=True) if why}


def _tell_apart(
    brought: Brought,
    placements: Iterable[Placement],
    attempts: tuple[Mapping[str, int], Mapping[str, int]],
) -> None:
    before, after = attempts
    for key in (p.trial.key for p in placements):
        if key not in brought.skipped:
            (brought.same if before.get(key) == after.get(key) else brought.new).append(key)


def _make_room(target: Target, fitting: Changes, assembled: Assembled) -> None:
    """The study is in the store and holds no place that it is not to have."""
    store, study = target.store, assembled.study
    known = study.name in store.studies()
    _refuse(target, fitting)
    if assembled.bound:
        if not known or store.study(study.name) != study:
            store.put_study(study, assembled.designed)
        return
    placed = [p for p in assembled.placements if p is not None]
    now = {(p.variant.name, p.trial.seed, p.trial.key) for p in placed}
    records = store.records(study.name) if known else []
    stale = any((r.variant, r.seed, r.key) not in now for r in records)
    if stale and not fitting.staying:
        store.put_results(study, (), source=target.source, replace=True)


def _fit(target: Target, assembled: Assembled, gathered: Gathered) -> Changes:
    """How the runs fit into the study of their name; a study file's own design decides for it."""
    store, study = target.store, assembled.study
    if assembled.bound:
        return taken_over(store, study.name, study.system, marks(gathered))
    placements = [p for p in assembled.placements if p is not None]
    return changes(store, study, placements, joins=target.joins, marks=marks(gathered))


def _refuse(target: Target, found: Changes) -> None:
    if found.takes_away and not target.replace:
        raise UsageError(found.refusal())


def _attempts(store: Store, study: Study) -> dict[str, int]:
    if study.name not in store.studies():
        return {}
    return {r.key: r.attempt.number for r in store.records(study.name) if r.attempt is not None}


def _held(
    target: Target, assembled: Assembled, placements: Iterable[Placement]
) -> dict[str, Attempt]:
    """The last attempts of trials that have completed already and may hold their place, by key."""
    store = target.store
    if target.force or (target.replace and not assembled.bound):
        return {}
    own = store.records(assembled.study.name) if assembled.study.name in store.studies() else ()
    held = {r.key: r.attempt for r in own if r.attempt and r.state is State.COMPLETED}
    if not assembled.bound:
        return held  # no other study has trials of this one: its name is in their data
    states = store.states(p.trial.key for p in placements)
    others = [k for k, state in states.items() if state is State.COMPLETED and k not in held]
    return held | {key: store.attempts(key)[-1] for key in others}


def _kept(held: Attempt | None, ending: Ending, now: frozenset[str], *, bound: bool) -> str:
    """Why the store's own result stays; empty where there is none, or this one takes its place."""
    if held is None:
        return ""
    if held.owner != _OWNER:
        return "it was trained here (--force puts the import in its place)"
    if bound and ending.state is not State.COMPLETED:
        return "it has completed in another import"
    before, after = held.provenance, ending.provenance
    if _same_run(before, after) or now & {before.get("sha256"), before.get("started")}:
        return ""
    name = before.get("run") or before.get("file", "")
    return f"another run of it was imported before: {name} (--force puts this one in its place)"


def _same_run(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two results are of one run, whose log may have grown or been compressed since."""
    if one.get("sha256") == other.get("sha256"):
        return True
    if one.get("started") and other.get("started"):
        return one["started"] == other["started"]
    return (one.get("file"), one.get("run")) == (other.get("file"), other.get("run"))


def marks(gathered: Gathered) -> frozenset[str]:
    """What tells the runs at hand: one of them that gave up its place lets another have it."""
    runs = [outline.run for outline in gathered.outlines]
    found = {mark for run in runs for mark in (" ".join(run.files.values()), run.started)}
    return frozenset(found - {""})


def _parts(
    results: Iterator[tuple[Placement, Ending]],
) -> Iterator[list[tuple[Placement, Ending]]]:
    while part := list(islice(results, PART)):
        yield part
