"""What differs between runs: the factors that their configurations propose."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ablate.errors import UsageError, not_one_of
from ablate.ingest.columns import SWITCH
from ablate.ingest.configurations import Configurations
from ablate.ingest.settings import typed
from ablate.ingest.wanted import NOTHING, MapFile
from ablate.spec import keys as names
from ablate.spec import systems
from ablate.spec.systems import FactorTable
from ablate.study import Factor, Kind, Level, settled

ON, OFF = "True", "False"
_DIGITS = frozenset("01")
_WORDS = frozenset(SWITCH) - _DIGITS
_NAMED = 6


@dataclass(frozen=True, slots=True)
class Keyed:
    """A factor with the key that the program knows it by, and what its switch writes there."""

    factor: Factor
    key: str
    on: str = ON
    off: str = OFF

    def level(self, text: str) -> Level:
        """The level that a configuration's text means; raises ValueError."""
        bare = text.strip().strip("'\"")
        if self.factor.kind is Kind.BOOL:
            return self.factor.level(self._switch(bare))
        if self.factor.kind is Kind.STR:
            return self.factor.level(bare)
        return self.factor.level(typed(bare))

    def _switch(self, bare: str) -> object:
        if bare in {self.on, self.off}:
            return bare == self.on
        return SWITCH.get(bare.lower(), bare)


@dataclass(frozen=True, slots=True)
class Understood:
    """The factors of runs, each run's levels, and what was left out or is in doubt."""

    factors: tuple[Keyed, ...]
    levels: tuple[Mapping[str, Level], ...]
    left_out: Mapping[str, str]
    """Keys that differ and are no factor -> why."""
    remarks: tuple[str, ...]
    doubts: tuple[tuple[str, ...], ...]
    """What every report must say of each run."""


def understand(
    found: Configurations, wanted: MapFile = NOTHING, order: Iterable[str] = ()
) -> Understood:
    """The factors by which runs of these configurations differ, and each run's levels.

    Switches that stand in `order` (what a command line set) come first, in that order. Raises
    ValueError where a level does not fit a factor that `wanted` declares, UsageError where no run
    has a key that it names.
    """
    proposed, left_out, midway = _sorted_out(found, wanted)
    factors = _factors(found, proposed, wanted, list(order))
    doubts: list[list[str]] = [[] for _ in range(found.count)]
    levels = _levels(found, factors, doubts)
    for keyed in _still(factors, levels, wanted):
        left_out[keyed.key] = f"it differs only where {keyed.factor.requires} is off"
        factors.remove(keyed)
        levels = [{n: v for n, v in of.items() if n != keyed.factor.name} for of in levels]
    remarks = [
        *_aliased(factors, levels, doubts),
        *_half_there(found, midway, [k.factor.name for k in factors]),
    ]
    return Understood(
        tuple(factors), tuple(levels), left_out, tuple(remarks), tuple(map(tuple, doubts))
    )


def kind_of(texts: Iterable[str], *, switched: bool = False) -> Kind:
    """The kind of a factor whose levels are written so; `switched` where its key says a switch."""
    bare = [t.strip().strip("'\"").lower() for t in texts]
    if all(t in _WORDS for t in bare) or (switched and all(t in _DIGITS for t in bare)):
        return Kind.BOOL
    values = [typed(t) for t in bare]
    if not all(type(v) in {int, float} for v in values):
        return Kind.STR
    kind = Kind.INT if all(isinstance(v, int) for v in values) else Kind.FLOAT
    try:
        for value in values:
            Factor("", kind, value).level(value)
    except ValueError:
        return Kind.STR
    return kind


def declared(name: str, table: FactorTable) -> Keyed:
    """The factor that a table declares, with its key; raises SpecError."""
    return Keyed(systems.factor(name, table), table.key or name, table.on, table.off)


