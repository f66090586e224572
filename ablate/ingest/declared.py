"""Readers that a project declares by regular expressions, in `ablate.toml`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatch
from pathlib import Path

from ablate.errors import SpecError, UsageError, not_one_of
from ablate.ingest.curves import Curves
from ablate.ingest.exported import check_not_own
from ablate.ingest.logfile import LogFile, logs, stem
from ablate.ingest.names import COST_UNITS, UNITS, known_metric, other_metric
from ablate.ingest.run import UNREAD, Draft, Reader, Run
from ablate.ingest.series import place
from ablate.ingest.stamps import STAMP, Clock, Fault
from ablate.ingest.suspects import VALUE, Suspects, looks_measured
from ablate.ingest.text import without_places
from ablate.metric import Metric
from ablate.record import State
from ablate.selection import Selection, held
from ablate.spec.systems import PatternTable, ReaderTable, metric

LONGEST = 4096
"""Characters of a line that patterns are tried on."""

_COUNTER = "as printed"
_STAMP = re.compile(STAMP)
_VALUE = re.compile(VALUE, re.IGNORECASE)
_GOES_ON = re.compile(r"[eE][-+]?\d|,\d{3}(?!\d)")
"""An exponent, or thousands: `[\\d.]+` matches 1.5 of 1.5e-05, and 1 of 1,234."""
_REMEMBERED = ("step", "split")
_NUMBERS = ("curve", "cost", "best")
_ENDLESS = re.compile(r"\((?:\?:|\?P<\w+>)?(?:[^()\\|]|\\.)*(?<!\\)[+*}]\)(?:[+*]|\{\d+,\})")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A declared pattern, compiled."""

    match: re.Pattern[str]
    table: PatternTable

    @property
    def measures(self) -> tuple[str, ...]:
        """Its groups that are measurements of their own name."""
        apart = (*_REMEMBERED, "name", "value")
        named = "name" in self.match.groupindex and "value" in self.match.groupindex
        return tuple(g for g in self.match.groupindex if g not in (apart if named else _REMEMBERED))

    def called(self, position: int) -> str:
        """How a person finds it: its place, and its groups or its kind."""
        return f"patterns[{position}] ({', '.join(self.match.groupindex) or self.table.kind})"


