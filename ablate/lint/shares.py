"""Shares: so many parameters more, and how many percent they are said to be."""

import re
from collections.abc import Sequence
from itertools import permutations

from ablate.audit.check import Text
from ablate.lint.ledger import Ledger
from ablate.lint.names import Names
from ablate.lint.numbers import Number, exact, fit
from ablate.lint.statements import Statement
from ablate.lint.world import Quantity, World
from ablate.metric import plain

_OPENED = re.compile(r"^[^\d]{0,30}[(（]\s*$")
_FEW = 1000


def check_shares(found: Sequence[Statement], names: Names, ledger: Ledger) -> None:
    """Check `25,984 parameters (1.4 %)` against the parameters of both sides."""
    world = names.world
    quantity = next((q for q in world.quantities if q.name == "params"), None)
    if quantity is None:
        return
    wrong: dict[str, Text] = {}
    for statement in found:
        for more, share in zip(statement.numbers, statement.numbers[1:], strict=False):
            between = statement.text[more.end : share.start]
            if share.unit == "%" and more.value >= _FEW and _OPENED.match(between):
                said = _share(statement, (more, share), (world, quantity), ledger)
                if said is not None:
                    wrong[share.text.lstrip("+")] = said
    for statement in found:
        for number in statement.numbers:
            said = wrong.get(number.text.lstrip("+"))
            place = statement.place(number.start)
            if said is None or place in ledger.traced:
                continue
            if any(n.quantity == quantity for n in statement.named):
                ledger.accuse(place, "wrong", "share", said)


def _share(
    statement: Statement,
    printed: tuple[Number, Number],
    of: tuple[World, Quantity],
    ledger: Ledger,
) -> Text | None:
    (more, share), (world, quantity) = printed, of
    means = {world.mean(v, quantity) for v in world.cells} - {None}
    pairs = [
        (a, b)
        for a, b in permutations([m for m in means if m is not None], 2)
        if a and b - a == float(more.value)
    ]
    if len(pairs) != 1:
        return None
    a, b = pairs[0]
    ledger.trace(statement.place(more.start))
    shares = [100 * (b - a) / a, 100 * (b - a) / b]
    if any(fit(share.value, share.decimals, exact(s)) == "rounded" for s in shares):
        ledger.trace(statement.place(share.start))
        return None
    one, all_ = (plain(s, 2) for s in shares)
    said = Text(
        f"{more.text} is {one} % of {a:,.0f} ({all_} % of the total), not {share.text}",
        f"{more.text} 是 {a:,.0f} 的 {one} %（占总数的 {all_} %），不是 {share.text}",
    )
    ledger.accuse(statement.place(share.start), "wrong", "share", said)
    return said
