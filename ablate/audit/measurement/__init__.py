"""Whether numbers that stand side by side are of one kind."""

from ablate.audit.check import Check
from ablate.audit.measurement import chosen, granularity, nonfinite, winners

CHECKS: tuple[Check, ...] = (chosen.CHECK, winners.CHECK, granularity.CHECK, nonfinite.CHECK)
