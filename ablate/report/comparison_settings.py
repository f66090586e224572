"""What differs between two configurations before any score: levels, settings, provenance."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from ablate.analysis.cells import Cell
from ablate.analysis.comparison import LEVELS_MOST, between
from ablate.report.document import UNSHOWN
from ablate.study import Level, Study, settled

Settings: TypeAlias = Mapping[str, Mapping[str, str]]
"""A trial's key -> the configuration that its own program resolved."""
OWN = frozenset({"file", "sha256", "started", "ended", "run", "seed"})
"""Facts that every run has for itself."""


def differing(study: Study, a: Cell, b: Cell) -> dict[str, dict[str, Level]]:
    """The factors whose levels differ, in the study's order."""
    x, y = (settled(c.levels, study.factors) for c in (a, b))
    return {
        f.name: {"a": x[f.name], "b": y[f.name]} for f in study.factors if x[f.name] != y[f.name]
    }


def mixed(study: Study, cell: Cell) -> dict[str, list[Level]]:
    """The factors in which a cell's own runs differ, with their levels in order of the runs."""
    levels = [settled(r.levels, study.factors) for r in cell.records]
    found = {f.name: list(dict.fromkeys(of[f.name] for of in levels)) for f in study.factors}
    return {name: of for name, of in found.items() if len(of) > 1}


def moved(study: Study, a: Cell, b: Cell) -> list[str]:
    """The factors that differ and that the study does not fix.

    A fixed one differs only where the switch that it needs is off in one of the two.
    """
    return [name for name in differing(study, a, b) if name not in study.fixed]


def path(study: Study, a: Cell, b: Cell, others: Sequence[Cell]) -> dict[str, Any] | None:
    """The variants between `a` and `b`: some of the differing factors at the levels of `b`.

    None where one factor differs or none. `present` have completed runs, `unrun` are placed
    without any; `missing` names the factors of each that the study does not have.
    """
    names = moved(study, a, b)
    if len(names) < 2:  # noqa: PLR2004 - one step is no path
        return None
    start, goal = (settled(c.levels, study.factors) for c in (a, b))
    known = {_key(settled(c.levels, study.factors)): c for c in others}
    present: list[dict[str, Any]] = []
    unrun: list[dict[str, Any]] = []
    missing: list[list[str]] = []
    seen = {_key(start), _key(goal)}
    for taken in between(names):
        levels = settled(start | {n: goal[n] for n in taken | set(study.fixed)}, study.factors)
        if _key(levels) in seen:
            continue
        seen.add(_key(levels))
        cell = known.get(_key(levels))
        factors = [n for n in names if n in taken]
        if cell is None:
            missing.append(factors)
        else:
            (present if cell.completed else unrun).append(
                {"variant": cell.variant, "factors": factors}
            )
    return {
        "present": present,
        "unrun": unrun,
        "missing": missing,
        "complete": len(names) <= LEVELS_MOST,
    }


def _key(levels: Mapping[str, Level]) -> tuple[tuple[str, str, Level], ...]:
    return tuple((n, type(v).__name__, v) for n, v in sorted(levels.items()))


def settings(a: Cell, b: Cell, of: Settings) -> dict[str, Any]:
    """The resolved settings that differ, beyond levels; `lacking` names the sides without any.

    A key whose value is another one in every run of a side is a run's own, and left out.
    """
    sides = [_values(c, of) for c in (a, b)]
    lacking = [c.variant for c, values in zip((a, b), sides, strict=True) if not values]
    if lacking:
        return {"lacking": lacking, "differ": [], "same": 0, "own": []}
    keys = sorted(sides[0].keys() | sides[1].keys())
    rows = [(k, *(sorted(set(side.get(k, ()))) for side in sides)) for k in keys]
    own = [k for k in keys if any(_own(side.get(k, ())) for side in sides)]
    differ = [(k, x, y) for k, x, y in rows if x != y and k not in own]
    return {
        "lacking": [],
        "differ": [{"key": k, "a": x, "b": y} for k, x, y in differ],
        "same": sum(x == y for _, x, y in rows),
        "own": own,
    }


def _values(cell: Cell, of: Settings) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for record in cell.completed:
        for key, text in of.get(record.key, {}).items():
            found.setdefault(key, []).append(text)
    return found


def _own(texts: Sequence[str]) -> bool:
    return len(texts) > 1 and len(set(texts)) == len(texts)


def provenance(a: Cell, b: Cell) -> dict[str, dict[str, list[str]]]:
    """The facts of provenance (code, device, libraries, data) whose values differ."""
    x, y = (_facts(c) for c in (a, b))
    return {
        name: {"a": list(x.get(name, ())), "b": list(y.get(name, ()))}
        for name in sorted(x.keys() | y.keys())
        if set(x.get(name, ())) != set(y.get(name, ()))
    }


def _facts(cell: Cell) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for record in cell.completed:
        if record.attempt is None:
            continue
        facts = {**record.attempt.provenance, "device": record.attempt.device}
        for name, value in facts.items():
            if value and name not in UNSHOWN | OWN:
                found.setdefault(name, Counter())[str(value)] += 1
    return found
