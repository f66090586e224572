"""What `ablate run` shows while it works: a live board in a terminal, plain lines elsewhere."""

import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ablate.analysis.cells import cells
from ablate.record import Ending, Record, State
from ablate.run.driver import Flight
from ablate.run.progress import Progress, progress
from ablate.store import Store
from ablate.study import Placement, Study

DOT = " \N{MIDDLE DOT} "
REFRESH = 4
LEADERS = 6
HEARTBEAT = 60.0
_NAME = 26
_NARROW = 72


def clock(seconds: float | None) -> str:
    """Seconds as people read them: `0:22`, `~1 h 06 m` for long ones, a dash when not known."""
    if seconds is None:
        return "\N{EN DASH}"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:  # noqa: PLR2004 - minutes in an hour
        return f"{minutes}:{rest:02d}"
    return f"~{minutes // 60} h {minutes % 60:02d} m"


def remaining(
    waiting: Iterable[str],
    running: Sequence[tuple[str, float]],
    known: Mapping[str, Sequence[float]],
    slots: int,
) -> float | None:
    """Seconds until all is done, shared by the slots.

    A trial counts as long as the median of its variant's finished trials (of all trials where it
    has none). `waiting` are variant names, one per trial; `running` are pairs of a variant name
    and the share still to do. None before any trial has finished.
    """
    every = [s for durations in known.values() for s in durations]
    if not every:
        return None

    def typical(variant: str) -> float:
        return statistics.median(known.get(variant) or every)

    work = sum(typical(v) for v in waiting) + sum(typical(v) * left for v, left in running)
    return work / max(1, slots)


def shortened(name: str, width: int) -> str:
    """A name cut from the left, so that its telling end stays."""
    return name if len(name) <= width else "\N{HORIZONTAL ELLIPSIS}" + name[1 - width :]


class Tally:
    """What a run has done and has before it."""

    def __init__(
        self,
        study: Study,
        store: Store,
        todo: Sequence[Placement],
        chosen: Sequence[Placement],
    ) -> None:
        """Of the trials of `chosen`, those of `todo` are to run."""
        self.study, self.store = study, store
        self.total = len({p.trial.key for p in chosen})
        self.ran = 0
        self.cpu = 0.0
        keys = {p.trial.key for p in chosen} - {p.trial.key for p in todo}
        states = store.states(keys)
        self.counts = Counter(states.get(key, State.PENDING) for key in keys)
        self.waiting = [p.variant.name for p in todo]
        self.began = time.monotonic()
        self.durations: dict[str, list[float]] = {}
        for variant, seconds in store.durations(study.name):
            self.durations.setdefault(variant, []).append(seconds)
        self.slots = 1

    def start(self, flight: Flight) -> None:
        """One trial less waits."""
        self.waiting.remove(flight.placement.variant.name)

    def end(self, flight: Flight, ending: Ending) -> None:
        """One trial more has ended."""
        self.counts[ending.state] += 1
        self.ran += 1
        self.cpu += sum(c.value for c in ending.costs if c.name == "cpu")
        if ending.state is State.COMPLETED:
            name = flight.placement.variant.name
            self.durations.setdefault(name, []).append(ending.seconds)

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began

    def eta(self, running: Sequence[tuple[Flight, Progress]]) -> float | None:
        """Seconds until all is done."""
        left = [(f.placement.variant.name, 1.0 - (p.share or 0.0)) for f, p in running]
        return remaining(self.waiting, left, self.durations, self.slots)

    def headline(self, running: int, eta: float | None) -> str:
        """Counts and times."""
        bad = sum(n for s, n in self.counts.items() if s is not State.COMPLETED)
        return (
            f"{self.study.name}  {self.counts[State.COMPLETED]} done{DOT}{running} running"
            f"{DOT}{len(self.waiting)} queued{DOT}{bad} failed"
            f"   elapsed {clock(self.elapsed)}{DOT}ETA {clock(eta)}"
        )


def outcome_line(study: Study, flight: Flight, ending: Ending, records: Sequence[Record]) -> str:
    """One ended trial in one line: its primary score and its distance from the baseline."""
    name = f"{flight.placement.variant.name} s{flight.placement.trial.seed}"
    if ending.state is not State.COMPLETED:
        lines = [line for line in ending.error.strip().splitlines() if line.strip()] or [""]
        why = lines[-1] if ending.state is State.FAILED else lines[0]
        return f"{ending.state} {name}: {why[:160]}   ablate logs {flight.assignment.key}"
    metric = study.metric(study.primary)
    values = _primaries(study, records)
    mine = next((r for r in records if r.key == flight.assignment.key), None)
    score = mine.scores.get(metric.name) if mine else None
    shown = f"{metric.label} {metric.text(score.value)}" if score else "no score"
    if score and "baseline" in values and flight.placement.variant.name != "baseline":
        shown += f" ({metric.difference(score.value - values['baseline'])})"
    return f"{name} {shown} {clock(ending.seconds)}"


def _primaries(study: Study, records: Sequence[Record]) -> dict[str, float]:
    done = [r for r in records if r.state is State.COMPLETED]
    metric = study.metric(study.primary).name
    return {cell.variant: cell.summary(metric).mean for cell in cells(done) if cell.values(metric)}


