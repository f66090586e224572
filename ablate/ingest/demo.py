"""Logs of re-identification trainers with a YACS configuration: DeMo and its relatives."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path, PurePath

from ablate.errors import UsageError
from ablate.ingest import yacs
from ablate.ingest.curves import Curves
from ablate.ingest.logfile import LogFile, logs, stem
from ablate.ingest.names import METRICS, known_metric
from ablate.ingest.patterns import Patterns
from ablate.ingest.restarts import Start, joined
from ablate.ingest.run import Draft, Reader, Run
from ablate.ingest.stamps import STAMP, Clock, Fault
from ablate.ingest.suspects import VALUE, Suspects, looks_measured
from ablate.ingest.text import without_places
from ablate.metric import Metric
from ablate.record import HEADS, State

NAME, SELECT, TRAIN = "demo", "best:mAP@test", "train"
PRIMARY = METRICS["map"]
RANKS = tuple(Metric(f"rank{n}", f"Rank-{n}") for n in (1, 5, 10))
COUNTER, OPS_COUNTER = "as printed", "fvcore, as printed"

_LINE = re.compile(rf"({STAMP}) \S+ [A-Z]+: ?(.*)")
_ITERATION = re.compile(r"Epoch\[(\d{1,9})\] Iteration\[(\d{1,9})/(\d{1,9})\],? (.*)")
_TERM = re.compile(rf"(?<!\w)([A-Za-z][\w. ]*?): ({VALUE})(?=,|\s|$)")
_DONE = re.compile(
    rf"Epoch (\d{{1,9}}) done\.(?: Time per (?:batch|epoch): ({VALUE})\[s\])?"
    rf"(?: Speed: ({VALUE})\[samples/s\])?"
)
_PATTERN = re.compile(r"Current is the (.+?) feature testing")
_RESULTS = re.compile(r"Validation Results(?: - Epoch: (\d{1,9}))?\s*$")
_SCORE = re.compile(rf"(?:CMC curve, )?(mAP|mINP|Rank-\d+)\s*: ?({VALUE})%")
_BEST = re.compile(rf"Best (mAP|mINP|Rank-\d+): ?({VALUE})%")
_COUNT = re.compile(rf"number of (parameters|GFLOPs): ?({VALUE})\s*$")
_UNCALLED = "submodules of the model were never called"
_SKIPPED = re.compile(r"Unsupported operator (\S+) encountered (\d+) time")
_UNCOUNTED = "uncounted operators"
_SUBSET = re.compile(r"\s+(\w+)\s+\|((?:\s*\d+\s*\|)*\s*\d+)\s*")
_LOADED = re.compile(r"=> (\w[\w-]*) loaded")
_HEAD = re.compile(
    r"  \((\w*(?:classifier|head|logits|fc)\w*)\): Linear\(in_features=(\d+), out_features=(\d+)"
)
_HEADER = re.compile(r"Namespace\(|Loaded configuration file|Saving model in the path")
_KNOWN = re.compile(
    r"Running with config:|Epoch\[\d+\] Iteration\[\d+/\d+\]|Validation Results - Epoch: \d"
)
_TERMS = 20_000
_NEAR = 5
"""Lines within which a configuration that goes on is one that was interrupted."""
_LEFT = re.compile(r"\b(?!ETA\b|eta\b)\w+: *\S")
_CURVES = {"base_lr": "lr"}
_SPEEDS = ("seconds_per_batch", "samples_per_second")


@dataclass(slots=True)
class _Epochs:
    """How far the training is, and where the iterations of the epoch at hand begin."""

    now: int = 0
    done: int = 0
    first: int = 0
    base: int = 0
    length: int = 0

    def enter(self, epoch: int, length: int) -> None:
        """Begin an epoch. Iterations count through: also where epochs differ in length."""
        follows = self.now and epoch == self.now + 1
        self.base = self.base + self.length if follows else (epoch - 1) * length
        self.now, self.length = epoch, length
        self.first = self.first or epoch


class DemoLines:
    """Reads one training's output, a line at a time. Scores stand at their epoch.

    What is printed every few iterations stands at the iteration, counted through all epochs, on
    the split `train`.
    """

    def __init__(self, draft: Draft, number: int = 0) -> None:
        """The lines after the `number`-th of a file."""
        self.draft = draft
        self.number = number
        self.epochs = _Epochs()
        self._curves = Curves(draft)
        self._scores = Patterns(draft, self._curves, PRIMARY.name)
        self._clock, self._fault, self._suspects = Clock(), Fault(), Suspects(draft)
        self._config: list[str] | None = None
        self._given: dict[str, str] = {}
        self._headed = self._echo = self._listing = self._results = False
        self._gap = -_NEAR

    def line(self, text: str) -> None:
        """Take one line."""
        self.number += 1
        stamped = _LINE.search(text)
        if stamped is None:
            taken = self._plain(text)
        else:
            self._clock.see(stamped[1])
            self._config_ends()
            taken = self._message(stamped[2])
        if not taken and not self._echo:
            self._suspects.see(self.number, text)

    def end(self) -> None:
        """Settle the state: complete only where the last epoch's scores are all there."""
        self._config_ends()
        self._scores.end()
        self._clock.settle(self.draft)
        self._curves.settle()
        self.draft.state, self.draft.reason = self._state()

    def begins(self, text: str) -> bool:
        """Whether a line begins another training, behind the one that was read so far."""
        return (self._headed or self.epochs.now > 0) and _HEADER.search(text) is not None

    def _plain(self, text: str) -> bool:
        """What is printed past the logger."""
        if self._config is not None and yacs.is_entry(text):
            self._config.append(text)
            return True
        if self._config is not None:
            self._gap = self.number
            self._config_ends()
        elif 0 < self.number - self._gap <= _NEAR and text.startswith("  ") and yacs.is_entry(text):
            self.draft.remark(
                f"line {self._gap} interrupts the printed configuration: what follows is not read"
            )
        if self._listing:
            self.draft.uncalled = tuple(name.strip() for name in text.split(",") if name.strip())
            self._listing = False
            return True
        return self._built(text) or self._message(text) or self._fault.see(text)

    def _built(self, text: str) -> bool:
        if _UNCALLED in text:
            self._listing = True
            self.draft.consume("submodules never called")
        elif found := _SKIPPED.search(text):
            before = self.draft.facts.get(_UNCOUNTED, "")
            said = f"{found[1]} {found[2]}"
            if said not in before.split(", "):
                self.draft.facts[_UNCOUNTED] = f"{before}, {said}" if before else said
        elif found := _SUBSET.fullmatch(text):
            numbers = ", ".join(n.strip() for n in found[2].split("|"))
            self.draft.facts[f"data {found[1]} (ids, images, cameras)"] = numbers
            self.draft.consume("Dataset statistics")
        elif found := _LOADED.match(text):
            self.draft.facts["data"] = found[1]
        elif found := _HEAD.match(text):
            before = self.draft.facts.get(HEADS, "")
            heads = {*before.split(", "), f"{found[1]} {found[2]} to {found[3]}"} - {""}
            self.draft.facts[HEADS] = ", ".join(sorted(heads))
        else:
            return False
        return True

    def _message(self, text: str) -> bool:
        if found := _BEST.match(text):
            self._scores.best(_name(found[1]), _fraction(found[2]))
            self.draft.consume("Best")
            return True
        self._scores.best_ends()
        return self._trained(text) or self._validated(text) or self._introduced(text)

    def _trained(self, text: str) -> bool:
        if found := _ITERATION.match(text):
            epoch, iteration, length = int(found[1]), int(found[2]), int(found[3])
            self._enter(epoch, length)
            step = self.epochs.base + iteration
            for said, value in _TERM.findall(found[4][:_TERMS]):
                name = said.strip().lower().replace(" ", "_")
                self._curves.point(step, TRAIN, _CURVES.get(name, name), float(value))
            self.draft.consume("Epoch Iteration")
            return _LEFT.search(_TERM.sub("", found[4][:_TERMS])) is None
        if found := _DONE.match(text):
            epoch = int(found[1])
            self._enter(epoch, self.epochs.length)
            self.epochs.done = epoch
            for name, value in zip(_SPEEDS, found.groups()[1:], strict=True):
                if value is not None:
                    self._curves.point(epoch, TRAIN, name, float(value))
            return True
        return False

    def _validated(self, text: str) -> bool:
        if found := _PATTERN.match(text):
            self._scores.name = re.sub(r"\W+", "-", found[1]).strip("-")
        elif found := _RESULTS.match(text):
            self._scores.epoch, self._results = int(found[1] or 0), True
            self.draft.consume("Validation Results")
        elif self._results and (found := _SCORE.match(text)):
            self._score(_name(found[1]), _fraction(found[2]))
        else:
            return False
        return True

    def _score(self, name: str, value: float) -> None:
        if self._scores.epoch:
            self._scores.score(name, value)
        else:
            self.draft.scores[name] = value

    def _introduced(self, text: str) -> bool:
        if text.startswith("Running with config"):
            self._config, self._echo = [], False
        elif text.startswith("Loaded configuration file"):
            self._echo = True
        elif text.startswith("Namespace("):
            self._command(text)
        elif found := _COUNT.match(text):
            self._count(found[1], Decimal(found[2]))
        else:
            return False
        return True

    def _command(self, text: str) -> None:
        try:
            given = yacs.namespace(text)
            self.draft.options |= yacs.pairs(given.pop("opts", None))
        except ValueError as wrong:
            self.draft.remark(f"line {self.number}: the command line cannot be read: {wrong}")
            return
        self.draft.name = PurePath(str(given.pop("exp_name", ""))).name
        if file := str(given.pop("config_file", "")):
            self.draft.command = f"--config_file {without_places(file)}"
        for name, value in given.items():
            self._given[f"--{name}"] = without_places(str(value))
        self.draft.settings |= self._given
        self.draft.consume("Namespace")

    def _count(self, what: str, value: Decimal) -> None:
        if what == "GFLOPs":
            self.draft.cost("ops", float(value * 10**9), "", OPS_COUNTER)
        else:
            self.draft.cost("params", float(value * 10**6), "", COUNTER)
        self.draft.consume(f"number of {what}")

    def _config_ends(self) -> None:
        if self._config is None:
            return
        self.draft.settings = self._given | yacs.resolved(self._config)
        seed = self.draft.settings.get("SOLVER.SEED", "")
        self.draft.seed = int(seed) if re.fullmatch(r"[0-9]{1,18}", seed) else None
        self.draft.consume("Running with config")
        self._config, self._headed = None, True

    def _enter(self, epoch: int, length: int) -> None:
        self._fault.clear()
        if self._scores.epoch >= epoch:
            self._scores.rewind(epoch)
        if epoch == self.epochs.now:
            return
        self._scores.validated()
        if 0 < epoch < self.epochs.now:
            self._goes_back(epoch)
        self.epochs.enter(epoch, length)
        self._scores.name, self._results = "", False

    def _goes_back(self, epoch: int) -> None:
        before = self.epochs.now
        if epoch > 1:
            self.draft.remark(f"the training went on from epoch {epoch} after epoch {before}")
            return
        self.draft.scalars.clear()
        self._scores.forget()
        self.epochs = _Epochs()
        self.draft.remark(
            f"the training began anew at line {self.number}, after epoch {before}: only the last"
            " start counts"
        )

    def _state(self) -> tuple[State, str]:
        planned = self._setting("SOLVER.MAX_EPOCHS")
        if planned and self._finished(planned, self._setting("SOLVER.EVAL_PERIOD") or 1):
            if self._fault.text:
                self.draft.remark(f"after its last epoch the program printed: {self._fault.text}")
            return State.COMPLETED, ""
        where = self._where(planned)
        if self._fault.text and not self._fault.interrupted:
            return State.FAILED, f"{self._fault.text} ({where})"
        if not self.epochs.now and not self.draft.scalars and not self.draft.scores:
            return State.PENDING, where
        return State.INCOMPLETE, where

    def _finished(self, planned: int, period: int) -> bool:
        scored = planned - planned % period
        return self._scores.whole(scored) and (scored == planned or self.epochs.done >= planned)

    def _where(self, planned: int) -> str:
        if not self.epochs.now:
            return "the log ends before its training begins"
        of = f" of {planned}" if planned else "; it does not say of how many"
        after = self._scores.whole(self.epochs.now)
        return f"the log ends {'after' if after else 'in'} epoch {self.epochs.now}{of}"

    def _setting(self, key: str) -> int:
        text = self.draft.settings.get(key, "")
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0

    def run(self) -> Run:
        """The run that these lines are, mAP first among its scores."""
        self.end()
        names = dict.fromkeys((*self._scores.names(), *self.draft.scores))
        found = [known_metric(name) or Metric(name) for name in names]
        metrics = sorted(found, key=lambda m: m.name != PRIMARY.name)
        return self.draft.done(metrics or READER.metrics, SELECT)


