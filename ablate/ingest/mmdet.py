"""Logs of mmdetection and its relatives: mmcv and mmengine, as text and as JSON lines."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from ablate.errors import UsageError
from ablate.ingest import mmconfig
from ablate.ingest.curves import Curves
from ablate.ingest.logfile import LogFile, logs, stem
from ablate.ingest.mmtables import Tables, placed
from ablate.ingest.names import METRICS, known_metric
from ablate.ingest.restarts import Start, joined
from ablate.ingest.run import Draft, Reader, Run
from ablate.ingest.stamps import STAMP, Clock, Fault
from ablate.ingest.suspects import VALUE, Suspects, looks_measured
from ablate.metric import Metric
from ablate.record import State

NAME, TRAIN, VAL = "mmdet", "train", "val"
MIB = 2**20
MEMORY = "peak of the allocator, as printed"

_LINE = re.compile(rf"({STAMP}) - [\w.]+ - [A-Z]+ - (.*)")
_TRAINED = re.compile(
    r"Epoch(?:\(train\))?\s+\[\s*(\d{1,9})\]\[\s*(\d{1,9})/(\d{1,9})\][\s:,]*(.*)"
)
_ITERATED = re.compile(r"Iter(?:\(train\))?\s+\[\s*(\d{1,9})/(\d{1,9})\][\s:,]*(.*)")
_TESTED = re.compile(
    r"(?:Epoch|Iter)\((val|test)\)\s+(?:\[\s*(\d{1,9})\])?\[\s*\d+(?:/\d+)?\][\s:,]*(.*)"
)
_TERM = re.compile(
    r"(?<![\w.@%()/-])((?:[A-Za-z][\w-]* )?[\w.@%()-]+(?:/[\w.@%()-]+)+|[A-Za-z][\w.@%()-]*): ?"
    rf"({VALUE})(?=[,\s]|$)"
)
_LEFT = re.compile(r"(?<![\w.@%()/-])(?!eta\b|\S*copypaste\b)[A-Za-z][\w./@%()-]*: *[^\s,]")
_TERMS = 50_000
_COUNTS = 10**18
_SEED = re.compile(r"(?:Set random seed to|\s*seed:) (\d{1,18})\b")
_MAX = re.compile(r"max: (\d{1,9}) (epochs|iters)")
_SAVED = re.compile(r"Saving checkpoint at (\d{1,9}) (?:epochs|iterations)")
_FINISHED = re.compile(r"worker group successfully finished|group finished \(SUCCEEDED\)")
_EXPERIMENT = re.compile(r"Exp name: (\S+?)(?:\.py)?\s*$")
_KNOWN = re.compile(
    r"\[\s*\d+\]\[\s*\d+/\d+\]\s+(?:base_)?lr:|Iter(?:\(train\))? \[\s*\d+/\d+\]\s+(?:base_)?lr:"
    r"|Epoch\(val\)\s+\[\d+\]|\"mode\": \"(?:train|val)\"|\"step\": \d+\}"
)
_HEADER = re.compile(r"Environment info:|System environment:|Config:")
_STAMPED = re.compile(r"\d{8}_\d{6}")
_PASSING = frozenset({"eta", "time", "data_time", "memory"})
_LOGGED = 1000
"""No training by iterations waits longer than this before it prints its first."""
_LENGTHS = ("runner.max_epochs", "total_epochs", "train_cfg.max_epochs", "max_epochs")
_ITERATIONS = ("runner.max_iters", "total_iters", "train_cfg.max_iters", "max_iters")


class MmdetLines:
    """Reads one training's output, a line at a time.

    What is printed every few iterations stands at the iteration, counted through all epochs, on the
    split `train`; validations stand at their epoch (their iteration, where training goes by those)
    on `val`.
    """

    def __init__(self, draft: Draft, number: int = 0) -> None:
        """The lines after the `number`-th of a file."""
        self.draft = draft
        self.number = number
        self.first = 0
        """The first epoch or iteration that was printed."""
        self._curves = Curves(draft)
        self._clock, self._fault, self._suspects = Clock(), Fault(), Suspects(draft)
        self._tables = Tables(draft)
        self._config: list[str] | None = None
        self._epoch = self._done = self._base = self._last = self._length = 0
        self._limit = self._saved = self._tested = 0
        self._memory = 0.0
        self._by_iteration = self._tests = self._finished = False

    def line(self, text: str) -> None:
        """Take one line."""
        self.number += 1
        if text.startswith("{") and self._json(text):
            return
        stamped = _LINE.search(text)
        if stamped is not None:
            self._clock.see(stamped[1])
            self._config_ends()
            self._tables.close()
        taken = self._message(stamped[2]) if stamped else self._plain(text)
        if not taken:
            self._suspects.see(self.number, text)

    def end(self) -> None:
        """Settle the state: complete only where the last epoch was validated, or saved."""
        self._config_ends()
        self._tables.settle()
        self._clock.settle(self.draft)
        self._curves.settle()
        if self._memory:
            self.draft.cost("memory", self._memory * MIB, "bytes", MEMORY)
        self._hundredths()
        self.draft.state, self.draft.reason = self._state()

    def begins(self, text: str) -> bool:
        """Whether a line begins another training, behind the one that was read so far."""
        return self._epoch > 0 and _HEADER.search(text) is not None

    def run(self) -> Run:
        """The run that these lines are."""
        self.end()
        return self.draft.done(self._metrics(), READER.select)

    def _plain(self, text: str) -> bool:
        if self._config is None and not self._epoch and mmconfig.is_setting(text):
            self._config = []
            self.draft.remark("the configuration's beginning is missing from the log")
        if self._config is not None:
            self._config.append(text)
            return True
        if found := mmconfig.fact(text):
            self.draft.facts[found[0]] = found[1]
            return True
        if self._tables.see(text) or self._message(text) or self._fault.see(text):
            return True
        self._finished = self._finished or _FINISHED.search(text) is not None
        return False

    def _message(self, text: str) -> bool:
        if found := _TRAINED.search(text):
            epoch, iteration, length = int(found[1]), int(found[2]), int(found[3])
            self._enter(epoch, length)
            self._train(self._base + iteration, found[4])
            self._last = iteration
        elif found := _ITERATED.search(text):
            self._by_iteration, self._epoch = True, int(found[1])
            self.first = self.first or (1 if self._epoch <= _LOGGED else self._epoch)
            self._limit = int(found[2])
            self._train(self._epoch, found[3])
        elif found := _TESTED.search(text):
            self._test(found[1], int(found[2] or self._epoch), found[3])
        else:
            return self._introduced(text)
        return _LEFT.search(_TERM.sub("", found[found.re.groups][:_TERMS])) is None

    def _introduced(self, text: str) -> bool:
        if text.startswith("Config:"):
            self._config = []
        elif found := _SEED.match(text):
            self.draft.seed = int(found[1])
        elif found := _SAVED.search(text):
            self._saved = int(found[1])
        elif found := _EXPERIMENT.match(text):
            self.draft.facts["experiment"] = Path(found[1]).name
        else:
            return self._planned(text)
        return True

    def _planned(self, text: str) -> bool:
        if found := _MAX.search(text):
            self._limit, self._by_iteration = int(found[1]), found[2] == "iters"
        self._tests = self._tests or "EvalHook" in text or "Start validating" in text
        return found is not None

    def _train(self, step: int, said: str) -> None:
        self._fault.clear()
        self.draft.consume("Epoch(train)")
        for name, value in _TERM.findall(said[:_TERMS]):
            self._trained(step, name, float(value))

    def _trained(self, step: int, name: str, value: float) -> None:
        if name == "memory" and math.isfinite(value):
            self._memory = max(self._memory, value)
        self._curves.point(step, TRAIN, name, value)

    def _test(self, split: str, step: int, said: str) -> None:
        self.draft.consume(f"Epoch({split})")
        for name, value in _TERM.findall(said[:_TERMS]):
            self._scored(split, step, name, float(value))

    def _scored(self, split: str, step: int, said: str, value: float) -> None:
        if said in _PASSING or "copypaste" in said:
            return
        self._tests, self._tested = True, max(self._tested, step)
        item, name = placed(said)
        if item:
            self.draft.items[split, item, name] = value
        else:
            self._curves.point(step, split, name, value)
            self._tables.said(name)

    def _enter(self, epoch: int, length: int) -> None:
        """Begin an epoch; one that comes again after a later one is a restart without a header."""
        if epoch == self._epoch:
            return
        if epoch < self._epoch:
            self.draft.remark(f"the training went back to epoch {epoch} after epoch {self._epoch}")
        follows = self._epoch and epoch == self._epoch + 1
        self._base = self._base + (self._length or self._last) if follows else (epoch - 1) * length
        self._epoch, self._length, self._last = epoch, length, 0
        self.first = self.first or epoch
        self._tested = min(self._tested, epoch - 1)
        self._saved = min(self._saved, epoch - 1)

    def _json(self, text: str) -> bool:
        """A line of mmcv's `.log.json` or of mmengine's `scalars.json`."""
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            return False
        if not isinstance(record, dict) or not record.keys() & {"mode", "step", "env_info"}:
            return "torchelastic" in text
        self._introduce(record)
        for key, value in record.items() if record.keys() & {"mode", "step"} else ():
            if value and isinstance(value, dict | list):
                self.draft.remark(f"{key} has several values in one line of JSON: not read")
        numbers = {str(k): float(v) for k, v in record.items() if _is_number(v)}
        counts = [numbers.pop(name, 0.0) for name in ("epoch", "iter", "step")]
        epoch, iteration, step = (int(n) if 0 <= n < _COUNTS else 0 for n in counts)
        mode = str(record.get("mode", TRAIN if {"loss", "lr"} & record.keys() else VAL))
        if mode == TRAIN and (step or epoch):
            self._enter(epoch or self._epoch, 0)
            self._last = max(self._last if epoch == self._epoch else 0, iteration)
            for name, value in numbers.items():
                self._trained(step or self._base + iteration, name, value)
        elif mode != TRAIN:
            for name, value in numbers.items():
                if name not in {"lr", "seed"}:
                    self._scored(mode, epoch or step, name, value)
        self.draft.consume("JSON lines")
        return True

    def _introduce(self, record: Mapping[str, object]) -> None:
        for line in str(record.get("env_info", "")).splitlines():
            if found := mmconfig.fact(line):
                self.draft.facts[found[0]] = found[1]
        if "config" in record:
            self.configure(str(record["config"]))
        seed = record.get("seed")
        if isinstance(seed, int) and 0 <= seed < _COUNTS:
            self.draft.seed = seed

    def configure(self, text: str) -> None:
        """Take the configuration from elsewhere than the lines."""
        self._config = text.splitlines()
        self._config_ends()

    def _config_ends(self) -> None:
        if self._config is None:
            return
        self.draft.settings, unread = mmconfig.parsed(self._config)
        self._config = None
        for name in unread:
            self.draft.remark(f"the setting {name} of the configuration cannot be read")
        self.draft.consume("Config")
        seed = self._setting(("seed", "randomness.seed"))
        self.draft.seed = self.draft.seed if seed is None else seed
        epochs, iterations = self._setting(_LENGTHS), self._setting(_ITERATIONS)
        self._limit = epochs or iterations or self._limit
        self._by_iteration = self._by_iteration or (not epochs and bool(iterations))
        self._tests = self._tests or "val_cfg.type" in self.draft.settings

    def _setting(self, keys: Sequence[str]) -> int | None:
        texts = (self.draft.settings.get(key, "") for key in keys)
        return next((int(text) for text in texts if re.fullmatch(r"[0-9]{1,18}", text)), None)

    def _hundredths(self) -> None:
        """Scores that are shown in percent and were logged in percent are stored as fractions."""
        points = self.draft.scalars
        logged = {
            name
            for (split, name, _), value in points.items()
            if split != TRAIN and _shown_in_percent(name) and 1 < value < math.inf
        }
        self.draft.percent.update(dict.fromkeys(sorted(logged)))
        for key, value in points.items():
            if key[0] != TRAIN and key[1] in logged and math.isfinite(value):
                points[key] = float(Decimal(repr(value)) / 100)

    def _metrics(self) -> tuple[Metric, ...]:
        names = dict.fromkeys(n for split, n, _ in self.draft.scalars if split != TRAIN)
        found = [known_metric(name) for name in dict.fromkeys((*names, *self.draft.scores))]
        known = [_as_printed(m) for m in found if m is not None]
        order = {"NDS": 0, "mAP": 1}
        return tuple(sorted(known, key=lambda m: order.get(m.name, 2))) or READER.metrics

    def _state(self) -> tuple[State, str]:
        noun = "iteration" if self._by_iteration else "epoch"
        of = f" of {self._limit}" if self._limit else "; it does not say of how many"
        where = f"the log ends in {noun} {self._epoch}{of}"
        if not self._epoch and not self._tested:
            where = "the log ends before its training begins"
        if self._whole():
            if self._fault.text:
                self.draft.remark(f"after its last {noun} the program printed: {self._fault.text}")
            return State.COMPLETED, ""
        if self._fault.text and not self._fault.interrupted:
            return State.FAILED, f"{self._fault.text} ({where})"
        if not self._epoch and not self._tested:
            return State.PENDING, where
        return State.INCOMPLETE, where

    def _whole(self) -> bool:
        if not self._limit:
            return self._finished and bool(self._epoch)
        period = self._setting(("evaluation.interval", "train_cfg.val_interval")) or 1
        last = self._limit - self._limit % period if self._tests else 0
        ended = self._saved >= self._limit or self._finished or last == self._limit
        return self._epoch >= self._limit and self._tested >= last and ended


def begin(draft: Draft) -> MmdetLines:
    """Read a program's output while it runs."""
    return MmdetLines(draft)


