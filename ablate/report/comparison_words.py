"""Names, numbers and sentences that the sections of a comparison's page share."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from rich.cells import cell_len

from ablate.metric import Metric, plain, signed
from ablate.report.layout import NONE, Heading, Table, Text
from ablate.report.printed import metric_of
from ablate.report.tables import one_line

Document: TypeAlias = Mapping[str, Any]
SHORT = 12
"""Cells that a name may take as the head of a column; longer ones make all of them letters."""
WIDE = 80
GAP = 2
LONGEST = 24
"""Characters of a setting's value that a table has room for."""
BEFORE = 8
"""Those of them that stand before the first that differs."""
FIGURES = 4
MOST = 6
TINY = 5e-4


def metrics_in(document: Document) -> dict[str, Metric]:
    """The metrics compared, by name, the primary one first."""
    return {m["name"]: metric_of(m) for m in document["metrics"]}


def labels(document: Document) -> dict[str, str]:
    """What the heads of columns call each variant: its name, or a letter where one is long.

    No letter is the name of another variant.
    """
    names = [s["variant"] for s in document["sides"]]
    if all(cells(one_line(n)) <= SHORT for n in names):
        return {n: one_line(n) for n in names}
    letters = (letter for letter in map(_letter, itertools.count()) if letter not in names)
    return dict(zip(names, letters, strict=False))


def _letter(i: int) -> str:
    return f"{chr(ord('A') + i % 26)}{i // 26 or ''}"


def side_of(document: Document, name: str) -> Document:
    """What the document says of one variant by itself."""
    found: Document = next(s for s in document["sides"] if s["variant"] == name)
    return found


def legend(document: Document) -> tuple[str, ...]:
    """Which letter stands for which variant; nothing where names stand for themselves."""
    of = labels(document)
    if all(label == one_line(name) for name, label in of.items()):
        return ()
    return tuple(f"{label}: {one_line(name)}" for name, label in of.items())


def cells(text: str) -> int:
    """The terminal cells that a text takes."""
    return cell_len(text)


def fits(table: Table) -> bool:
    """Whether the terminal of 80 columns shows a table whole, the heads of numbers folded."""
    columns = [
        [*(c.text.split(" ") if c.right else [c.text]), *(row[i].text for row in table.rows)]
        for i, c in enumerate(table.columns)
    ]
    return sum(max(map(cells, texts)) + GAP for texts in columns) <= WIDE


def mixed(title: str, heads: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]]) -> Table:
    """A table whose columns say themselves whether they hold numbers."""
    columns = tuple(Heading(text, right=right) for text, right in heads)
    return Table(columns, tuple(tuple(Text(t) for t in row) for row in rows), title)


def figures(values: Iterable[float | None]) -> int:
    """The decimals that give the largest of some values four figures."""
    sizes = [abs(v) for v in values if v is not None and math.isfinite(v) and v]
    if not sizes:
        return 2
    return min(max(FIGURES - 1 - math.floor(math.log10(max(sizes))), 0), MOST)


def number(value: float | None, digits: int) -> str:
    """A value with so many decimals, or a dash."""
    return NONE if value is None else plain(value, digits)


def p_text(p: float | None) -> str:
    """A p value with three decimals."""
    if p is None:
        return NONE
    return "<0.001" if p < TINY else plain(p, 3)


def interval_of(document: Document) -> str:
    """What intervals are called in sentences, with their level: `95 % interval`."""
    return f"{level(document['study']['level'])} interval"


def interval_head(document: Document) -> str:
    """The head of a column of intervals, which breaks after the sign of percent only."""
    return interval_of(document).replace(" %", "\N{NO-BREAK SPACE}%")


def level(share: float) -> str:
    """A level of confidence in percent."""
    return f"{100 * share:g} %"


def relative(metric: Metric, share: float | None) -> str:
    """A relative change in percent, without the sign of percent: its column says it."""
    return NONE if share is None else signed(100 * share, min(metric.digits, 2))


def change(metric: Metric, entry: Document) -> str:
    """A metric's difference as a sentence says it, with its unit and relative change."""
    effect = entry["difference"]
    unit = f" {metric.unit}" if metric.unit else ""
    share = relative(metric, entry["relative"])
    rel = "" if share == NONE else f" ({share} % rel.)"
    return f"{metric.label} {metric.difference(effect['estimate'])}{unit}{rel}"


def without(pair: Document, entry: Document) -> str:
    """How many runs of which side are left out of a metric, as the end of a clause; or nothing."""
    lost = [(pair[side], entry[side]["lost"]) for side in ("a", "b") if entry[side]["lost"]]
    told = " and ".join(f"{many(count, 'run')} of {one_line(name)}" for name, count in lost)
    return f", without {told} (not finite)" if told else ""


def replicates(document: Document, pair: Document) -> Iterable[str]:
    """Which configurations are one function, and what that makes of two of them."""
    for names in document["one_function"]:
        *first, last = map(one_line, names)
        yield (
            f"{', '.join(first)} and {last} are one function: what tells them apart is not in the"
            " output (ablate explain W204); their runs are replicates."
        )
    if pair["one_function"]:
        yield (
            f"No interval and no verdict: {one_line(pair['a'])} and {one_line(pair['b'])} are one"
            " function, so what stands between their means is noise."
        )


def apart(a: Sequence[str], b: Sequence[str], none: str) -> tuple[str, str]:
    """The values of two sides, long ones cut so that where they begin to differ is seen."""
    x, y = (", ".join(texts) for texts in (a, b))
    apart_at = (i for i, (p, q) in enumerate(zip(x, y, strict=False)) if p != q)
    shared = next(apart_at, min(len(x), len(y)))
    begin = shared - BEFORE if shared + BEFORE > LONGEST < max(len(x), len(y)) else 0
    return _cut(x, begin) or none, _cut(y, begin) or none


def _cut(text: str, begin: int) -> str:
    end = begin + LONGEST
    return f"{'…' if begin else ''}{text[begin:end]}{'…' if text[end:] else ''}"


def many(count: int, what: str) -> str:
    """A count with its noun, in the plural where it needs one."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def listed(names: Sequence[str], most: int = 6) -> str:
    """Some names, and how many more there are."""
    shown = ", ".join(one_line(n) for n in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
