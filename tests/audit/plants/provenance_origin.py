"""Defects of provenance: other libraries, a change on the way, stand-in data, bare numbers."""

from collections.abc import Callable
from dataclasses import replace

from ablate.audit.evidence import Evidence
from ablate.audit.provenance.when import beginnings
from ablate.record import Record


def facts(record: Record, **said: str) -> Record:
    """The same run with more facts in its provenance."""
    assert record.attempt is not None
    own = {**record.attempt.provenance, **said}
    return replace(record, attempt=replace(record.attempt, provenance=own))


def another_library(evidence: Evidence) -> Evidence:
    """The last configuration was trained with another torch than the others."""
    last = evidence.cells[-1].variant
    records = [
        facts(r, torch="2.10.0" if r.variant == last else "2.11.0") for r in evidence.records
    ]
    return replace(evidence, records=records)


def another_machine(evidence: Evidence) -> Evidence:
    """The first run of every configuration was on another device."""
    first = {c.records[0].key for c in evidence.cells}

    def on(record: Record) -> Record:
        assert record.attempt is not None
        device = "NVIDIA A100" if record.key in first else "NVIDIA H100"
        return replace(record, attempt=replace(record.attempt, device=device))

    return replace(evidence, records=[on(r) for r in evidence.records])


def a_new_key(evidence: Evidence) -> Evidence:
    """From a run amid those of its configuration on, all have a setting that none before has."""
    times = beginnings(evidence.records)
    ordered = sorted(evidence.records, key=lambda r: (times[r.key], r.position))
    first = next(
        times[b.key]
        for i, b in enumerate(ordered)
        if i >= len(ordered) // 2
        and any(a.variant == b.variant and times[a.key] < times[b.key] for a in ordered[:i])
    )
    settings = {
        key: {
            **evidence.settings.get(key, {"train.lr": "0.00035"}),
            **({"train.ema": "0.999"} if at >= first else {}),
        }
        for key, at in times.items()
    }
    return replace(evidence, settings=settings)


def a_standin(evidence: Evidence) -> Evidence:
    """Its system made up the data."""
    return replace(evidence, study=replace(evidence.study, standin=True, data="standin:toy-1"))


def numbers_only(evidence: Evidence) -> Evidence:
    """The runs were typed into a table."""
    records = [replace(r, source="import results.csv") for r in evidence.records]
    return replace(evidence, records=records, curves={})


PLANTS: dict[str, Callable[[Evidence], Evidence]] = {
    "W130": another_library,
    "N130": another_machine,
    "W131": a_new_key,
    "N132": a_standin,
    "N133": numbers_only,
}
