"""What the numbers say of each other, once they are believed."""

from ablate.audit.check import Check

CHECKS: tuple[Check, ...] = ()
