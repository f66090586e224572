"""Imported results go to the store, in parts: what is written stays, whatever happens then."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from ablate.errors import UsageError
from ablate.ingest.assemble import Assembled
from ablate.ingest.gather import Gathered
from ablate.ingest.run import Run
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
    """Where results go, under the name of their `source`; `force` replaces results made here."""

    store: Store
    source: str
    force: bool = False


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
    _make_room(target, assembled, placements)
    before = _attempts(store, study)
    held = {} if target.force else _held(store, assembled, placements)
    now = _marks(o.run for o in gathered.outlines)
    brought = Brought()
    for part in _parts(assembled.results(gathered)):
        left = [_kept(held.get(p.trial.key), e, now, bound=assembled.bound) for p, e in part]
        taken = [pair for pair, why in zip(part, left, strict=True) if not why]
        brought.skipped.update(
            {p.trial.key: why for (p, _), why in zip(part, left, strict=True) if why}
        )
        store.add_results(study, taken, source=target.source)
        heard(len(part))
    after = _attempts(store, study)
    for placement in placements:
        key = placement.trial.key
        if key not in brought.skipped:
            (brought.same if before.get(key) == after.get(key) else brought.new).append(key)
    return brought


def _make_room(target: Target, assembled: Assembled, placements: list[Placement]) -> None:
    """The study is in the store and holds no place that this source no longer has."""
    store, study, source = target.store, assembled.study, target.source
    known = study.name in store.studies()
    if assembled.bound:
        if not known or store.study(study.name) != study:
            store.put_study(study, assembled.designed)
        return
    if not known:
        return
    _check_free(store, study, source)
    now = {(p.variant.name, p.trial.seed, p.trial.key) for p in placements}
    stale = any(
        (r.variant, r.seed, r.key) not in now
        for r in store.records(study.name)
        if r.source == source
    )
    if stale:
        store.put_results(study, (), source=source)


def _check_free(store: Store, study: Study, source: str) -> None:
    there = store.study(study.name)
    if (there.system, there.revision) != (study.system, study.revision):
        raise UsageError(
            f"study {study.name!r} holds trials of {there.system}; choose another name with --study"
        )
    others = {r.source for r in store.records(study.name)} - {source, ""}
    if others and there.factors != study.factors:
        raise UsageError(
            f"study {study.name!r} has other factors and comes from {', '.join(sorted(others))}:"
            " import all of its runs in one call, or choose another name with --study"
        )


def _attempts(store: Store, study: Study) -> dict[str, int]:
    if study.name not in store.studies():
        return {}
    return {r.key: r.attempt.number for r in store.records(study.name) if r.attempt is not None}


def _held(
    store: Store, assembled: Assembled, placements: Iterable[Placement]
) -> dict[str, Attempt]:
    """The last attempts of trials that have completed already, by key."""
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


def _marks(runs: Iterable[Run]) -> frozenset[str]:
    """What tells the runs at hand: one of them that gave up its place lets another have it."""
    found = {mark for run in runs for mark in (" ".join(run.files.values()), run.started)}
    return frozenset(found - {""})


def _parts(
    results: Iterator[tuple[Placement, Ending]],
) -> Iterator[list[tuple[Placement, Ending]]]:
    while part := list(islice(results, PART)):
        yield part
