"""Two configurations side by side, as numbers: what differs, what it costs, what it scores."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ablate.analysis.cells import Cell
from ablate.analysis.contrast import difference
from ablate.analysis.verdict import rules_of
from ablate.record import Finding, Note
from ablate.report.contributions import effect_document
from ablate.report.document import (
    by_hand,
    costs_of,
    metric_document,
    notes_of,
    scores_document,
    trial_document,
)
from ablate.study import Study, settled

SCHEMA = "ablate.compare/2"


def comparison_document(
    study: Study,
    a: Cell,
    b: Cell,
    findings: Sequence[Finding] = (),
    notes: Sequence[Note] = (),
) -> dict[str, Any]:
    """All numbers of a comparison, in stored units; differences are `b` minus `a`.

    `findings` are the doubts about the two, `notes` what people have written about them.
    """
    records = [*a.records, *b.records]
    level = 1 - study.claims.alpha
    return {
        "schema": SCHEMA,
        "study": {
            "name": study.name,
            "standin": study.standin,
            "data": study.data,
            "level": level,
            "selection": sorted({s.selection for r in records for s in r.scores.values()}),
            "own_selection": str(study.selection),
        },
        "findings": [asdict(f) for f in findings],
        "notes": notes_of([*a.completed, *b.completed]),
        "by_hand": by_hand(records, notes),
        "externals": [trial_document(r) for r in records if r.externals],
        "a": _side(a),
        "b": _side(b),
        "differs": {
            f.name: {"a": levels[0], "b": levels[1]}
            for f in study.factors
            for levels in ([settled(c.levels, study.factors)[f.name] for c in (a, b)],)
            if levels[0] != levels[1]
        },
        "metrics": [
            metric_document(m)
            | {
                "a": scores_document(a, m.name),
                "b": scores_document(b, m.name),
                "difference": effect_document(
                    difference(a.runs(m.name), b.runs(m.name), rules_of(study.claims, m))
                ),
            }
            for m in study.metrics
        ],
    }


def _side(cell: Cell) -> dict[str, Any]:
    return {
        "variant": cell.variant,
        "runs": len(cell.completed),
        "placed": len(cell.records),
        "costs": [costs_of(costs) for costs in cell.costs().values()],
    }