class Lines:
    """Plain lines for a log: every end, and a heartbeat while nothing ends."""

    def __init__(self, tally: Tally) -> None:
        """Lines about `tally`, on stderr."""
        self.tally = tally
        self._spoken = time.monotonic()

    def __enter__(self) -> Self:
        """Nothing to set up."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to clear away."""

    def started(self, flight: Flight) -> None:
        """Say nothing: the end is said."""
        self.tally.start(flight)

    def ended(self, flight: Flight, ending: Ending) -> None:
        """Say how the trial ended."""
        tally = self.tally
        tally.end(flight, ending)
        records = tally.store.records(tally.study.name)
        ended = sum(tally.counts.values())
        self.say(f"{ended}/{tally.total} {outcome_line(tally.study, flight, ending, records)}")

    def tick(self, flights: Sequence[Flight]) -> None:
        """Say that the run lives, once a minute."""
        if time.monotonic() - self._spoken > HEARTBEAT:
            running = [(f, progress(f.assignment)) for f in flights]
            self.say(self.tally.headline(len(flights), self.tally.eta(running)))

    def say(self, text: str) -> None:
        """One line with the time of day."""
        self._spoken = time.monotonic()
        print(f"{datetime.now().astimezone():%H:%M:%S} {text}", file=sys.stderr, flush=True)  # noqa: T201


class Board:
    """The live board: counts, what runs, who leads."""

    def __init__(self, tally: Tally) -> None:
        """A board about `tally`, on stderr."""
        self.tally = tally
        self.console = Console(stderr=True, highlight=False, markup=False)
        self._flights: tuple[Flight, ...] = ()
        self._records: list[Record] = tally.store.records(tally.study.name)
        self._live = Live(
            get_renderable=self.render, console=self.console, refresh_per_second=REFRESH
        )

    def __enter__(self) -> Self:
        """Show the board."""
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave its last state on the screen."""
        self._flights = ()
        self._live.__exit__(kind, value, trace)

    def started(self, flight: Flight) -> None:
        """One more runs."""
        self.tally.start(flight)

    def ended(self, flight: Flight, ending: Ending) -> None:
        """Count it; a failure stays on the screen."""
        self.tally.end(flight, ending)
        self._records = self.tally.store.records(self.tally.study.name)
        if ending.state is not State.COMPLETED:
            line = outcome_line(self.tally.study, flight, ending, self._records)
            self.console.print(Text(line, style="red"))

    def tick(self, flights: Sequence[Flight]) -> None:
        """Keep what runs; the screen refreshes itself."""
        self._flights = tuple(flights)

    def say(self, text: str) -> None:
        """A line above the board."""
        self.console.print(Text(text))

    def render(self) -> Group:
        """The whole board at the terminal's width."""
        width = self.console.width
        running = [(f, progress(f.assignment)) for f in self._flights]
        tally = self.tally
        return Group(
            Text(tally.headline(len(running), tally.eta(running))),
            _bar(sum(tally.counts.values()), tally.total, width),
            *(_running(i, f, p, tally, width) for i, (f, p) in enumerate(running)),
            Text(),
            _leaders(tally.study, self._records, width),
            Text(
                "ctrl-c: stop after running trials \N{MIDDLE DOT} results so far:"
                f" ablate show {tally.study.name}"
            ),
        )


def _bar(done: int, total: int, width: int) -> Table:
    row = Table.grid(padding=(0, 1))
    row.add_row(
        ProgressBar(total=max(1, total), completed=done, width=max(10, width - 10)),
        Text(f"{done}/{total}"),
    )
    return row


def _running(slot: int, flight: Flight, now: Progress, tally: Tally, width: int) -> Table:
    variant = flight.placement.variant.name
    known = tally.durations.get(variant) or [s for d in tally.durations.values() for s in d]
    share = now.share
    left = statistics.median(known) * (1.0 - (share or 0.0)) if known else None
    narrow = width < _NARROW
    row = Table.grid(padding=(0, 2))
    parts: list[Text | ProgressBar] = [
        Text(f"slot {slot}"),
        Text(shortened(f"{variant} s{flight.placement.trial.seed}", 18 if narrow else _NAME)),
        ProgressBar(total=1.0, completed=share or 0.0, width=8 if narrow else 16),
        Text(f"{now.step}/{now.total}" if now.total else str(now.step)),
    ]
    if not narrow and now.loss is not None:
        parts.append(Text(f"loss {now.loss:.3f}"))
    row.add_row(*parts, Text(clock(left)))
    return row


def _leaders(study: Study, records: Sequence[Record], width: int) -> Table:
    metric = study.metric(study.primary)
    means = _primaries(study, records)
    order = sorted(means, key=lambda n: means[n], reverse=metric.direction == "up")
    shown = order[:LEADERS] + [n for n in order[LEADERS:] if n == "baseline"]
    others = [] if width < _NARROW else [m for m in study.metrics if m.name != metric.name][:2]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("#", "configuration"):
        table.add_column(title, no_wrap=True)
    for title in [f"{metric.label} {metric.arrow}", "\N{GREEK CAPITAL LETTER DELTA} base"]:
        table.add_column(title, justify="right", no_wrap=True)
    for other in others:
        table.add_column(f"{other.label} {other.arrow}", justify="right", no_wrap=True)
    by_name = {c.variant: c for c in cells([r for r in records if r.state is State.COMPLETED])}
    for name in shown:
        delta = "baseline" if name == "baseline" else "\N{EN DASH}"
        if name != "baseline" and "baseline" in means:
            delta = metric.difference(means[name] - means["baseline"])
        row = [str(order.index(name) + 1), shortened(name, _NAME), metric.text(means[name]), delta]
        row += [
            o.text(by_name[name].summary(o.name).mean) if by_name[name].values(o.name) else "-"
            for o in others
        ]
        table.add_row(*map(Text, row))
    return table
