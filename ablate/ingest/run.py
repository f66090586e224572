"""A run as its own program left it behind: what every reader makes, before it is any study's."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ablate.metric import Metric
from ablate.record import Cost, Item, Scalar, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run, read back. Scores are stored values: 30.6 % is 0.306.

    `name` is what the run calls itself, or its file's stem: never a path. `settings` is its
    resolved configuration, dotted key to text as printed; `options` what its command line set of
    it, and `command` the rest of that line. The curve of the score that counts has the split
    `test` or `val`; other scored variants of the same run stand apart as `test.NAME`.
    """

    name: str
    state: State = State.COMPLETED
    """`completed`, `incomplete` (its record ends before it does), `failed`; `pending` where it has
    a configuration and never trained."""
    reason: str = ""
    """Why it is not `completed`, such as `the log ends in epoch 31 of 50`."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Base name of each file it was read from -> sha256 of its bytes."""
    settings: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    seed: int | None = None
    metrics: tuple[Metric, ...] = ()
    """The scores, the primary one first."""
    select: str = "last"
    """The rule by which the source itself picked its best, such as `best:mAP@test`."""
    scalars: tuple[Scalar, ...] = ()
    items: tuple[Item, ...] = ()
    costs: tuple[Cost, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    """Final values that are no curve."""
    best: Mapping[str, float] = field(default_factory=dict)
    """The running best as it was last printed."""
    percent: tuple[str, ...] = ()
    """Scores that were logged in percent, as their values show: here they are fractions."""
    uncalled: tuple[str, ...] = ()
    """Submodules that the counter of operations listed as never called."""
    started: str = ""
    """ISO 8601, as its clock said; empty where unknown."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Environment and the like, for the provenance: no path, no host name."""
    consumed: tuple[str, ...] = ()
    """What was understood, by the source's own names (keys, patterns), each once."""
    unread: tuple[str, ...] = ()
    """What looks like a measurement and was not understood, with its line."""
    remarks: tuple[str, ...] = ()
    """Doubts about this run that every report prints."""


class Draft:
    """A run being read. `watch` hears every point of a curve at once, while the run goes on."""

    def __init__(self, watch: Callable[[Scalar], None] | None = None) -> None:
        """A draft of which nothing is known yet."""
        self.scalars: dict[tuple[str, str, int], float] = {}
        self.items: dict[tuple[str, str, str], float] = {}
        self.costs: dict[str, Cost] = {}
        self.scores: dict[str, float] = {}
        self.settings: dict[str, str] = {}
        self.options: dict[str, str] = {}
        self.best: dict[str, float] = {}
        self.facts: dict[str, str] = {}
        self.name = self.command = self.reason = self.started = ""
        self.seed: int | None = None
        self.state = State.INCOMPLETE
        self.uncalled: tuple[str, ...] = ()
        self.percent: dict[str, None] = {}
        self._consumed: dict[str, None] = {}
        self._unread: dict[str, None] = {}
        self._remarks: dict[str, None] = {}
        self._watch = watch

    def point(self, step: int, split: str, name: str, value: float) -> None:
        """Add one point to a curve; a later value of the same point replaces the earlier."""
        self.scalars[split, name, step] = value
        if self._watch is not None:
            self._watch(Scalar(step, split, name, value))

    def cost(self, name: str, value: float, unit: str, counter: str) -> None:
        """Keep what the run spends, with the name of what measured it."""
        self.costs[name] = Cost(name, value, unit, counter)

    def consume(self, name: str) -> None:
        """Say that something of the source was understood."""
        self._consumed[name] = None

    def miss(self, line: int, text: str) -> None:
        """Say that a line looks like a measurement and is not understood; the first 20 are kept."""
        if len(self._unread) < UNREAD:
            self._unread[f"line {line}: {text.strip()[:120]}"] = None

    def remark(self, text: str) -> None:
        """Keep a doubt about this run."""
        self._remarks[text] = None

    def done(
        self, metrics: Iterable[Metric], select: str, files: Mapping[str, str] | None = None
    ) -> Run:
        """The run as far as it was read."""
        return Run(
            name=self.name,
            state=self.state,
            reason="" if self.state is State.COMPLETED else self.reason,
            files=files or {},
            settings=dict(self.settings),
            options=dict(self.options),
            command=self.command,
            seed=self.seed,
            metrics=tuple(metrics),
            select=select,
            scalars=tuple(
                Scalar(step, split, name, value)
                for (split, name, step), value in self.scalars.items()
            ),
            items=tuple(Item(s, i, n, value) for (s, i, n), value in self.items.items()),
            costs=tuple(self.costs.values()),
            scores=dict(self.scores),
            best=dict(self.best),
            percent=tuple(self.percent),
            uncalled=self.uncalled,
            started=self.started,
            facts=dict(self.facts),
            consumed=tuple(self._consumed),
            unread=tuple(self._unread),
            remarks=tuple(self._remarks),
        )


UNREAD = 20


class Lines(Protocol):
    """Reads the output of one running program, a line at a time, into its draft."""

    def line(self, text: str) -> None:
        """Take one line, without its end; colours and progress bars are gone already."""
        ...

    def end(self) -> None:
        """There are no more lines: settle the state and what was left open."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How runs are read from what a program left behind.

    `find` lists the files or folders under a path that hold runs of this kind (a file given by
    name is always tried); `read` gives the runs that one of them holds, and raises UsageError with
    the file where it cannot be read. A reader whose programs print lines has `begin`, which reads
    them while the program runs.
    """

    name: str
    about: str
    find: Callable[[Path], Iterator[Path]]
    read: Callable[[Path], Iterator[Run]]
    begin: Callable[[Draft], Lines] | None = None
    metrics: tuple[Metric, ...] = ()
    select: str = "last"
    expected: Mapping[str, str] = field(default_factory=dict)
    """What `Run.consumed` should name in some run at least, with what was looked for."""
