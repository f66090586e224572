"""What a study asks: how many runs, of what, read against what."""

from ablate.audit.check import Check

CHECKS: tuple[Check, ...] = ()
