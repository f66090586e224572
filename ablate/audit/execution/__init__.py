"""Whether what was asked for is what ran."""

from ablate.audit.check import Check
from ablate.audit.execution.liveness import LIVENESS

CHECKS: tuple[Check, ...] = LIVENESS
