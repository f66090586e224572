"""A second head that comes with the first module, as the printed networks of logs show it."""

from collections.abc import Callable
from dataclasses import replace

from ablate.audit.evidence import Evidence
from ablate.record import Record

ONE = "classifier 1536 to 171"
TWO = f"{ONE}, classifier_sdtps 1536 to 171"


def with_heads(evidence: Evidence, heads: Callable[[Record], str]) -> Evidence:
    """The same runs, each with the heads that its network printed."""

    def kept(record: Record) -> Record:
        assert record.attempt is not None
        facts = {**record.attempt.provenance, "heads": heads(record)}
        return replace(record, attempt=replace(record.attempt, provenance=facts))

    return replace(evidence, records=[kept(r) for r in evidence.records])


def a_second_head(evidence: Evidence) -> Evidence:
    """Where the first module is on, the network has a second head."""
    module, level = next(iter(evidence.study.on.items()))
    return with_heads(evidence, lambda r: TWO if r.levels[module] == level else ONE)


PLANTS: dict[str, Callable[[Evidence], Evidence]] = {"W125": a_second_head}
