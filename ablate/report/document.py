"""A study's report as numbers: everything that any printed form shows, unrounded."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from ablate.analysis.cells import Cell, cells
from ablate.analysis.contrast import Effect, difference
from ablate.analysis.verdict import rules_of
from ablate.metric import Metric
from ablate.record import Finding, Note, Record, State
from ablate.report.contributions import costs_of as costs_of
from ablate.report.contributions import courses, effect_document
from ablate.report.grid import grid_cells, grid_document
from ablate.report.sweeps import sweeps
from ablate.selection import Curves
from ablate.study import Study, settled

SCHEMA = "ablate.report/3"
BASELINE = "baseline"
NOTES = "notes"
UNSHOWN = frozenset({"line", "host", "sources", NOTES})
"""Facts that stand elsewhere or nowhere: doubts, a row number, the name of somebody's machine,
a digest that the audit compares."""


def study_document(  # noqa: PLR0913, PLR0917 - each is one thing that the store knows
    study: Study,
    records: Sequence[Record],
    curves: Mapping[str, Curves] | None = None,
    findings: Sequence[Finding] = (),
    notes: Sequence[Note] = (),
    inert: Mapping[str, frozenset[str]] | None = None,
) -> dict[str, Any]:
    """All numbers of a study's report, in stored units, ready for JSON.

    `curves` holds each trial's curves by key; with them the document says how effects move along
    training. `findings` are the doubts that the store holds about the study, `notes` what people
    have written about it; `inert` tells by variant which modules are known not to be in the output.
    """
    records, found = _cells(study, records)
    baseline, placed = baseline_of(found), grid_cells(study, found)
    return {
        "schema": SCHEMA,
        "study": study_head(study, records),
        "metrics": [metric_document(m) for m in study.metrics],
        "counts": _counts(records),
        "findings": findings_document(findings, notes),
        "notes": notes_of(records),
        "by_hand": by_hand(records, notes),
        "mixed": _mixed(study, found),
        "limits": limits_of(study, found),
        "provenance": _provenance(records),
        "baseline": baseline.variant if baseline else None,
        "cells": [_cell(study, cell, baseline, (inert or {}).get(cell.variant)) for cell in found],
        "synergy": grid_document(study, placed, inert),
        "courses": courses(study, placed, curves or {}, inert),
        "sweeps": sweeps(study, found),
        "trials": [trial_document(r) for r in records],
    }


def part_head(
    schema: str,
    study: Study,
    records: Sequence[Record],
    findings: Sequence[Finding],
    notes: Sequence[Note],
) -> dict[str, Any]:
    """What the document of a part begins with: the study, its metrics, what must be read first."""
    return {
        "schema": schema,
        "study": study_head(study, records),
        "metrics": [metric_document(m) for m in study.metrics],
        "findings": findings_document(findings, notes),
        "notes": notes_of(records),
        "by_hand": by_hand(records, notes),
    }


def board_document(study: Study, records: Sequence[Record]) -> dict[str, Any]:
    """A study's configurations with their scores, costs and differences from the baseline."""
    records, found = _cells(study, records)
    baseline = baseline_of(found)
    return {
        "study": study_head(study, records),
        "metrics": [metric_document(m) for m in study.metrics],
        "counts": _counts(records),
        "cells": [_cell(study, cell, baseline) for cell in found],
    }


def _cells(study: Study, records: Sequence[Record]) -> tuple[list[Record], list[Cell]]:
    """The records and their cells; what is off stands at today's reference.

    It was stored at the reference of its day, which an import's next row may move.
    """
    told = [replace(r, levels=settled(r.levels, study.factors)) for r in records]
    return told, cells(told)


def baseline_of(found: Sequence[Cell]) -> Cell | None:
    """The cell that others are compared with: `baseline`, else the first that has no parent."""
    roots = [c for c in found if c.parent is None and c.role != "sweep"]
    named = [c for c in found if c.variant == BASELINE]
    return next(iter([*named, *roots]), None)


def metric_document(metric: Metric) -> dict[str, Any]:
    """A metric's declaration."""
    return {
        "name": metric.name,
        "title": metric.label,
        "direction": metric.direction,
        "display": metric.display,
        "digits": metric.digits,
    }


def scores_document(cell: Cell, metric: str) -> dict[str, Any]:
    """One cell's scores of one metric."""
    summary = cell.summary(metric)
    return {
        "n": summary.n,
        "mean": summary.mean if summary.n else None,
        "sd": summary.sd,
        "lost": summary.lost,
        "by_seed": {str(seed): value for seed, value in sorted(cell.scores(metric).items())},
    }


def trial_document(record: Record) -> dict[str, Any]:
    """One placement with its trial's results."""
    attempt = record.attempt
    return {
        "number": record.position + 1,
        "key": record.key,
        "variant": record.variant,
        "role": record.role,
        "seed": record.seed,
        "state": str(record.state),
        "changed": dict(record.changed),
        "scores": {
            m: {"value": s.value, "step": s.step, "split": s.split, "selection": s.selection}
            for m, s in record.scores.items()
        },
        "costs": [costs_of([c]) for c in record.costs.values()],
        "attempt": attempt.number if attempt else None,
        "error": (attempt.error or attempt.error_type) if attempt else "",
        "source": record.source,
        "externals": [asdict(e) for e in record.externals],
    }


