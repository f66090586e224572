"""Sweeps: one factor moved around a variant, whose own level is a row too."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from ablate.analysis.cells import Cell
from ablate.analysis.contrast import difference
from ablate.analysis.verdict import rules_of
from ablate.design.names import canonical
from ablate.report.contributions import effect_document
from ablate.study import Level, Study

ENOUGH = 2
"""So many arms that move one factor of their parent are a sweep, not a named variant."""


@dataclass(frozen=True, slots=True)
class Swept:
    """A factor, the variant it is moved around, and a row for each level, that one's own too."""

    factor: str
    around: Cell
    rows: tuple[tuple[Level, Cell], ...]

    @property
    def default(self) -> Level:
        """The level of the variant that it is moved around."""
        return self.around.levels[self.factor]


def sweeps(study: Study, found: Sequence[Cell]) -> list[dict[str, Any]]:
    """One entry per factor and variant it is moved around, its levels in order."""
    return [_sweep(study, of) for of in declared(study, found)]


def declared(study: Study, found: Sequence[Cell]) -> list[Swept]:
    """The sweeps that the study's file or the table it came from names, arms and axes in them."""
    by_name = {c.variant: c for c in found}
    named = [(canonical(study, s.around), s.factor) for s in study.sweeps]
    around = {of: None for of in named if of[0] in by_name}
    for cell in found:
        parent = by_name.get(cell.parent or "")
        differs = moved(cell, parent) if parent else []
        if cell.role == "sweep" and parent is not None and len(differs) == 1:
            around.setdefault((parent.variant, differs[0]))
    return [_swept(by_name[name], factor, found) for name, factor in around]


def every(study: Study, found: Sequence[Cell]) -> list[Swept]:
    """The declared sweeps, then those that command-line axes and arms make.

    An axis moves the cells of the grid, which stand at the study's own levels in all but modules;
    arms are a sweep of their parent where several move the same factor of it and nothing else.
    """
    first = declared(study, found)
    known = {(s.around.variant, s.factor) for s in first}
    more = [s for s in _axes(study, found) if (s.around.variant, s.factor) not in known]
    known |= {(s.around.variant, s.factor) for s in more}
    return [*first, *more, *(s for s in _arms(found) if (s.around.variant, s.factor) not in known)]


def moved(cell: Cell, around: Cell) -> list[str]:
    """The factors whose level differs."""
    return [n for n, level in cell.levels.items() if level != around.levels.get(n, level)]


def _axes(study: Study, found: Sequence[Cell]) -> Iterator[Swept]:
    usual = {f.name: f.reference for f in study.factors} | dict(study.fixed)

    def plain(cell: Cell) -> bool:
        """Whether all but the modules stand where the study has them, or are switched off."""
        return all(
            cell.levels[n] in {level, study.factor(n).reference}
            for n, level in usual.items()
            if n not in study.on
        )

    grid = [c for c in found if c.role == "grid"]
    elsewhere = [c for c in grid if not plain(c)]
    for cell in [c for c in grid if elsewhere and plain(c)]:
        differs = [moved(c, cell) for c in elsewhere]
        for factor in dict.fromkeys(of[0] for of in differs if len(of) == 1):
            yield _swept(cell, factor, found)


def _arms(found: Sequence[Cell]) -> Iterator[Swept]:
    by_name = {c.variant: c for c in found}
    named = [
        (c.parent, differs[0])
        for c in found
        if c.role == "arm" and c.parent in by_name
        for differs in [moved(c, by_name[c.parent])]
        if len(differs) == 1
    ]
    for (parent, factor), arms in Counter(named).items():
        if arms >= ENOUGH and parent is not None:
            yield _swept(by_name[parent], factor, found)


def _swept(around: Cell, factor: str, found: Sequence[Cell]) -> Swept:
    """With every cell that differs in this factor only, whichever design asked for it."""
    beside = [(c.levels[factor], c) for c in found if moved(c, around) == [factor]]
    rows = sorted([(around.levels[factor], around), *beside], key=lambda row: order(row[0]))
    return Swept(factor, around, tuple(rows))


def _sweep(study: Study, of: Swept) -> dict[str, Any]:
    return {
        "factor": of.factor,
        "title": study.factor(of.factor).label,
        "around": of.around.variant,
        "default": of.default,
        "levels": [
            {
                "level": level,
                "variant": cell.variant,
                "differences": {
                    m.name: effect_document(
                        difference(
                            of.around.runs(m.name), cell.runs(m.name), rules_of(study.claims, m)
                        )
                    )
                    for m in study.metrics
                },
            }
            for level, cell in of.rows
        ],
    }


def order(level: Level) -> tuple[int, float, str]:
    """By which levels stand in order: numbers first, then texts."""
    return (1, 0.0, level) if isinstance(level, str) else (0, float(level), "")


@dataclass(frozen=True, slots=True)
class Crossed:
    """Two factors moved around one variant, alone and together, with the cell of each place."""

    rows: Swept
    columns: Swept
    levels: tuple[tuple[Level, ...], tuple[Level, ...]]
    places: Mapping[tuple[Level, Level], Cell]


def crossed(swept: Sequence[Swept], found: Sequence[Cell]) -> Iterator[Crossed]:
    """The pairs of sweeps around one variant of which any cell moves both factors."""
    for a, b in combinations(swept, 2):
        if a.around is not b.around:
            continue
        both = [c for c in found if set(moved(c, a.around)) == {a.factor, b.factor}]
        if both:
            alone = [cell for s in (a, b) for _, cell in s.rows]
            places = {(c.levels[a.factor], c.levels[b.factor]): c for c in [*both, *alone]}
            first, second = (tuple(sorted({p[i] for p in places}, key=order)) for i in (0, 1))
            yield Crossed(a, b, (first, second), places)
