"""Records: trials with their outcome and provenance, as they are read back. Immutable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from ablate.selection import Score
from ablate.study import Level, Role

Severity: TypeAlias = Literal["error", "warning", "note"]


HEADS = "heads"
"""The provenance that holds the heads of an imported run's network, as its log printed it, each
with what it takes and gives: `classifier 1536 to 171, ...`."""
LEFT_OUT = "left_out"
"""The provenance that holds the runs which the import of this one left out, one a line: `NAME:
why`."""
STAMPED = "time stamps of the log"
"""The counter of a time that is read off a log, from its first line to its last: the run may have
taken longer."""


class State(StrEnum):
    """Where a trial or an attempt stands."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CRASHED = "crashed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    INCOMPLETE = "incomplete"
    """Brought in from a record that ends before its run does."""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self not in {State.PENDING, State.RUNNING}


RERUN = frozenset({State.PENDING, State.CRASHED, State.CANCELLED, State.INCOMPLETE})
"""The states that `ablate run` takes up again unasked."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a variant spends, with the counter that measured it. Never better by itself.

    With a `factor`, it is the share of that factor's own parameters and modules.
    """

    name: str
    value: float
    unit: str
    counter: str
    factor: str = ""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One point of a curve; `value` may be NaN or infinite."""

    step: int
    split: str
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Item:
    """One score of one query, image or class."""

    split: str
    item: str
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class External:
    """A score of one trial that was measured elsewhere, as somebody recorded it.

    `date` (ISO 8601) is when `source` said so. It is never part of a mean.
    """

    metric: str
    value: float
    source: str
    date: str
    split: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Somebody's words on a study, on one of its variants, or on a trial; they change no number.

    With a `finding` (its name or its code) they acknowledge what the audit says of the study: the
    finding is printed as before, and they with it.
    """

    text: str
    author: str
    date: str
    study: str = ""
    variant: str = ""
    key: str = ""
    finding: str = ""

    def acknowledges(self, found: "Finding") -> bool:
        """Whether it is about this finding: named as it is, or by its code alone."""
        return self.finding.casefold() in {found.name.casefold(), found.code.casefold()}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of a trial: `number` is its fencing token, `folder` its place in attempts/."""

    key: str
    number: int
    state: State
    owner: str
    folder: str
    host: str = ""
    device: str = ""
    started: str = ""
    ended: str = ""
    seconds: float | None = None
    exit_code: int | None = None
    error_type: str = ""
    error: str = ""
    provenance: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ending:
    """All that one attempt left behind, ready to be stored in one transaction.

    `settings` is the configuration that the program itself resolved: dotted key to text.
    """

    state: State
    seconds: float
    ended: str
    device: str = ""
    exit_code: int | None = None
    error_type: str = ""
    error: str = ""
    provenance: Mapping[str, str] = field(default_factory=dict)
    scalars: tuple[Scalar, ...] = ()
    items: tuple[Item, ...] = ()
    costs: tuple[Cost, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """One placement of a study with its trial's outcome."""

    study: str
    variant: str
    role: Role
    parent: str | None
    position: int
    levels: Mapping[str, Level]
    changed: Mapping[str, Level]
    seed: int
    key: str
    state: State
    scores: Mapping[str, Score] = field(default_factory=dict)
    costs: Mapping[str, Cost] = field(default_factory=dict)
    shares: Mapping[str, Mapping[str, Cost]] = field(default_factory=dict)
    """Costs by factor and name: what the modules of each factor spend of the whole."""
    attempt: Attempt | None = None
    source: str = ""
    externals: tuple[External, ...] = ()
    extra: bool = False
    """Whether it stands beside the study, which does not ask for it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One audit result: what was found, of whom, and what settles it.

    `subject` tells apart what one code says of several things (a module, a metric); `chinese` is
    the sentence again; `keys` are the trials it rests on; `remedy` is the text of a study file
    whose runs would settle it, where one can; `family` is that of the check. Where `command` is
    words, for nothing that can be run settles it, `chinese_command` is these words in Chinese.
    """

    code: str
    severity: Severity
    sentence: str
    command: str = ""
    subject: str = ""
    chinese: str = ""
    keys: tuple[str, ...] = ()
    remedy: str = ""
    family: str = ""
    chinese_command: str = ""

    @property
    def name(self) -> str:
        """What a person calls it: `W120`, or `W204:sacr` where its code is said of several."""
        return f"{self.code}:{self.subject}" if self.subject else self.code

    @property
    def runnable(self) -> bool:
        """Whether `command` is one as it is typed, and no words."""
        return bool(self.command) and not self.chinese_command
