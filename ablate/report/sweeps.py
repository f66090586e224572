"""Sweeps: one factor moved around a variant, whose own level is a row too."""

from collections.abc import Sequence
from typing import Any

from ablate.analysis.cells import Cell
from ablate.analysis.contrast import difference
from ablate.analysis.verdict import rules_of
from ablate.report.contributions import effect_document
from ablate.study import Level, Study


def sweeps(study: Study, found: Sequence[Cell]) -> list[dict[str, Any]]:
    """One entry per factor and variant it is moved around, its levels in order."""
    by_name = {c.variant: c for c in found}
    around = {(s.around, s.factor): None for s in study.sweeps if s.around in by_name}
    for cell in found:
        parent = by_name.get(cell.parent or "")
        moved = _moved(cell, parent) if parent else []
        if cell.role == "sweep" and parent is not None and len(moved) == 1:
            around.setdefault((parent.variant, moved[0]))
    return [
        _sweep(study, by_name[name], factor, _beside(by_name[name], factor, found))
        for name, factor in around
    ]


def _moved(cell: Cell, parent: Cell) -> list[str]:
    return [n for n, level in cell.levels.items() if level != parent.levels.get(n, level)]


def _beside(around: Cell, factor: str, found: Sequence[Cell]) -> list[tuple[Level, Cell]]:
    """Every cell that differs in this factor only, whichever design asked for it."""
    return [(c.levels[factor], c) for c in found if _moved(c, around) == [factor]]


def _sweep(
    study: Study, around: Cell, factor: str, cells: Sequence[tuple[Level, Cell]]
) -> dict[str, Any]:
    default = around.levels[factor]
    rows = sorted([(default, around), *cells], key=lambda row: _order(row[0]))
    return {
        "factor": factor,
        "title": study.factor(factor).label,
        "around": around.variant,
        "default": default,
        "levels": [
            {
                "level": level,
                "variant": cell.variant,
                "differences": {
                    m.name: effect_document(
                        difference(
                            around.runs(m.name), cell.runs(m.name), rules_of(study.claims, m)
                        )
                    )
                    for m in study.metrics
                },
            }
            for level, cell in rows
        ],
    }


def _order(level: Level) -> tuple[int, float, str]:
    return (1, 0.0, level) if isinstance(level, str) else (0, float(level), "")
