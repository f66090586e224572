"""The command that trains some runs of a study again, and as few others as it can."""

from collections.abc import Sequence
from shlex import quote

from ablate.audit.evidence import Evidence
from ablate.record import Record

_SIGNS = frozenset(",*?[")
"""What `--only` reads as no part of a name."""


def again(evidence: Evidence, runs: Sequence[Record]) -> str:
    """It names configurations and seeds where that leaves any out; a name means its parts, too."""
    names = list(dict.fromkeys(r.variant for r in runs))
    seeds = sorted({r.seed for r in runs})
    command = f"ablate run {quote(evidence.file)}"
    roles = {r.role for r in evidence.records}
    if len(names) < len(evidence.cells) and not any(_SIGNS & set(n) or n in roles for n in names):
        command += f" --only {quote(','.join(names))}"
    if set(seeds) < set(evidence.study.seeds):
        command += f" --seeds {','.join(map(str, seeds))}"
    return f"{command} --force"
