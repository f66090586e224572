"""Every check there is, by family."""

import difflib

from ablate.audit import design, execution, interpretation, measurement, provenance
from ablate.audit.check import Check
from ablate.errors import UsageError

CHECKS: tuple[Check, ...] = (
    *design.CHECKS,
    *execution.CHECKS,
    *measurement.CHECKS,
    *provenance.CHECKS,
    *interpretation.CHECKS,
)


def check_of(code: str) -> Check:
    """The check with this code, in any case; raises UsageError with the nearest codes."""
    known = {c.code: c for c in CHECKS}
    if code.upper() in known:
        return known[code.upper()]
    near = difflib.get_close_matches(code.upper(), known, n=3, cutoff=0.5)
    hint = f" (did you mean {' or '.join(near)}?)" if near else ""
    raise UsageError(f"there is no check {code!r}{hint}; `ablate explain` lists them all")