def notes_of(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Each doubt that a training noted about its own numbers, with the variants it concerns."""
    found: dict[str, dict[str, None]] = {}
    for record in records:
        text = record.attempt.provenance.get(NOTES, "") if record.attempt else ""
        for line in text.splitlines():
            found.setdefault(line, {})[record.variant] = None
    return [{"text": text, "variants": list(variants)} for text, variants in found.items()]


def findings_document(findings: Sequence[Finding], notes: Sequence[Note]) -> list[dict[str, Any]]:
    """Each finding with who has acknowledged it, when and why."""
    return [
        {
            "code": f.code,
            "severity": f.severity,
            "subject": f.subject,
            "name": f.name,
            "sentence": f.sentence,
            "chinese": f.chinese,
            "command": f.command,
            "chinese_command": f.chinese_command or f.command,
            "runnable": f.runnable,
            "keys": f.keys,
            "remedy": f.remedy,
            "family": f.family,
            "acknowledged": [
                {"text": n.text, "author": n.author, "date": n.date}
                for n in notes
                if n.acknowledges(f)
            ],
        }
        for f in findings
    ]


def by_hand(records: Sequence[Record], notes: Sequence[Note]) -> list[dict[str, Any]]:
    """People's notes, each with the variant and seed that it is on, where it is on one."""
    places = {r.key: r for r in records}
    return [
        {
            "text": n.text,
            "author": n.author,
            "date": n.date,
            "variant": places[n.key].variant if n.key in places else n.variant,
            "seed": places[n.key].seed if n.key in places else None,
            "finding": n.finding,
        }
        for n in notes
    ]


def study_head(study: Study, records: Sequence[Record]) -> dict[str, Any]:
    """What every document says of its study: names, data, selection, level, modules."""
    selections = {s.selection for r in records for s in r.scores.values()}
    return {
        "name": study.name,
        "title": study.title,
        "note": study.note,
        "system": study.system,
        "revision": study.revision,
        "scale": study.scale,
        "standin": study.standin,
        "data": study.data,
        "primary": study.metric(study.primary).name,
        "selection": sorted(selections) or [str(study.selection)],
        "own_selection": str(study.selection),
        "level": 1 - study.claims.alpha,
        "factors": {f.name: f.label for f in study.factors},
        "fixed": dict(study.fixed),
        "modules": study.on,
        "source": sorted({r.source for r in records}),
    }


def _counts(records: Sequence[Record]) -> dict[str, Any]:
    states = Counter(str(r.state) for r in records)
    done = states[str(State.COMPLETED)]
    failed = sum(states[str(s)] for s in (State.FAILED, State.TIMEOUT, State.CRASHED))
    per_cell = [len(c.completed) for c in cells(records)]
    return {
        "trials": len({r.key for r in records}),
        "placements": len(records),
        "completed": done,
        "failed": failed,
        "incomplete": states[str(State.INCOMPLETE)],
        "missing": len(records) - done - failed - states[str(State.INCOMPLETE)],
        "by_state": dict(sorted(states.items())),
        "seeds": sorted({r.seed for r in records}),
        "fewest_runs": min(per_cell, default=0),
        "most_runs": max(per_cell, default=0),
    }


def _mixed(study: Study, found: Sequence[Cell]) -> list[dict[str, Any]]:
    """The cells whose runs are not of one configuration, with the levels that differ."""
    mixed = []
    for cell in found:
        levels = [r.levels for r in cell.records]
        differ = {
            f.name: list(dict.fromkeys(of[f.name] for of in levels))
            for f in study.factors
            if any(of[f.name] != levels[0][f.name] for of in levels)
        }
        if differ:
            mixed.append({"variant": cell.variant, "levels": differ})
    return mixed


def _provenance(records: Sequence[Record]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for record in records:
        if record.attempt is None or record.state is not State.COMPLETED:
            continue
        facts = {**record.attempt.provenance, "device": record.attempt.device}
        for name, value in facts.items():
            if value and name not in UNSHOWN:
                found.setdefault(name, Counter())[str(value)] += 1
    return {name: dict(values.most_common()) for name, values in sorted(found.items())}


def limits_of(study: Study, found: Sequence[Cell]) -> list[dict[str, Any]]:
    """Each declared budget beside what every configuration spends, at most, by one counter."""
    return [
        {
            "cost": name,
            "limit": limit,
            "variant": cell.variant,
            "counter": counter,
            "most": max(c.value for c in costs),
            "met": max(c.value for c in costs) <= limit,
        }
        for name, limit in study.limits.items()
        for cell in found
        for (cost, counter), costs in cell.costs().items()
        if cost == name
    ]


def _cell(
    study: Study, cell: Cell, baseline: Cell | None, inert: frozenset[str] | None = None
) -> dict[str, Any]:
    """A configuration; its differences have no interval where all that it changes is inert."""
    spent, still = cell.costs(), bool(cell.changed) and set(cell.changed) <= (inert or set())
    return {
        "variant": cell.variant,
        "role": cell.role,
        "parent": cell.parent,
        "changed": dict(cell.changed),
        "runs": len(cell.completed),
        "placed": len(cell.records),
        "scores": {m.name: scores_document(cell, m.name) for m in study.metrics},
        "differences": {
            m.name: effect_document(_difference(study, m, baseline, cell, still=still))
            if baseline is not None and baseline.variant != cell.variant
            else None
            for m in study.metrics
        },
        "costs": [costs_of(costs) for costs in spent.values()],
        "shares": {f: [costs_of(c) for c in of.values()] for f, of in cell.shares().items()},
    }


def _difference(
    study: Study, metric: Metric, baseline: Cell, cell: Cell, *, still: bool
) -> Effect | None:
    a, b = baseline.runs(metric.name), cell.runs(metric.name)
    found = difference(a, b, rules_of(study.claims, metric))
    return Effect(found.estimate, found.runs) if found and still else found
