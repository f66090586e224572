"""What the options of `ablate compare` mean, and the conditions that end it with 1."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ablate.analysis.cells import Cell
    from ablate.metric import Metric
    from ablate.record import Finding
    from ablate.report.comparison import Evidence
    from ablate.selection import Selection
    from ablate.store import Store
    from ablate.study import Study

_CONDITION = re.compile(
    r"\s*(?P<metric>\S.*?)\s*(?P<sign><=|>=|<|>)\s*"
    r"(?P<bound>[-+\u2212]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(?P<percent>%?)\s*"
)
EXACT = 9
"""Decimals to which a difference is compared with its bound: float noise does not decide."""


def distinct(variants: Sequence[str]) -> list[str]:
    """Two names or more, no two the same; raises UsageError."""
    from ablate.errors import UsageError

    if len(variants) < 2:  # noqa: PLR2004 - the reference and another
        raise UsageError("compare needs two configurations or more: ablate compare A B")
    twice = next((v for i, v in enumerate(variants) if v in variants[:i]), None)
    if twice is not None:
        raise UsageError(f"{twice!r} is named twice: a configuration is compared with others")
    return list(variants)


def steps(text: str | None) -> tuple[int, ...]:
    """The steps of `--at`, each once, in order; raises UsageError."""
    from ablate.errors import UsageError

    if text is None:
        return ()
    words = [w.strip() for w in text.split(",")]
    if not all(re.fullmatch(r"\d{1,18}", w) for w in words):
        raise UsageError(f"--at {text}: steps are whole numbers with commas, as in 50,600,1200")
    return tuple(sorted({int(w) for w in words}))


def pattern(text: str | None) -> re.Pattern[str] | None:
    """The pattern of `--cluster`; raises UsageError where it is none or has no group."""
    from ablate.errors import UsageError

    if text is None:
        return None
    try:
        found = re.compile(text)
    except re.error as wrong:
        raise UsageError(f"--cluster {text}: no regular expression: {wrong}") from None
    if not found.groups:
        raise UsageError(f"--cluster {text}: its first group is the cluster, as in _(id\\d+)_")
    return found


def metric_named(study: "Study", option: str, name: str) -> "Metric":
    """The study's metric of that name; raises UsageError with the nearest."""
    from ablate.errors import UsageError, not_one_of

    try:
        return study.metric(name)
    except KeyError:
        known = not_one_of("metric", name, study.directions)
        raise UsageError(f"{option}: {known}") from None


def metrics_named(study: "Study", names: Iterable[str]) -> tuple[str, ...]:
    """The metrics of `--metric`; raises UsageError."""
    return tuple(dict.fromkeys(metric_named(study, "--metric", n).name for n in names))


