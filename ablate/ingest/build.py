"""A table whose columns are understood, as a study with its results."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ablate.ingest import itemised
from ablate.ingest.bookkeeping import SETTINGS, state_of
from ablate.ingest.columns import SWITCH, Column, is_switch
from ablate.ingest.names import COST_UNITS
from ablate.ingest.parents import led
from ablate.ingest.roles import IMPORTED, trial, variants
from ablate.ingest.table import SPREAD, Row, Table, is_number, number
from ablate.ingest.text import without_places
from ablate.record import Cost, Ending, Item, State
from ablate.spec.keys import private
from ablate.study import (
    SEED_LIMIT,
    Factor,
    Kind,
    Level,
    Modules,
    Placement,
    Study,
    Variant,
    settled,
)

COUNTER = "as imported"


@dataclass(frozen=True, slots=True)
class Imported:
    """A study read from elsewhere, its results, and what each column was taken for."""

    study: Study
    results: tuple[tuple[Placement, Ending], ...]
    columns: tuple[Column, ...]


def build(table: Table, columns: Sequence[Column], name: str) -> Imported:
    """The study `name` that the rows hold; raises UsageError naming the line that does not fit."""
    factors = _factors(table, columns)
    levels = [_levels(table, row, columns, factors) for row in table.rows]
    named = not any(c.role == "factor" for c in columns)
    found = led(table, _variants(levels, factors, named=named))
    seeds = [_seed(table, row, columns) for row in table.rows]
    states = [_state(row, columns) for row in table.rows]
    kept = _kept(table, found, seeds, states)
    metrics = tuple(c.metric for c in columns if c.metric is not None)
    switches = tuple(f.name for f in factors if f.kind is Kind.BOOL)
    study = Study(
        name=name,
        title=name,
        system="csv",
        revision=IMPORTED,
        factors=factors,
        metrics=metrics,
        primary=metrics[0].name,
        seeds=tuple(sorted(set(seeds))),
        modules=Modules(switches) if switches else None,
        data=f"import:{name}",
    )
    digest = hashlib.sha256(table.path.read_bytes()).hexdigest()
    results = tuple(
        (
            Placement(found[i], trial(found[i], factors, seeds[i], "csv", study.data)),
            _ending(table.rows[i], columns, states[i], _provenance(table, i, digest)),
        )
        for i in kept
    )
    return Imported(study, results, tuple(columns))


def _factors(table: Table, columns: Sequence[Column]) -> tuple[Factor, ...]:
    found = [c for c in columns if c.role == "factor"]
    if not found:
        found = [c for c in columns if c.role == "name"][:1]
    switches = {c.name for c in found if is_switch(table.texts(c.header))}
    return tuple(_factor(table, c, columns, switches) for c in found)


def _factor(table: Table, column: Column, columns: Sequence[Column], switches: set[str]) -> Factor:
    owner = column.name.rpartition(".")[0]
    requires = owner if owner in switches else None
    if column.name in switches:
        return Factor(column.name, Kind.BOOL, reference=False, requires=requires)
    rows: Sequence[Row] = table.rows
    if requires:
        header = next(c.header for c in columns if c.name == requires)
        rows = [r for r in rows if SWITCH.get(r.cells[header].lower())] or rows
    texts = [t for t in table.texts(column.header) if t]
    kind = _kind(texts)
    common = Counter(r.cells[column.header] for r in rows if r.cells[column.header])
    reference = _level(kind, (common or Counter(texts)).most_common(1)[0][0]) if texts else ""
    return Factor(column.name, kind, reference, requires)


def _kind(texts: Sequence[str]) -> Kind:
    if not texts or not all(is_number(t) for t in texts):
        return Kind.STR
    values = [number(t) for t in texts]
    if not all(abs(v) < float("inf") for v in values):
        return Kind.STR
    return (
        Kind.INT
        if all("." not in t and v == int(v) for t, v in zip(texts, values, strict=True))
        else Kind.FLOAT
    )


def _level(kind: Kind, text: str) -> Level:
    match kind:
        case Kind.BOOL:
            return SWITCH[text.lower()]
        case Kind.INT:
            return int(number(text))
        case Kind.FLOAT:
            return number(text) + 0.0
        case Kind.STR:
            return text


def _levels(
    table: Table, row: Row, columns: Sequence[Column], factors: Sequence[Factor]
) -> dict[str, Level]:
    headers = {c.name: c.header for c in columns if c.role in {"factor", "name"}}
    own = {c.name for c in columns if c.role == "factor"}
    given: dict[str, Level] = {}
    for factor in factors:
        text = row.cells[headers[factor.name]]
        if not text and factor.name not in own:
            raise table.wrong(row.line, f"{factor.name}: the configuration has no name")
        if not text:
            continue
        try:
            given[factor.name] = factor.level(_level(factor.kind, text))
        except ValueError as wrong:
            raise table.wrong(row.line, f"{factor.name}: {wrong}") from None
    return settled(given, factors)


def _variants(
    levels: Sequence[Mapping[str, Level]], factors: Sequence[Factor], *, named: bool
) -> list[Variant]:
    switches = [f.name for f in factors if f.kind is Kind.BOOL]
    if named:
        return [Variant(str(of[factors[0].name]), of, "arm") for of in levels]
    return variants(levels, factors, switches)


def _seed(table: Table, row: Row, columns: Sequence[Column]) -> int:
    header = next((c.header for c in columns if c.role == "seed"), None)
    if header is None:
        return 0
    text = row.cells[header]
    if not text.isascii() or not text.isdigit() or int(text) >= SEED_LIMIT:
        raise table.wrong(row.line, f"{header}: {text!r} is not a seed (a whole number from 0)")
    return int(text)


def _state(row: Row, columns: Sequence[Column]) -> State:
    said = [row.cells[c.header] for c in columns if c.role == "state"]
    return state_of(next((text for text in said if text), "")) or State.COMPLETED


def _kept(
    table: Table, found: Sequence[Variant], seeds: Sequence[int], states: Sequence[State]
) -> list[int]:
    """The rows that count: of one trial the completed one, else the last that did not complete.

    Raises UsageError where two of one trial completed.
    """
    rows: dict[tuple[str, int], int] = {}
    for i, (variant, seed) in enumerate(zip(found, seeds, strict=True)):
        before = rows.setdefault((variant.name, seed), i)
        completed = [j for j in (before, i) if states[j] is State.COMPLETED]
        if before != i and len(completed) > 1:
            raise table.wrong(
                table.rows[i].line,
                f"{variant.name} at seed {seed} again, as in line {table.rows[before].line};"
                " add a 'seed' column",
            )
        rows[variant.name, seed] = completed[0] if completed else i
    return sorted(rows.values())


def _provenance(table: Table, i: int, digest: str) -> dict[str, str]:
    return {"file": table.path.name, "sha256": digest, "line": str(table.rows[i].line)}


def _ending(
    row: Row, columns: Sequence[Column], state: State, provenance: Mapping[str, str]
) -> Ending:
    """One that did not complete keeps no score: it was no final one."""
    filled = [c for c in columns if c.role in {"metric", "cost"} and row.cells[c.header]]
    numbers = {(c.role, c.name): c.value(row.cells[c.header]) for c in filled}
    said = next((row.cells[c.header] for c in columns if c.role == "state"), "")
    doubts = [
        f"{c.name}: the mean of several runs; its spread is dropped"
        for c in filled
        if SPREAD.fullmatch(row.cells[c.header])
    ]
    completed = state is State.COMPLETED
    costs = tuple(
        Cost(name, value, COST_UNITS[name], COUNTER)
        for (role, name), value in numbers.items()
        if role == "cost"
    )
    return Ending(
        state,
        seconds=numbers.get(("cost", "seconds"), 0.0),
        ended="",
        error_type="" if completed else "as imported",
        error="" if completed else f"the table says {said.lower()!r}",
        provenance={**provenance, **({"notes": "\n".join(doubts)} if doubts else {})},
        items=_items(row, columns) if completed else (),
        costs=costs,
        scores={
            name: value for (role, name), value in numbers.items() if role == "metric" and completed
        },
        settings=_settings(row, columns),
    )


def _items(row: Row, columns: Sequence[Column]) -> tuple[Item, ...]:
    found = [c for c in columns if c.role == "item" and row.cells[c.header]]
    named = [(itemised.parts(c.header), c.value(row.cells[c.header])) for c in found]
    return tuple(Item("", of[1], of[0], value) for of, value in named if of)


def _settings(row: Row, columns: Sequence[Column]) -> dict[str, str]:
    """What the source itself calls configuration, people and places left out."""
    return {
        SETTINGS.sub("", c.header, count=1): without_places(row.cells[c.header])
        for c in columns
        if SETTINGS.match(c.header) and row.cells[c.header] and not private(c.header)
    }
