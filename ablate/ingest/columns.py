"""What each column of a table means: by the map, by its name, by its values."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ablate.errors import UsageError, not_one_of
from ablate.ingest import exported, itemised
from ablate.ingest.bookkeeping import (
    RESULTS,
    SETTINGS,
    STATES_SAID,
    is_bookkeeping,
    is_state,
    of_optuna,
    state_of,
)
from ablate.ingest.mapping import Role, Wanted
from ablate.ingest.names import (
    COST_UNITS,
    COSTS,
    NAMES,
    UNITS,
    bare,
    known_cost,
    known_metric,
    other_metric,
    split_unit,
)
from ablate.ingest.parents import is_parents
from ablate.ingest.table import INDEX, SPREAD, Table, is_number, number, plain
from ablate.metric import Metric
from ablate.spec.keys import unfit

SWITCH = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
PERCENT = frozenset({"%", "percent", "pct"})
FRACTION = frozenset({"1", "fraction"})
SEEDS = frozenset({"seed", "randomseed", "manualseed"})
WHOLE_PARAMETERS = 1e4
FEW_ROWS = 4
"""Rows below which most numbers stand once, whatever they are."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column with its role; `scale` turns a printed number into a stored one.

    `doubt` is what must be said of a role that may be wrong.
    """

    header: str
    role: Role
    name: str
    scale: float = 1.0
    metric: Metric | None = None
    note: str = ""
    doubt: str = ""

    def value(self, text: str) -> float:
        """The stored value of a cell: 77.6 % is 0.776, the float nearest to it."""
        printed = plain(text, seconds=self.name == "seconds").replace("−", "-")
        if not math.isfinite(float(printed)) or float(printed) == 0:
            return float(printed)
        return float(Decimal(printed) * Decimal(repr(self.scale)))


def understand(table: Table, wanted: Mapping[str, Wanted]) -> tuple[Column, ...]:
    """One Column per column; raises UsageError where the map or a cell does not fit."""
    for name in wanted:
        if name not in table.columns:
            raise UsageError(f"--map: {not_one_of('column', name, table.columns)}")
    roles = _roles(table, wanted)
    own = exported.roles(table.columns)
    stored = {h: Wanted(unit="fraction", name=h) for h, role in own.items() if role == "metric"}
    columns = tuple(
        _column(table, header, role, wanted.get(header) or stored.get(header) or Wanted())
        for header, role in roles.items()
    )
    columns = _as_the_map_says(_first_of_costs(columns, wanted), wanted)
    _check(table, columns)
    return _doubted(table, columns, wanted)


def _doubted(
    table: Table, columns: tuple[Column, ...], wanted: Mapping[str, Wanted]
) -> tuple[Column, ...]:
    """The columns, with a doubt of factors that look like measurements of each run.

    Such a one holds numbers, another one in more than half of the rows, and tells no runs apart:
    seed and other factors already do.
    """
    factors = [c.header for c in columns if c.role == "factor"]
    given = {h for h in factors if wanted.get(h, Wanted()).role or SETTINGS.match(h)}
    odd = [h for h in factors if h not in given and _measured(table.texts(h))]
    keys = [c.header for c in columns if c.role in {"factor", "seed"} and c.header not in odd]
    if len({tuple(row.cells[h] for h in keys) for row in table.rows}) < len(table.rows):
        return columns
    return tuple(
        replace(c, doubt=_doubt(c.header, table.texts(c.header))) if c.header in odd else c
        for c in columns
    )


def _measured(texts: Sequence[str]) -> bool:
    filled = [t for t in texts if t]
    numbers = not is_switch(texts) and all(is_number(plain(t)) for t in filled)
    return numbers and len(texts) >= FEW_ROWS and 2 * len(set(filled)) > len(texts)


def _doubt(header: str, texts: Sequence[str]) -> str:
    return (
        f"{header!r} is taken for a factor, though it holds {len(set(texts))} values in"
        f" {len(texts)} rows that other columns tell apart: so nearly every run is a configuration"
        f" of its own. If it was measured, import again with --map: [columns] {header!r} ="
        " { role = 'metric', direction = 'up' } (or 'down', or role = 'cost' or 'ignore')"
    )


def is_switch(texts: Sequence[str]) -> bool:
    """Whether a column's filled cells all say on or off."""
    return all(t.lower() in SWITCH for t in texts if t) and any(texts)


def _roles(table: Table, wanted: Mapping[str, Wanted]) -> dict[str, Role]:
    roles: dict[str, Role] = {}
    own = exported.roles(table.columns)
    for header in table.columns:
        given = wanted.get(header, Wanted()).role or own.get(header)
        seen = "metric" in roles.values()
        roles[header] = given or _role(table, header, left_of_metrics=not seen)
    return roles


