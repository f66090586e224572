"""The driver: the one process that claims trials and writes their results to the store."""

import signal
import socket
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol

from ablate.errors import HostError
from ablate.record import RERUN, Attempt, Ending, State
from ablate.run.executor import Ended, Executor
from ablate.run.folder import PROCESS, Assignment, Exit, ending, write_job
from ablate.run.owner import alive, here, kill_group, owner
from ablate.store import Store
from ablate.study import Placement, Study

HEARTBEAT = 0.25
"""Seconds between two looks at what runs."""


@dataclass(frozen=True, slots=True)
class Flight:
    """One attempt under way."""

    placement: Placement
    attempt: Attempt
    assignment: Assignment


class Watcher(Protocol):
    """Somebody who looks on: the board, or plain lines."""

    def started(self, flight: Flight) -> None:
        """An attempt has begun."""
        ...

    def ended(self, flight: Flight, ending: Ending) -> None:
        """An attempt has ended and is stored."""
        ...

    def tick(self, flights: Sequence[Flight]) -> None:
        """Time has passed."""
        ...

    def say(self, text: str) -> None:
        """Something the user must know."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """What all attempts of one run share.

    Trials whose key is in `again` are run although they had ended; `scratch` resumes nothing.
    """

    study: Study
    system: str
    data: Path | None
    provenance: Mapping[str, str]
    again: frozenset[str] = frozenset()
    scratch: bool = False


def due(
    placements: Sequence[Placement], states: Mapping[str, State], again: frozenset[State]
) -> list[Placement]:
    """The placements to run, each trial once: those unfinished, and those in a state of `again`."""
    wanted = RERUN | again
    by_key = {p.trial.key: p for p in reversed(placements)}
    ordered = dict.fromkeys(p.trial.key for p in placements)
    return [by_key[k] for k in ordered if states.get(k, State.PENDING) in wanted]


def reclaim(store: Store) -> list[tuple[Attempt, State]]:
    """End the attempts whose driver died: a sealed result is taken over, the rest has crashed.

    What such an attempt still runs on this machine is killed first. Attempts of a living driver,
    or of another machine, are left alone.
    """
    ended = []
    for attempt in store.running():
        if alive(attempt.owner) or not (
            here(attempt.owner) or attempt.host in {"", socket.gethostname()}
        ):
            continue
        folder = store.attempts_folder / attempt.folder
        if (folder / PROCESS).exists():
            kill_group((folder / PROCESS).read_text())
        left = ending(folder, Exit(None, 0.0, "its driver died"))
        if store.finish(attempt, left):
            ended.append((attempt, left.state))
    return ended


class Driver:
    """Runs trials until none is left, or until it is asked to stop."""

    def __init__(self, store: Store, setting: Setting, watcher: Watcher) -> None:
        """A driver that writes to `store` and tells `watcher`."""
        self.store = store
        self.setting = setting
        self.watcher = watcher
        self.signals: list[int] = []
        self.held = 0
        self._flights: dict[str, Flight] = {}

    def run(self, executor: Executor, todo: Sequence[Placement]) -> None:
        """Run `todo` to the end, each trial at most once.

        Raises HostError when no slot is left, StoreError when the store cannot be written.
        """
        queue = deque(todo)
        with self._interruptible(executor):
            while self._flights or (queue and not self.signals):
                while queue and not self.signals and executor.free:
                    self._launch(queue.popleft(), executor)
                if not self._flights:
                    if queue and not executor.free:
                        raise HostError("every slot was lost; run again to go on")
                    continue
                for ended in executor.wait(HEARTBEAT):
                    self._finish(ended)
                self.watcher.tick(tuple(self._flights.values()))

    @property
    def exit_code(self) -> int:
        """130 after an interrupt, 143 after a termination, else 0."""
        if not self.signals:
            return 0
        return 143 if signal.SIGTERM in self.signals else 130

    def _launch(self, placement: Placement, executor: Executor) -> None:
        trial = placement.trial
        attempt = self.store.claim(trial.key, owner(), again=trial.key in self.setting.again)
        if attempt is None:
            self.held += 1
            return
        before = [a for a in self.store.attempts(trial.key) if a.number < attempt.number]
        resumable = [] if self.setting.scratch else sorted(before, key=lambda a: -a.number)
        folder = self.store.attempts_folder
        resources = self.setting.study.resources
        assignment = Assignment(
            key=trial.key,
            number=attempt.number,
            folder=str(folder / attempt.folder),
            system=self.setting.system,
            levels=dict(trial.levels),
            seed=trial.seed,
            data=str(self.setting.data) if self.setting.data else None,
            cpus=resources.cpus,
            gpus=executor.gpus,
            timeout=resources.timeout,
            earlier=tuple(str(folder / a.folder) for a in resumable),
            provenance=dict(self.setting.provenance),
        )
        write_job(assignment)
        flight = Flight(placement, attempt, assignment)
        self._flights[trial.key] = flight
        executor.submit(assignment)
        self.watcher.started(flight)

    def _finish(self, ended: Ended) -> None:
        flight = self._flights.pop(ended.assignment.key)
        left = ending(Path(ended.assignment.folder), ended.exit)
        if self.store.finish(flight.attempt, left):
            self.watcher.ended(flight, left)
        else:
            self.watcher.say(f"{ended.assignment.key}: another attempt has taken over; not stored")

    @contextmanager
    def _interruptible(self, executor: Executor) -> Iterator[None]:
        def asked(number: int, _frame: FrameType | None) -> None:
            self.signals.append(number)
            if number == signal.SIGTERM or len(self.signals) > 1:
                self.watcher.say("stopping the running trials; `ablate run` again resumes them")
                executor.stop()
            else:
                self.watcher.say("letting the running trials finish; Ctrl-C again stops them")

        before = {n: signal.signal(n, asked) for n in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
