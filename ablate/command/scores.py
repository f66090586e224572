"""What a program says of itself while it runs, on its way to the job."""

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from ablate.ingest.run import Draft, Reader, Run
from ablate.ingest.text import LineSplitter
from ablate.record import Scalar, State
from ablate.spec.systems import MetricTable, metric
from ablate.system import Job, TrainingError

STEPS = ("step", "global_step", "iteration", "iter", "epoch")
"""The keys of a line of metrics that may hold its step, the first that is there."""

SPLIT = "split"
_SHOWN = 5
_LONGEST = 2**20
FRACTION = 1.5
"""A score that is shown in percent and lies above this was logged in percent."""

_HUGE = 10**300
"""Whole numbers from here on may be more than a float holds."""

_MEASURED = frozenset({"seconds", "cpu"})


class Scores:
    """Passes scores on to the job by their declared names, and remembers which there were."""

    def __init__(self, job: Job, system: str, metrics: Mapping[str, MetricTable]) -> None:
        """Nothing has been said yet to the system of this name."""
        self.names: set[str] = set()
        self.curves: set[tuple[str, str]] = set()
        """The names that were logged, each with its split."""
        self.unfit = ""
        """What is wrong with the first score that cannot be a fraction, and must be one."""
        self._job = job
        self._system = system
        self._named = {one.key or name: name for name, one in metrics.items()}
        self._percent = {name for name, one in metrics.items() if one.unit == "%"}
        shown = [metric(name, one) for name, one in metrics.items()]
        self._fractions = {one.name for one in shown if one.display == "percent"}
        self._steps: dict[tuple[str, str], tuple[int, int]] = {}
        self._past: dict[tuple[str, str], tuple[int, int]] = {}
        self._misread: dict[str, None] = {}
        self._misreads = 0

    def go_on(self) -> None:
        """What was heard so far was of earlier attempts: the program itself begins now."""
        self._past, self._steps = self._steps, {}

    def point(self, scalar: Scalar) -> None:
        """Take a point that a reader has understood: its unit is settled already."""
        name = self._named.get(scalar.name, scalar.name)
        self.names.add(name)
        self._job.log(scalar.step, scalar.split, **{name: scalar.value})
        self._follow(scalar.step, scalar.split, name)
        self._doubt({name: scalar.value})

    def line(self, text: str) -> None:
        """Take a line of `metrics.jsonl`; one that cannot be understood is noted at the end."""
        if not text.strip():
            return
        try:
            step, split, values, wrong = _event(text)
            named = {self._named.get(key, key): value for key, value in values.items()}
            kept = {n: _fraction(v) if n in self._percent else v for n, v in named.items()}
            self._job.log(step, split, **kept)
        except ValueError as said:
            self._miss(f"{said}: {text.strip()[:80]}")
        else:
            self.names |= set(kept)
            for name in kept:
                self._follow(step, split, name)
            self._doubt(kept)
            if wrong:
                self._miss(f"{wrong[0]!r:.40} is no number: {text.strip()[:80]}")

    def _follow(self, step: int, split: str, name: str) -> None:
        """Doubt a curve, once, that is gone on with from its beginning."""
        self.curves.add((name, split))
        first, last = self._steps.get((split, name), (step, step))
        self._steps[split, name] = min(first, step), max(last, step)
        first, last = self._past.get((split, name), (step, step))
        if step <= first < last:
            self._past = {}
            self._job.note(
                f"goes on from a checkpoint, and logs step {step} of {split}.{name} again: either"
                " it has begun anew, or only its step counter has, and its curve is wrong"
            )

    def _doubt(self, values: Mapping[str, float]) -> None:
        """Say at once, in the trial's log, which score is no fraction: the trial fails by it."""
        for name, value in values.items():
            if not self.unfit and name in self._fractions and FRACTION < value < math.inf:
                table = f"[systems.{self._system}.metrics.{name}]"
                self.unfit = (
                    f"{name} = {value:g} is no fraction: log {_fraction(value):g}, or declare"
                    f' unit = "%" (or display = "number") in {table}'
                )
                print(self.unfit, flush=True)  # noqa: T201 - this is the attempt's own log

    def _miss(self, what: str) -> None:
        self._misreads += 1
        if len(self._misread) <= _SHOWN:
            self._misread[what] = None

    def run(self, run: Run) -> dict[str, float]:
        """Take all that a reader knows beside the curves; the final values that are no curve."""
        for cost in run.costs:
            if cost.name not in _MEASURED:
                self._job.cost(cost.name, cost.value, unit=cost.unit, counter=cost.counter)
        for name, text in run.facts.items():
            self._job.fact(name, text)
        if run.uncalled:
            self._job.fact("uncalled", ", ".join(run.uncalled))
        if run.settings:
            self._job.recorder.settings(run.settings)
        items: dict[tuple[str, str], dict[str, float]] = {}
        for item in run.items:
            name = self._named.get(item.name, item.name)
            items.setdefault((item.split, name), {})[item.item] = item.value
        for (split, name), values in items.items():
            self._job.log_items(split, list(values), **{name: list(values.values())})
        for remark in run.remarks:
            self._job.note(remark)
        misread = "of output could not be read, though like a measurement"
        self._note_misread(run.unread, len(run.unread), misread)
        found = {self._named.get(name, name): value for name, value in run.scores.items()}
        self.names |= set(found)
        self._doubt(found)
        return found

    def end(self) -> None:
        """Note the lines of metrics that could not be understood."""
        self._note_misread(self._misread, self._misreads, "of metrics.jsonl could not be read")

    def _note_misread(self, lines: Iterable[str], number: int, what: str) -> None:
        shown = list(lines)
        if shown:
            some = "; ".join(shown[:_SHOWN]) + ("; ..." if len(shown) > _SHOWN else "")
            noun = "line" if number == 1 else "lines"
            self._job.note(f"{number} {noun} {what}: {some}")