def _role(table: Table, header: str, *, left_of_metrics: bool) -> Role:
    texts, inner = table.texts(header), SETTINGS.sub("", header, count=1)
    if bare(inner) in SEEDS or is_state(header, texts):
        return "seed" if bare(inner) in SEEDS else "state"
    if inner != header:
        return "ignore" if _why_no_factor(table, header) else "factor"
    if bare(header) in NAMES:
        return "name"
    if is_parents(table, header):
        return "parent"
    noted = is_bookkeeping(header, table.columns) and not known_cost(header)
    if noted or of_optuna(header, table.columns):
        return "ignore"
    return _role_by_name(table, header, left_of_metrics=left_of_metrics)


def _role_by_name(table: Table, header: str, *, left_of_metrics: bool) -> Role:
    texts, inner = table.texts(header), RESULTS.sub("", header, count=1)
    spread = any(SPREAD.fullmatch(t) for t in texts)
    words = any(texts) and not spread and not any(is_number(plain(t)) for t in texts)
    if known_metric(inner) and not (words and left_of_metrics) and not is_switch(texts):
        return "metric"
    if known_cost(inner):
        return "cost"
    if itemised.parts(inner) and not words:
        return "item"
    if inner != header:
        return "ignore"
    dotted = re.fullmatch(r"[^.\s]+(\.[^.\s]+)+", header)
    return "factor" if dotted or left_of_metrics or is_switch(texts) else "ignore"


def _why_no_factor(table: Table, header: str) -> str:
    """Why a setting is no factor; empty where it may be one."""
    texts, inner = table.texts(header), SETTINGS.sub("", header, count=1)
    if is_bookkeeping(header, table.columns):
        return "bookkeeping"
    if len(set(texts)) == 1 and len(texts) > 1:
        return "the same in every run; kept as a setting"
    return unfit(inner, texts)


def _why_ignored(table: Table, header: str) -> str:
    if of_optuna(header, table.columns):
        return "the objective, but up or down? --map can say it"
    if header == INDEX:
        return "it has no name and counts the rows"
    if SETTINGS.match(header):
        return _why_no_factor(table, header)
    if is_bookkeeping(header, table.columns):
        return "bookkeeping"
    return "not known; --map can give it a role"


def _first_of_costs(
    columns: tuple[Column, ...], wanted: Mapping[str, Wanted]
) -> tuple[Column, ...]:
    """Of several columns that mean the wall time, the first counts unless the map says which."""
    first: dict[str, str] = {}
    kept = []
    for column in columns:
        held = first.setdefault(column.name, column.header) if column.role == "cost" else ""
        again = held not in {"", column.header} and column.name == "seconds"
        if again and wanted.get(column.header, Wanted()).role is None:
            kept.append(Column(column.header, "ignore", column.header, note=f"as {held!r} says it"))
        else:
            kept.append(column)
    return tuple(kept)


def _as_the_map_says(
    columns: tuple[Column, ...], wanted: Mapping[str, Wanted]
) -> tuple[Column, ...]:
    """Of several columns that mean one score, the one that the map gives that name counts."""
    named = {c.name.lower(): c.header for c in columns if c.metric and _gives(wanted, c.header)}
    return tuple(
        Column(c.header, "ignore", c.header, note=f"as {named[c.name.lower()]!r} says it")
        if c.metric and c.name.lower() in named and not _gives(wanted, c.header)
        else c
        for c in columns
    )


def _gives(wanted: Mapping[str, Wanted], header: str) -> bool:
    return wanted.get(header, Wanted()).role == "metric"


def _column(table: Table, header: str, role: Role, wanted: Wanted) -> Column:
    match role:
        case "metric":
            return _metric(table, header, wanted)
        case "cost":
            return _cost(table, header, wanted)
        case "item":
            _numbers(table, header, wanted)
            return Column(header, role, header, itemised.scale(table, header), note="of one item")
        case "ignore" if wanted.role is None:
            return Column(header, role, header, note=_why_ignored(table, header))
        case "state":
            _check_states(table, header)
            return Column(header, role, header, note=_counted(table, header))
        case _:
            return Column(header, role, wanted.name or SETTINGS.sub("", header, count=1))


def _check_states(table: Table, header: str) -> None:
    for row in table.rows:
        if row.cells[header] and state_of(row.cells[header]) is None:
            raise table.wrong(
                row.line,
                f"{header}: {row.cells[header]!r} is no state that is known (such as"
                f" {STATES_SAID}); --map can ignore the column: [columns]"
                f" {header} = {{ role = 'ignore' }}",
            )


def _counted(table: Table, header: str) -> str:
    counts = Counter(t.lower() for t in table.texts(header) if t)
    return ", ".join(f"{count} {state}" for state, count in counts.most_common())


def _numbers(table: Table, header: str, wanted: Wanted, *, seconds: bool = False) -> list[float]:
    numbers = []
    for row in table.rows:
        text = row.cells[header]
        if SPREAD.fullmatch(text) and not wanted.drop_spread:
            raise table.wrong(
                row.line,
                f"{header}: {text!r} is a mean with its spread: give one row per seed, or take the"
                f" means as they are with --map: [columns] {header!r} = {{ spread = 'drop' }}",
            )
        bare_text = plain(text, seconds=seconds)
        if text and not is_number(bare_text):
            raise table.wrong(row.line, f"{header}: {text!r} is not a number")
        if text:
            numbers.append(number(bare_text))
    return numbers


