"""What an import takes away from a study that is there, and what it changes in it."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from ablate.errors import UsageError
from ablate.ingest.roles import IMPORTED
from ablate.record import Record
from ablate.store import Store
from ablate.study import Factor, Placement, Study

_NAMED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Runs by name: those that would leave the study, those that stay beside the new ones."""

    study: str
    leaving: tuple[str, ...] = ()
    staying: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    """How the study's factors become others, in words."""
    changed: Mapping[str, int] = field(default_factory=dict)
    """Run -> how many of its values become others."""

    @property
    def takes_away(self) -> bool:
        """Whether runs would no longer be in the study; other factors of the same runs are said."""
        return bool(self.leaving)

    @property
    def destroys(self) -> bool:
        """Whether a number that is there would no longer be found."""
        return bool(self.leaving or self.factors or self.changed)

    def lines(self) -> Iterator[str]:
        """What is to be said before anything is written."""
        if self.factors:
            yield f"other factors than those of study {self.study}: {', '.join(self.factors)}"
        if self.leaving:
            yield f"{_runs(self.leaving, 'leaves', 'leave')} the study: {_some(self.leaving)}"
        if self.staying:
            yield f"{_runs(self.staying, 'stays', 'stay')} beside these: {_some(self.staying)}"
        if self.changed:
            said = [f"{name} ({_values(count)})" for name, count in self.changed.items()]
            yield f"{_runs(said, 'changes', 'change')}: {_some(said)}"

    def refusal(self) -> str:
        """Why nothing is written, and what to do."""
        what = [f"has other factors ({', '.join(self.factors)})"] if self.factors else []
        if self.leaving:
            what.append(
                f"has {_runs(self.leaving, 'that is', 'that are')} not among these"
                f" ({_some(self.leaving)})"
            )
        return (
            f"study {self.study!r} {' and '.join(what)}: --study OTHER keeps these apart,"
            " --replace puts them in its place and keeps a copy of the database"
        )


def changes(
    store: Store,
    study: Study,
    placements: Sequence[Placement],
    *,
    joins: bool,
    marks: AbstractSet[str] = frozenset(),
) -> Changes:
    """What these places of a study of results would do to the one of its name, where it is there.

    Runs are told by the keys of their trials, and by the digests of their records, which are among
    the `marks` of those at hand. Where these are to join the study, its other runs stay. Raises
    UsageError where it holds another system's trials.
    """
    if study.name not in store.studies():
        return Changes(study=study.name)
    there = store.study(study.name)
    if (there.system, there.revision) != (study.system, study.revision):
        raise UsageError(
            f"study {study.name!r} holds trials of {there.system}; choose another name with --study"
        )
    keys = {p.trial.key for p in placements}
    others = tuple(
        f"{r.variant} s{r.seed}"
        for r in store.records(study.name)
        if r.key not in keys and not _marked(r, marks)
    )
    apart = tuple(_factors(there.factors, study.factors, exactly=bool(others) and joins))
    return Changes(
        study=study.name,
        leaving=() if joins and not apart else others,
        staying=others if joins and not apart else (),
        factors=apart,
    )


def taken_over(store: Store, name: str, system: str, marks: AbstractSet[str]) -> Changes:
    """What runs that are bound to a study file do to the study of its name, where it is there.

    A study of results is taken over where its runs are among those at hand, by their `marks`; the
    others would leave it. Raises UsageError where it holds another system's trials.
    """
    if name not in store.studies():
        return Changes(study=name)
    there = store.study(name)
    if there.revision == IMPORTED:
        others = [r for r in store.records(name) if not _marked(r, marks)]
        return Changes(study=name, leaving=tuple(f"{r.variant} s{r.seed}" for r in others))
    if there.system != system:
        raise UsageError(
            f"study {name!r} holds trials of {there.system}; choose another name with --study"
        )
    return Changes(study=name)


def _marked(record: Record, marks: AbstractSet[str]) -> bool:
    # Not by its start: runs of one job array begin in the same second.
    return record.attempt is not None and record.attempt.provenance.get("sha256") in marks


def _factors(before: Sequence[Factor], after: Sequence[Factor], *, exactly: bool) -> Iterator[str]:
    """What is other; references and titles, which may move with the next run, where `exactly`."""
    was, now = ({f.name: f for f in of} for of in (before, after))
    yield from (f"{name} is no more" for name in was if name not in now)
    yield from (f"{name} is new" for name in now if name not in was)
    for name in was:
        one, other = was[name], now.get(name, was[name])
        if (one.kind, one.requires) != (other.kind, other.requires):
            yield f"{name} is of another kind"
        elif exactly and one.reference != other.reference:
            yield f"the reference of {name} is {other.reference}, not {one.reference}"


def _runs(runs: Sequence[str] | Mapping[str, int], one: str, many: str) -> str:
    return f"1 run {one}" if len(runs) == 1 else f"{len(runs)} runs {many}"


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count} values"


def _some(names: Sequence[str]) -> str:
    return ", ".join([*names[:_NAMED], *(["..."] if len(names) > _NAMED else [])])
