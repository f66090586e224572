"""What the driver needs of whatever executes attempts."""

from dataclasses import dataclass
from typing import Protocol

from ablate.run.folder import Assignment, Exit


@dataclass(frozen=True, slots=True)
class Ended:
    """One attempt whose process has ended."""

    assignment: Assignment
    exit: Exit


class Executor(Protocol):
    """Runs attempts, at most `slots` at once; their results are in their folders."""

    slots: int
    gpus: float

    @property
    def free(self) -> int:
        """How many slots wait for an attempt; one that was lost never does."""
        ...

    def submit(self, assignment: Assignment) -> None:
        """Start an attempt in a free slot; its folder holds its `job.json`."""
        ...

    def wait(self, timeout: float) -> list[Ended]:
        """The attempts that ended, as soon as one has or `timeout` seconds have passed."""
        ...

    def stop(self) -> None:
        """Ask what runs to save and end, and kill what does not; safe in a signal handler."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...
