"""Whether what was asked for is what ran."""

from ablate.audit.check import Check
from ablate.audit.execution.gates import GATES
from ablate.audit.execution.liveness import LIVENESS
from ablate.audit.execution.resolved import RESOLVED
from ablate.audit.execution.seeds import SEEDS
from ablate.audit.execution.unmoved import UNMOVED

CHECKS: tuple[Check, ...] = (*SEEDS, *UNMOVED, *RESOLVED, *GATES, *LIVENESS)
