"""`report --synergy` as numbers: a study's grid with all that must be read beside it."""

from collections.abc import Mapping, Sequence
from typing import Any

from ablate.analysis.cells import cells
from ablate.errors import UsageError
from ablate.record import Finding, Note, Record
from ablate.report.document import part_head
from ablate.report.grid import grid_cells, grid_document
from ablate.study import Study


def synergy_document(
    study: Study,
    records: Sequence[Record],
    findings: Sequence[Finding] = (),
    notes: Sequence[Note] = (),
    inert: Mapping[str, frozenset[str]] | None = None,
) -> dict[str, Any]:
    """What each module of the study's grid contributes and how modules act together, unrounded.

    `inert` tells by variant which modules are known not to be in the output (`audit.inert_of`).
    Raises UsageError where the study has no grid.
    """
    found = cells(records)
    grid = grid_document(study, grid_cells(study, found), inert)
    if grid is None:
        raise UsageError(_without_grid(study, {c.role for c in found}))
    return {**part_head(grid["schema"], study, records, findings, notes), "synergy": grid}


def _without_grid(study: Study, roles: set[str]) -> str:
    has = []
    if "sweep" in roles:
        has.append("sweeps (ablate report --sensitivity)")
    if "arm" in roles:
        has.append("arms (ablate compare A B)")
    what = f"it has {' and '.join(has)}" if has else "it has none of sweeps and arms either"
    return (
        f"study {study.name}: no on/off grid, so there is nothing to say of modules and their"
        f" synergy; {what}"
    )
