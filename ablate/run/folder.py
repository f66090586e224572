"""An attempt's folder: the truth about one execution, from which the store can be rebuilt.

`job.json` what was asked, `events.jsonl` what was logged, `stdout.log` what was printed (capped),
`process` who ran it, `result.json` how it ended, with the digest of itself and of the events;
`stored.json` is what the driver judged of it (`ablate.run.stored`).
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ablate.files import write_atomically
from ablate.record import Cost, Ending, Item, Scalar, State
from ablate.study import Level

JOB = "job.json"
EVENTS = "events.jsonl"
LOG = "stdout.log"
PROCESS = "process"
RESULT = "result.json"
CHECKPOINTS = "checkpoints"

ERROR_LIMIT = 64 * 1024
NOTES = "notes"
NOTES_LIMIT = 8 * 1024
_TAIL = 2000


@dataclass(frozen=True, slots=True)
class Assignment:
    """All that an attempt is told.

    `earlier` are the folders it may resume from, newest first; `scratch` says that it was asked to
    begin anew, so that no later attempt resumes from before it. `trial` is the identity of the
    trial, as `ablate.study.Trial` has it, so that the store can be made again from the folder.
    """

    key: str
    number: int
    folder: str
    system: str
    levels: Mapping[str, Level]
    seed: int
    study: str = ""
    data: str | None = None
    cpus: int = 1
    gpus: float = 0.0
    timeout: float | None = None
    earlier: tuple[str, ...] = ()
    scratch: bool = False
    provenance: Mapping[str, str] = field(default_factory=dict)
    trial: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Logged:
    """What an attempt's events say."""

    scalars: tuple[Scalar, ...] = ()
    items: tuple[Item, ...] = ()
    costs: tuple[Cost, ...] = ()
    notes: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def provenance(self) -> dict[str, str]:
        """The attempt's facts, and its doubts about its own numbers, each once, a line each."""
        notes = {NOTES: "\n".join(self.notes)[:NOTES_LIMIT]} if self.notes else {}
        return {**self.facts, **notes}


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended: its code (negative: the signal) and why it was ended from outside."""

    code: int | None
    seconds: float
    reason: str = ""


def write_job(assignment: Assignment) -> None:
    """Make the folder and write what was asked; raises OSError."""
    folder = Path(assignment.folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / JOB, json.dumps(asdict(assignment), indent=1).encode(), durable=False)


def read_job(folder: Path) -> Assignment:
    """What was asked of the attempt in `folder`; raises OSError or ValueError."""
    read = json.loads((folder / JOB).read_text())
    read["earlier"] = tuple(read["earlier"])
    return Assignment(**read)


def number(value: float) -> float | str:
    """A number as strict JSON can hold it: NaN and infinities by name."""
    value = float(value)
    return value if math.isfinite(value) else str(value)


def write_result(folder: Path, body: Mapping[str, object]) -> None:
    """Seal the attempt: how it ended, with the digest of its events; atomic. Raises OSError.

    Not fsynced: the store's commit is what a result's safety rests on, and a folder that a power
    cut has torn is told by its digests.
    """
    events = folder / EVENTS
    sealed = {**body, "events": _digest(events.read_bytes() if events.exists() else b"")}
    text = json.dumps(sealed, sort_keys=True)
    whole = {"sha256": _digest(text.encode()), "result": sealed}
    text = json.dumps(whole, sort_keys=True, indent=1)
    write_atomically(folder / RESULT, text.encode(), durable=False)


def read_result(folder: Path) -> dict[str, object] | None:
    """How the attempt says it ended; None when it never said.

    Raises ValueError when the result or the events are not what was sealed.
    """
    try:
        whole = json.loads((folder / RESULT).read_text())
        body: dict[str, object] = whole["result"]
        digest = whole["sha256"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise ValueError(f"{RESULT} cannot be read: {wrong}") from wrong
    if _digest(json.dumps(body, sort_keys=True).encode()) != digest:
        raise ValueError(f"{RESULT} does not match its digest")
    events = folder / EVENTS
    if _digest(events.read_bytes() if events.exists() else b"") != body["events"]:
        raise ValueError(f"{EVENTS} does not match the digest in {RESULT}")
    return body


def ending(folder: Path, exited: Exit) -> Ending:
    """What an attempt left behind, read from its folder and judged by how its process ended."""
    try:
        body = read_result(folder)
        problem = ""
    except ValueError as wrong:
        body, problem = None, str(wrong)
    when = datetime.now(UTC).isoformat(timespec="seconds")
    if body is None:
        state, kind, text = _unsaid(folder, exited)
        logged = Logged() if problem else _left(folder)
        spent = Cost("seconds", exited.seconds, "s", "wall clock")
        return Ending(
            state,
            exited.seconds,
            when,
            exit_code=exited.code,
            error_type=kind,
            error=problem or text,
            provenance=logged.provenance,
            scalars=logged.scalars,
            items=logged.items,
            costs=(*logged.costs, spent),
            settings=logged.settings,
        )
    return _sealed(folder, body, exited, when)


def unstorable(left: Ending, why: Exception) -> Ending:
    """The ending of an attempt whose numbers the store refuses: crashed, without them."""
    return replace(
        left,
        state=State.CRASHED,
        error_type=type(why).__name__,
        error=f"its results cannot be stored: {why}",
        scalars=(),
        items=(),
        costs=(),
        scores={},
    )


def _left(folder: Path) -> Logged:
    """What an unsealed attempt logged, as far as it can be read."""
    try:
        return read_events(folder)
    except (ValueError, TypeError, KeyError, AttributeError):
        return Logged()


def _sealed(folder: Path, body: Mapping[str, object], exited: Exit, when: str) -> Ending:
    logged = read_events(folder)
    said = {k: str(v) for k, v in _mapping(body.get("provenance")).items()}
    scores = body.get("scores")
    return Ending(
        State(str(body["state"])),
        float(str(body["seconds"])),
        when,
        device=str(body.get("device", "")),
        exit_code=exited.code,
        error_type=str(body.get("error_type", "")),
        error=str(body.get("error", "")),
        provenance=logged.provenance | said,
        scalars=logged.scalars,
        items=logged.items,
        costs=logged.costs,
        scores={k: float(str(v)) for k, v in _mapping(scores).items()},
        settings=logged.settings,
    )


def _unsaid(folder: Path, exited: Exit) -> tuple[State, str, str]:
    if exited.reason == "deadline":
        return State.TIMEOUT, "deadline", f"killed at its deadline after {exited.seconds:.1f} s"
    if exited.reason == "stopped":
        return State.CANCELLED, "stopped", "stopped by the user"
    if exited.reason:
        return State.CRASHED, "lost", exited.reason
    code = exited.code or 0
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return State.CRASHED, how, f"ended with {how} and no result\n{log_tail(folder)}".rstrip()


def log_tail(folder: Path) -> str:
    """The last characters that the attempt printed."""
    try:
        return (folder / LOG).read_bytes()[-_TAIL:].decode(errors="backslashreplace")
    except OSError:
        return ""


def read_events(folder: Path) -> Logged:
    """All that an attempt logged; a later value of one point replaces an earlier."""
    scalars: dict[tuple[str, str, int], float] = {}
    items: dict[tuple[str, str], list[Item]] = {}
    costs: dict[tuple[str, str], Cost] = {}
    notes: dict[str, None] = {}
    facts: dict[str, str] = {}
    settings: dict[str, str] = {}
    for event in events(folder / EVENTS):
        match event:
            case {"scalars": values, "step": step, "split": split}:
                scalars.update({(split, n, step): float(v) for n, v in values.items()})
            case {"items": ids, "values": values, "split": split}:
                for name, column in values.items():
                    pairs = zip(ids, column, strict=True)
                    items[split, name] = [Item(split, i, name, float(v)) for i, v in pairs]
            case {"costs": found}:
                read = [Cost(**c) for c in found]
                costs.update({(c.factor, c.name): c for c in read})
            case {"note": text}:
                notes[" ".join(str(text).split())] = None
            case {"fact": name, "text": text}:
                facts[str(name)] = str(text)
            case {"settings": found}:
                settings.update(found)
    points = [Scalar(step, split, name, v) for (split, name, step), v in scalars.items()]
    kept = [i for column in items.values() for i in column]
    said = tuple(notes)
    return Logged(tuple(points), tuple(kept), tuple(costs.values()), said, facts, settings)


def events(path: Path) -> Iterator[dict[str, Any]]:
    """The events of a file; a half-written last line is left out."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return
    for line in text.split(b"\n")[:-1]:
        if line:
            yield json.loads(line)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
