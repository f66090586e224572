"""Clean evidence in which the first module adds no operation unless the second is on."""

from collections.abc import Callable
from dataclasses import replace

from ablate.audit.counted import OPERATIONS
from ablate.audit.evidence import Evidence
from ablate.record import Record


def not_counted(evidence: Evidence) -> Evidence | None:
    if len(evidence.study.on) < 2:
        return None
    (first, on), (second, also), *_ = evidence.study.on.items()
    off = evidence.study.factor(first).reference
    without = {tuple(sorted(r.levels.items())): r for r in evidence.completed if r.role == "grid"}

    def planted(record: Record) -> Record:
        if record.role != "grid" or record.levels[first] != on or record.levels[second] == also:
            return record
        other = without.get(tuple(sorted({**record.levels, first: off}.items())))
        if other is None:
            return record
        costs = {n: other.costs[n] for n in OPERATIONS if n in other.costs}
        return replace(record, costs={**record.costs, **costs})

    records = [planted(r) for r in evidence.records]
    counted = any(n in r.costs for r in evidence.completed for n in OPERATIONS)
    return replace(evidence, records=records) if counted else None


PLANTS: dict[str, Callable[[Evidence], Evidence | None]] = {"W204": not_counted}
