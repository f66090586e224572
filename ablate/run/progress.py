"""How far a running attempt is, read from the end of its events."""

import json
from dataclasses import dataclass
from pathlib import Path

from ablate.run.folder import EVENTS, Assignment

_TAIL = 8192
_TOTALS = ("epochs", "steps")
TRAIN = "train"


@dataclass(frozen=True, slots=True)
class Progress:
    """The newest step and its loss; `total` where the system declares a factor for it."""

    step: int
    total: int | None
    loss: float | None

    @property
    def share(self) -> float | None:
        """The finished share, from 0 to 1; None when the total is not known."""
        return min(1.0, self.step / self.total) if self.total else None


def progress(assignment: Assignment) -> Progress:
    """What the attempt has logged so far."""
    scored, trained, loss = 0, 0, None
    for line in _last_lines(Path(assignment.folder) / EVENTS):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if "scalars" not in event:
            continue
        loss = event["scalars"].get("loss", loss)
        if event["split"] == TRAIN:
            trained = max(trained, event["step"])
        else:
            scored = max(scored, event["step"])
    total = next((int(assignment.levels[n]) for n in _TOTALS if n in assignment.levels), None)
    # iterations of a training may be counted otherwise than what is scored
    counts = total is None or trained <= total
    step = max(scored, trained) if counts else scored
    return Progress(step, total, None if loss is None else float(loss))


def _last_lines(path: Path) -> list[bytes]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            lines = file.read().split(b"\n")
    except OSError:
        return []
    return lines[:-1] if size <= _TAIL else lines[1:-1]
