"""The noise of one run of a study, from all that are known to be replicates."""

from collections.abc import Hashable

from ablate.analysis.cells import Cell
from ablate.analysis.contrast import Noise, noise
from ablate.audit.evidence import Evidence
from ablate.metric import Metric
from ablate.study import Level, settled


def functions(evidence: Evidence) -> dict[str, tuple[Level, ...]]:
    """Variant -> the levels of what it computes: its modules that are not in the output are off.

    Configurations of one function are replicates of each other.
    """
    return {c.variant: _function(evidence, c) for c in evidence.cells}


def noise_of(evidence: Evidence, metric: Metric) -> Noise | None:
    """The standard deviation of one run, pooled over every function of two runs or more.

    A configuration whose runs are another's to the last digit is counted once.
    """
    if not evidence.inert and all(len(c.completed) < 2 for c in evidence.cells):  # noqa: PLR2004 - a spread needs two
        return None
    cells, group = evidence.distinct, functions(evidence)
    groups: list[Hashable] = [group[c.variant] for c in cells]
    return noise([c.runs(metric.name) for c in cells], groups=groups) if cells else None


def _function(evidence: Evidence, cell: Cell) -> tuple[Level, ...]:
    factors = evidence.study.factors
    inert = evidence.inert.get(cell.variant, frozenset())
    levels = dict(cell.levels) | {f.name: f.reference for f in factors if f.name in inert}
    done = settled(levels, factors) if inert else levels
    return tuple(done[f.name] for f in factors)
