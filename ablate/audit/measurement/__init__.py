"""Whether numbers that stand side by side are of one kind."""

from ablate.audit.check import Check
from ablate.audit.measurement import (
    chosen,
    descriptor,
    granularity,
    nonfinite,
    patterns,
    rules,
    starts,
    totals,
    winners,
)

CHECKS: tuple[Check, ...] = (
    chosen.CHECK,
    winners.CHECK,
    rules.CHECK,
    patterns.CHECK,
    descriptor.CHECK,
    totals.CHECK,
    granularity.CHECK,
    nonfinite.CHECK,
    starts.CHECK,
)
