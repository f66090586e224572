"""A recorder for tests: everything in memory, checkpoints in a folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ablate.train import checkpoint


@dataclass(slots=True)
class Notebook:
    """A recorder that keeps everything in memory and its checkpoints in a folder.

    It asks the job to stop once `stop_after` checkpoints are written (None: never).
    """

    folder: Path
    stop_after: int | None = None
    curves: dict[tuple[str, str], dict[int, float]] = field(default_factory=dict)
    saved: int = 0

    @property
    def stopping(self) -> bool:
        """Whether the job is asked to save and return."""
        return self.stop_after is not None and self.saved >= self.stop_after

    def scalars(self, step: int, split: str, values: Mapping[str, float]) -> None:
        """Add one point to each named curve; a later one at the same step replaces it."""
        for name, value in values.items():
            self.curves.setdefault((split, name), {})[step] = float(value)

    def items(
        self, split: str, ids: Sequence[object], values: Mapping[str, Sequence[float]]
    ) -> None:
        """Check that every item has its value."""
        for name, scores in values.items():
            if len(scores) != len(ids):
                raise AssertionError(
                    f"log_items({split!r}): {len(ids)} ids but {len(scores)} values of {name!r}"
                )

    def cost(self, name: str, value: float, unit: str, counter: str) -> None:
        """Check that the value is a number and says what measured it."""
        if not (counter and isinstance(unit, str) and isinstance(value, int | float)):
            raise AssertionError(f"cost({name!r}, {value!r}): give a number, a unit and a counter")

    def note(self, text: str) -> None:
        """Keep nothing: doubts are for reports."""

    def fact(self, name: str, text: str) -> None:
        """Keep nothing: provenance is for reports."""

    def save(self, state: Mapping[str, object]) -> None:
        """Write a checkpoint as a run would."""
        self.saved += 1
        checkpoint.save(self.folder, self.saved, state, {})

    def resume(self) -> dict[str, object] | None:
        """Read the newest checkpoint as a run would; one that cannot be read is a failure."""
        if not checkpoint.generations(self.folder):
            return None
        return checkpoint.newest(self.folder)[0]

    def settings(self, values: Mapping[str, str]) -> None:
        """Keep nothing: a configuration is for the store."""

    def spent(self, cpu: float, memory: float) -> None:
        """Keep nothing: what a program spends is for the store."""

    @property
    def earlier(self) -> Sequence[Path]:
        """Nothing: this notebook resumes by its checkpoints alone."""
        return ()

    def carry(self, folder: Path) -> frozenset[str]:  # noqa: ARG002 - there is nothing to take
        """Nothing to take over."""
        return frozenset()
