"""A table of printed numbers beside its runs, one row of which was picked by another rule."""

from collections.abc import Callable
from dataclasses import replace

from ablate.audit.evidence import Evidence
from ablate.metric import Metric, rounded
from ablate.record import Record
from ablate.selection import Score, Selection


def printed(metric: Metric, value: float) -> float:
    """A score as a table has it."""
    places = metric.digits + (2 if metric.display == "percent" else 0)
    return float(rounded(value, places))


def table(evidence: Evidence) -> Evidence:
    """The scores of a study as numbers without curves, beside that study."""
    metric = evidence.study.metric(evidence.study.primary)

    def bare(record: Record) -> Record:
        value = printed(metric, record.scores[metric.name].value)
        return replace(
            record, scores={metric.name: Score(metric.name, value, None, "", "reported")}
        )

    study = replace(evidence.study, name="printed")
    records = [replace(bare(r), study="printed") for r in evidence.records]
    return Evidence(study, records, others=lambda: [evidence])


def one_by_another_rule(evidence: Evidence) -> Evidence | None:
    """A printed table with the highest value of a curve in the row where that is farthest.

    None unless a second row is not its highest: all rows may be that otherwise.
    """
    found = table(evidence)
    study = evidence.study
    metric = study.metric(study.primary)
    rule = Selection(metric.name, study.selection.split)
    highest = [
        printed(metric, rule.apply(evidence.curves[r.key], study.directions)[metric.name].value)
        for r in found.records
    ]
    apart = [
        abs(value - r.scores[metric.name].value)
        for r, value in zip(found.records, highest, strict=True)
    ]
    if sum(gap > 0 for gap in apart) < 2:
        return None
    first = apart.index(max(apart))
    record = found.records[first]
    score = replace(record.scores[metric.name], value=highest[first])
    planted = replace(record, scores={metric.name: score})
    return replace(found, records=[*found.records[:first], planted, *found.records[first + 1 :]])


PLANTS: dict[str, Callable[[Evidence], Evidence | None]] = {"W122": one_by_another_rule}