def _sorted_out(
    found: Configurations, wanted: MapFile
) -> tuple[dict[str, Kind], dict[str, str], list[str]]:
    """Keys that may be factors, with kinds; those that may not; those in some runs only."""
    given = {table.key or name for name, table in wanted.factors.items()}
    named = [*given, *([wanted.seed] if wanted.seed else [])]
    unknown = next((key for key in named if key not in {*found}), None)
    if unknown is not None:
        raise UsageError(f"--map: {not_one_of('key', unknown, found)}")
    proposed: dict[str, Kind] = {}
    left_out: dict[str, str] = {}
    midway: list[str] = []
    partial = _partial(found)
    for key in found:
        column = found.column(key)
        texts = [t for t in dict.fromkeys(column) if t is not None]
        some = None in column
        if key in given or (len(texts) < 2 and not some):  # noqa: PLR2004 - what differs is two
            continue
        kind = kind_of(texts, switched=bool(names.SWITCHED.fullmatch(names.plain(names.last(key)))))
        differs = len(_distinct(kind, texts)) > 1
        lacking = any(t is None for i, t in enumerate(column) if i not in partial)
        gained = lacking and kind is Kind.BOOL and _distinct(kind, texts) == {True}
        if not differs and not some:
            continue
        reason = "as the map says" if key in wanted.ignore else names.unfit(key, texts)
        reason = "the seed" if key == wanted.seed else reason
        if reason:
            left_out[key] = reason
        elif differs or gained:
            proposed[key] = kind
        else:
            midway.append(key)
    return proposed, left_out, midway


def _partial(found: Configurations) -> set[int]:
    """The runs whose configuration is not there, or was only half printed: a lack says nothing."""
    sizes = [0] * found.count
    for key in found:
        for i, text in enumerate(found.column(key)):
            sizes[i] += text is not None
    most = max(sizes, default=0)
    return {i for i, size in enumerate(sizes) if 2 * size < most}


def _distinct(kind: Kind, texts: Sequence[str]) -> set[Level]:
    probe = Keyed(Factor("", kind, reference=_NOUGHT[kind]), "")
    return {probe.level(t) for t in texts}


_NOUGHT: dict[Kind, Level] = {Kind.BOOL: False, Kind.INT: 0, Kind.FLOAT: 0.0, Kind.STR: ""}


def _factors(
    found: Configurations, proposed: Mapping[str, Kind], wanted: MapFile, order: list[str]
) -> list[Keyed]:
    known = [declared(name, table) for name, table in wanted.factors.items()]
    switches = sorted(
        (k for k, kind in proposed.items() if kind is Kind.BOOL),
        key=lambda k: order.index(k) if k in order else len(order),
    )
    modules = [k.factor.name for k in known if k.factor.kind is Kind.BOOL]
    called: dict[str, str] = {}
    stems = Counter(names.stem(k) for k in switches)
    for key in switches:
        if stems[names.stem(key)] == 1 and not names.owned(key, [s for s in stems if s in called]):
            called[names.stem(key)] = key
    owners = [*modules, *called]
    for key in [*switches, *(k for k in proposed if k not in switches)]:
        name, requires = _name(key, called, owners, [*found])
        taken = {k.factor.name for k in known}
        name = next(n for n in (name, key, f"{key}.value", f"{key}.level") if n not in taken)
        known.append(_keyed(found, key, proposed[key], (name, requires), known))
    return known


def _name(
    key: str, called: Mapping[str, str], owners: Sequence[str], everything: Sequence[str]
) -> tuple[str, str | None]:
    """What a factor is called and the switch that it requires."""
    if called.get(names.stem(key)) == key:
        return names.stem(key), None
    belongs = names.owned(key, owners)
    if belongs is not None:
        return f"{belongs[0]}.{belongs[1]}", belongs[0]
    return names.tail(key, everything), None


def _keyed(
    found: Configurations,
    key: str,
    kind: Kind,
    called: tuple[str, str | None],
    known: Sequence[Keyed],
) -> Keyed:
    name, requires = called
    column = found.column(key)
    texts = [t for t in dict.fromkeys(column) if t is not None]
    probe = Keyed(Factor(name, kind, reference=_NOUGHT[kind]), key)
    if kind is Kind.BOOL:
        on = next((t for t in texts if probe.level(t) is True), ON)
        off = next((t for t in texts if probe.level(t) is False), OFF)
        return Keyed(Factor(name, kind, reference=False, requires=requires), key, on, off)
    rows = column
    owner = next((k for k in known if k.factor.name == requires), None)
    if owner is not None:
        needed = found.column(owner.key)
        where = [t for t, n in zip(column, needed, strict=True) if n and owner.level(n) is True]
        rows = where if any(t is not None for t in where) else column
    common = Counter(probe.level(t) for t in rows if t is not None)
    return Keyed(Factor(name, kind, common.most_common(1)[0][0], requires), key)


