"""Roadmaps drawn with arrows: a score, below it the change, below that the next score."""

import re
from collections.abc import Sequence

from ablate.audit.check import Text
from ablate.lint.differences import change
from ablate.lint.ledger import Ledger
from ablate.lint.numbers import Number, fit
from ablate.lint.statements import Statement
from ablate.lint.world import World
from ablate.metric import signed

_ARROW = re.compile(r"^\s*(?:↓|⬇|\||│|v)\s")


def check_roadmaps(found: Sequence[Statement], world: World, ledger: Ledger) -> None:
    """Recompute each step of a roadmap from the scores that it stands between."""
    lines = [s for s in found if s.kind == "code"]
    for above, arrow, below in zip(lines, lines[1:], lines[2:], strict=False):
        if (above.line, below.line) != (arrow.line - 1, arrow.line + 1):
            continue
        a, d, b = _one(above), _one(arrow), _one(below)
        if _ARROW.match(arrow.text) and a and b and d and d.signed and d.unit == "%" and a.value:
            _step(arrow, (a, b), d, (world, ledger))


def _one(statement: Statement) -> Number | None:
    """The only number with decimals in a line."""
    known = [n for n in statement.numbers if n.decimals and not n.loose]
    return known[0] if len(known) == 1 else None


def _step(
    arrow: Statement, ab: tuple[Number, Number], d: Number, tools: tuple[World, Ledger]
) -> None:
    (a, b), (world, ledger) = ab, tools
    value, slack = change(a, b)
    place = arrow.place(d.start)
    points = b.value - a.value if a.unit == "%" else 100 * (b.value - a.value)
    near = abs(d.value - value) <= slack + d.half
    if near or fit(d.value, d.decimals, points) == "rounded":
        ledger.trace(place)
        return
    if not world.holds(a) or not world.holds(b):
        return
    rel = signed(float(value), max(2, d.decimals))
    apart = signed(float(points), 2)
    ledger.accuse(
        place,
        "wrong",
        "difference",
        Text(
            f"{a.text} to {b.text} is {rel} % rel. ({apart} points), not {d.text}",
            f"{a.text} 到 {b.text} 的相对变化为 {rel} %（{apart} 个百分点），不是 {d.text}",
        ),
    )