@dataclass(frozen=True, slots=True)
class Condition:
    """One `--fail-if`: a bound of the estimated difference, in display units or in percent."""

    text: str
    metric: "Metric"
    sign: str
    bound: float
    relative: bool

    def failures(self, document: Mapping[str, Any]) -> list[str]:
        """A line for each pair in which it holds; raises UsageError where one has no difference."""
        lines = (self._failure(document, pair) for pair in document["pairs"])
        return [line for line in lines if line is not None]

    def _failure(self, document: Mapping[str, Any], pair: Mapping[str, Any]) -> str | None:
        entry = next((e for e in pair["metrics"] if e["metric"] == self.metric.name), None)
        value = self._value(entry)
        if entry is None or value is None:
            raise self._unknown(pair, entry)
        rounded = round(value, EXACT)
        if not _HOLDS[self.sign](rounded, self.bound):
            return None
        return (
            f"failed: {self.text}: {self._said(entry)} ({pair['b']} minus {pair['a']};"
            f" {self._certainty(entry, document['study']['level'])})"
        )

    def _value(self, entry: Mapping[str, Any] | None) -> float | None:
        if entry is None or entry["difference"] is None:
            return None
        if self.relative:
            return None if entry["relative"] is None else 100 * float(entry["relative"])
        return float(self.metric.shown(entry["difference"]["estimate"]))

    def _unknown(self, pair: Mapping[str, Any], entry: Mapping[str, Any] | None) -> Exception:
        from ablate.errors import UsageError

        if entry is not None and entry["difference"] is not None:
            return UsageError(
                f"--fail-if {self.text}: the mean of {pair['a']} is 0, so there is no relative"
                " change"
            )
        without = [
            pair[side] for side in ("a", "b") if entry is None or entry[side]["mean"] is None
        ]
        return UsageError(
            f"--fail-if {self.text}: no finite {self.metric.label} of {' and '.join(without)}, so"
            " the difference cannot be computed"
        )

    def _said(self, entry: Mapping[str, Any]) -> str:
        from ablate.metric import signed

        if self.relative:
            text = f"{signed(100 * entry['relative'], 2)} % rel."
        else:
            unit = f" {self.metric.unit}" if self.metric.unit else ""
            text = f"{self.metric.difference(entry['difference']['estimate'])}{unit}"
        lost = entry["a"]["lost"] + entry["b"]["lost"]
        return f"{self.metric.label} {text}" + (f", left out as not finite: {lost}" if lost else "")

    def _certainty(self, entry: Mapping[str, Any], level: float) -> str:
        effect = entry["difference"]
        if entry["verdict"] is None and max(entry["a"]["n"], entry["b"]["n"]) < 2:  # noqa: PLR2004 - a spread needs two
            return "one run a side: no interval"
        if effect["low"] is None:
            return "no interval"
        if self.relative:
            return "the interval is of the difference, not of the relative change"
        ends = [self.metric.shown(effect[k]) for k in ("low", "high")]
        beyond = all(_HOLDS[self.sign](round(e, EXACT), self.bound) for e in ends)
        kept = "excludes" if beyond else "reaches beyond"
        return f"its {100 * level:g} % interval {kept} the bound"


_HOLDS = {
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


def conditions(study: "Study", texts: Iterable[str], shown: Sequence[str] = ()) -> list[Condition]:
    """The conditions of `--fail-if`; raises UsageError for what is none or of no metric shown."""
    from ablate.errors import UsageError

    found = []
    for text in texts:
        parts = _CONDITION.fullmatch(text)
        bound = math.nan if parts is None else float(parts["bound"].replace("\u2212", "-"))
        if parts is None or not math.isfinite(bound):
            raise UsageError(
                f"--fail-if {text}: it is METRIC < NUMBER, with <, <=, > or >=, as in 'mAP < -0.5'"
                " (points) or 'mAP < -2 %' (relative)"
            )
        metric = metric_named(study, "--fail-if", parts["metric"])
        if shown and metric.name not in shown:
            raise UsageError(f"--fail-if {text}: {metric.name} is not among those of --metric")
        found.append(
            Condition(" ".join(text.split()), metric, parts["sign"], bound, bool(parts["percent"]))
        )
    return found


def evidence(store: "Store", chosen: Sequence["Cell"]) -> "Evidence":
    """What the completed trials of these configurations left behind."""
    from ablate.report.comparison import Evidence

    keys = [r.key for c in chosen for r in c.completed]
    return Evidence(
        curves={k: store.curves(k) for k in keys},
        items={k: store.items(k) for k in keys},
        settings={k: store.settings(k) for k in keys},
    )


def doubts(
    store: "Store", study: "Study", chosen: Sequence["Cell"], rule: "Selection | None"
) -> list["Finding"]:
    """What the audit has to say of these configurations' runs, under the rule of their scores."""
    from ablate.cli.reading import findings_of

    own = {r.key for c in chosen for r in c.records}
    return [f for f in findings_of(store, study, rule) if not f.keys or own & set(f.keys)]


def check_steps(document: Mapping[str, Any], text: str | None) -> None:
    """Raise UsageError where `--at` has no curve to be of."""
    from ablate.errors import UsageError

    if text is not None and not document["curves"]:
        raise UsageError(f"--at {text}: no curve of two steps or more is stored of all of these")


def check_clusters(document: Mapping[str, Any], text: str | None) -> None:
    """Raise UsageError where `--cluster` gathered no items: none there, or names that it misses."""
    from ablate.errors import UsageError

    entries = [e for pair in document["pairs"] for e in pair["items"]]
    if text is None or any((e["resampled"] or {}).get("by") == "--cluster" for e in entries):
        return
    if not entries:
        raise UsageError(f"--cluster {text}: no items are stored of both sides")
    raise UsageError(f"--cluster {text}: not every item's name matches it")
