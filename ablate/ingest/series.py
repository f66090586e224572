"""Curves by the names that programs give them: the split they are of, the score, its scale."""

import math
import re
from dataclasses import replace
from decimal import Decimal

from ablate.ingest.names import METRICS, RANK, STAGE, bare, known_metric, split_unit
from ablate.ingest.run import Draft
from ablate.metric import Metric

STAGES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval", "evaluation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_STAGE = "|".join(sorted(STAGES, key=len, reverse=True))
_BEFORE = re.compile(rf"(?:metrics?[/.])?({_STAGE})[ /._-]+(.+)", re.IGNORECASE)
_AFTER = re.compile(rf"(.+?)[ /._-]+({_STAGE})", re.IGNORECASE)
_CONTAINER = re.compile(r"(?:metrics?|scalars?|epoch)[/._](?=.)", re.IGNORECASE)
_OF_TRAINING = frozenset({"accuracy", "top1", "top5", "precision", "recall"})
_LATE = _OF_TRAINING | {"psnr", "ssim", "bleu"}
_RATES = frozenset({"lr", "learningrate"})


def place(tag: str) -> tuple[str, str]:
    """Split and name of a curve: (`val`, `F`) of `val_f_score`, (`train`, `loss`) of `Loss/train`.

    Without a stage in its name a score is of `val`, and what programs log of training (a loss, the
    learning rate, an accuracy, any other name) is of `train`.
    """
    stage, inner = _stage(tag.strip())
    metric = known_metric(inner)
    if metric is not None and STAGE.match(inner) is None:
        name = metric.name
    elif bare(inner) in _RATES:
        name = "lr"
    else:
        name = re.sub(r"\s+", "_", inner).replace("/", ".")
    if not stage:
        counted = metric is not None and metric.direction == "up" and name not in _OF_TRAINING
        stage = "val" if counted else "train"
    return stage, name


class Series:
    """Curves being read into a draft: a step that comes again replaces all from it on."""

    def __init__(self, draft: Draft) -> None:
        """The curves of one run."""
        self._draft = draft
        self._curves: dict[tuple[str, str], dict[int, float]] = {}
        self._percent: set[str] = set()
        self._again = self._back = 0

    def add(self, tag: str, step: int, value: float, split: str = "") -> None:
        """One point of the curve `tag`; `split` is the source's own word for it."""
        own, name = place(tag)
        key = (STAGES.get(split.lower(), split.replace("/", ".")) if split else own, name)
        if split_unit(tag)[1] in {"%", "percent"}:
            self._percent.add(name)
        curve = self._curves.setdefault(key, {})
        latest = next(reversed(curve), None)
        if latest is not None and step <= latest:
            self._again += step in curve
            self._back += step < latest
            for later in [s for s in curve if s >= step]:
                del curve[later]
        curve[step] = value
        self._draft.consume(tag)

    def __bool__(self) -> bool:
        return any(self._curves.values())

    def steps(self) -> int:
        """The last step of the longest curve; 0 where there is none."""
        return max((max(c) for c in self._curves.values()), default=0)

    def curve(self, split: str, name: str) -> dict[int, float]:
        """Step -> value, as the source has it; empty where it was never logged."""
        return self._curves.get((split, name), {})

    @property
    def scores(self) -> list[str]:
        """Known scores by name, the primary one first: those of `val` and `test`, if there are."""
        held = [name for split, name in self._curves if split != "train"]
        found = dict.fromkeys(held or [name for _, name in self._curves])
        return sorted((n for n in found if _known(n) is not None), key=_importance)

    def settle(self) -> tuple[Metric, ...]:
        """Write the curves into the draft; the scores, the primary one first.

        A score shown in percent whose curve goes above 1 was logged in percent: it is stored as a
        fraction.
        """
        for (split, name), curve in self._curves.items():
            metric = _known(name)
            shown = metric is not None and metric.display == "percent"
            scale = shown and self._logged_in_percent(name)
            if scale:
                self._draft.percent[name] = None
            for step, value in curve.items():
                self._draft.point(step, split, name, _hundredth(value) if scale else value)
        if self._back or self._again:
            self._draft.remark(
                "its step counter goes back or repeats: of each step the later value is kept"
            )
        return tuple(_shown(known) for known in map(_known, self.scores) if known is not None)

    def _logged_in_percent(self, name: str) -> bool:
        values = (v for (_, n), curve in self._curves.items() if n == name for v in curve.values())
        return name in self._percent or any(1 < abs(v) < math.inf for v in values)


def _stage(tag: str) -> tuple[str, str]:
    before = _BEFORE.fullmatch(tag)
    if before:
        return STAGES[before[1].lower()], before[2]
    bare_tag = _CONTAINER.sub("", tag, count=1)
    after = _AFTER.fullmatch(bare_tag)
    if after:
        return STAGES[after[2].lower()], after[1]
    return "", bare_tag


def _known(name: str) -> Metric | None:
    found = known_metric(name)
    return found if found is not None and found.name == name and not STAGE.match(name) else None


def _importance(name: str) -> tuple[bool, bool, int, int]:
    metric, rank = _known(name), RANK.fullmatch(bare(name))
    order = 0 if rank else list(METRICS).index(bare(name))
    down = metric is not None and metric.direction == "down"
    return down, name in _LATE, order, int(rank[1]) if rank else 0


def _shown(metric: Metric) -> Metric:
    return replace(metric, digits=2 if metric.display == "percent" else 4)


def stored(value: float) -> float:
    """A single score shown in percent as it is stored: one above 1 was logged in percent."""
    return _hundredth(value) if 1 < abs(value) < math.inf else value


def _hundredth(value: float) -> float:
    return float(Decimal(repr(value)) / 100) if math.isfinite(value) else value