def read(path: Path) -> Iterator[Run]:
    """The runs of one log: restarts of one training are one run. Raises UsageError."""
    log, parts = LogFile(path), [MmdetLines(Draft())]
    beside = path.with_name("config.py")
    if path.parent.name == "vis_data" and beside.is_file():
        parts[0].configure("\n".join(LogFile(beside)))
    for text in log:
        if parts[-1].begins(text):
            parts.append(MmdetLines(Draft(), parts[-1].number))
        parts[-1].line(text)
    last = parts[-1]
    if log.rest.startswith("{") and log.rest.endswith("}"):
        last.line(log.rest)
    elif looks_measured(log.rest):
        last.draft.miss(last.number + 1, f"{log.rest} (the file ends in this line)")
    runs = joined([Start(part.run(), part.first) for part in parts])
    if not any(run.consumed for run in runs):
        raise UsageError(f"{path}: nothing in it is a log of the kind that {NAME!r} reads")
    for position, run in enumerate(runs):
        name = _called(path) + (f"-{position + 1}" if position else "")
        yield log.held(replace(run, name=name), last=run is runs[-1])


def _called(path: Path) -> str:
    """The file's stem; the folder of work where the stem is a time alone."""
    name = stem(path)
    if not _STAMPED.fullmatch(name) and name != "scalars":
        return name
    inside = [p.name for p in path.absolute().parents[:3]]
    return next((n for n in inside if n != "vis_data" and not _STAMPED.fullmatch(n)), name)


