"""The recorder of a running attempt: numbers and checkpoints into its folder."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ablate.record import Cost
from ablate.run.folder import CHECKPOINTS, EVENTS, JOB, LOG, events, number
from ablate.train import checkpoint

STEP_LIMIT = 2**63

_LIVE = (EVENTS, LOG, "params.json")
"""The files of an attempt that change while it runs, the last a program's."""


class FolderRecorder:
    """Appends events to `events.jsonl`, one write each, and keeps checkpoints beside it."""

    def __init__(self, folder: Path, earlier: Sequence[Path] = ()) -> None:
        """Open the event file of `folder`; `earlier` folders may be resumed from, newest first."""
        self.folder = folder
        self.stopping = False
        self.metrics: set[str] = set()
        self.earlier = earlier
        self.carried = 0.0
        self.program_memory: float | None = None
        self.told: set[str] = set()
        """The costs that the training itself has said."""
        self._carried_cpu = 0.0
        self._program_cpu = 0.0
        self._began = time.monotonic()
        self._began_cpu = time.process_time()
        self._saves = 0
        self._events = os.open(folder / EVENTS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    @property
    def seconds(self) -> float:
        """Time spent on this trial, with what the resumed attempts had spent before."""
        return self.carried + time.monotonic() - self._began

    @property
    def cpu(self) -> float:
        """CPU time of this process and its programs, with that of the resumed attempts."""
        own = time.process_time() - self._began_cpu
        return self._carried_cpu + self._program_cpu + own

    def scalars(self, step: int, split: str, values: Mapping[str, float]) -> None:
        """Add one point to each named curve; raises ValueError for what no store could keep."""
        if not -STEP_LIMIT <= step < STEP_LIMIT:
            raise ValueError(f"step {step} is outside 64 bits")
        points = {_named(name): number(value) for name, value in values.items()}
        self.metrics.update(points)
        self._write({"step": int(step), "split": _named(split), "scalars": points})

    def items(
        self, split: str, ids: Sequence[object], values: Mapping[str, Sequence[float]]
    ) -> None:
        """Keep one value per item and name; raises ValueError when their lengths differ."""
        names = [_named(str(i)) for i in ids]
        for name, column in values.items():
            if len(column) != len(names):
                raise ValueError(f"{name}: {len(column)} values for {len(names)} items")
        columns = {_named(name): [number(v) for v in column] for name, column in values.items()}
        self._write({"split": _named(split), "items": names, "values": columns})

    def costs(self, costs: Sequence[Cost]) -> None:
        """Keep what the variant spends."""
        self._write({"costs": [asdict(c) for c in costs]})

    def cost(self, name: str, value: float, unit: str, counter: str) -> None:
        """Keep one thing that the variant spends."""
        self.told.add(name)
        self.costs([Cost(name, float(value), unit, counter)])

    def note(self, text: str) -> None:
        """Say something in the events and in the log."""
        print(text, flush=True)  # noqa: T201 - this is the attempt's own log
        self._write({"note": text})

    def fact(self, name: str, text: str) -> None:
        """Keep one fact of provenance; a later one of its name replaces it."""
        self._write({"fact": _named(name), "text": _named(text)})

    def save(self, state: Mapping[str, object]) -> None:
        """Write a checkpoint; the events before it are on the disk first."""
        os.fsync(self._events)
        self._saves += 1
        size = os.fstat(self._events).st_size
        note = {"events": size, "seconds": self.seconds, "cpu": self.cpu}
        checkpoint.save(self.folder / CHECKPOINTS, self._saves, state, note)

    def resume(self) -> dict[str, object] | None:
        """The newest intact checkpoint of an earlier attempt, with the events that led to it."""
        for folder in self.earlier:
            try:
                state, note, problems = checkpoint.newest(folder / CHECKPOINTS)
            except LookupError as none:
                self._complain(none.args[0])
                continue
            self._complain(problems)
            self._carry(folder, int(str(note["events"])))
            self.carried += float(str(note["seconds"]))
            self._carried_cpu += float(str(note["cpu"]))
            return state
        return None

    def settings(self, values: Mapping[str, str]) -> None:
        """Keep the configuration that the training itself resolved."""
        self._write({"settings": {_named(k): _named(v) for k, v in values.items()}})

    def spent(self, cpu: float, memory: float) -> None:
        """Count a program that the job started: its CPU seconds and its peak memory in bytes."""
        self._program_cpu += cpu
        self.program_memory = max(memory, self.program_memory or 0.0)

    def carry(self, folder: Path) -> frozenset[str]:
        """Take over all that the attempt in `folder` logged, and the time it took.

        Points that are logged again replace those carried over; its facts, such as its commit, were
        its own. Raises OSError or ValueError.
        """
        whole = list(events(folder / EVENTS))
        for event in whole:
            if "fact" not in event:
                self._write(event)
        names = frozenset(n for event in whole for n in event.get("scalars", ()))
        self.metrics |= names
        seconds, cpu = _spent_before(folder, whole)
        self.carried += seconds
        self._carried_cpu += cpu
        self._write({"carried": {"seconds": self.carried, "cpu": self._carried_cpu}})
        return names

    def close(self) -> None:
        """Write no more."""
        os.close(self._events)

    def _carry(self, folder: Path, size: int) -> None:
        with (folder / EVENTS).open("rb") as file:
            prefix = file.read(size)
        if len(prefix) != size:
            raise OSError(f"{folder / EVENTS} is shorter than its checkpoint says")
        os.write(self._events, prefix)
        for line in prefix.splitlines():
            self.metrics.update(json.loads(line).get("scalars", ()))

    def _complain(self, problems: Sequence[str]) -> None:
        for problem in problems:
            self.note(f"checkpoint passed over: {problem}")

    def _write(self, event: Mapping[str, object]) -> None:
        line = json.dumps(event, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        while line:
            line = line[os.write(self._events, line) :]


def _spent_before(folder: Path, whole: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Seconds and CPU seconds of an attempt; one that was killed is timed by its files."""
    costs = {c["name"]: c["value"] for e in whole for c in e.get("costs", ()) if not c["factor"]}
    if "seconds" in costs:
        return float(costs["seconds"]), float(costs.get("cpu", 0.0))
    none: dict[str, float] = {}
    before = next((e["carried"] for e in reversed(whole) if "carried" in e), none)
    began = (folder / JOB).stat().st_mtime
    lasted = max((folder / n).stat().st_mtime for n in _LIVE if (folder / n).exists()) - began
    return float(before.get("seconds", 0.0)) + max(0.0, lasted), float(before.get("cpu", 0.0))


def _named(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{text!a} is not a name: it cannot be written as UTF-8") from None
    return text
