"""Clean evidence with one defect of its design."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from ablate.audit.evidence import Evidence
from ablate.record import Record, State
from ablate.selection import Curves
from ablate.study import Arm, Level, Role, Sweep, changed, real

LR, WD = real("lr", 1e-3), real("wd", 0.5)


def better(evidence: Evidence, record: Record, by: float, metric: str = "") -> Evidence:
    """One run better by `by` in its scores and curves: of one metric, else of all that are scored.

    Percent metrics by that fraction, others in their own unit.
    """
    study = evidence.study
    signs = {
        m.name: 1 if m.direction == "up" else -1 for m in study.metrics if metric in {"", m.name}
    }
    scores = {
        name: replace(s, value=s.value + by * signs.get(name, 0))
        for name, s in record.scores.items()
    }
    curves: Curves = {
        at: {step: v + by * signs.get(at[1], 0) for step, v in curve.items()}
        for at, curve in evidence.curves.get(record.key, {}).items()
    }
    made = replace(record, scores=scores)
    records = [made if r.key == record.key else r for r in evidence.records]
    return replace(evidence, records=records, curves={**evidence.curves, record.key: curves})


def of(evidence: Evidence, variant: str) -> list[Record]:
    """The runs of one configuration."""
    return [r for r in evidence.records if r.variant == variant]


def wider(evidence: Evidence) -> Evidence:
    """The same study with two further factors that no run has moved yet."""
    factors = (*evidence.study.factors, LR, WD)
    more = {f.name: f.reference for f in (LR, WD)}
    records = [replace(r, levels={**r.levels, **more}) for r in evidence.records]
    return replace(evidence, study=replace(evidence.study, factors=factors), records=records)


def beside(  # noqa: PLR0913, PLR0917 - one per field of a placement
    evidence: Evidence, around: str, name: str, role: Role, set_: Mapping[str, Level], by: float
) -> Evidence:
    """A further configuration: runs like those of `around` with some levels moved, better by."""
    found = evidence
    for run in of(evidence, around):
        levels = {**run.levels, **set_}
        position = len(found.records)
        key = f"{position:016x}"
        made = replace(
            run,
            variant=name,
            role=role,
            parent=around,
            levels=levels,
            changed=changed(levels, found.study.factors),
            position=position,
            key=key,
            attempt=run.attempt and replace(run.attempt, key=key),
        )
        settings = dict(found.settings)
        if run.key in settings:
            said = {n: str(v) for n, v in set_.items()}
            settings[key] = {**settings[run.key], **said, "output_dir": f"runs/{key}"}
        found = replace(
            found,
            records=[*found.records, made],
            curves={**found.curves, key: found.curves[run.key]},
            settings=settings,
        )
        found = better(found, made, by)
    return found


def swept(evidence: Evidence, around: str, factor: str, gains: Mapping[float, float]) -> Evidence:
    """A sweep of one of the further factors: level -> what it gains over `around`."""
    found = evidence
    for level, by in gains.items():
        found = beside(found, around, f"{around} {factor}={level}", "sweep", {factor: level}, by)
    own = found.study.factor(factor).reference
    sweep = Sweep(around, factor, tuple(sorted((*gains, float(own)))))
    return replace(found, study=replace(found.study, sweeps=(*found.study.sweeps, sweep)))


def single(evidence: Evidence) -> Evidence:
    """One seed only."""
    first = evidence.study.seeds[0]
    return replace(
        evidence,
        study=replace(evidence.study, seeds=(first,)),
        records=[r for r in evidence.records if r.seed == first],
    )


def _uneven(evidence: Evidence) -> Evidence:
    return replace(evidence, records=list(evidence.records)[:-1])


def _failed(evidence: Evidence) -> Evidence:
    *rest, last = evidence.records
    return replace(evidence, records=[*rest, replace(last, state=State.FAILED, scores={})])


def _bundled(evidence: Evidence) -> Evidence:
    both: dict[str, Level] = {"lr": 2e-3, "wd": 0.1}
    made = beside(wider(evidence), "baseline", "recipe", "arm", both, 0.006)
    return replace(made, study=replace(made.study, arms=(Arm("recipe", both, "baseline"),)))


def _elsewhere(evidence: Evidence) -> Evidence:
    return swept(wider(evidence), "baseline", "wd", {0.25: -0.02, 0.75: -0.03})


def _tuned(evidence: Evidence) -> Evidence:
    gains = {0.1: 0.1, 0.2: 0.12, 0.25: 0.2, 0.3: 0.12, 0.4: 0.11, 0.6: 0.1}
    return swept(wider(evidence), "baseline", "wd", gains)


def _apart(evidence: Evidence) -> Evidence:
    one = swept(wider(evidence), "full", "wd", {0.25: 0.03, 0.1: -0.02})
    return swept(one, "full", "lr", {5e-4: 0.03, 1e-4: -0.02})


def _edge(evidence: Evidence) -> Evidence:
    return swept(wider(evidence), "full", "wd", {0.25: -0.03, 0.75: 0.03})


def _faint_edge(evidence: Evidence) -> Evidence:
    return swept(wider(evidence), "full", "wd", {0.25: -0.03, 0.75: 1.1e-3})


PLANTS: dict[str, Callable[[Evidence], Evidence]] = {
    "W101": single,
    "W102": _uneven,
    "W103": _failed,
    "W104": _bundled,
    "W110": _elsewhere,
    "W111": _tuned,
    "N112": _apart,
    "W210": _edge,
    "N210": _faint_edge,
}
