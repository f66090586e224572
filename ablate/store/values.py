"""How values pass the door: numbers as SQLite floats, the rest as text and typed JSON."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import SupportsFloat

from pydantic import BaseModel, ConfigDict

from ablate.study import Level, Study


class Document(BaseModel):
    """A study as JSON; JSON has no infinity, so that a bound may be text."""

    model_config = ConfigDict(ser_json_inf_nan="strings")

    study: Study


def split(number: SupportsFloat) -> tuple[float | None, str | None]:
    """(value, nonfinite) of any number, NumPy's and torch's too."""
    value = float(number)
    return (value, None) if math.isfinite(value) else (None, str(value))


def read(value: float | None, nonfinite: str | None) -> float:
    """The number that `split` took apart."""
    return float(nonfinite or math.nan) if value is None else value


def text(value: str) -> str:
    """`value` with lone surrogates spelled out: SQLite keeps UTF-8 only."""
    return value.encode("utf-8", "backslashreplace").decode()


def now() -> str:
    """The time as people read it; nothing is ordered by it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def levels(mapping: Mapping[str, Level]) -> str:
    """Typed JSON: `1`, `1.0`, `true` and `"1"` stay apart."""
    return json.dumps(dict(mapping), ensure_ascii=False, allow_nan=False)


def strings(mapping: Mapping[str, str]) -> str:
    """Provenance as JSON."""
    return json.dumps({str(k): str(v) for k, v in mapping.items()})


def scores(mapping: Mapping[str, SupportsFloat]) -> str:
    """Scores as JSON; NaN and infinities are named."""
    parts = {name: split(number) for name, number in mapping.items()}
    return json.dumps({n: v if named is None else named for n, (v, named) in parts.items()})


def numbers(document: str) -> dict[str, float]:
    """The scores that `scores` wrote."""
    return {name: float(value) for name, value in json.loads(document).items()}
