"""Runs become a study: their factors, variants, seeds and scores."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ablate.errors import UsageError
from ablate.ingest import factors as differing
from ablate.ingest.configurations import Configurations
from ablate.ingest.endings import ending
from ablate.ingest.factors import Keyed, Understood
from ablate.ingest.gather import Gathered, trained
from ablate.ingest.roles import IMPORTED, trial, variants
from ablate.ingest.settings import typed
from ablate.ingest.wanted import NOTHING, MapFile, metric_of
from ablate.metric import Metric
from ablate.record import Ending, State
from ablate.selection import Selection
from ablate.study import (
    SEED_LIMIT,
    Factor,
    Kind,
    Level,
    Modules,
    Placement,
    Study,
    Variant,
)

BY_NAME = "run"
"""The factor by which runs are told apart whose settings are all the same."""
_ROLES = ("grid", "sweep", "arm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line says of an import.

    `select` is a selection rule in place of the source's own; with `replicates`, runs of the same
    levels and seed are taken for further seeds.
    """

    select: str = ""
    wanted: MapFile = NOTHING
    replicates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """A study of runs; `placements` stand beside the runs, None for one that has no place.

    `aside` are those, by name, with the reason; `remarks` what is to be said of all.
    """

    study: Study
    placements: tuple[Placement | None, ...]
    factors: tuple[Keyed, ...]
    left_out: Mapping[str, str]
    remarks: tuple[str, ...]
    doubts: tuple[tuple[str, ...], ...]
    aside: Mapping[str, str]
    bound: bool = False
    """Whether the runs are those of a declared system, on data that are assumed."""
    designed: tuple[Placement, ...] = ()
    """All that the study file asks for, where there is one."""

    def results(self, gathered: Gathered) -> Iterator[tuple[Placement, Ending]]:
        """Every run that has a place, with all that it left behind: grid, sweeps, then arms."""
        placed = [(p, i) for i, p in enumerate(self.placements) if p is not None]
        for placement, i in sorted(placed, key=lambda at: self._order(at[0])):
            run = gathered.whole(i)
            yield placement, ending(run, gathered.reader, self.doubts[i], assumed=self.bound)

    def _order(self, placement: Placement) -> tuple[object, ...]:
        modules = self.study.on
        on = [n for n, m in enumerate(modules) if placement.variant.levels[m] == modules[m]]
        around = (len(on), on) if placement.variant.role == "grid" else (0, [])
        led = placement.variant.parent is not None
        return _ROLES.index(placement.variant.role), around, led, placement.trial.seed


@dataclass(slots=True)
class Seats:
    """Which run takes which cell and seed; those that find none, and doubts by run."""

    taken: dict[int, int] = field(default_factory=dict)
    aside: dict[int, str] = field(default_factory=dict)
    doubts: dict[int, list[str]] = field(default_factory=dict)


def assemble(gathered: Gathered, name: str, wishes: Wishes) -> Assembled:
    """The study `name` that the runs hold.

    Raises UsageError where two runs have the same levels and seed, or a wish does not fit.
    """
    runs = list(trained(gathered))
    if not runs:
        raise UsageError(f"all {len(gathered.outlines)} runs were never trained: there is no score")
    settings = gathered.settings.chosen(runs)
    understood = _understood(gathered, settings, wishes)
    if not understood.factors and len({seed_of(gathered, i, wishes.wanted)[0] for i in runs}) < len(
        runs
    ):
        understood = _by_name(gathered, runs, understood)
    bare = [k.factor for k in understood.factors]
    seats = seated(gathered, runs, understood.levels, wishes)
    switches = [f.name for f in bare if f.kind is Kind.BOOL and f.requires is None]
    metrics = metrics_of(gathered, runs, wishes.wanted)
    study = Study(
        name=name,
        title=name,
        system=gathered.reader,
        revision=IMPORTED,
        factors=tuple(bare),
        metrics=metrics,
        primary=metrics[0].name,
        selection=selection_of(gathered, runs, metrics, wishes),
        seeds=tuple(sorted(set(seats.taken.values()))),
        modules=Modules(tuple(switches)) if switches else None,
        data=f"import:{name}",
    )
    made = _variants(gathered, runs, understood, switches)
    placements: list[Placement | None] = [None] * len(gathered.outlines)
    for i, variant in zip(runs, made, strict=True):
        if i in seats.taken:
            of = trial(variant, bare, seats.taken[i], study.system, study.data)
            placements[i] = Placement(variant, of)
    said = dict(zip(runs, understood.doubts, strict=True))
    return Assembled(
        study=study,
        placements=tuple(placements),
        factors=understood.factors,
        left_out=understood.left_out,
        remarks=(*understood.remarks, *disagreements(gathered, runs, wishes)),
        doubts=tuple(
            (*said.get(i, ()), *seats.doubts.get(i, ())) for i in range(len(gathered.outlines))
        ),
        aside=aside(gathered, seats),
    )


