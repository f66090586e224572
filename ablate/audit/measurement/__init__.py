"""Whether numbers that stand side by side are of one kind."""

from ablate.audit.check import Check
from ablate.audit.measurement import (
    chosen,
    definitions,
    descriptor,
    expectations,
    flattened,
    granularity,
    nonfinite,
    patterns,
    rules,
    starts,
    timing,
    totals,
    winners,
)

CHECKS: tuple[Check, ...] = (
    chosen.CHECK,
    *winners.CHECKS,
    rules.CHECK,
    patterns.CHECK,
    definitions.CHECK,
    descriptor.CHECK,
    totals.CHECK,
    granularity.CHECK,
    *nonfinite.CHECKS,
    flattened.CHECK,
    starts.CHECK,
    timing.CHECK,
    expectations.CHECK,
)
