"""What a difference in a sentence is of: of many configurations some two differ by any number."""

import re
from collections.abc import Iterable

from ablate.lint.names import Names
from ablate.lint.statements import Statement
from ablate.lint.world import Quantity, World

PERFORMANCE = re.compile(r"性能|效|performance|score", re.IGNORECASE)


def spoken_of(
    fits: Iterable[tuple[Quantity, str, str]], statement: Statement, names: Names
) -> bool:
    """Whether one of some differences is of the two configurations that a statement is about.

    These it names itself, or it prints the score of one of them.
    """
    named = _named(statement, names)
    return any(
        {a, b} <= named or any(_prints(statement, v, quantity, names.world) for v in (a, b))
        for quantity, a, b in fits
    )


def _named(statement: Statement, names: Names) -> set[str]:
    """The two configurations that it or its heading names, of a metric that it speaks of."""
    world = names.world
    base = {world.base} if world.base else set()
    if len(world.cells) == 2:  # noqa: PLR2004 - a study of two is about these two
        return set(world.cells)
    if not statement.scores and not PERFORMANCE.search(statement.text):
        return set()
    own = set(statement.own)
    if not own - base:
        own = {m.variant for m in names.configurations(statement.heading)} - base
    return own | base if len(own) == 1 else own


def _prints(statement: Statement, variant: str, quantity: Quantity, world: World) -> bool:
    """Whether the score of a configuration stands in a statement."""
    return any(
        world.fit(number, mean, quantity, number.unit) == "rounded"
        for number in statement.numbers
        if number.decimals and not number.signed
        for mean in world.means(variant, quantity)
    )