class DeclaredLines:
    """Reads one program's output by the patterns of a table, all of them on every line."""

    def __init__(self, draft: Draft, patterns: tuple[Pattern, ...], table: ReaderTable) -> None:
        """The lines of one run."""
        self.draft = draft
        self.number = 0
        self.taken = False
        """Whether any pattern found anything."""
        self._patterns, self._table = patterns, table
        self._names = {one.key or name: name for name, one in table.metrics.items()}
        self._curves = Curves(draft)
        self._clock, self._fault, self._suspects = Clock(), Fault(), Suspects(draft)
        self._step: int | None = None
        self._split = ""
        self._counts: dict[tuple[str, str], int] = {}
        self._ended = self._back = False
        self._refused: dict[tuple[int, str, str], int] = {}

    def line(self, text: str) -> None:
        """Take one line."""
        self.number += 1
        text = text[:LONGEST]
        if stamp := _STAMP.search(text):
            self._clock.see(stamp[0])
        taken = False
        for position, pattern in enumerate(self._patterns):
            for found in pattern.match.finditer(text):
                taken |= self._take(position, pattern, found)
        if taken:
            self.taken = True
            self._fault.clear()
        elif not self._fault.see(text) and self.number not in self._refused.values():
            self._suspects.see(self.number, text)

    def end(self) -> None:
        """Settle the state by the pattern that ends a run, where one is declared."""
        self._clock.settle(self.draft)
        self._curves.settle()
        if self._back:
            self.draft.remark("its steps go back: of each step the later value counts")
        for one in self.metrics():
            if one.display == "percent" and self._above_one(one.name):
                self.draft.remark(
                    f"{one.name} goes above 1, though it is a fraction: write unit = '%' in its"
                    " pattern if the program prints percent"
                )
        self.draft.state, self.draft.reason = self._state()
        for doubt in self._about_the_primary():
            self.draft.remark(doubt)

    def torn(self) -> None:
        """The file ends in the middle of a line: only a line that ends a run says it is whole."""
        if self.draft.state is State.COMPLETED and not self._ended:
            self.draft.state = State.INCOMPLETE
            self.draft.reason = "the log ends in the middle of a line"

    def metrics(self) -> tuple[Metric, ...]:
        """Those declared, or else what was measured outside training."""
        if self._table.metrics:
            return tuple(metric(name, one) for name, one in self._table.metrics.items())
        measured = [
            (split, name) for split, name, _ in self.draft.scalars if "best_step" not in name
        ]
        tested = dict.fromkeys(name for split, name in measured if split != "train")
        names = dict.fromkeys((*(tested or (name for _, name in measured)), *self.draft.scores))
        return tuple(known_metric(name) or other_metric(name, None) for name in names)

    def _take(self, position: int, pattern: Pattern, found: re.Match[str]) -> bool:
        groups = {name: text for name, text in found.groupdict().items() if text is not None}
        self.draft.consume(pattern.called(position))
        if "step" in groups and not self._at(groups["step"]):
            self._refuse((position, "step", groups["step"]), found.string, "no whole number")
            return False
        self._split = groups.get("split", self._split)
        match pattern.table.kind:
            case "end":
                self._ended = True
            case "curve" | "cost" | "best":
                at, pairs = (position, pattern), _pairs(pattern, groups)
                read = [self._number(at, found, *pair) for pair in pairs]
                return all(read)
            case _:
                self._text(pattern, groups)
        return True

    def _at(self, text: str) -> bool:
        if not re.fullmatch(r"[0-9]{1,15}", text):
            return False
        step = int(text)
        self._back = self._back or (self._step is not None and step < self._step)
        self._step = step
        return True

    def _refuse(self, what: tuple[int, str, str], line: str, why: str) -> None:
        """Report a group that matched and cannot be taken; of texts that differ in digits one."""
        position, group, said = what
        kind = (position, group, re.sub(r"\d+", "#", said))
        if len(self._refused) < UNREAD and kind not in self._refused:
            self._refused[kind] = self.number
            where = f"patterns[{position}]: {group} = {said[:30]!r} is {why}"
            self.draft.miss(self.number, f"{where}: {line.strip()}")

    def _number(self, at: tuple[int, Pattern], found: re.Match[str], group: str, name: str) -> bool:
        position, pattern = at
        said = found[group].strip()
        text = said.removesuffix("%").rstrip()
        if not _VALUE.fullmatch(text):
            self._refuse((position, group, said), found.string, "no number")
            return False
        rest = found.string[found.end(group) :]
        if _GOES_ON.match(rest):
            self._refuse((position, group, said), found.string, "the beginning of a number alone")
            return False
        unit = pattern.table.unit
        after = text != said or re.match(r"\s?%", rest) is not None
        percent = unit == "%" or after
        value = float(Decimal(text) / 100) if percent else float(text)
        kind = pattern.table.kind
        if kind == "cost":
            known = name in COST_UNITS
            scale = UNITS[name].get(unit.lower(), 1.0) if known else 1.0
            self.draft.cost(name, value * scale, COST_UNITS.get(name, unit), _COUNTER)
            return True
        split, name = self._place(pattern, name)
        if kind == "best":
            self._best(split, name, value)
        else:
            self._measure(split, name, value)
        return True

    def _place(self, pattern: Pattern, said: str) -> tuple[str, str]:
        split = pattern.table.split or self._split
        own, name = (split or "test", said) if said in self._names else place(said)
        return split or own, self._names.get(said, self._names.get(name, name))

    def _measure(self, split: str, name: str, value: float) -> None:
        step = self._step
        if step is None:
            step = self._counts[split, name] = self._counts.get((split, name), 0) + 1
        self._curves.point(step, split, name, value)

    def _best(self, split: str, name: str, value: float) -> None:
        self.draft.best[name] = value
        points = self.draft.scalars
        steps = [s for of, n, s in points if (of, n) == (split, name) and points[of, n, s] == value]
        if steps and self._step is not None:
            before = points.get((split, held(name), self._step - 1))
            kept = before if before in steps else max(steps)
            self._curves.point(self._step, split, held(name), float(kept))

    def _text(self, pattern: Pattern, groups: Mapping[str, str]) -> None:
        kind = pattern.table.kind
        for name, text in _texts(pattern, groups):
            said = without_places(text.strip())
            if kind == "setting":
                self.draft.settings[name] = said
            elif kind == "fact":
                self.draft.facts[name] = said
            elif kind == "name":
                self.draft.name = said.replace("/", "-")
            elif re.fullmatch(r"[0-9]{1,18}", said):
                self.draft.seed = int(said)

    def _about_the_primary(self) -> Iterator[str]:
        """That what the study will be read by is not what its author would take."""
        measured = {name for _, name, _ in self.draft.scalars} | {*self.draft.scores}
        there = [m.name for m in self.metrics() if m.name in measured]
        first = next(iter(self._table.metrics), None)
        if not there:
            return
        if first is not None and first not in measured:
            yield f"{first}, the first score declared, is nowhere in it"
        elif first is None and all(split == "train" for split, _, _ in self.draft.scalars):
            yield f"no score outside training is in it: {there[0]} of training counts"

    def _above_one(self, name: str) -> bool:
        values = (v for (_, n, _s), v in self.draft.scalars.items() if n == name)
        return any(1 < v < float("inf") for v in values)

    def _state(self) -> tuple[State, str]:
        ends = any(p.table.kind == "end" for p in self._patterns)
        at = "" if self._step is None else f" at step {self._step}"
        if self._ended:
            return State.COMPLETED, ""
        if self._fault.text and not self._fault.interrupted:
            return State.FAILED, self._fault.text
        if not self.draft.scalars and not self.draft.scores:
            return State.PENDING, "the log holds no measurement"
        if ends or self._fault.text:
            return State.INCOMPLETE, f"the log ends{at} without the line that ends a run"
        if self.draft.state is not State.COMPLETED:  # no program that ended well says so either
            self.draft.remark(
                "no pattern of kind 'end' is declared: whether the log is whole is unknown"
            )
        return State.COMPLETED, ""


