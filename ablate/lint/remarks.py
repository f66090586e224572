"""Remarks in tables: `best` in a cell beside the scores."""

import re
from collections.abc import Sequence

from ablate.audit.check import Text
from ablate.lint.columns import Layout
from ablate.lint.document import Table
from ablate.lint.ledger import Ledger, Place
from ablate.lint.names import Names
from ablate.lint.superlatives import OF_COST, means_of, top_of
from ablate.lint.world import Quantity, World
from ablate.metric import Metric

_BARE = re.compile(
    r"^\W*(?:最佳|最好|最优|best)\W*(?:$|(?:但|but\b).*)"
    r"|^.*(?:最佳|最好|最优|best)\S*\s*(?:值|value)\W*$",
    re.IGNORECASE,
)
_VALUE = re.compile(r"值|\bvalue\b", re.IGNORECASE)


def check_remarks(table: Table, found: Layout, names: Names, ledger: Ledger) -> None:
    """`best` in a cell of remarks: of this table's rows, or of the levels of one factor."""
    metrics = [c.quantity for c in found.columns if c.role == "value" and c.quantity]
    metrics = [q for q in metrics if q.metric is not None]
    taken = {c.index for c in found.columns} | {found.label}
    for row, variant in zip(table.rows, found.variants, strict=True):
        for index, cell in enumerate(row.cells):
            cost = OF_COST.search(table.header[index]) or OF_COST.search(cell)
            if variant is None or index in taken or cost or not _BARE.match(cell):
                continue
            rows = [v for v in found.variants if v is not None]
            if _VALUE.search(cell):
                group = [of for _, of in names.world.sweeps if variant in of.values()]
                groups = [set(of.values()) & set(rows) for of in group]
                widest = max(map(len, groups), default=0)
                rows = next((sorted(g) for g in groups if len(g) == widest), [])
            asked = {n.quantity for n in names.quantities(table.header[index])} & set(metrics)
            _ranked(
                Place(row.number, index, 0),
                (variant, rows),
                [q for q in metrics if q in asked] or metrics,
                (names.world, ledger),
            )


def _ranked(
    place: Place,
    of: tuple[str, Sequence[str]],
    metrics: Sequence[Quantity],
    tools: tuple[World, Ledger],
) -> None:
    (variant, rows), (world, ledger) = of, tools
    beaten: list[tuple[Metric, str, float]] = []
    true: list[Metric] = []
    for quantity in metrics:
        means = means_of(world, quantity, rows)
        if quantity.metric is None or variant not in means or len(means) < 2:  # noqa: PLR2004 - of one
            continue
        top, value = top_of(means, up=quantity.metric.direction == "up")
        if quantity.metric.better(value, means[variant]):
            beaten.append((quantity.metric, top, value))
        else:
            true.append(quantity.metric)
    if not beaten and not true:
        return
    ledger.superlatives.add(place)
    if not beaten:
        return
    where = ", ".join(f"{m.label} {m.text(v)} of {t}" for m, t, v in beaten)
    chinese = "，".join(f"{t} 的 {m.label} {m.text(v)}" for m, t, v in beaten)
    holds = ", ".join(m.label for m in true)
    ledger.accuse(
        place,
        "partly" if true else "wrong",
        "superlative",
        Text(
            (f"true of {holds}; " if true else "") + f"better is {where}",
            (f"仅就 {holds} 成立；" if true else "") + f"更好的是 {chinese}",
        ),
    )