class Tail:
    """The lines that are added to a file, in bounded memory."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet; the file need not be there."""
        self._path = path
        self._at = 0
        self._lines = LineSplitter(_LONGEST)

    def more(self) -> Iterator[str]:
        """The whole lines that have come since."""
        try:
            file = self._path.open("rb")
        except OSError:
            return
        with file:
            if os.fstat(file.fileno()).st_size < self._at:
                # it was begun anew: its points replace the earlier
                self._at, self._lines = 0, LineSplitter(_LONGEST)
            file.seek(self._at)
            while data := file.read(2**16):
                self._at += len(data)
                yield from self._lines.feed(data)

    def rest(self) -> Iterator[str]:
        """What is left when the file grows no more; a line that lacks its end with it."""
        yield from self.more()
        yield from self._lines.close()


class Output:
    """Reads a program's output, as it comes, with a reader that knows its lines."""

    def __init__(self, reader: Reader, scores: Scores) -> None:
        """Nothing is read yet."""
        assert reader.begin is not None
        self._reader = reader
        self._draft = Draft(scores.point)
        self._lines = reader.begin(self._draft)
        self._splitter = LineSplitter()
        self._wrong: Exception | None = None

    def feed(self, data: bytes) -> None:
        """Take some of the output; a reader that fails on it fails the trial at its end."""
        self._take(self._splitter.feed(data))

    def before(self, log: Path) -> None:
        """Take what an earlier attempt had printed, which this program goes on from."""
        try:
            file = log.open("rb")
        except OSError:
            return
        with file:
            while data := file.read(2**16):
                self.feed(data)
        self._close()
        self._splitter = LineSplitter()

    def end(self, *, whole: bool) -> Run:
        """The run, as its output tells it; `whole` where the program ended well by itself.

        Raises TrainingError where the reader has failed.
        """
        self._close()
        if self._wrong is not None:
            name, kind = self._reader.name, type(self._wrong).__name__
            raise TrainingError("unreadable", f"reader {name} failed: {kind}: {self._wrong}")
        if whole:
            self._draft.state = State.COMPLETED
        self._lines.end()
        return self._draft.done(self._reader.metrics, self._reader.select)

    def _take(self, lines: Iterable[str]) -> None:
        try:
            for line in lines if self._wrong is None else ():
                self._lines.line(line)
        except Exception as wrong:  # noqa: BLE001 - a fault of a reader must not end a training
            self._wrong = wrong

    def _close(self) -> None:
        self._take(self._splitter.close())
        for remark in self._splitter.remarks():
            self._draft.remark(remark)


def _event(text: str) -> tuple[int, str, dict[str, float], list[str]]:
    """The step, the split and the numbers of a line, and the keys that hold no number."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(read, dict):
        raise ValueError("not a table")  # noqa: TRY004 - the line is wrong, not a type
    key = next((k for k in STEPS if k in read), None)
    if key is None:
        raise ValueError("without a step")
    split = read.get(SPLIT, "test")
    if not isinstance(split, str) or not split:
        raise ValueError("its split is no name")
    values = {k: v for k, v in read.items() if k not in {*STEPS, SPLIT}}
    numbers = {k: float(v) for k, v in values.items() if _is_number(v)}
    return _step(read[key]), split, numbers, [k for k in values if k not in numbers]


def _step(value: object) -> int:
    if _is_number(value) and value == value // 1:  # type: ignore[operator]  # just checked
        return int(value)
    raise ValueError("its step is no whole number")


def _is_number(value: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < _HUGE
    return isinstance(value, float)


def _fraction(value: float) -> float:
    return float(Decimal(repr(value)) / 100)
