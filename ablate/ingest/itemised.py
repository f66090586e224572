"""Columns that hold a score of one class, query or image of each run: `AP:car`."""

import re

from ablate.ingest.names import bare, known_metric
from ablate.ingest.table import Table, is_number, number, plain

_PARTS = re.compile(r"([A-Za-z][\w@-]*):\s*(\S.*)")
_OF_ITEMS = frozenset({"ap"})
"""Scores that are of one item always."""


def parts(header: str) -> tuple[str, str] | None:
    """The score and the item that a header names; None where it is no such header."""
    found = _PARTS.fullmatch(header)
    if found is None:
        return None
    metric = known_metric(found[1])
    if metric is None and bare(found[1]) not in _OF_ITEMS:
        return None
    return metric.name if metric else found[1], found[2]


def scale(table: Table, header: str) -> float:
    """What makes fractions of a column's numbers, by all the items of its score.

    They are in percent where one of them has the sign or is above 1, and its metric may be.
    """
    name = _name(header)
    metric = known_metric(name)
    texts = [t for c in table.columns if _name(c) == name for t in table.texts(c) if t]
    above = any(is_number(plain(t)) and 1 < abs(number(plain(t))) < float("inf") for t in texts)
    percent = above or any(t.endswith("%") for t in texts)
    return 0.01 if percent and (metric is None or metric.display == "percent") else 1.0


def _name(header: str) -> str:
    return (parts(header) or ("", ""))[0]
