"""Whether numbers that stand side by side are of one kind."""

from ablate.audit.check import Check

CHECKS: tuple[Check, ...] = ()
