"""What each column of a table means: by the map, by its name, by its values."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ablate.errors import UsageError, not_one_of
from ablate.ingest.mapping import Role, Wanted
from ablate.ingest.names import (
    COSTS,
    NAMES,
    UNITS,
    bare,
    known_cost,
    known_metric,
    other_metric,
    split_unit,
)
from ablate.ingest.table import Table, is_number, number
from ablate.metric import Metric

SWITCH = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
PERCENT = frozenset({"%", "percent", "pct"})
WHOLE_PARAMETERS = 1e4


@dataclass(frozen=True, slots=True)
class Column:
    """A column with its role; `scale` turns a printed number into a stored one."""

    header: str
    role: Role
    name: str
    scale: float = 1.0
    metric: Metric | None = None
    note: str = ""

    def value(self, text: str) -> float:
        """The stored value of a cell: 77.6 % is 0.776, the float nearest to it."""
        printed = text.removesuffix("%").rstrip().replace("−", "-")
        if not math.isfinite(float(printed)) or float(printed) == 0:
            return float(printed)
        return float(Decimal(printed) * Decimal(repr(self.scale)))


def understand(table: Table, wanted: Mapping[str, Wanted]) -> tuple[Column, ...]:
    """One Column per column; raises UsageError where the map or a cell does not fit."""
    for name in wanted:
        if name not in table.columns:
            raise UsageError(f"--map: {not_one_of('column', name, table.columns)}")
    roles = _roles(table, wanted)
    columns = tuple(
        _column(table, header, role, wanted.get(header, Wanted())) for header, role in roles.items()
    )
    _check(table, columns)
    return columns


def is_switch(texts: Sequence[str]) -> bool:
    """Whether a column's filled cells all say on or off."""
    return all(t.lower() in SWITCH for t in texts if t) and any(texts)


def _roles(table: Table, wanted: Mapping[str, Wanted]) -> dict[str, Role]:
    roles: dict[str, Role] = {}
    for header in table.columns:
        given = wanted.get(header, Wanted()).role
        seen = "metric" in roles.values()
        roles[header] = given or _role(table, header, left_of_metrics=not seen)
    return roles


def _role(table: Table, header: str, *, left_of_metrics: bool) -> Role:
    texts = table.texts(header)
    if bare(header) == "seed":
        return "seed"
    if bare(header) in NAMES:
        return "name"
    words = any(texts) and not any(is_number(t.removesuffix("%").rstrip()) for t in texts)
    if known_metric(header) and not (words and left_of_metrics) and not is_switch(texts):
        return "metric"
    if known_cost(header):
        return "cost"
    dotted = re.fullmatch(r"[^.\s]+(\.[^.\s]+)+", header)
    return "factor" if dotted or left_of_metrics or is_switch(texts) else "ignore"


def _column(table: Table, header: str, role: Role, wanted: Wanted) -> Column:
    match role:
        case "metric":
            return _metric(table, header, wanted)
        case "cost":
            return _cost(table, header, wanted)
        case "ignore" if wanted.role is None:
            return Column(header, role, header, note="not known; --map can give it a role")
        case _:
            return Column(header, role, wanted.name or header)


def _numbers(table: Table, header: str) -> list[float]:
    numbers = []
    for row in table.rows:
        text = row.cells[header]
        plain = text.removesuffix("%").rstrip()
        if text and not is_number(plain):
            raise table.wrong(row.line, f"{header}: {text!r} is not a number")
        if text:
            numbers.append(number(plain))
    return numbers


def _metric(table: Table, header: str, wanted: Wanted) -> Column:
    name, unit = split_unit(header)
    known = known_metric(wanted.name or header) or known_metric(header)
    metric = known or other_metric(wanted.name or name, wanted.direction)
    if wanted.name and wanted.name != metric.name:
        metric = replace(metric, name=wanted.name)
    values = _numbers(table, header)
    unit = (wanted.unit or unit).lower()
    signs = any(t.endswith("%") for t in table.texts(header))
    above = metric.display == "percent" and any(1 < abs(v) < float("inf") for v in values)
    percent = unit in PERCENT or signs or above
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
    return Column(header, "metric", metric.name, 0.01 if percent else 1.0, metric, note)


def _decimals(text: str) -> int:
    plain = text.removesuffix("%").rstrip()
    mantissa, _, exponent = plain.lower().partition("e")
    shift = int(exponent) if exponent else 0
    return max(0, len(mantissa.partition(".")[2]) - shift) if is_number(plain) else 0


def _cost(table: Table, header: str, wanted: Wanted) -> Column:
    known = known_cost(wanted.name or header) or known_cost(header)
    if known is None:
        raise UsageError(
            f"--map: {header!r} is no known cost; 'as' takes params, macs, seconds or memory"
        )
    name, unit = known
    values = _numbers(table, header)
    _check_finite(table, header)
    unit = (wanted.unit or unit).lower()
    default = COSTS.get(bare(split_unit(wanted.name or header)[0]), (name, None))[1]
    if unit:
        if unit not in UNITS[name]:
            raise UsageError(f"{header!r}: unit {unit!r} of {name} is not known")
        return _scaled(header, name, UNITS[name][unit])
    return _scaled(header, name, default if default is not None else _likely(name, values))


def _check_finite(table: Table, header: str) -> None:
    for row in table.rows:
        text = row.cells[header]
        if text and not math.isfinite(number(text.removesuffix("%").rstrip())):
            raise table.wrong(
                row.line, f"{header}: {text!r} is no cost; leave it empty where it is unknown"
            )


def _likely(name: str, values: Sequence[float]) -> float:
    whole = all(v == int(v) for v in values) and max(values, default=0) >= WHOLE_PARAMETERS
    if name == "params":
        return 1.0 if whole else 1e6
    return 1.0 if whole else UNITS["memory"]["gib"]


def _scaled(header: str, name: str, scale: float) -> Column:
    units = {"params": "", "macs": "MAC", "seconds": "s", "memory": "bytes"}
    return Column(header, "cost", name, scale, note=f"× {scale:,.0f} {units[name]}".rstrip())


def _check(table: Table, columns: Sequence[Column]) -> None:
    for role in ("seed", "metric", "cost", "factor"):
        names = ["seed" if role == "seed" else c.name.lower() for c in columns if c.role == role]
        twice = next((n for n in names if names.count(n) > 1), None)
        if twice:
            raise UsageError(
                f"{table.path}:1: two columns mean the {role} {twice!r}; --map can ignore one"
            )
    if not any(c.role == "metric" for c in columns):
        raise UsageError(
            f"{table.path}:1: no column is a known metric (such as rank1, mAP, accuracy, loss);"
            " give one the role with --map"
        )
