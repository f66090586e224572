"""Whether what was asked for is what ran."""

from ablate.audit.check import Check

CHECKS: tuple[Check, ...] = ()
