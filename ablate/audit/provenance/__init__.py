"""Whether the runs of a study come from one program on one machine."""

from ablate.audit.check import Check
from ablate.audit.provenance import differing, midsweep, sources

CHECKS: tuple[Check, ...] = (*differing.CHECKS, *midsweep.CHECKS, *sources.CHECKS)