def seed_of(gathered: Gathered, i: int, wanted: MapFile) -> tuple[int, str]:
    """A run's seed, and what is in doubt about it; 0 where it is not known."""
    seed: object = gathered.outlines[i].run.seed
    if wanted.seed is not None:
        text = gathered.settings.column(wanted.seed)[i]
        if text is None:
            return 0, f"{wanted.seed} is not in its configuration: the seed is taken as 0"
        seed = typed(text)
    if seed is None:
        return 0, ""
    if not isinstance(seed, int) or not 0 <= seed < SEED_LIMIT:
        return 0, f"its seed {seed} is none: it is taken as 0"
    return int(seed), ""


def seated(
    gathered: Gathered,
    runs: Sequence[int],
    levels: Sequence[Mapping[str, Level]],
    wishes: Wishes,
) -> Seats:
    """Every run with its seed; raises UsageError where two would sit on the same."""
    seats = Seats()
    cells: dict[tuple[object, ...], dict[int, int]] = {}
    digests: dict[str, int] = {}
    complete = [gathered.outlines[i].run.state is State.COMPLETED for i in runs]
    # what completed has the first choice: a run that was cut short does not stand in its way
    for whole, i, of in sorted(zip(complete, runs, levels, strict=True), key=lambda r: not r[0]):
        run = gathered.outlines[i].run
        digest = gathered.outlines[i].digest
        twin = digests.setdefault(digest, i) if digest else i
        if twin != i:
            seats.aside[i] = f"it is {gathered.outlines[twin].run.name} once more"
            continue
        seed, doubt = seed_of(gathered, i, wishes.wanted)
        seats.doubts[i] = [doubt] if doubt else []
        cell = cells.setdefault(tuple(of.values()), {})
        if seed in cell:
            other = gathered.outlines[cell[seed]].run
            if other.state is State.COMPLETED and not whole:
                seats.aside[i] = f"{run.reason or run.state}; {other.name} is the same, completed"
                continue
            _check_twice(run.name, other.name, seed, wishes)
            seed = next(s for s in range(seed + 1, SEED_LIMIT) if s not in cell)
            seats.doubts[i].append(f"seed assumed: {run.name} repeats {other.name}")
        cell[seed] = i
        seats.taken[i] = seed
    return seats


def _check_twice(name: str, other: str, seed: int, wishes: Wishes) -> None:
    if not wishes.replicates:
        raise UsageError(
            f"runs {other!r} and {name!r} have the same levels and seed {seed}: --replicates takes"
            " them for runs of different seeds; --map can name a key that tells them apart"
        )


