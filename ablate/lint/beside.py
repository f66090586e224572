"""Differences that stand beside both of their numbers: `77.6 vs 76.3 (+1.3)`."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from ablate.audit.check import Text
from ablate.lint import lexicon
from ablate.lint.differences import change, points_as_percent
from ablate.lint.ledger import Ledger
from ablate.lint.numbers import Number, exact, fit
from ablate.lint.statements import Statement
from ablate.lint.world import World
from ablate.metric import signed

_TO = re.compile(
    r"^\s*(?P<how>vs\.?|versus|→|->|⟶|降至|升至|下降至|提升至|到|to)\s*$", re.IGNORECASE
)
_FROM = re.compile(r"(?:\bfrom|从|由)\s*$", re.IGNORECASE)
_NEAR = 16
_OPEN = re.compile(r"^\s*[(（,，]\s*$")


def check_beside(statement: Statement, world: World, ledger: Ledger) -> None:
    """`A vs B (d)` and `A → B (d)`: the difference of two printed numbers."""
    text, of = statement.text, statement.numbers
    for a, b, d in zip(of, of[1:], of[2:], strict=False):
        how = _TO.match(text[a.end : b.start])
        if how is None or not _OPEN.match(text[b.end : d.start]) or not d.signed:
            continue
        ranged = (a.loose or b.loose) and not _FROM.search(text[max(0, a.start - _NEAR) : a.start])
        if ranged or d.loose or a.unit != b.unit or a.signed or b.signed:
            continue
        first, second = (b, a) if how["how"].lower().startswith("v") else (a, b)
        said = _difference(statement, (first, second), d, (world, ledger))
        if said is not None and world.holds(a) and world.holds(b):
            ledger.accuse(statement.place(d.start), "wrong", "difference", said)


def _difference(
    statement: Statement, ab: tuple[Number, Number], d: Number, tools: tuple[World, Ledger]
) -> Text | None:
    """Trace a difference that is right; what is to be said of one that is not."""
    (a, b), (world, ledger) = ab, tools
    place = statement.place(d.start)
    apart, slack = b.value - a.value, a.half + b.half
    percent = a.unit == "%"
    ratio, moved = change(a, b) if a.value else (None, None)
    points = abs(d.value - apart) <= slack + d.half
    relative = (
        d.unit == "%"
        and ratio is not None
        and moved is not None
        and abs(d.value - ratio) <= moved + d.half
        and _related(d, [ratio, *_stored(world, a, b)])
    )
    hundred = abs(d.value - 100 * apart) <= 100 * slack + d.half and not percent
    if points and not (percent and d.unit == "%" and relative):
        ledger.trace(place)
        if percent and d.unit == "%" and not called_so(statement, d):
            ledger.accuse(place, *points_as_percent(d))
    elif relative:
        ledger.trace(place)
        called_absolute(
            statement, d, signed(float(100 * apart if not percent else apart), 2), ledger
        )
    elif hundred:
        ledger.trace(place)
    elif d.unit in {"", "%", "points"} and ratio is not None:
        shown = signed(float(apart), max(a.decimals, b.decimals))
        rel = signed(float(ratio), max(2, d.decimals))
        return Text(
            f"{a.text} to {b.text} is {shown} ({rel} % rel.), not {d.text}",
            f"{a.text} 到 {b.text} 为 {shown}（相对 {rel} %），不是 {d.text}",
        )
    return None


def _stored(world: World, a: Number, b: Number) -> Iterator[Decimal]:
    """The relative changes between the stored scores that round to two printed numbers."""
    for quantity in world.quantities:
        values = [m for v in world.cells for m in world.means(v, quantity)]
        of = [[m for m in values if world.fit(n, m, quantity, n.unit) == "rounded"] for n in (a, b)]
        yield from (exact(100 * (y - x) / abs(x)) for x in set(of[0]) for y in set(of[1]) if x)


def _related(d: Number, changes: Sequence[Decimal]) -> bool:
    """Whether a relative change is one of some, rounded or cut off; yes where only print is known.

    The first is that of the printed numbers.
    """
    return len(changes) == 1 or any(fit(d.value, d.decimals, c) != "no" for c in changes)


def called_so(statement: Statement, d: Number) -> bool:
    """Whether a number is called an absolute difference, and nothing in its line a relative one."""
    near = statement.text[max(0, d.start - _NEAR) : d.end + _NEAR]
    said = lexicon.ABSOLUTE.search(near) is not None
    return said and not lexicon.RELATIVELY.search(statement.text)


def called_absolute(statement: Statement, d: Number, points: str, ledger: Ledger) -> None:
    """Accuse a relative change that is called an absolute one."""
    if called_so(statement, d):
        ledger.accuse(
            statement.place(d.start),
            "mislabelled",
            "relative",
            Text(
                f"{d.text} is relative; the absolute difference is {points} points",
                f"{d.text} 是相对变化；绝对差为 {points} 个百分点",
            ),
        )
