"""What a study asks: how many runs, of what, read against what."""

from ablate.audit.check import Check
from ablate.audit.design import confounded, missing, ranges, seeds, tries

CHECKS: tuple[Check, ...] = (
    seeds.W101,
    seeds.W102,
    missing.W103,
    confounded.W104,
    tries.W110,
    tries.W111,
    ranges.N112,
    ranges.W210,
    ranges.N210,
)
