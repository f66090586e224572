"""Tables whose columns are configurations: scores by row, and differences beside them."""

from collections.abc import Iterator, Mapping, Sequence

from ablate.audit.check import Text
from ablate.lint import lexicon
from ablate.lint.columns import unit_of
from ablate.lint.differences import change, cut_off, points_as_percent
from ablate.lint.document import Row, Table
from ablate.lint.ledger import Ledger, Place
from ablate.lint.names import Names
from ablate.lint.numbers import Number, fit, numbers
from ablate.lint.world import Quantity, World
from ablate.metric import Metric, signed

_PAIR = 2


def check_sides(table: Table, sides: Mapping[int, str], names: Names, ledger: Ledger) -> None:
    """Trace the scores of each row, and recompute its differences from what is printed beside it.

    A score is accused only in a table of which half or more of the scores agree.
    """
    judged: list[tuple[Place, Text | None]] = []
    for row in table.rows:
        label = row.cells[0] if row.cells else ""
        quantity = names.quantity(label, lexicon.PLAIN)
        printed = {i: numbers(row.cells[i]) for i in sides if i < len(row.cells)}
        for index, found in printed.items():
            asked = (sides[index], label, quantity)
            judged += _scores(Place(row.number, index, 0), found, asked, names.world)
        first = [printed[i][0] for i in sides if printed.get(i)]
        if len(sides) == _PAIR == len(first):
            _beside(table, row, (quantity, first[0], first[1]), ledger)
    agree = sum(said is None for _, said in judged)
    for place, said in judged:
        if said is None:
            ledger.trace(place)
        elif 2 * agree >= len(judged):
            ledger.accuse(place, "wrong", "value", said)


def _scores(
    at: Place, found: Sequence[Number], of: tuple[str, str, Quantity | None], world: World
) -> Iterator[tuple[Place, Text | None]]:
    variant, label, quantity = of
    if quantity is None:
        items = world.item(variant, label)
        known, name = items, label
        quantity = Quantity(label, Metric(label, display="number"))
    else:
        known = [*world.means(variant, quantity), *world.runs(variant, quantity)]
        name = quantity.label
    for number in found:
        asked = number.unit or unit_of(label)
        place = at._replace(start=number.start)
        if not known or not quantity.scales(asked):
            continue
        if any(world.fit(number, v, quantity, asked) == "rounded" for v in known):
            yield place, None
        elif world.floor(variant, quantity):
            continue
        elif number is found[0] and not number.loose and not number.signed:
            stored = world.text(known[0], quantity, number)
            yield (
                place,
                Text(
                    f"{name} of {variant} is {stored} by the records, not {number.text}",
                    f"记录中 {variant} 的 {name} 为 {stored}，不是 {number.text}",
                ),
            )


def _beside(
    table: Table, row: Row, what: tuple[Quantity | None, Number, Number], ledger: Ledger
) -> None:
    quantity, a, b = what
    for index, header in enumerate(table.header[: len(row.cells)]):
        relative = lexicon.RELATIVE.search(header) is not None
        if not relative and not lexicon.DELTA.search(header):
            continue
        found = numbers(row.cells[index])
        for number in found:
            if number.loose:
                continue
            place = Place(row.number, index, number.start)
            as_rel = relative or (number is not found[0] and number.unit == "%")
            _recompute(place, number, (a, b, as_rel, quantity), ledger)


def _recompute(
    place: Place,
    number: Number,
    of: tuple[Number, Number, bool, Quantity | None],
    ledger: Ledger,
) -> None:
    a, b, relative, quantity = of
    if relative and a.value == 0:
        return
    value, slack = change(a, b) if relative else (b.value - a.value, a.half + b.half)
    got = fit(number.value, number.decimals, value)
    percent = a.unit == b.unit == "%" or (quantity is not None and quantity.percent)
    if got == "rounded" or abs(number.value - value) <= slack + number.half:
        ledger.trace(place)
        if not relative and number.unit == "%" and percent and abs(b.value) > 1:
            ledger.accuse(place, *points_as_percent(number))
        return
    digits = number.decimals + (2 if got == "truncated" else 0)
    said = f"{signed(float(value), digits)}{' %' if relative else ''}"
    if got == "truncated":
        ledger.trace(place)
        ledger.accuse(place, "mislabelled", "rounding", cut_off(number, said))
        return
    asked = f"({b.text} − {a.text})" + (f" / {a.text}" if relative else "")
    ledger.accuse(
        place,
        "wrong",
        "difference",
        Text(f"{asked} = {said}, not {number.text}", f"{asked} = {said}，不是 {number.text}"),
    )
