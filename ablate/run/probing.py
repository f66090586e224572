"""Variants measured before they are trained: in this process, or in one beside it."""

import contextlib
import math
import multiprocessing
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal, TypeAlias

from ablate.errors import HostError, UsageError
from ablate.measure import Measured, Step, measure, step, ways
from ablate.measure.building import RAISED
from ablate.study import Kind, Level, settled
from ablate.system import Job, System, resolve

Ops: TypeAlias = Literal["", "seed"]

PATIENCE = 20.0
"""Seconds after which a run begins to probe no further variant."""

DEADLINE = 60.0
"""Seconds that a probe beside a run may take."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The levels, the seed and the data that a variant is built at."""

    levels: Mapping[str, Level]
    seed: int
    data: Path | None


@dataclass(frozen=True, slots=True)
class Question:
    """One variant to measure; with `trained`, one real training step is made there too."""

    variant: str
    built: Setting
    trained: Setting | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a variant spends and what learns from what; `reasons` say what could not be told.

    `ways` are settings at which modules that are not in its output would be.
    """

    variant: str
    measured: Measured | None
    step: Step | None
    seconds: float
    reasons: tuple[str, ...] = ()
    ways: Mapping[str, tuple[str, Level]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Questions about the system that `reference` names, found with `root` on the path.

    After `seconds` no further question is begun. With `ways`, settings are sought at which modules
    that are not in an output would be.
    """

    reference: str
    root: str
    questions: tuple[Question, ...]
    ops: Ops = ""
    seconds: float = math.inf
    ways: bool = False


def answers(inquiry: Inquiry) -> list[Answer]:
    """Probe every variant; one that fails is told with its reason, and the others go on.

    Raises the UsageError of the first variant that the system refuses.
    """
    if inquiry.root not in sys.path:
        sys.path.insert(0, inquiry.root)
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as folder:
        system = resolve(inquiry.reference)
        until = time.monotonic() + inquiry.seconds
        late = (f"no time was left after {inquiry.seconds:.0f} s",)
        found = [
            _answer(system, question, inquiry.ops, Path(folder))
            if time.monotonic() < until
            else Answer(question.variant, None, None, 0.0, late)
            for question in inquiry.questions
        ]
        if inquiry.ways and time.monotonic() < until:
            return _with_ways(system, inquiry.questions, found, Path(folder))
        return found


def _with_ways(
    system: System, questions: Sequence[Question], found: Sequence[Answer], folder: Path
) -> list[Answer]:
    """The answers, each with ways for the modules that it is the first to have out of its output.

    What the questions move themselves is no way: their answers tell.
    """
    first = questions[0].built.levels if questions else {}
    varied = {f for q in questions for f, level in q.built.levels.items() if first[f] != level}
    told: set[str] = set()
    answers = []
    for question, answer in zip(questions, found, strict=True):
        inert = set(answer.measured.inert) - told if answer.measured else set()
        began = time.monotonic()
        opened = ways(system, _job(question.built, folder), inert, varied) if inert else {}
        told |= inert
        seconds = answer.seconds + time.monotonic() - began
        answers.append(replace(answer, ways=opened, seconds=seconds))
    return answers


def _answer(system: System, question: Question, ops: Ops, folder: Path) -> Answer:
    began = time.monotonic()
    reasons = []
    measured = taught = None
    try:
        measured = measure(system, _job(question.built, folder), ops=ops)
        reasons.append(measured.reason)
    except UsageError as refused:
        raise UsageError(f"{question.variant}: {refused}") from None
    except RAISED as wrong:
        reasons.append(_line(wrong))
    if question.trained is not None and measured is not None and measured.costs:
        try:
            taught = _step(system, question.trained, folder)
            reasons.append(taught.reason and f"one training step: {taught.reason}")
        except RAISED as wrong:
            reasons.append(f"one training step: {_line(wrong)}")
    seconds = time.monotonic() - began
    told = tuple(dict.fromkeys(filter(None, reasons)))
    return Answer(question.variant, measured, taught, seconds, told)


def _step(system: System, setting: Setting, folder: Path) -> Step:
    switches = [
        f.name
        for f in system.factors
        if f.kind is Kind.BOOL and not f.reference and setting.levels[f.name] is True
    ]
    without = {
        name: Setting(
            settled({**setting.levels, name: False}, system.factors), setting.seed, setting.data
        )
        for name in switches
    }
    return step(
        system,
        _job(setting, folder),
        {name: _job(other, folder) for name, other in without.items()},
    )


def _job(setting: Setting, folder: Path) -> Job:
    return Job(setting.levels, setting.seed, folder, setting.data)


def _line(wrong: BaseException) -> str:
    return " ".join(f"{type(wrong).__name__}: {wrong}".split())


class Beside:
    """A probe in a process of its own, while this one does something else."""

    def __init__(self, inquiry: Inquiry) -> None:
        """Start it; a fresh interpreter, so that nothing of this process is shared."""
        fresh = multiprocessing.get_context("spawn")
        self._ours, theirs = fresh.Pipe(duplex=False)
        self._process = fresh.Process(target=_tell, args=(theirs, inquiry), daemon=True)
        self._began = time.monotonic()
        self._process.start()
        theirs.close()

    def answers(self, seconds: float = DEADLINE) -> list[Answer]:
        """The answers, at most `seconds` after the start.

        Raises HostError when it takes longer or dies, UsageError for a variant that the system
        refuses.
        """
        try:
            if not self._ours.poll(max(0.0, self._began + seconds - time.monotonic())):
                raise HostError(f"the probe took longer than {seconds:.0f} s")
            found: list[Answer] | UsageError | str = self._ours.recv()
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode
            raise HostError(f"the probe's process ended with {code} and no answer") from None
        finally:
            self.close()
        if isinstance(found, UsageError):
            raise found
        if isinstance(found, str):
            raise HostError(f"the probe failed: {found}")
        return found

    def close(self) -> None:
        """End the process, whatever it does."""
        self._ours.close()
        if self._process.is_alive():
            self._process.kill()
        self._process.join()


def _tell(link: Connection, inquiry: Inquiry) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run's own business
    try:
        link.send(answers(inquiry))
    except UsageError as refused:
        link.send(refused)
    except RAISED as wrong:  # told to the run, which goes on
        link.send(_line(wrong))
