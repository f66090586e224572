"""The seam: how any training code plugs in. Imports nothing heavy."""

import hashlib
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ablate.errors import DeclarationError, not_one_of
from ablate.metric import Metric
from ablate.study import Factor, Level

if TYPE_CHECKING:
    import numpy as np
    import torch


class Recorder(Protocol):
    """Where a job's numbers and checkpoints go: the runner brings one."""

    @property
    def stopping(self) -> bool:
        """Whether the job is asked to save and return."""
        ...

    def scalars(self, step: int, split: str, values: Mapping[str, float]) -> None:
        """Add one point to each named curve."""
        ...

    def items(
        self, split: str, ids: Sequence[object], values: Mapping[str, Sequence[float]]
    ) -> None:
        """Keep one value per item and name."""
        ...

    def cost(self, name: str, value: float, unit: str, counter: str) -> None:
        """Keep what the variant spends."""
        ...

    def note(self, text: str) -> None:
        """Keep a doubt about this trial's numbers."""
        ...

    def fact(self, name: str, text: str) -> None:
        """Keep where this trial's numbers come from."""
        ...

    def save(self, state: Mapping[str, object]) -> None:
        """Write a checkpoint."""
        ...

    def resume(self) -> dict[str, object] | None:
        """Read the newest intact checkpoint."""
        ...

    def settings(self, values: Mapping[str, str]) -> None:
        """Keep the configuration that the training itself resolved: dotted key to text."""
        ...

    def spent(self, cpu: float, memory: float) -> None:
        """Count a program that the job started: its CPU seconds and its peak memory in bytes."""
        ...

    @property
    def earlier(self) -> Sequence[Path]:
        """The folders of earlier attempts that may be gone on from, newest first."""
        ...

    def carry(self, folder: Path) -> frozenset[str]:
        """Take over all that an earlier attempt logged; the names of its curves."""
        ...


class Silence:
    """A recorder that keeps nothing: for building and probing."""

    stopping = False

    def scalars(self, step: int, split: str, values: Mapping[str, float]) -> None:
        """Keep nothing."""

    def items(
        self, split: str, ids: Sequence[object], values: Mapping[str, Sequence[float]]
    ) -> None:
        """Keep nothing."""

    def cost(self, name: str, value: float, unit: str, counter: str) -> None:
        """Keep nothing."""

    def note(self, text: str) -> None:
        """Keep nothing."""

    def fact(self, name: str, text: str) -> None:
        """Keep nothing."""

    def save(self, state: Mapping[str, object]) -> None:
        """Keep nothing."""

    def resume(self) -> dict[str, object] | None:
        """Nothing to begin from."""
        return None

    def settings(self, values: Mapping[str, str]) -> None:
        """Keep nothing."""

    def spent(self, cpu: float, memory: float) -> None:
        """Keep nothing."""

    @property
    def earlier(self) -> Sequence[Path]:
        """Nothing to go on from."""
        return ()

    def carry(self, folder: Path) -> frozenset[str]:  # noqa: ARG002 - there is nothing to take
        """Nothing to take over."""
        return frozenset()


def derive(seed: int, name: str) -> bytes:
    """32 bytes that depend on (seed, name) alone: the same on every machine and Python."""
    return hashlib.sha256(f"ablate.stream.v1\0{seed}\0{name}".encode()).digest()


@dataclass(frozen=True, slots=True)
class Job:
    """All that a system is told, and where it puts its numbers.

    `data` is None where the system must use its stand-in data; `workdir` is this attempt's folder.
    `study`, `trial` (its key), `attempt` (counted from 1) and `cpus` say where the job stands.
    """

    levels: Mapping[str, Level]
    seed: int
    workdir: Path
    data: Path | None = None
    device: str = "cpu"
    recorder: Recorder = field(default_factory=Silence)
    study: str = ""
    trial: str = ""
    attempt: int = 1
    cpus: int = 1

    def on(self, factor: str) -> bool:
        """Whether a switch is on."""
        return self._level(factor) is True

    def number(self, factor: str) -> float:
        """The level of a number factor."""
        return float(self._level(factor))

    def whole(self, factor: str) -> int:
        """The level of a whole-number factor."""
        return int(self._level(factor))

    def choice(self, factor: str) -> str:
        """The level of a text factor."""
        return str(self._level(factor))

    def _level(self, factor: str) -> Level:
        if factor not in self.levels:
            raise KeyError(not_one_of("factor", factor, list(self.levels)))
        return self.levels[factor]

    def stream(self, name: str) -> "np.random.Generator":
        """Random numbers that depend on (seed, name) alone, whatever else is built or drawn."""
        import numpy as np  # noqa: PLC0415 - the seam must load nothing heavy

        words = np.frombuffer(derive(self.seed, name), "<u4").tolist()
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))

    def log(self, step: int, split: str, **values: float) -> None:
        """Add one point to each named curve; NaN and infinities are kept as such."""
        self.recorder.scalars(step, split, values)

    def log_items(self, split: str, ids: Sequence[object], **values: Sequence[float]) -> None:
        """Keep the score of every query, image or class; a later call replaces an earlier one."""
        self.recorder.items(split, ids, values)

    def cost(self, name: str, value: float, *, unit: str = "", counter: str) -> None:
        """Keep what this variant spends, with the name of what measured it; a later one replaces.

        `memory`, `seconds` and `cpu` are measured by the runner, operations by the probe.
        """
        self.recorder.cost(name, value, unit, counter)

    def note(self, text: str) -> None:
        """Keep a doubt about this trial's numbers: it is logged, and every report prints it."""
        self.recorder.note(text)

    def fact(self, name: str, text: str) -> None:
        """Keep where this trial's numbers come from, such as the digest of pretrained weights.

        It joins the attempt's provenance, which reports print with the number of trials of each.
        """
        self.recorder.fact(name, text)

    def save(self, state: Mapping[str, object]) -> None:
        """Write a checkpoint atomically: tensors, numbers, text, lists and dicts only."""
        self.recorder.save(state)

    def resume(self) -> dict[str, object] | None:
        """The newest intact checkpoint of this trial, or None to begin at the beginning."""
        return self.recorder.resume()

    @property
    def stopping(self) -> bool:
        """Asked to stop: save and return."""
        return self.recorder.stopping


