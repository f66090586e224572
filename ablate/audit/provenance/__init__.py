"""Whether the runs of a study come from one program on one machine."""

from ablate.audit.check import Check

CHECKS: tuple[Check, ...] = ()
