"""The noise of one run of a study, from all that are known to be replicates."""

from collections.abc import Hashable

from ablate.analysis.contrast import Noise, noise
from ablate.audit.evidence import Evidence
from ablate.metric import Metric


def noise_of(evidence: Evidence, metric: Metric) -> Noise | None:
    """The standard deviation of one run, pooled over every function of two runs or more.

    A configuration whose runs are another's to the last digit is counted once.
    """
    if not evidence.inert and all(len(c.completed) < 2 for c in evidence.cells):  # noqa: PLR2004 - a spread needs two
        return None
    cells, group = evidence.distinct, evidence.functions
    groups: list[Hashable] = [group[c.variant] for c in cells]
    return noise([c.runs(metric.name) for c in cells], groups=groups) if cells else None