def declared(name: str, table: ReaderTable) -> Reader:
    """The reader that `[readers.NAME]` declares; raises SpecError naming the pattern at fault."""
    patterns = tuple(_compiled(name, i, one) for i, one in enumerate(table.patterns))
    metrics = tuple(metric(key, one) for key, one in table.metrics.items())
    select = _select(name, table, metrics)

    def begin(draft: Draft) -> DeclaredLines:
        return DeclaredLines(draft, patterns, table)

    def read(path: Path) -> Iterator[Run]:
        check_not_own(path)
        log = LogFile(path)
        lines = begin(Draft())
        for text in log:
            lines.line(text)
        if looks_measured(log.rest) or _speaks(log.rest, patterns):
            lines.draft.miss(lines.number + 1, f"{log.rest} (the file ends in this line)")
        lines.end()
        if log.torn:
            lines.torn()
        if not lines.taken:
            raise UsageError(f"{path}: no pattern of the reader {name!r} finds anything in it")
        lines.draft.name = lines.draft.name or stem(path)
        yield log.held(lines.draft.done(lines.metrics(), select))

    def find(path: Path) -> Iterator[Path]:
        for file in logs(path, lambda head: _speaks(head, patterns)):
            bare = file.name.removesuffix(".gz")
            if not path.is_dir() or any(fnmatch(bare, glob) for glob in table.files):
                yield file

    about = table.about or "declared in ablate.toml"
    return Reader(
        name=name,
        about=about,
        find=find,
        read=read,
        begin=begin,
        metrics=metrics,
        select=select,
        expected={one.called(i): one.table.match for i, one in enumerate(patterns)},
    )


def _select(name: str, table: ReaderTable, metrics: Sequence[Metric]) -> str:
    if not metrics:
        return table.select
    try:
        return str(Selection.parse(table.select, [m.name for m in metrics]))
    except ValueError as wrong:
        raise SpecError(f"readers.{name}.select: {wrong}", ("readers", name, "select")) from None


def _speaks(head: str, patterns: tuple[Pattern, ...]) -> bool:
    lines = [line[:LONGEST] for line in head.split("\n")]
    wanted = [p.match for p in patterns if p.table.kind in _NUMBERS]
    return any(
        match.search(line) for line in lines for match in wanted or [p.match for p in patterns]
    )


def _pairs(pattern: Pattern, groups: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Group of the number, and the name of what it measures."""
    if "value" in groups and "name" in groups:
        yield "value", groups["name"].strip()
    yield from ((g, g.replace("__", ".")) for g in pattern.measures if g in groups)


def _texts(pattern: Pattern, groups: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for group, name in _pairs(pattern, groups):
        yield name, groups[group]


def _compiled(name: str, position: int, table: PatternTable) -> Pattern:
    where = f"readers.{name}.patterns[{position}]"
    keys = ("readers", name, "patterns", position, "match")
    try:
        match = re.compile(table.match)
    except re.error as wrong:
        raise SpecError(f"{where}: no regular expression: {wrong}", keys) from None
    if _ENDLESS.search(table.match):
        raise SpecError(
            f"{where}: it repeats a group that ends in a repeat, which can take forever on one"
            " line: write the inner one without",
            keys,
        )
    for problem in _problems(match, table):
        raise SpecError(f"{where}: {problem}", keys)
    return Pattern(match, table)


def _problems(match: re.Pattern[str], table: PatternTable) -> Iterator[str]:
    groups = set(match.groupindex)
    if match.search(""):
        yield "it matches an empty line"
    if table.kind in {"seed", "name"} and table.kind not in groups:
        yield f"it must have the group (?P<{table.kind}>...)"
    if table.kind != "end" and not groups:
        yield "it has no named group, so it finds nothing: name one, like (?P<mAP>[0-9.]+)"
    if "value" in groups and "name" not in groups:
        yield "(?P<value>...) needs (?P<name>...) beside it, or give the group the metric's name"
    if table.kind == "cost" and table.unit:
        yield from _unknown_units(groups, table)


def _unknown_units(groups: set[str], table: PatternTable) -> Iterator[str]:
    for cost in groups & set(UNITS):
        if table.unit.lower() not in UNITS[cost]:
            yield not_one_of(f"unit of {cost}", table.unit, [u for u in UNITS[cost] if u])
