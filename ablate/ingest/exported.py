"""What `ablate export` wrote, when it comes back: the columns of its CSV, and JSON that is none."""

import re
from collections.abc import Sequence
from pathlib import Path

from ablate.errors import UsageError
from ablate.ingest.mapping import Role
from ablate.ingest.names import known_cost, known_metric, split_unit

_ALWAYS = ("variant", "seed", "state", "key of trial", "study", "selection")
_COUNTER = "counter of "
_OWN = re.compile(rb'\s*\{\s*"schema":\s*"(ablate\.[\w.-]+/\d+)"')
_HEAD = 4096


def roles(columns: Sequence[str]) -> dict[str, Role]:
    """Column -> role in a CSV of `ablate export`; empty for any other table.

    A score whose name is not known stays out: the file does not say which way is better.
    """
    if not {*_ALWAYS} <= set(columns):
        return {}
    seed = columns.index("seed")
    found: dict[str, Role] = dict.fromkeys(columns[:seed], "factor")
    found |= {name: _measured(name, columns) for name in columns[seed:]}
    return found | {"variant": "name", "seed": "seed", "state": "state"}


def _measured(name: str, columns: Sequence[str]) -> Role:
    if f"{_COUNTER}{split_unit(name)[0]}" in columns:
        return "cost" if known_cost(name) else "ignore"
    return "metric" if known_metric(name) else "ignore"


def check_not_own(path: Path) -> None:
    """Raise UsageError for a JSON document of ablate itself, which no reader takes for runs."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return
    with path.open("rb") as file:
        found = _OWN.match(file.read(_HEAD))
    if found:
        raise UsageError(
            f"{path}: it is ablate's own ({found[1].decode()}) and no record of runs: import the"
            " CSV that `ablate export --format csv` writes"
        )