def metrics_of(gathered: Gathered, runs: Iterable[int], wanted: MapFile) -> tuple[Metric, ...]:
    """The scores of these runs, the primary one first: what no run has is left out."""
    known: dict[str, Metric] = {}
    measured: set[str] = set()
    for i in runs:
        outline = gathered.outlines[i]
        measured |= outline.measured
        for metric in outline.run.metrics:
            known.setdefault(metric.name, metric)
    asked = {}
    for name, table in wanted.metrics.items():
        metric = metric_of(name, table, known)
        if metric.name not in measured:
            there = ", ".join(sorted(measured)[:12]) or "none"
            raise UsageError(f"--map: no run has the score {metric.name!r}; there are: {there}")
        asked[metric.name] = metric
    found = {**asked, **{n: m for n, m in known.items() if n in measured and n not in asked}}
    if not found:
        raise UsageError("the runs hold no score that is known; --map can name one ([metrics])")
    return tuple(found.values())


def selection_of(
    gathered: Gathered, runs: Sequence[int], metrics: Sequence[Metric], wishes: Wishes
) -> Selection:
    """The rule asked for, else the one that most runs logged; raises UsageError."""
    rules = Counter(gathered.outlines[i].run.select for i in runs)
    names = [m.name for m in metrics]
    try:
        return Selection.parse(wishes.select or rules.most_common(1)[0][0], names)
    except ValueError as wrong:
        if wishes.select:
            raise UsageError(f"--select: {wrong}") from None
        return Selection()


def disagreements(gathered: Gathered, runs: Sequence[int], wishes: Wishes) -> Iterator[str]:
    """That the runs themselves picked their best by different rules."""
    rules = Counter(gathered.outlines[i].run.select for i in runs)
    if len(rules) > 1 and not wishes.select:
        said = ", ".join(f"{rule} ({n} runs)" for rule, n in rules.most_common())
        yield f"the runs logged different rules: {said}; the first is used"


def aside(gathered: Gathered, seats: Seats) -> dict[str, str]:
    """The runs that have no place, by name, and why."""
    found: dict[str, str] = {}
    for i, outline in enumerate(gathered.outlines):
        if outline.run.state is State.PENDING:
            found[_free(outline.run.name, found)] = outline.run.reason or "never trained"
        elif i in seats.aside:
            found[_free(outline.run.name, found)] = seats.aside[i]
    return found


def _free(name: str, taken: Mapping[str, str]) -> str:
    return name if name not in taken else f"{name} ({len(taken)})"


def _understood(gathered: Gathered, settings: Configurations, wishes: Wishes) -> Understood:
    try:
        return differing.understand(settings, wishes.wanted, gathered.order)
    except ValueError as wrong:
        raise UsageError(f"{wrong}; --map can declare it otherwise") from None


def _by_name(gathered: Gathered, runs: Sequence[int], understood: Understood) -> Understood:
    """Runs whose settings do not tell them apart, told apart by their names."""
    names = [gathered.outlines[i].run.name for i in runs]
    if len(set(names)) < 2:  # noqa: PLR2004 - one name tells nothing apart
        return understood
    baseline = next((n for n in names if n.lower() == "baseline"), names[0])
    factor = Factor(BY_NAME, Kind.STR, baseline)
    return replace(
        understood,
        factors=(Keyed(factor, BY_NAME),),
        levels=tuple({BY_NAME: name} for name in names),
        remarks=(
            *understood.remarks,
            "no setting differs between the runs: they are told apart by their names only",
        ),
    )


def _variants(
    gathered: Gathered, runs: Sequence[int], understood: Understood, switches: Sequence[str]
) -> list[Variant]:
    factors = [k.factor for k in understood.factors]
    if [f.name for f in factors] == [BY_NAME] and understood.factors[0].key == BY_NAME:
        root = str(factors[0].reference)
        parent = root if root.lower() == "baseline" else None
        found = [str(of[BY_NAME]) for of in understood.levels]
        return [
            Variant(n, of, "arm", parent if parent != n else None)
            for n, of in zip(found, understood.levels, strict=True)
        ]
    names = [slug(gathered.outlines[i].run.name) for i in runs]
    return variants(understood.levels, factors, switches, names)


def slug(text: str) -> str:
    """`text` as a name that a study file takes."""
    made = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:64]
    return made or "run"
