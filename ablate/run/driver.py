"""The driver: the one process that claims trials and writes their results to the store."""

import signal
import socket
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Protocol

from ablate.errors import HostError
from ablate.record import RERUN, Attempt, Ending, State
from ablate.run.executor import Ended, Executor
from ablate.run.folder import PROCESS, Assignment, Exit, ending, read_job, unstorable, write_job
from ablate.run.owner import alive, here, kill_group, owner
from ablate.run.stored import write_stored
from ablate.run.strays import kill_strays
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

    Trials in `again` are run although they had ended, while they are still in the state given
    there; `scratch` resumes nothing.
    """

    study: Study
    system: str
    data: Path | None
    provenance: Mapping[str, str]
    again: Mapping[str, State] = field(default_factory=dict)
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
        kill_strays(folder)
        left = keep(store, attempt, ending(folder, Exit(None, 0.0, "its driver died")))
        if left:
            ended.append((attempt, left.state))
    return ended


def keep(store: Store, attempt: Attempt, left: Ending) -> Ending | None:
    """The ending as it was stored; None when another attempt has taken over."""
    try:
        kept = store.finish(attempt, left)
    except (OverflowError, TypeError, UnicodeError, ValueError) as wrong:
        # a number that no database holds is this trial's fault alone
        left = unstorable(left, wrong)
        kept = store.finish(attempt, left)
    if kept:
        write_stored(store.attempts_folder / attempt.folder, attempt, left)
    return left if kept else None


def resumable(store: Store, attempt: Attempt) -> tuple[str, ...]:
    """The folders of earlier attempts to resume from, newest first.

    Never one that had completed, nor any before an attempt that was asked to begin anew.
    """
    found = []
    for before in sorted(store.attempts(attempt.key), key=lambda a: -a.number):
        if before.number >= attempt.number:
            continue
        if before.state is State.COMPLETED:
            break
        folder = store.attempts_folder / before.folder
        found.append(str(folder))
        if _began_anew(folder):
            break
    return tuple(found)


def _began_anew(folder: Path) -> bool:
    try:
        return read_job(folder).scratch
    except (OSError, ValueError, TypeError, KeyError):
        return True


class Driver:
    """Runs trials until none is left, or until it is asked to stop."""

    def __init__(self, store: Store, setting: Setting, watcher: Watcher) -> None:
        """A driver that writes to `store` and tells `watcher`."""
        self.store = store
        self.setting = setting
        self.watcher = watcher
        self.signals: list[int] = []
        self._said = 0
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
                self._say_signals()
                self.watcher.tick(tuple(self._flights.values()))

    @property
    def exit_code(self) -> int:
        """130 after an interrupt, 143 after a termination, else 0."""
        if not self.signals:
            return 0
        return 143 if signal.SIGTERM in self.signals else 130

    @property
    def _stops(self) -> bool:
        return signal.SIGTERM in self.signals or len(self.signals) > 1

    def _say_signals(self) -> None:
        heard = len(self.signals)
        if heard > self._said:
            self.watcher.say(
                "stopping the running trials; `ablate run` again resumes them"
                if self._stops
                else "letting the running trials finish; Ctrl-C again stops them"
            )
        self._said = heard

    def _launch(self, placement: Placement, executor: Executor) -> None:
        trial = placement.trial
        attempt = self.store.claim(trial.key, owner(), again=self.setting.again.get(trial.key))
        if attempt is None:
            return  # another driver has it
        folder = self.store.attempts_folder
        resources = self.setting.study.resources
        assignment = Assignment(
            key=trial.key,
            number=attempt.number,
            folder=str(folder / attempt.folder),
            system=self.setting.system,
            levels=dict(trial.levels),
            seed=trial.seed,
            study=self.setting.study.name,
            data=str(self.setting.data) if self.setting.data else None,
            cpus=resources.cpus,
            gpus=executor.gpus,
            timeout=resources.timeout,
            earlier=() if self.setting.scratch else resumable(self.store, attempt),
            scratch=self.setting.scratch,
            provenance=dict(self.setting.provenance),
            trial=asdict(trial),
        )
        write_job(assignment)
        flight = Flight(placement, attempt, assignment)
        self._flights[trial.key] = flight
        executor.submit(assignment)
        self.watcher.started(flight)

    def _finish(self, ended: Ended) -> None:
        flight = self._flights.pop(ended.assignment.key)
        found = ending(Path(ended.assignment.folder), ended.exit)
        left = keep(self.store, flight.attempt, found)
        if left:
            self.watcher.ended(flight, left)
        else:
            self.watcher.say(f"{ended.assignment.key}: another attempt has taken over; not stored")

    @contextmanager
    def _interruptible(self, executor: Executor) -> Iterator[None]:
        def asked(number: int, _frame: FrameType | None) -> None:
            # nothing is printed here: the handler may have interrupted a print
            self.signals.append(number)
            if self._stops:
                executor.stop()

        before = {n: signal.signal(n, asked) for n in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
