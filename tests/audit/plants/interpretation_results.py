"""Clean evidence whose numbers say of each other what they did not say before."""

from collections.abc import Callable
from dataclasses import replace

from ablate.audit.evidence import Evidence
from ablate.record import Record
from ablate.selection import Curves
from ablate.study import Modules, changed, switch
from tests.audit.plants.design_study import better, of, single

OTHER = switch("other")


def _split(evidence: Evidence) -> Evidence:
    """The baseline is by far the best on another metric than the primary one, there it is full."""
    names = [m.name for m in evidence.study.metrics if m.name != evidence.study.primary]
    for run in of(evidence, "baseline"):
        evidence = better(evidence, run, 0.5, names[0])
    for run in of(evidence, "full"):
        evidence = better(evidence, run, 0.3, evidence.study.primary)
    return evidence


def _perhaps(evidence: Evidence) -> Evidence:
    """So by single runs, of which no noise is known."""
    return _split(single(evidence))


def _paired(evidence: Evidence) -> Evidence:
    """The grid of one module with a second that gains a little."""
    study = evidence.study
    factors = (*study.factors, OTHER)
    assert study.modules is not None
    modules = Modules((*study.modules.factors, OTHER.name))
    records = [replace(r, levels={**r.levels, OTHER.name: False}) for r in evidence.records]
    names = {"baseline": OTHER.name, "full": "full"}
    grid = [r for r in records if r.variant in names]
    kept = [replace(r, variant="sacr") if r.variant == "full" else r for r in grid]
    study = replace(study, factors=factors, modules=modules, sweeps=())
    made = replace(evidence, study=study, records=kept)
    for run in grid:
        levels = {**run.levels, OTHER.name: True}
        key = f"{1000 + len(made.records):016x}"
        more = replace(
            run,
            variant=names[run.variant],
            parent="baseline",
            levels=levels,
            changed=changed(levels, factors),
            position=len(made.records),
            key=key,
        )
        curves = {**made.curves, key: made.curves[run.key]}
        made = replace(made, records=[*made.records, more], curves=curves)
        made = better(made, more, 0.02)
    return made


def _flipped(evidence: Evidence) -> Evidence:
    """The first module harms, by far, where the second is on."""
    made = _paired(evidence) if len(evidence.study.on) == 1 else evidence
    first, second = list(made.study.on)[:2]
    for run in made.records:
        if run.levels[first] and run.levels[second]:
            made = better(made, run, -0.3, made.study.primary)
    return made


def _level(evidence: Evidence) -> Evidence:
    """`full` is better than the baseline by a hundredth of a point."""
    return _like_the_baseline(evidence, 1e-4)


def _like_the_baseline(evidence: Evidence, by: float) -> Evidence:
    metric = evidence.study.metric(evidence.study.primary)
    sign = 1 if metric.direction == "up" else -1
    for run, base in zip(of(evidence, "full"), of(evidence, "baseline"), strict=True):
        values = (r.scores[metric.name].value for r in (base, run))
        evidence = better(evidence, run, sign * (next(values) - next(values)) + by, metric.name)
    return evidence


def few(evidence: Evidence) -> Evidence:
    """Two runs of the baseline and of `full`: 2 degrees of freedom."""
    study = replace(evidence.study, seeds=evidence.study.seeds[:2])
    both = [
        r for r in evidence.records if r.variant in {"baseline", "full"} and r.seed in study.seeds
    ]
    return replace(evidence, study=study, records=both)


def _hardly(evidence: Evidence) -> Evidence:
    return _level(few(evidence))


def _restless(evidence: Evidence) -> Evidence:
    """Two single runs half a point apart, each going up and down by two points at its end."""
    both = [r for r in single(evidence).records if r.variant in {"baseline", "full"}]
    made = _like_the_baseline(replace(single(evidence), records=both), 0.005)
    return replace(made, curves={r.key: _shaken(made, r) for r in made.records}, settings={})


def _shaken(evidence: Evidence, record: Record) -> Curves:
    """The curve of the primary metric goes up and down around its last value."""
    name = evidence.study.primary
    value = record.scores[name].value
    found: dict[tuple[str, str], dict[int, float]] = {}
    for at, curve in evidence.curves[record.key].items():
        last = max(curve)
        shaken = {s: value + 0.02 * (-1) ** (last - s) for s in curve}
        found[at] = {**shaken, last: value} if at[1] == name else dict(curve)
    return found


PLANTS: dict[str, Callable[[Evidence], Evidence]] = {
    "W201": _split,
    "N201": _perhaps,
    "W220": _flipped,
    "W240": _level,
    "N240": _hardly,
    "W241": _restless,
}
