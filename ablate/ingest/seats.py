"""Which run takes which seed of its configuration, and which runs take none."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ablate.errors import UsageError
from ablate.ingest.gather import Gathered
from ablate.ingest.settings import typed
from ablate.ingest.wanted import NOTHING, MapFile
from ablate.record import State
from ablate.study import SEED_LIMIT, Level

_NAMED = 6
_Cell = dict[int, int]
"""Seed -> run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line says of an import.

    `select` is a selection rule in place of the source's own; with `replicates`, runs of the same
    levels and recorded seed are taken for further seeds.
    """

    select: str = ""
    wanted: MapFile = NOTHING
    replicates: bool = False


@dataclass(slots=True)
class Seats:
    """Which run takes which cell and seed; those that find none, and doubts by run."""

    taken: dict[int, int] = field(default_factory=dict)
    aside: dict[int, str] = field(default_factory=dict)
    doubts: dict[int, list[str]] = field(default_factory=dict)

    def doubt(self, i: int, text: str) -> None:
        """Keep a doubt about a run's seed."""
        self.doubts.setdefault(i, []).append(text)


def seed_of(gathered: Gathered, i: int, wanted: MapFile) -> tuple[int | None, str]:
    """A run's seed, None where it is recorded nowhere; and what is in doubt about it."""
    seed: object = gathered.outlines[i].run.seed
    if wanted.seed is not None:
        text = gathered.settings.column(wanted.seed)[i]
        if text is None:
            return None, f"{wanted.seed} is not in its configuration"
        seed = typed(text)
    if seed is None:
        return None, ""
    if not isinstance(seed, int) or not 0 <= seed < SEED_LIMIT:
        return None, f"its seed {seed} is none"
    return int(seed), ""


def seated(
    gathered: Gathered,
    runs: Sequence[int],
    levels: Sequence[Mapping[str, Level]],
    wishes: Wishes,
) -> Seats:
    """Every run with its seed: as recorded, else the next one that its configuration has free.

    Raises UsageError where two runs of one configuration recorded the same seed.
    """
    seats = Seats()
    cells: dict[tuple[object, ...], _Cell] = {}
    unknown: dict[tuple[object, ...], list[int]] = {}
    of = dict(zip(runs, (tuple(one.values()) for one in levels), strict=True))
    for i in _once(gathered, runs, seats):
        seed, doubt = seed_of(gathered, i, wishes.wanted)
        if doubt:
            seats.doubt(i, doubt)
        if seed is None:
            unknown.setdefault(of[i], []).append(i)
        else:
            _sit(gathered, seats, cells.setdefault(of[i], {}), (i, seed), wishes)
    for cell, those in unknown.items():
        _number(gathered, seats, cells.setdefault(cell, {}), those)
    return seats


def aside(gathered: Gathered, seats: Seats) -> dict[str, str]:
    """The runs that have no place, by name, and why."""
    found: dict[str, str] = {}
    for i, outline in enumerate(gathered.outlines):
        if outline.run.state is State.PENDING:
            found[_free(outline.run.name, found)] = outline.run.reason or "never trained"
        elif i in seats.aside:
            found[_free(outline.run.name, found)] = seats.aside[i]
    return found


def never_trained(gathered: Gathered) -> tuple[str, ...]:
    """What a report says of runs that have a configuration and no score: they are in no table."""
    names = [o.run.name for o in gathered.outlines if o.run.state is State.PENDING]
    if not names:
        return ()
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    were = "1 run was" if len(names) == 1 else f"{len(names)} runs were"
    return (f"{were} never trained and {_IS[len(names) > 1]}: {', '.join(names[:_NAMED])}{more}",)


_IS = ("is in no table", "are in no table")


def _once(gathered: Gathered, runs: Iterable[int], seats: Seats) -> Iterator[int]:
    """Each run once, though its log be copied: those that completed come first."""
    digests: dict[str, int] = {}
    for i in sorted(runs, key=lambda i: not _complete(gathered, i)):
        digest = gathered.outlines[i].digest
        twin = digests.setdefault(digest, i) if digest else i
        if twin == i:
            yield i
        else:
            seats.aside[i] = f"it is {gathered.outlines[twin].run.name} once more"


def _complete(gathered: Gathered, i: int) -> bool:
    return gathered.outlines[i].run.state is State.COMPLETED


def _sit(
    gathered: Gathered, seats: Seats, cell: _Cell, asked: tuple[int, int], wishes: Wishes
) -> None:
    """Give a run the seed that it recorded."""
    i, seed = asked
    if seed in cell:
        run, other = gathered.outlines[i].run, gathered.outlines[cell[seed]].run
        if _yields(gathered, seats, i, cell[seed]):
            return
        if not wishes.replicates:
            raise UsageError(
                f"runs {other.name!r} and {run.name!r} have the same levels and seed {seed}:"
                " --replicates takes them for runs of different seeds; --map can name a key that"
                " tells them apart"
            )
        seed = next(s for s in range(seed + 1, SEED_LIMIT) if s not in cell)
        seats.doubt(i, f"seed assumed: {run.name} repeats {other.name}")
    cell[seed] = i
    seats.taken[i] = seed


def _yields(gathered: Gathered, seats: Seats, i: int, first: int) -> bool:
    """Whether a run that was cut short goes aside for one of its kind that completed."""
    if _complete(gathered, i) or not _complete(gathered, first):
        return False
    run, other = gathered.outlines[i].run, gathered.outlines[first].run
    seats.aside[i] = f"{run.reason or run.state}; {other.name} is the same, completed"
    return True


def _number(gathered: Gathered, seats: Seats, cell: _Cell, those: Sequence[int]) -> None:
    """Number the runs of one configuration that recorded no seed, by start and name."""
    order = sorted(those, key=lambda i: (not _complete(gathered, i), *_when(gathered, i)))
    alone = not cell
    kept = [i for i in order if i == order[0] or not _yields(gathered, seats, i, order[0])]
    for i in kept:
        seed = next(s for s in range(SEED_LIMIT) if s not in cell)
        cell[seed] = i
        seats.taken[i] = seed
        if seats.doubts.get(i):
            seats.doubts[i].append(f"the seed is taken as {seed}")
    if alone and len(kept) == 1:
        return
    names = [gathered.outlines[i].run.name for i in kept]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    said = "is taken for a run of another seed"
    if len(names) > 1:
        said = "are taken for runs of different seeds"
    for i in kept:
        seats.doubt(i, f"seed not recorded: {', '.join(names[:_NAMED])}{more} {said}")


def _when(gathered: Gathered, i: int) -> tuple[str, str]:
    run = gathered.outlines[i].run
    return run.started, run.name


def _free(name: str, taken: Mapping[str, str]) -> str:
    return name if name not in taken else f"{name} ({len(taken)})"
