"""What the numbers say of each other, once they are believed."""

from ablate.audit.check import Check
from ablate.audit.interpretation import agreement, contexts, within

CHECKS: tuple[Check, ...] = (
    agreement.W201,
    agreement.N201,
    contexts.W220,
    within.W240,
    within.N240,
    within.W241,
)
