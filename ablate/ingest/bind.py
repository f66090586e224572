"""Runs of a declared system: their trials are the ones that its study file asks for."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ablate import design
from ablate.errors import UsageError
from ablate.ingest.assemble import Assembled, asked_for, disagreements, doubted
from ablate.ingest.configurations import Configurations
from ablate.ingest.factors import Keyed
from ablate.ingest.gather import Gathered, trained
from ablate.ingest.roles import variants
from ablate.ingest.seats import Wishes, aside, never_trained, seated
from ablate.ingest.wanted import MapFile
from ablate.spec import keys as names
from ablate.spec.data import MISSING
from ablate.spec.systems import CommandTable, FactorTable
from ablate.study import Kind, Level, Placement, Study, Trial, Variant, changed, settled

ASSUMED = "imported from logs: that they were trained on the study file's data is assumed"
_DECLARED = "ablate.command:declared("
_NAMED = 12


@dataclass(frozen=True, slots=True)
class Bound:
    """A study as its file asks for it, and the key by which programs know each factor."""

    study: Study
    factors: tuple[Keyed, ...]

    @classmethod
    def of(cls, study: Study, reference: str, wanted: MapFile) -> "Bound":
        """The study's factors with the keys of its system's `reference`, or of a map's factors.

        Raises UsageError where the data of the study have no identity that a run could share.
        """
        if study.data == MISSING or study.standin:
            what = "is not here" if study.data == MISSING else "is the generated stand-in"
            raise UsageError(
                f"study {study.name!r}: its data set {what}, and old runs cannot be bound to that:"
                " give --data FOLDER, or leave out --system"
            )
        tables = _tables(reference) | dict(wanted.factors)
        return cls(study, tuple(_keyed(f.name, study, tables) for f in study.factors))


def bind(gathered: Gathered, bound: Bound, wishes: Wishes) -> Assembled:
    """The runs in the places that the study has for them; those it does not ask for, beside it.

    Raises UsageError where two runs have the same levels and seed, or a level does not fit.
    """
    study = bound.study
    runs = list(trained(gathered))
    if not runs:
        raise UsageError(f"all {len(gathered.outlines)} runs were never trained: there is no score")
    settings = gathered.settings.chosen(runs)
    columns = {k.factor.name: _column(k.key, settings) for k in bound.factors}
    doubts: dict[int, list[str]] = {i: [ASSUMED] for i in runs}
    levels = list(_levels(bound, columns, settings, (runs, doubts)))
    remarks = [
        *_others(columns, settings, runs, doubts),
        *_unscored(study, gathered, runs),
    ]
    if wishes.select:
        study = replace(study, selection=asked_for(wishes.select, gathered, runs, study.metrics))
    seats = seated(gathered, runs, levels, wishes)
    designed = list(design.placements(study, limit=None))
    places = {(p.variant.name, p.trial.seed): p for p in designed}
    placements: list[Placement | None] = [None] * len(gathered.outlines)
    for i, variant in zip(runs, _variants(study, designed, levels), strict=True):
        if i in seats.taken:
            own = places.get((variant.name, seats.taken[i]))
            placements[i] = own or _beside(study, designed, variant, seats.taken[i])
    return Assembled(
        study=study,
        placements=tuple(placements),
        factors=bound.factors,
        left_out={},
        remarks=(*remarks, *disagreements(gathered, runs, wishes)),
        doubts=doubted(gathered, runs, doubts, seats),
        aside=aside(gathered, seats),
        bound=True,
        designed=tuple(designed),
        beside=never_trained(gathered),
    )


def reader_of(reference: str) -> str | None:
    """The reader that a command system names for its output; None for any other system."""
    table = _declared(reference)
    return None if table is None else table.reader


def _declared(reference: str) -> CommandTable | None:
    if not reference.startswith(_DECLARED):
        return None
    declared = json.loads(reference.removeprefix(_DECLARED).removesuffix(")"))
    return CommandTable.model_validate(declared["command"])


def _tables(reference: str) -> dict[str, FactorTable]:
    """The factors of a command system, as its declaration writes them for the program."""
    table = _declared(reference)
    return {} if table is None else dict(table.factors)


def _keyed(name: str, study: Study, tables: Mapping[str, FactorTable]) -> Keyed:
    table = tables.get(name)
    factor = study.factor(name)
    return Keyed(factor, table.key or name, table.on, table.off) if table else Keyed(factor, name)


def _column(key: str, settings: Configurations) -> str | None:
    """The configuration's own spelling of a key: as it is, in another case, or as its only tail."""
    known = list(settings)
    bare = _bare(key)
    for same in (
        [k for k in known if k == key],
        [k for k in known if _bare(k) == bare],
        [k for k in known if _bare(k).endswith(f".{bare}")],
    ):
        if len(same) == 1:
            return same[0]
    return None