def _levels(
    found: Configurations, factors: Sequence[Keyed], doubts: list[list[str]]
) -> list[Mapping[str, Level]]:
    given: list[dict[str, Level]] = [{} for _ in range(found.count)]
    for keyed in factors:
        read: dict[str, Level] = {}
        for run, text in enumerate(found.column(keyed.key)):
            if text is None:
                continue
            if text not in read:
                read[text] = _level(keyed, text)
            given[run][keyed.factor.name] = read[text]
    bare = [keyed.factor for keyed in factors]
    levels = [settled(of, bare) for of in given]
    for of, said, doubt in zip(levels, given, doubts, strict=True):
        doubt.extend(_assumed(factors, of, said))
    return list(levels)


def _still(
    factors: Sequence[Keyed], levels: Sequence[Mapping[str, Level]], wanted: MapFile
) -> list[Keyed]:
    """Factors that no run moves, once those whose switch is off stand at their reference."""
    moved = [k for k in factors if len({of[k.factor.name] for of in levels}) > 1]
    needed = {k.factor.requires for k in moved} | set(wanted.factors)
    return [k for k in factors if k not in moved and k.factor.name not in needed]


def _level(keyed: Keyed, text: str) -> Level:
    try:
        return keyed.level(text)
    except ValueError as wrong:
        raise ValueError(f"factor {keyed.factor.name!r} ({keyed.key}): {wrong}") from None


def _assumed(
    factors: Sequence[Keyed], levels: Mapping[str, Level], said: Mapping[str, Level]
) -> Iterable[str]:
    for keyed in factors:
        factor = keyed.factor
        means = factor.requires is None or levels.get(factor.requires) is True
        if factor.name not in said and means:
            yield (
                f"{keyed.key} is not in its configuration: {factor.name} is taken as"
                f" {str(factor.reference).lower()}"
            )


def _aliased(
    factors: Sequence[Keyed],
    levels: Sequence[Mapping[str, Level]],
    doubts: list[list[str]],
) -> Iterable[str]:
    """Factors that always change together: none of them can be told from the others."""
    groups: dict[tuple[int, ...], list[Factor]] = {}
    for keyed in factors:
        numbers: dict[Level, int] = {}
        pattern = tuple(numbers.setdefault(of[keyed.factor.name], len(numbers)) for of in levels)
        groups.setdefault(pattern, []).append(keyed.factor)
    for group in groups.values():
        if len(group) > 1:
            said = _listed([f.name for f in group])
            text = f"{said} always change together: their effects cannot be told apart"
            for of, doubt in zip(levels, doubts, strict=True):
                if any(of[f.name] != f.reference for f in group):
                    doubt.append(text)
            yield text


def _half_there(
    found: Configurations, midway: Sequence[str], factors: Sequence[str]
) -> Iterable[str]:
    """Keys that some configurations lack, and that say the same wherever they are."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for key in midway:
        if names.owned(key, factors) is None:
            column = found.column(key)
            runs = tuple(i for i, text in enumerate(column) if text is not None)
            groups.setdefault(runs, []).append(key)
    for runs, group in groups.items():
        said = [f"{k} = {next(t for t in found.column(k) if t is not None)}" for k in group]
        has = "is" if len(group) == 1 else "are"
        yield f"{_listed(said)} {has} in {len(runs)} of {found.count} configurations only"


def _listed(texts: Sequence[str]) -> str:
    shown = list(texts[:_NAMED])
    more = [f"{len(texts) - _NAMED} more"] if len(texts) > _NAMED else []
    *first, last = [*shown, *more]
    return f"{', '.join(first)} and {last}" if first else last
