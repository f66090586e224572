"""Clean evidence in which the first module is not in the output, or in it and taught by nothing."""

from collections.abc import Callable
from dataclasses import replace

from ablate.audit.evidence import Evidence
from ablate.record import Cost, Record


def _shared(evidence: Evidence, live: float, trained: float) -> Evidence:
    module, level = next(iter(evidence.study.on.items()))
    counts = {"params": 8_393_733.0, "live_params": live, "trained_params": trained}
    share = {n: Cost(n, v, "", "probe", module) for n, v in counts.items()}

    def planted(record: Record) -> Record:
        if record.levels[module] != level:
            return record
        return replace(record, shares={**record.shares, module: share})

    return replace(evidence, records=[planted(r) for r in evidence.records])


PLANTS: dict[str, Callable[[Evidence], Evidence]] = {
    "W204": lambda evidence: _shared(evidence, 0, 0),
    "N204": lambda evidence: _shared(evidence, 0, 8_393_733),
    "E205": lambda evidence: _shared(evidence, 8_393_733, 0),
}
