"""The `--map` file: what the columns of a table mean, where their names do not say it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args

from ablate.errors import UsageError, not_one_of

Role: TypeAlias = Literal[
    "factor", "metric", "cost", "seed", "name", "parent", "state", "item", "ignore"
]
ROLES = get_args(Role)
KEYS = ("role", "unit", "as", "direction", "spread")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the map says of one column; None where it says nothing."""

    role: Role | None = None
    unit: str | None = None
    name: str | None = None
    direction: Literal["up", "down"] | None = None
    drop_spread: bool = False


def read_map(path: Path) -> dict[str, Wanted]:
    """Column -> what the map says of it; raises UsageError naming file and key."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as wrong:
        raise UsageError(f"{path}: {wrong.strerror or wrong}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise UsageError(f"{path}: not a TOML file: {wrong}") from None
    for key in document:
        if key != "columns":
            raise UsageError(f"{path}: unknown key {key!r}; a map has [columns] only")
    columns = document.get("columns", {})
    if not isinstance(columns, dict):
        raise UsageError(f"{path}: 'columns' must be a table of columns")
    return {name: _wanted(path, name, entry) for name, entry in columns.items()}


def _wanted(path: Path, column: str, entry: object) -> Wanted:
    where = f"{path}: columns.{column}"
    if not isinstance(entry, dict):
        raise UsageError(f"{where}: must be a table, such as {{ role = 'metric' }}")
    for key, value in entry.items():
        if key not in KEYS:
            raise UsageError(f"{where}: {not_one_of('key', key, KEYS)}")
        if not isinstance(value, str):
            raise UsageError(f"{where}.{key}: {value!r} is not text")
    role, direction = entry.get("role"), entry.get("direction")
    if role is not None and role not in ROLES:
        raise UsageError(f"{where}: {not_one_of('role', role, ROLES)}")
    if direction not in {None, "up", "down"}:
        raise UsageError(f"{where}.direction: {direction!r} is neither 'up' nor 'down'")
    if entry.get("spread", "drop") != "drop":
        raise UsageError(f"{where}.spread: {entry['spread']!r} is not 'drop'")
    return Wanted(
        cast("Role | None", role),
        entry.get("unit"),
        entry.get("as"),
        cast("Literal['up', 'down'] | None", direction),
        "spread" in entry,
    )
