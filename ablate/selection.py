"""Selection: the rule that turns a curve into one number, kept beside every number it makes."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Curves: TypeAlias = Mapping[tuple[str, str], Mapping[int, float]]
"""(split, metric) -> step -> value."""


@dataclass(frozen=True, slots=True)
class Score:
    """One selected number of one trial: its value, and the step and split it comes from."""

    metric: str
    value: float
    step: int | None
    split: str
    selection: str


@dataclass(frozen=True, slots=True)
class Selection:
    """`last`, or the step with the best value of a metric, on a split.

    Without a split: `val` where the metric is logged there, else `test`. Ties go to the later
    step, unless the source itself says which of them was its best (`held`): rounded values tie
    where its own did not. The scores are then read at that step on the scored split (`test` where
    it is logged).
    """

    metric: str = ""
    split: str = ""

    def __str__(self) -> str:
        """The rule as a study file writes it."""
        if not self.metric:
            return "last"
        return f"best:{self.metric}" + (f"@{self.split}" if self.split else "")

    @classmethod
    def parse(cls, text: str, metrics: Iterable[str]) -> "Selection":
        """Read `last` or `best:<metric>[@<split>]`; a metric is matched without regard to case.

        Raises ValueError when the rule or its metric is unknown.
        """
        if text == "last":
            return cls()
        kind, _, rest = text.partition(":")
        name, _, split = rest.partition("@")
        names = {m.lower(): m for m in metrics}
        if kind != "best" or not name:
            raise ValueError(f"{text!r} is neither 'last' nor 'best:<metric>[@<split>]'")
        if name.lower() not in names:
            raise ValueError(
                f"{name!r} is not a metric of the system ({', '.join(names.values())})"
            )
        return cls(names[name.lower()], split)

    def chosen_on(self, curves: Curves) -> str:
        """The split whose values decide the step; empty for `last`."""
        if not self.metric:
            return ""
        return self.split or _first_split(curves, self.metric, ("val", "test"))

    def apply(self, curves: Curves, directions: Mapping[str, str]) -> dict[str, Score]:
        """The scores of one trial, by metric; a metric that was never logged is absent.

        `directions` maps each metric of the system to `up` or `down`.
        """
        step = self._step(curves, directions)
        scores: dict[str, Score] = {}
        for metric in directions:
            split = _first_split(curves, metric, ("test", "val"))
            curve = curves.get((split, metric), {})
            at = max(curve, default=None) if step is None else step
            if at is not None and at in curve:
                scores[metric] = Score(metric, curve[at], at, split, str(self))
        return scores

    def _step(self, curves: Curves, directions: Mapping[str, str]) -> int | None:
        if not self.metric:
            return None
        split = self.chosen_on(curves)
        curve = curves.get((split, self.metric), {})
        sign = 1 if directions[self.metric] == "up" else -1
        finite = [(sign * v, s) for s, v in curve.items() if math.isfinite(v)]
        if not finite:
            return -1
        best, latest = max(finite)
        marks = curves.get((split, held(self.metric)), {})
        said = marks[max(marks)] if marks else math.nan
        return int(said) if (best, said) in finite else latest


LAST = Selection()


def held(metric: str) -> str:
    """The curve in which a source says, at each step, at which step its best `metric` was."""
    return f"best_step.{metric}"


def _first_split(curves: Curves, metric: str, preferred: Iterable[str]) -> str:
    logged = sorted(split for split, name in curves if name == metric)
    return next((s for s in preferred if s in logged), logged[0] if logged else "")
