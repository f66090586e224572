"""A mean that is not that of its classes, and a winner that leads by one query."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from ablate.audit.evidence import Evidence
from ablate.audit.measurement.granularity import QUERIES
from ablate.audit.told import decimals
from ablate.record import Item, Record
from ablate.selection import Score
from tests.audit import clean

CLASSES = 10


def items(record: Record, shift: float = 0.0) -> Sequence[Item]:
    """The AP of ten classes whose mean is the mAP of the run, plus a shift."""
    score = record.scores["mAP"]
    return [
        Item(score.split, f"class{i}", "AP", score.value + shift + 0.02 * (i - (CLASSES - 1) / 2))
        for i in range(CLASSES)
    ]


def another_mean(evidence: Evidence) -> Evidence | None:
    """The mAP of the first run is half of what its classes make."""
    if not all("mAP" in r.scores for r in evidence.completed):
        return None
    by_key = {r.key: r for r in evidence.records}
    first = evidence.records[0].key

    def of(key: str) -> Sequence[Item]:
        record = by_key[key]
        return items(record, record.scores["mAP"].value if key == first else 0.0)

    return replace(evidence, items=of)


def one_query(evidence: Evidence) -> Evidence | None:
    """One run a configuration, and the best Rank-1 is one query of 836 above the next."""
    if "rank1" not in evidence.study.directions:
        return None
    seed = evidence.study.seeds[0]
    places = decimals(r.scores["rank1"].value for r in evidence.records)
    if places is not None and 10**places < 2 * clean.QUERIES:
        return None  # printed so short that nearly every number could be a count
    records = [_counted(r) for r in evidence.records if r.seed == seed]
    best, second = sorted(records, key=lambda r: -r.scores["rank1"].value)[:2]
    hits = round(second.scores["rank1"].value * clean.QUERIES) + 1
    score: Score = replace(
        best.scores["rank1"],
        value=hits / clean.QUERIES if places is None else round(hits / clean.QUERIES, places),
    )
    led = replace(best, scores={**best.scores, "rank1": score})
    return replace(evidence, records=[led if r is best else r for r in records])


def _counted(record: Record) -> Record:
    assert record.attempt is not None
    facts = {**record.attempt.provenance, QUERIES: f"30, {clean.QUERIES}, 2"}
    return replace(record, attempt=replace(record.attempt, provenance=facts))


PLANTS: dict[str, Callable[[Evidence], Evidence | None]] = {
    "W150": another_mean,
    "W151": one_query,
}
