"""Numbers in sentences: scores, differences and their units, ratios and shares."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from ablate.audit.check import Text
from ablate.lint import lexicon
from ablate.lint.beside import called_absolute, called_so, check_beside
from ablate.lint.differences import compare, cut_off, points_as_percent
from ablate.lint.ledger import Ledger
from ablate.lint.names import Names
from ablate.lint.numbers import Number, exact, fit
from ablate.lint.spoken import PERFORMANCE, spoken_of
from ablate.lint.statements import LONGEST, Statement
from ablate.lint.sums import parts_of
from ablate.lint.world import Quantity, World
from ablate.metric import plain, signed

_DOWN = re.compile(
    r"(?:下降|降低|反降|减少|降|低|drops?|dropped|falls?|fell|loses|lost|decreased?|worse)"
    r"(?:了|\s*(?:by|of|about))?\s*$",
    re.IGNORECASE,
)
_UP = re.compile(
    r"(?:提升|提高|上升|增加|增长|高出|升|高|rises?|rose|gains?|gained|improved?s?|increased?|better)"
    r"(?:了|\s*(?:by|of|about))?\s*$",
    re.IGNORECASE,
)
_GROWN = re.compile(
    r"(?:增加|增长|提高|increased?|grown|grew|rose)(?:了|\s*(?:by))?\s*$", re.IGNORECASE
)
_THREE, _DISTINCT = 3, 4
_CLAUSE = "，,；;。|（）()"
_NEAR = 24


def check_prose(found: Sequence[Statement], names: Names, ledger: Ledger) -> None:
    """Trace the numbers of sentences; accuse only where what is meant is certain."""
    for statement in found:
        places = ((statement.place(n.start), n.text) for n in _claims(statement))
        ledger.enter(places)
        of = _Of(statement, names, ledger)
        check_beside(statement, names.world, ledger)
        for number in statement.numbers if len(statement.text) <= LONGEST else ():
            of.ratio(number)
            of.change(number)
            of.score(number)


def _claims(statement: Statement) -> list[Number]:
    """The numbers that say something: with decimals, a sign or a unit; no settings, no counts."""
    if statement.kind == "heading":
        return []
    configured = statement.kind == "code" and not statement.named and not statement.mentions
    return [
        n
        for n in statement.numbers
        if (n.decimals or n.unit or n.signed) and not (configured and n.unit not in {"%", "points"})
    ]


@dataclass(frozen=True, slots=True)
class _Of:
    statement: Statement
    names: Names
    ledger: Ledger

    @property
    def world(self) -> World:
        """What the records say."""
        return self.names.world

    def ratio(self, number: Number) -> None:
        """`increased 2.5 times` of what is 2.5 times as much."""
        before = self._before(number)
        if number.unit != "times" or not self._costs(number):
            return
        for cost in self._costs(number):
            for a, b in self._pairs():
                values = self.world.mean(a, cost), self.world.mean(b, cost)
                if not values[0] or values[1] is None:
                    continue
                times = values[1] / values[0]
                if fit(number.value, number.decimals, exact(times)) != "rounded":
                    continue
                place = self.statement.place(number.start)
                self.ledger.trace(place)
                if _GROWN.search(before) and abs(times - 1) > 1 / 2:
                    more = plain(times - 1, 2)
                    self.ledger.accuse(
                        place,
                        "mislabelled",
                        "ratio",
                        Text(
                            f"{cost.label} of {b} is {plain(times, 2)} times that of {a}:"
                            f" it grew by {more} times",
                            f"{b} 的 {cost.label} 是 {a} 的 {plain(times, 2)} 倍：增加了 {more} 倍",
                        ),
                    )
                return

    def _before(self, number: Number) -> str:
        """The words that lead to a number."""
        return self.statement.text[max(0, number.start - _NEAR) : number.start]

    def _costs(self, number: Number) -> list[Quantity]:
        """The costs that the clause of a number names."""
        start = max(self.statement.text.rfind(mark, 0, number.start) for mark in _CLAUSE) + 1
        inside = [n for n in self.statement.named if n.start >= start or n.end == 0]
        found = [n.quantity for n in inside if n.quantity is not None and n.start <= number.start]
        if not found and start:  # in parentheses it belongs to what stands before them
            found = [
                n.quantity
                for n in self.statement.named
                if n.quantity is not None and n.end <= number.start
            ][-1:]
        return [q for q in found[-1:] if q.metric is None]

    def _pairs(self) -> Iterator[tuple[str, str]]:
        """What may be compared: its own configurations and the baseline, or what stands around."""
        own = [v for v in self.statement.own if v in self.world.cells]
        few = len(set(own) - {self.world.base}) < 2  # noqa: PLR2004 - two are a pair
        about = [v for v in self.statement.about if v in self.world.cells] if few else list(own)
        if len(self.world.cells) == 2:  # noqa: PLR2004 - a study of two is about these two
            about = list(self.world.cells)
        if self.world.base and self.world.base not in about:
            about.append(self.world.base)
        if own:
            yield from (pair for pair in permutations(about, 2) if set(pair) & set(own))
        elif self.world.base:
            yield from ((self.world.base, v) for v in about if v != self.world.base)

    def change(self, number: Number) -> None:
        """A signed number, or one after a word of rise or fall, as a difference."""
        before = self._before(number)
        down = _DOWN.search(before)
        worded = bool(down or _UP.search(before))
        place = self.statement.place(number.start)
        told = place in self.ledger.traced or any(f.place == place for f in self.ledger.findings)
        if told or number.loose or not (number.signed or worded):
            return
        cost = self._costs(number)
        metrics = self.statement.metrics or self._implied()
        asked, size = number, not number.signed
        if size and not self.statement.own:  # only from the baseline, in the direction of the word
            asked, size = replace(number, value=-number.value if down else number.value), False
        exactly, relatively = self._fits(asked, cost or metrics, size=size)
        if cost or number.unit not in {"%", "points", ""}:
            if exactly or relatively:
                self.ledger.trace(place)
            elif cost and number.unit == "%":
                self._cut(number, cost[0])
            return
        points = bool(exactly) or (not relatively and self._departure(number, metrics))
        if points or relatively:
            self.ledger.trace(place)
        absolute = called_so(self.statement, number)
        sure = spoken_of(exactly, self.statement, self.names) or (points and not exactly)
        if sure and not relatively and number.unit == "%" and not absolute:
            self.ledger.accuse(place, *points_as_percent(number))
        if relatively and not points:
            self._relative(number, relatively[0])

    def _cut(self, number: Number, cost: Quantity) -> None:
        """A relative change of a cost that is cut off, in a study of two configurations."""
        if any(self.world.floor(v, cost) for v in self.world.cells):
            return
        known = [self.world.mean(v, cost) for v in self.world.cells]
        if len(known) != 2 or not known[0] or known[1] is None:  # noqa: PLR2004 - of two
            return
        percent = 100 * (known[1] - known[0]) / abs(known[0])
        if fit(number.value, number.decimals, exact(percent)) == "truncated":
            place, said = self.statement.place(number.start), signed(percent, number.decimals + 2)
            self.ledger.trace(place)
            self.ledger.accuse(place, "mislabelled", "rounding", cut_off(number, f"{said} %"))

    def _implied(self) -> tuple[Quantity, ...]:
        """The primary metric, of a statement about a configuration or about performance."""
        spoken = self.statement.about or PERFORMANCE.search(self.statement.text)
        return self._primary() if spoken else ()

    def _primary(self) -> tuple[Quantity, ...]:
        primary = self.world.study.primary
        return tuple(q for q in self.world.quantities if q.name == primary)

    def _departure(self, number: Number, metrics: Iterable[Quantity]) -> bool:
        """Whether it is what a combination departs from the sum of its modules."""
        for quantity in metrics:
            for variant in self.statement.about:
                parts = (
                    parts_of(self.world, variant, quantity) if variant in self.world.cells else None
                )
                actual = self.world.mean(variant, quantity) if parts else None
                if parts and actual is not None:
                    apart = actual - parts[0] - sum(parts[1].values())
                    if self.world.fit(number, apart, quantity, "%") == "rounded":
                        return True
        return False

    def _fits(
        self, number: Number, quantities: Iterable[Quantity], *, size: bool
    ) -> tuple[list[tuple[Quantity, str, str]], list[tuple[Quantity, float, float]]]:
        """Differences and relative changes of what is spoken of that round to a number."""
        exactly: list[tuple[Quantity, str, str]] = []
        relatively: list[tuple[Quantity, float, float]] = []
        for quantity in quantities:
            unit = "" if quantity.metric is None and number.unit == "%" else number.unit
            for a, b in self._pairs():
                ends = self.world.mean(a, quantity), self.world.mean(b, quantity)
                if ends[0] is None or ends[1] is None:
                    continue
                answer = compare(number, quantity, (ends[0], ends[1]), unit=unit, size=size)
                if answer.points == "rounded" and quantity.scales(unit):
                    exactly.append((quantity, a, b))
                if answer.relative == "rounded":
                    relatively.append((quantity, ends[0], ends[1]))
        return exactly, relatively

    def _relative(self, number: Number, of: tuple[Quantity, float, float]) -> None:
        """`-2.71% mAP` where mAP fell by 1.78 points."""
        quantity, a, b = of
        after = self.statement.text[number.end :]
        metric = next((n for n in self.statement.named if n.start >= number.end), None)
        adjoined = metric is not None and not after[: metric.start - number.end].strip()
        named = lexicon.RELATIVELY.search(self.statement.text)
        if number.unit != "%" or quantity.metric is None or named:
            return
        points = quantity.metric.difference(b - a)
        if quantity.percent and adjoined and metric is not None and metric.quantity == quantity:
            points = signed(
                quantity.metric.shown(b - a), max(number.decimals, quantity.metric.digits)
            )
            self.ledger.accuse(
                self.statement.place(number.start),
                "mislabelled",
                "relative",
                Text(
                    f"{number.text} is the relative change;"
                    f" {quantity.label} changed by {points} points",
                    f"{number.text} 是相对变化；{quantity.label} 变化 {points} 个百分点",
                ),
            )
        else:
            called_absolute(self.statement, number, points, self.ledger)

    def score(self, number: Number) -> None:
        """A score or a cost of a configuration that the statement is about."""
        place = self.statement.place(number.start)
        if number.signed or place in self.ledger.traced:
            return
        costs = self._costs(number)
        for quantity in [*costs, *(self.statement.metrics or self._primary())]:
            if not number.decimals and quantity.metric is not None:
                continue
            for variant in self.world.cells:
                near = variant in self.statement.about
                enough = number.decimals > 1 or number.digits >= _THREE
                if not near and not (enough and quantity in self.statement.scores):
                    continue
                known = [*self.world.means(variant, quantity), *self.world.runs(variant, quantity)]
                base = self.world.mean(self.world.base or "", quantity)
                if quantity.metric is None and base is not None and known:
                    known.append(known[0] - base)
                unit = number.unit
                if any(self.world.fit(number, v, quantity, unit) == "rounded" for v in known):
                    self.ledger.trace(place)
                    return
        if len(self._holders(number)) == 1:
            self.ledger.trace(place)

    def _holders(self, number: Number) -> set[tuple[str, str]]:
        """The configurations and metrics that a number of four digits or more is stored of."""
        if number.digits < _DISTINCT or number.unit not in {"", "%"}:
            return set()
        return {
            (v, q.name)
            for q in self.world.quantities
            for v in self.world.cells
            for m in self.world.runs(v, q)
            if q.metric is not None and self.world.fit(number, m, q, number.unit) == "rounded"
        }
