"""What the configurations of a study have measured, as the checks of its design read them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ablate.analysis.cells import Cell
from ablate.audit.check import Text
from ablate.audit.evidence import Evidence
from ablate.design.names import shown
from ablate.metric import MINUS, PLUS_MINUS, Metric, signed
from ablate.study import Factor, Kind, Level

NUMBERS = (Kind.INT, Kind.FLOAT)


@dataclass(frozen=True, slots=True)
class Moved:
    """One factor moved around a configuration: the level of each step, its own among them."""

    around: Cell
    factor: Factor
    steps: tuple[tuple[Level, Cell], ...]


def elsewhere(evidence: Evidence) -> bool:
    """Whether all that has results was brought in; what a study file asks beside it may be."""
    done = evidence.completed
    return bool(done) and all(r.source.startswith("import") for r in done)


def mean(cell: Cell, metric: str) -> float | None:
    """The mean score of a configuration; None without runs, or where a score is not finite."""
    found = [r.scores[metric].value for r in cell.completed if metric in r.scores]
    if not found or not all(map(math.isfinite, found)):
        return None
    return sum(found) / len(found)


def means(cells: Iterable[Cell], metric: str) -> dict[str, float]:
    """Variant -> mean, of the configurations that have one."""
    found = {c.variant: mean(c, metric) for c in cells}
    return {variant: value for variant, value in found.items() if value is not None}


def best(metric: Metric, values: Mapping[str, float]) -> str | None:
    """The variant with the best value as it is printed; None where it shares it, or is alone."""
    if len(values) < 2:  # noqa: PLR2004 - a winner needs a loser
        return None
    first, second = ranked(metric, values)[:2]
    return None if metric.text(values[first]) == metric.text(values[second]) else first


def ranked(metric: Metric, values: Mapping[str, float]) -> list[str]:
    """The variants, best first; of equal ones the earlier."""
    sign = -1 if metric.direction == "up" else 1
    return sorted(values, key=lambda v: sign * values[v])


def gain(metric: Metric, before: float, after: float) -> float:
    """By how much `after` is better, in stored units."""
    return after - before if metric.direction == "up" else before - after


def points(metric: Metric, delta: float, finer: int = 0) -> Text:
    """A difference with its unit; with further decimals where asked, or where it would be zero."""
    digits = metric.digits + finer
    most = digits + 3
    said = signed(metric.shown(delta), digits)
    while delta and not said.strip(f"{PLUS_MINUS}+{MINUS}0.") and digits < most:
        digits += 1
        said = signed(metric.shown(delta), digits)
    return Text(f"{said} points", f"{said} 百分点") if metric.unit else Text(said, said)


def unsigned(metric: Metric, delta: float, finer: int = 0) -> Text:
    """A size with its unit."""
    said = points(metric, abs(delta), finer)
    return Text(*(text.lstrip(f"{PLUS_MINUS}+") for text in said))


def key_of(levels: Mapping[str, Level], factors: Sequence[Factor]) -> tuple[Level, ...]:
    """What tells a configuration from others of its study."""
    return tuple(levels.get(f.name, f.reference) for f in factors)


def sweeps(evidence: Evidence) -> list[Moved]:
    """The sweeps of a study, planned or seen in its records, with the levels that were run."""
    cells = {c.variant: c for c in evidence.cells}
    found: dict[tuple[str, str], list[tuple[Level, Cell]]] = {}
    for cell in evidence.cells:
        around = cells.get(cell.parent or "")
        if cell.role != "sweep" or around is None:
            continue
        moved = [n for n, v in cell.levels.items() if around.levels.get(n, v) != v]
        if len(moved) == 1:
            name = moved[0]
            of = found.setdefault((around.variant, name), [(around.levels[name], around)])
            of.append((cell.levels[name], cell))
    known = {f.name: f for f in evidence.study.factors}
    return [
        Moved(cells[around], known[name], tuple(steps))
        for (around, name), steps in found.items()
        if name in known
    ]


def level_text(factor: str, level: Level) -> str:
    """`lif.beta=0.2`."""
    return f"{factor}={shown(level)}"
