"""What `ablate run` shows while it works: a live board in a terminal, plain lines elsewhere."""

import statistics
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from shutil import get_terminal_size
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ablate.cli.tally import DOT, Tally, clock, shortened
from ablate.metric import Metric
from ablate.record import Ending, State
from ablate.run.driver import Flight
from ablate.run.progress import Progress, progress

REFRESH = 4
LEADERS = 6
HEARTBEAT = 60.0
_NAME = 26
_NARROW = 72


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
        count = f"{sum(tally.counts.values())}/{tally.total} "
        width = get_terminal_size().columns if sys.stderr.isatty() else None
        room = None if width is None else width - len("HH:MM:SS " + count)
        self.say(count + tally.outcome(flight, ending, room))
        if alarm := tally.alarm():
            self.say(alarm)

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
        if ending.state is not State.COMPLETED:
            said = self.tally.outcome(flight, ending, self.console.width)
            self.console.print(Text(said, style="red"))
        if alarm := self.tally.alarm():
            self.say(alarm)

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
            _leaders(tally, width),
            Text(
                f"ctrl-c: stop after running trials{DOT}results so far:"
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


def _leaders(tally: Tally, width: int) -> Table:
    metric = tally.study.metric(tally.study.primary)
    others = [m for m in tally.study.metrics if m.name != metric.name][: 2 * (width >= _NARROW)]
    means = {m.name: tally.means(m.name) for m in (metric, *others)}
    primary = means[metric.name]
    order = sorted(primary, key=lambda n: primary[n], reverse=metric.direction == "up")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("#", "configuration"):
        table.add_column(title, no_wrap=True)
    delta = "\N{GREEK CAPITAL LETTER DELTA} base"
    for title in (_heading(metric), delta, *map(_heading, others)):
        table.add_column(title, justify="right", no_wrap=True)
    for name in order[:LEADERS] + [n for n in order[LEADERS:] if n == "baseline"]:
        gain = "baseline" if name == "baseline" else "\N{EN DASH}"
        if name != "baseline" and "baseline" in primary:
            gain = metric.difference(primary[name] - primary["baseline"])
        row = [str(order.index(name) + 1), shortened(name, _NAME), metric.text(primary[name]), gain]
        for other in others:
            mean = means[other.name].get(name)
            row.append("\N{EN DASH}" if mean is None else other.text(mean))
        table.add_row(*map(Text, row))
    return table


def _heading(metric: Metric) -> str:
    return f"{metric.label} {metric.arrow}"
