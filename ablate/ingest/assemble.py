"""Runs become a study: their factors, variants, seeds and scores."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ablate.errors import UsageError
from ablate.ingest import factors as differing
from ablate.ingest.configurations import Configurations
from ablate.ingest.endings import ending
from ablate.ingest.factors import Keyed, Understood
from ablate.ingest.gather import Gathered, Outline, trained
from ablate.ingest.roles import IMPORTED, trial, variants
from ablate.ingest.seats import Seats, Wishes, aside, never_trained, seated, seed_of
from ablate.ingest.wanted import MapFile, metric_of
from ablate.metric import Metric
from ablate.record import Ending
from ablate.selection import Selection
from ablate.study import (
    Factor,
    Kind,
    Modules,
    Placement,
    Study,
    Variant,
)

BY_NAME = "run"
"""The factor by which runs are told apart whose settings are all the same."""
_ROLES = ("grid", "sweep", "arm")


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
    beside: tuple[str, ...] = ()
    """What every report says of runs that are in no table."""

    def results(self, gathered: Gathered) -> Iterator[tuple[Placement, Ending]]:
        """Every run that has a place, with all that it left behind: grid, sweeps, then arms."""
        placed = [(p, i) for i, p in enumerate(self.placements) if p is not None]
        for placement, i in sorted(placed, key=lambda at: self._order(at[0])):
            run = gathered.whole(i)
            notes = (*self.doubts[i], *self.beside)
            yield (
                placement,
                ending(run, gathered.reader, notes, self.aside, assumed=self.bound),
            )

    def _order(self, placement: Placement) -> tuple[object, ...]:
        modules = self.study.on
        on = [n for n, m in enumerate(modules) if placement.variant.levels[m] == modules[m]]
        around = (len(on), on) if placement.variant.role == "grid" else (0, [])
        led = placement.variant.parent is not None
        return _ROLES.index(placement.variant.role), around, led, placement.trial.seed


def assemble(gathered: Gathered, name: str, wishes: Wishes) -> Assembled:
    """The study `name` that the runs hold.

    Raises UsageError where two runs have the same levels and seed, or a wish does not fit.
    """
    runs = list(trained(gathered))
    if not runs:
        raise UsageError(f"all {len(gathered.outlines)} runs were never trained: there is no score")
    settings = gathered.settings.chosen(runs)
    understood = _understood(gathered, settings, wishes)
    recorded = {seed_of(gathered, i, wishes.wanted)[0] for i in runs} - {None}
    if not understood.factors and len(recorded) < len(runs):
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
        doubts=doubted(gathered, runs, said, seats),
        aside=aside(gathered, seats),
        beside=never_trained(gathered),
    )


def metrics_of(gathered: Gathered, runs: Iterable[int], wanted: MapFile) -> tuple[Metric, ...]:
    """The scores of these runs, the primary one first: what no run has is left out."""
    known: dict[str, Metric] = {}
    measured: set[str] = set()
    outlines = [gathered.outlines[i] for i in runs]
    for outline in sorted(outlines, key=_led_by_training):
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


def _led_by_training(outline: Outline) -> bool:
    """Whether the first score of a run, one cut early perhaps, was measured in training alone."""
    first = outline.run.metrics[0].name if outline.run.metrics else ""
    tested = {name for split, name in outline.curves if split != "train"}
    return first not in tested | {*outline.run.scores}


def selection_of(
    gathered: Gathered, runs: Sequence[int], metrics: Sequence[Metric], wishes: Wishes
) -> Selection:
    """The rule asked for, else the one that most runs logged; raises UsageError."""
    if wishes.select:
        return asked_for(wishes.select, gathered, runs, metrics)
    rules = Counter(gathered.outlines[i].run.select for i in runs)
    try:
        return Selection.parse(rules.most_common(1)[0][0], [m.name for m in metrics])
    except ValueError:
        return Selection()


def asked_for(
    rule: str, gathered: Gathered, runs: Sequence[int], metrics: Sequence[Metric]
) -> Selection:
    """The rule that `--select` gives; raises UsageError where no run has a step to pick by it."""
    try:
        selection = Selection.parse(rule, [m.name for m in metrics])
    except ValueError as wrong:
        raise UsageError(f"--select: {wrong}") from None
    name = selection.metric
    splits = {of for i in runs for of, named in gathered.outlines[i].curves if named == name}
    if name and (selection.split not in splits if selection.split else not splits):
        where = f" under {selection.split}" if selection.split else ""
        there = f"; they have it under {', '.join(sorted(splits))}" if splits else ""
        raise UsageError(f"--select {rule}: no run has a curve of {name}{where}{there}")
    return selection


def disagreements(gathered: Gathered, runs: Sequence[int], wishes: Wishes) -> Iterator[str]:
    """That the runs themselves picked their best by different rules."""
    rules = Counter(gathered.outlines[i].run.select for i in runs)
    if len(rules) > 1 and not wishes.select:
        said = ", ".join(f"{rule} ({n} runs)" for rule, n in rules.most_common())
        yield f"the runs logged different rules: {said}; the first is used"


def doubted(
    gathered: Gathered,
    runs: Sequence[int],
    said: Mapping[int, Sequence[str]],
    seats: Seats,
) -> tuple[tuple[str, ...], ...]:
    """What is in doubt of each run: its levels, its seed, and the scale of its scores."""
    scales = _scales(gathered, runs)
    return tuple(
        (*said.get(i, ()), *seats.doubts.get(i, ()), *scales.get(i, ()))
        for i in range(len(gathered.outlines))
    )


def _scales(gathered: Gathered, runs: Sequence[int]) -> dict[int, list[str]]:
    """Doubts about runs that took a score for a fraction which others logged in percent."""
    found: dict[int, list[str]] = {}
    for name in dict.fromkeys(n for i in runs for n in gathered.outlines[i].run.percent):
        having = [i for i in runs if name in gathered.outlines[i].measured]
        odd = [i for i in having if name not in gathered.outlines[i].run.percent]
        for i in odd:
            found.setdefault(i, []).append(
                f"{name} is never above 1 here and was taken for a fraction, while"
                f" {len(having) - len(odd)} of {len(having)} runs logged it in percent"
            )
    return found


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