def _check_scale(table: Table, header: str) -> None:
    """Raise UsageError where some scores look like percent and others like fractions."""
    values = [
        (number(plain(t)), row) for row in table.rows if (t := row.cells[header]) and "%" not in t
    ]
    high = next((row for v, row in values if 1 < abs(v) < math.inf), None)
    low = next((row for v, row in values if 0 < abs(v) <= 1), None)
    if high is not None and low is not None:
        raise table.wrong(
            max(high.line, low.line),
            f"{header}: {low.cells[header]} (line {low.line}) looks like a fraction and"
            f" {high.cells[header]} (line {high.line}) like percent; write one way, or say which"
            f" with --map: [columns] {header!r} = {{ unit = 'percent' }}",
        )


def _metric(table: Table, header: str, wanted: Wanted) -> Column:
    inner = RESULTS.sub("", header, count=1)
    name, unit = split_unit(inner)
    known = known_metric(wanted.name or inner) or known_metric(inner)
    metric = known or other_metric(wanted.name or name, wanted.direction)
    if wanted.name and wanted.name != metric.name:
        metric = replace(metric, name=wanted.name)
    values = _numbers(table, header, wanted)
    unit = (wanted.unit or unit).lower()
    signs = any(t.endswith("%") for t in table.texts(header))
    if metric.display == "percent" and unit not in PERCENT | FRACTION:
        _check_scale(table, header)
    above = metric.display == "percent" and any(1 < abs(v) < float("inf") for v in values)
    percent = unit in PERCENT or (unit not in FRACTION and (signs or above))
    digits = max((_decimals(t) for t in table.texts(header)), default=0)
    if metric.display == "percent" and not percent:
        digits = max(0, digits - 2)
    metric = replace(
        metric,
        display="percent" if percent else metric.display,
        direction=wanted.direction or metric.direction,
        digits=min(digits, 6),
    )
    note = "percent, stored as a fraction" if percent else "as printed"
    if wanted.drop_spread:
        note += "; means of several runs, their spread is dropped"
    return Column(header, "metric", metric.name, 0.01 if percent else 1.0, metric, note)


def _decimals(text: str) -> int:
    printed = plain(text)
    mantissa, _, exponent = printed.lower().partition("e")
    shift = int(exponent) if exponent else 0
    return max(0, len(mantissa.partition(".")[2]) - shift) if is_number(printed) else 0


def _cost(table: Table, header: str, wanted: Wanted) -> Column:
    inner = RESULTS.sub("", header, count=1)
    known = known_cost(wanted.name or inner) or known_cost(inner)
    if known is None:
        raise UsageError(
            f"--map: {header!r} is no known cost; 'as' takes params, macs, ops, seconds, cputime"
            " or memory"
        )
    name, unit = known
    values = _numbers(table, header, wanted, seconds=name == "seconds")
    _check_finite(table, header, seconds=name == "seconds")
    unit = (wanted.unit or unit).lower()
    default = COSTS.get(bare(split_unit(wanted.name or inner)[0]), (name, None))[1]
    if unit:
        if unit not in UNITS[name]:
            raise UsageError(f"{header!r}: unit {unit!r} of {name} is not known")
        return _scaled(header, name, UNITS[name][unit])
    return _scaled(header, name, default if default is not None else _likely(name, values))


def _check_finite(table: Table, header: str, *, seconds: bool) -> None:
    for row in table.rows:
        text = row.cells[header]
        if text and not math.isfinite(number(plain(text, seconds=seconds))):
            raise table.wrong(
                row.line, f"{header}: {text!r} is no cost; leave it empty where it is unknown"
            )


def _likely(name: str, values: Sequence[float]) -> float:
    whole = all(v == int(v) for v in values) and max(values, default=0) >= WHOLE_PARAMETERS
    if name == "params":
        return 1.0 if whole else 1e6
    return 1.0 if whole else UNITS["memory"]["gib"]


def _scaled(header: str, name: str, scale: float) -> Column:
    return Column(header, "cost", name, scale, note=f"× {scale:,.0f} {COST_UNITS[name]}".rstrip())


def _check(table: Table, columns: Sequence[Column]) -> None:
    for role in ("seed", "metric", "cost", "factor"):
        names = ["seed" if role == "seed" else c.name.lower() for c in columns if c.role == role]
        twice = next((n for n in names if names.count(n) > 1), None)
        if twice:
            raise UsageError(
                f"{table.path}:1: two columns mean the {role} {twice!r}; --map can ignore one"
            )
    if not any(c.role == "metric" for c in columns):
        objective = next((c for c in table.columns if of_optuna(c, table.columns)), None)
        if objective:
            raise UsageError(
                f"{table.path}:1: {objective!r} is Optuna's objective, and no table says which way"
                f" is better; say it with --map: [columns] {objective} = {{ role = 'metric',"
                " as = 'accuracy', direction = 'up' }"
            )
        raise UsageError(
            f"{table.path}:1: no column is a known metric (such as rank1, mAP, accuracy, loss);"
            " give one the role with --map"
        )