def _bare(key: str) -> str:
    return key.lstrip("-+~").replace("-", "_").lower()


def _levels(
    bound: Bound,
    columns: Mapping[str, str | None],
    settings: Configurations,
    said: tuple[Sequence[int], dict[int, list[str]]],
) -> Iterator[dict[str, Level]]:
    """Each run's levels; what its configuration does not say is as in the study, and in doubt."""
    runs, doubts = said
    usual = {f.name: f.reference for f in bound.study.factors} | dict(bound.study.fixed)
    texts = {name: settings.column(key) for name, key in columns.items() if key is not None}
    for at, i in enumerate(runs):
        given: dict[str, Level] = {}
        missing: list[Keyed] = []
        for keyed in bound.factors:
            name = keyed.factor.name
            text = texts[name][at] if name in texts else None
            given[name] = usual[name] if text is None else _level(keyed, text)
            missing += [keyed] if text is None else []
        levels = settled(given, bound.study.factors)
        for keyed in missing:
            needed = keyed.factor.requires
            if needed is None or levels[needed] is not False:
                doubts[i].append(
                    f"{keyed.key} is not in its configuration: {keyed.factor.name} is taken as"
                    f" {design.shown(levels[keyed.factor.name])}"
                )
        yield levels


def _level(keyed: Keyed, text: str) -> Level:
    try:
        return keyed.level(text)
    except ValueError as wrong:
        raise UsageError(
            f"a run's {keyed.key} is no level of factor {keyed.factor.name!r}: {wrong}"
        ) from None


def _others(
    columns: Mapping[str, str | None],
    settings: Configurations,
    runs: Sequence[int],
    doubts: dict[int, list[str]],
) -> Iterator[str]:
    """Settings that differ between the runs and are no factor: their effect is in the scores."""
    owned = set(columns.values())
    for key in settings:
        column = settings.column(key)
        texts = [t for t in dict.fromkeys(column) if t is not None]
        if key in owned or len(texts) < 2 or names.unfit(key, texts):  # noqa: PLR2004 - what differs is two
            continue
        usual = Counter(t for t in column if t is not None).most_common(1)[0][0]
        odd = [(i, text) for i, text in zip(runs, column, strict=True) if text not in {None, usual}]
        for i, text in odd:
            doubts[i].append(
                f"{key} = {text} where most runs have {usual}, and it is no factor of the system"
            )
        yield (
            f"{key} differs in {len(odd)} of {len(runs)} runs and is no factor of the system:"
            " what it does is mixed with what the factors do"
        )


def _unscored(study: Study, gathered: Gathered, runs: Sequence[int]) -> Iterator[str]:
    """The system's scores that no run has; raises UsageError where that is the primary one."""
    measured = {name for i in runs for name in gathered.outlines[i].measured}
    there = ", ".join(sorted(measured)[:_NAMED]) or "none"
    for metric in study.metrics:
        if metric.name == study.primary and metric.name not in measured:
            raise UsageError(
                f"no run has {metric.name!r}, the primary score of study {study.name!r}; they have:"
                f" {there}"
            )
        if metric.name not in measured:
            yield f"no run has the score {metric.name!r} of the system"


def _variants(
    study: Study, designed: Iterable[Placement], levels: Sequence[Mapping[str, Level]]
) -> list[Variant]:
    """The study's own variant of each set of levels, else one beside its design."""
    own = {_cell(p.variant.levels): p.variant for p in designed if p.variant.start is None}
    modules = study.modules.factors if study.modules else ()
    # one that is fixed stands at its level in every variant: there it is no change
    factors = [replace(f, reference=study.fixed.get(f.name, f.reference)) for f in study.factors]
    switches = [m for m in modules if study.factor(m).kind is Kind.BOOL]
    beside = variants(levels, factors, switches)
    taken = {v.name for v in own.values()}
    return [
        own.get(_cell(of)) or (replace(v, name=f"{v.name} (imported)") if v.name in taken else v)
        for of, v in zip(levels, beside, strict=True)
    ]


def _cell(levels: Mapping[str, Level]) -> tuple[tuple[str, str, Level], ...]:
    return tuple((n, type(v).__name__, v) for n, v in sorted(levels.items()))


def _beside(study: Study, designed: Sequence[Placement], variant: Variant, seed: int) -> Placement:
    trial = Trial(
        system=study.system,
        revision=study.revision,
        levels=variant.levels,
        changed=changed(variant.levels, study.factors),
        seed=seed,
        data=study.data,
        stops=designed[0].trial.stops if designed else (),
    )
    return Placement(variant, trial, extra=True)
