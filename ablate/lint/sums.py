"""Sums: what a combination would score if its modules only added up."""

from collections.abc import Iterator

from ablate.audit.check import Text
from ablate.lint.numbers import Number
from ablate.lint.world import Quantity, World
from ablate.metric import plain, signed


def summed(
    number: Number, world: World, of: tuple[str, Quantity], *, expected: bool
) -> Iterator[Text | None]:
    """What is wrong with a printed sum, or with what a score departs from it by; None if nothing.

    Nothing at all where the records do not hold every module alone.
    """
    variant, quantity = of
    parts, actual = parts_of(world, variant, quantity), world.mean(variant, quantity)
    if parts is None or actual is None:
        return
    base, gains = parts
    total = base + sum(gains.values())
    if world.fit(number, total if expected else actual - total, quantity, "") == "rounded":
        yield None
        return
    scale, digits = quantity.scales("")[0], number.decimals
    terms = [plain(base * scale, digits), *(signed(g * scale, digits) for g in gains.values())]
    english = chinese = f"{' '.join(terms)} = {plain(total * scale, digits)}"
    if not expected:
        apart, score = signed((actual - total) * scale, digits), plain(actual * scale, digits)
        english += f", and {score} departs from it by {apart}"
        chinese += f"，{score} 与之相差 {apart}"
    yield Text(f"{english}, not {number.text}", f"{chinese}，不是 {number.text}")


def parts_of(
    world: World, variant: str, quantity: Quantity
) -> tuple[float, dict[str, float]] | None:
    """The baseline, and what each module of a combination adds to it alone; None without runs."""
    cell = world.cells[variant]
    on = [n for n, (_, level) in world.switches.items() if cell.levels.get(n) == level]
    base = world.mean(world.base, quantity) if world.base else None
    if base is None or len(on) < 2 or world.combination(on) != variant:  # noqa: PLR2004 - a sum
        return None
    gains: dict[str, float] = {}
    for module in on:
        alone = world.combination([module])
        mean = world.mean(alone, quantity) if alone else None
        if mean is None:
            return None
        gains[module] = mean - base
    return base, gains