def find(path: Path) -> Iterator[Path]:
    """The logs of this kind under a path; JSON lines only where no text says the same."""
    found = list(logs(path, lambda text: _KNOWN.search(text) is not None))
    texts = {p for p in found if ".json" not in p.name}
    beside = {(p.parent, stem(p)) for p in texts}
    for file in found:
        if file in texts or not path.is_dir():
            yield file
        elif file.parent.name == "vis_data":
            above = any(p.parent == file.parent.parent for p in texts)
            twin = file.name != "scalars.json" and file.with_name("scalars.json") in found
            if not above and not twin:
                yield file
        elif (file.parent, stem(file)) not in beside:
            yield file


def _is_number(value: object) -> bool:
    """Whether a JSON value is a number that a float holds."""
    return isinstance(value, float) or (type(value) is int and abs(value) < _COUNTS**2)


def _as_printed(metric: Metric) -> Metric:
    """Four decimals are printed of every score."""
    return replace(metric, digits=2 if metric.display == "percent" else 4)


def _shown_in_percent(name: str) -> bool:
    metric = known_metric(name)
    return metric is not None and metric.display == "percent"


READER = Reader(
    name=NAME,
    about="logs of mmdetection and its relatives (mmcv, mmengine), as text or JSON lines",
    find=find,
    read=read,
    begin=begin,
    metrics=(_as_printed(METRICS["nds"]), _as_printed(METRICS["map"])),
    select="last",
)