class TrainingError(Exception):
    """A training that ended badly for a reason that its text says whole: no traceback is kept.

    `kind` is short, such as `exit code 1`; with `crashed`, `ablate run` takes the trial up again.
    """

    def __init__(self, kind: str, text: str, *, crashed: bool = False) -> None:
        super().__init__(text)
        self.kind = kind
        self.crashed = crashed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training returns; the curves are already logged.

    `scores` are final values of metrics that are no curve; `artifacts` are files worth keeping.
    """

    scores: Mapping[str, float] = field(default_factory=dict)
    artifacts: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a network: its trainable parameters by name, and the factor that owns it.

    With its `module`, the operations that run inside it are counted as the part's own.
    """

    parameters: "Mapping[str, torch.nn.Parameter]"
    factor: str | None = None
    module: "torch.nn.Module | None" = None


@dataclass(frozen=True, slots=True)
class Probe:
    """A built network, ready to be measured without training.

    `forward` gives the *scored* output of one sample in eval mode; `losses` computes one training
    step's losses when called; `task` names those that train the score. Building one may raise
    UsageError for levels or data that no training could use: a run then ends before it begins.
    """

    parts: Mapping[str, Part]
    forward: "Callable[[], torch.Tensor]"
    losses: "Callable[[], Mapping[str, torch.Tensor]]"
    task: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class System:
    """Something that can be trained and scored.

    Raise `revision` when results are no longer comparable with older ones. `standin` is the
    identity (generator version and settings) of its stand-in data, None where it has none.
    `preload` names the modules that its training imports, for the fork server. One that
    `finds_data` by itself may be studied without a data root: its data have no identity then.
    """

    name: str
    revision: str
    factors: tuple[Factor, ...]
    metrics: tuple[Metric, ...]
    train: Callable[[Job], Outcome]
    probe: Callable[[Job], Probe] | None = None
    standin: str | None = None
    real_data: bool = True
    preload: tuple[str, ...] = ()
    finds_data: bool = False


def check_declaration(system: System) -> None:
    """Raise DeclarationError unless names are unique and every `requires` names a switch."""
    for kind, declared in ((Factor, system.factors), (Metric, system.metrics)):
        if not isinstance(declared, tuple) or not all(isinstance(d, kind) for d in declared):
            name = kind.__name__
            raise DeclarationError(
                f"system {system.name!r}: {name.lower()}s must be a tuple of {name}, like (a, b,)"
            )
    factors = {f.name: f for f in system.factors}
    metrics = {m.name.lower() for m in system.metrics}
    if len(factors) != len(system.factors) or len(metrics) != len(system.metrics):
        raise DeclarationError(f"system {system.name!r} declares a factor or a metric twice")
    if not metrics:
        raise DeclarationError(f"system {system.name!r} declares no metric")
    for f in system.factors:
        if f.requires is not None and (f.requires not in factors or f.requires == f.name):
            raise DeclarationError(
                f"system {system.name!r}: factor {f.name!r} requires {f.requires!r},"
                " which it does not declare"
            )
        try:
            f.level(f.reference)
        except ValueError as wrong:
            raise DeclarationError(
                f"system {system.name!r}: reference of {f.name!r}: {wrong}"
            ) from None


def resolve(reference: str) -> System:
    """The system that `package.module:name` names; raises DeclarationError with the reason.

    With text in parentheses behind it, the system that this function makes of that text.
    """
    path, given, text = reference.partition("(")
    module, _, name = path.partition(":")
    if not module or not name:
        raise DeclarationError(f"{reference!r} is not of the form 'package.module:name'")
    try:
        found = getattr(importlib.import_module(module), name)
        found = found(text.removesuffix(")")) if given else found
    except DeclarationError:
        raise
    except Exception as wrong:
        kind = type(wrong).__name__
        raise DeclarationError(f"system {reference!r} cannot be loaded: {kind}: {wrong}") from wrong
    if not isinstance(found, System):
        raise DeclarationError(f"{reference!r} is a {type(found).__name__}, not an ablate.System")
    check_declaration(found)
    return found
