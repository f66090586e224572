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
    """A printed table with the highest value of a curve in the first row where that is another."""
    found = table(evidence)
    study = evidence.study
    metric = study.metric(study.primary)
    rule = Selection(metric.name, study.selection.split)
    for i, record in enumerate(found.records):
        made = rule.apply(evidence.curves[record.key], study.directions)
        value = printed(metric, made[metric.name].value)
        score = record.scores[metric.name]
        if value != score.value:
            odd = replace(record, scores={metric.name: replace(score, value=value)})
            return replace(found, records=[*found.records[:i], odd, *found.records[i + 1 :]])
    return None


PLANTS: dict[str, Callable[[Evidence], Evidence | None]] = {"W122": one_by_another_rule}
