"""What checks of every family say alike: runs, configurations and numbers by name."""

import math
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from shlex import quote

from ablate.audit.check import Text, some
from ablate.audit.evidence import Evidence
from ablate.record import Record

EXACT = 12
"""Decimals from which on a float was not printed by somebody who rounded it."""


def labels(evidence: Evidence) -> dict[str, str]:
    """Trial key -> its configuration, with the seed where that has several completed runs."""
    runs = Counter(r.variant for r in evidence.completed)
    return {
        r.key: r.variant if runs[r.variant] == 1 else f"{r.variant} s{r.seed}"
        for r in evidence.completed
    }


def variants(records: Iterable[Record], most: int = 3) -> Text:
    """The configurations of these runs, each once and at `most` so many by name."""
    return some(list(dict.fromkeys(r.variant for r in records)), most)


def how_many(count: int) -> str:
    """`1 run` or `3 runs`."""
    return "1 run" if count == 1 else f"{count} runs"


def shown(evidence: Evidence, record: Record) -> str:
    """The command that shows one run."""
    return f"ablate show {quote(record.variant)} --study {evidence.study.name} --seed {record.seed}"


def compared(evidence: Evidence, *names: str) -> str:
    """The command that sets configurations beside each other."""
    return f"ablate compare {' '.join(map(quote, names))} --study {evidence.study.name}"


def decimals(values: Iterable[float]) -> int | None:
    """How many decimals the finite values were printed with; None where they were not rounded."""
    most = 0
    for value in values:
        if math.isfinite(value):
            exponent = Decimal(repr(value)).as_tuple().exponent
            most = max(most, -exponent if isinstance(exponent, int) else 0)
            if most >= EXACT:
                return None
    return most


def half(places: int | None) -> float:
    """Half a unit of the last printed decimal: how far a printed number may be from its own."""
    return 0.5 * 10.0**-places if places is not None else 1e-9