def begin(draft: Draft) -> DemoLines:
    """Read a program's output while it runs."""
    return DemoLines(draft)


def read(path: Path) -> Iterator[Run]:
    """The runs of one log: restarts of one training are one run. Raises UsageError."""
    log = LogFile(path)
    parts = [DemoLines(Draft())]
    for text in log:
        if parts[-1].begins(text):
            parts.append(DemoLines(Draft(), parts[-1].number))
        parts[-1].line(text)
    if log.rest and looks_measured(log.rest):
        parts[-1].draft.miss(parts[-1].number + 1, f"{log.rest} (the file ends in this line)")
    runs = joined([Start(part.run(), part.epochs.first) for part in parts])
    if not any(run.consumed for run in runs):
        raise UsageError(f"{path}: nothing in it is a log of the kind that {NAME!r} reads")
    for position, run in enumerate(runs):
        name = run.name or stem(path) + (f"-{position + 1}" if position else "")
        yield log.held(replace(run, name=name), last=run is runs[-1])


def find(path: Path) -> Iterator[Path]:
    """The logs of this kind under a path."""
    return logs(path, lambda text: _KNOWN.search(text) is not None)


def _name(said: str) -> str:
    return said.lower().replace("-", "") if said.startswith("Rank") else said


def _fraction(percent: str) -> float:
    return float(Decimal(percent) / 100)


READER = Reader(
    name=NAME,
    about="logs of DeMo and its relatives (TransReID, TOP-ReID): YACS configuration, mAP, Rank-k",
    find=find,
    read=read,
    begin=begin,
    metrics=(PRIMARY, *RANKS),
    select=SELECT,
)
