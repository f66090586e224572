"""Points of a curve as they are read, one by one, with the doubt where a later one differs."""

from ablate.errors import UsageError
from ablate.ingest.run import Draft

MOST = 1_000_000
"""Points that one run may have."""

_NAMED = 10


class Curves:
    """Adds points to a draft at once: a later value of the same step replaces the earlier."""

    def __init__(self, draft: Draft) -> None:
        """The curves of one run."""
        self._draft = draft
        self._twice: dict[int, None] = {}

    def point(self, step: int, split: str, name: str, value: float) -> None:
        """Add a point, and note where it replaces another value.

        Raises UsageError where a run has over MOST points: they are held in memory.
        """
        if len(self._draft.scalars) >= MOST:
            raise UsageError(f"over {MOST} points in one run: keep those that count (grep)")
        before = self._draft.scalars.get((split, name, step), value)
        if before != value and before == before:  # noqa: PLR0124 - only a NaN differs from itself
            self._twice[step] = None
        self._draft.point(step, split, name, value)

    def settle(self) -> None:
        """Say which steps were printed again with other values."""
        if self._twice:
            which = ", ".join(map(str, list(self._twice)[:_NAMED]))
            more = f" and {len(self._twice) - _NAMED} more" if len(self._twice) > _NAMED else ""
            self._draft.remark(
                f"printed again with another value at step {which}{more}: the later counts"
            )
