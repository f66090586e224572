"""What a run has done and has before it: counts, times and the scores so far."""

import math
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ablate.record import Ending, State
from ablate.run.driver import Flight
from ablate.run.folder import NOTES
from ablate.run.progress import Progress
from ablate.store import Store
from ablate.study import Placement, Study

_NUMBER = re.compile(r"\w*\d\w*")
_WORDS = 40
DOT = " \N{MIDDLE DOT} "
REASON = 600
ALIKE = 3
"""So many first trials that fail in the same way are said to."""


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


def reason(ending: Ending) -> str:
    """Why a trial did not complete, in one line; nothing of one that did.

    Where a program's last words are kept, these: what it died of stands at their end.
    """
    lines = [line.strip() for line in ending.error.splitlines() if line.strip()]
    if ending.state is State.COMPLETED or not lines:
        return ""
    raised = lines[0].startswith(f"{ending.error_type}:")  # a traceback follows
    return lines[0] if raised or len(lines) == 1 else f"{ending.error_type}: {lines[-1]}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"


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
        self.study = study
        self.total = len({p.trial.key for p in chosen})
        self.ran = 0
        self.cpu = 0.0
        self.doubts: dict[str, dict[str, None]] = {}
        self._first: list[str] = []
        keys = {p.trial.key for p in chosen} - {p.trial.key for p in todo}
        states = store.states(keys)
        self.counts = Counter(states.get(key, State.PENDING) for key in keys)
        self.waiting = [p.variant.name for p in todo]
        self.began = time.monotonic()
        self.durations: dict[str, list[float]] = {}
        for variant, seconds in store.durations(study.name):
            self.durations.setdefault(variant, []).append(seconds)
        self.scores: dict[str, dict[int, Mapping[str, float]]] = {}
        for record in store.records(study.name):
            if record.state is State.COMPLETED:
                found = {name: score.value for name, score in record.scores.items()}
                self._keep(record.variant, record.seed, found)
        self.slots = 1

    def start(self, flight: Flight) -> None:
        """One trial less waits."""
        self.waiting.remove(flight.placement.variant.name)

    def end(self, flight: Flight, ending: Ending) -> None:
        """One trial more has ended."""
        self.counts[ending.state] += 1
        self.ran += 1
        self.cpu += sum(c.value for c in ending.costs if c.name == "cpu")
        if len(self._first) < ALIKE:
            self._first.append("" if ending.state is State.CANCELLED else reason(ending))
        for line in ending.provenance.get(NOTES, "").splitlines():
            self.doubts.setdefault(line, {})[flight.placement.variant.name] = None
        if ending.state is State.COMPLETED:
            placed = flight.placement
            self.durations.setdefault(placed.variant.name, []).append(ending.seconds)
            self._keep(placed.variant.name, placed.trial.seed, self._scored(ending))

    def _keep(self, variant: str, seed: int, scores: Mapping[str, float]) -> None:
        self.scores.setdefault(variant, {})[seed] = scores

    def _scored(self, ending: Ending) -> Mapping[str, float]:
        curves: dict[tuple[str, str], dict[int, float]] = {}
        for point in ending.scalars:
            curves.setdefault((point.split, point.name), {})[point.step] = point.value
        chosen = self.study.selection.apply(curves, self.study.directions)
        return {**ending.scores, **{name: score.value for name, score in chosen.items()}}

    def means(self, metric: str) -> dict[str, float]:
        """Variant -> the mean of its finite scores so far."""
        found = {
            variant: [s[metric] for s in seeds.values() if math.isfinite(s.get(metric, math.nan))]
            for variant, seeds in self.scores.items()
        }
        return {variant: statistics.fmean(v) for variant, v in found.items() if v}

    def alarm(self) -> str:
        """What to say once the first trials have all failed in the same way, up to numbers."""
        alike = len({_NUMBER.sub("#", why) for why in self._first}) == 1 and self._first[0]
        if self.ran != ALIKE or not alike or not self.waiting:
            return ""
        return f"the first {ALIKE} trials failed in the same way: {self._first[0]}; Ctrl-C stops"

    def outcome(self, flight: Flight, ending: Ending, width: int | None = None) -> str:
        """One ended trial in one line: its primary score, and how far it is from its baseline.

        That is the baseline's run of the same seed. Of what failed, the reason is cut so that the
        line fits into `width` cells, but not to less than some words.
        """
        variant, seed = flight.placement.variant.name, flight.placement.trial.seed
        if ending.state is not State.COMPLETED:
            what = f"{ending.state} {variant} s{seed}: "
            where = f"   ablate logs {flight.assignment.key}"
            room = REASON if width is None else max(_WORDS, width - len(what + where))
            return what + _cut(reason(ending), room) + where
        metric = self.study.metric(self.study.primary)
        score = self.scores[variant][seed].get(metric.name)
        baseline = self.scores.get("baseline", {}).get(seed, {}).get(metric.name)
        shown = "no score" if score is None else f"{metric.label} {metric.text(score)}"
        if score is not None and baseline is not None and variant != "baseline":
            shown += f" ({metric.difference(score - baseline)})"
        return f"{variant} s{seed} {shown} {clock(ending.seconds)}"

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
