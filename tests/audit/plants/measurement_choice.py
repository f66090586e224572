"""Steps chosen on the test split, a winner of the rule, scores of two sets, a broken check."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from ablate.audit.evidence import Evidence
from ablate.record import Record
from ablate.selection import LAST, Curves, Selection
from ablate.study import Check


def scored(evidence: Evidence, selection: Selection, curves: Mapping[str, Curves]) -> Evidence:
    """The same runs with these curves, their scores taken by this rule."""
    study = replace(evidence.study, selection=selection)
    records = [
        replace(r, scores=selection.apply(curves[r.key], study.directions))
        for r in evidence.records
    ]
    return replace(evidence, study=study, records=records, curves=curves)


def only(curves: Curves, split: str) -> Curves:
    """The curves with those of one scored split, called `test`."""
    return {
        (s if s == "train" else "test", name): curve
        for (s, name), curve in curves.items()
        if s in {"train", split}
    }


def on_test(evidence: Evidence) -> Evidence:
    """The best step is looked up on the only split there is, the test split."""
    curves = {}
    for key, of in evidence.curves.items():
        splits = {split for split, _ in of}
        curves[key] = only(of, "test" if "test" in splits else "val")
    return scored(evidence, Selection(evidence.study.primary), curves)


def late_fall(evidence: Evidence) -> Evidence | None:
    """The winner's last point falls below that of the runner-up, in all of its runs."""
    return _falling(evidence, evidence.study.primary)


def late_fall_of_another(evidence: Evidence) -> Evidence | None:
    """The same of a metric by which no step is chosen."""
    names = [m.name for m in evidence.study.metrics if m.name != evidence.study.primary]
    return _falling(evidence, names[0])


def _falling(evidence: Evidence, name: str) -> Evidence | None:
    study = evidence.study
    split = "val" if any(s == "val" for c in evidence.curves.values() for s, _ in c) else "test"
    rule, metric = Selection(study.primary, split), study.metric(name)
    found = scored(evidence, rule, evidence.curves)
    sign = 1 if metric.direction == "up" else -1
    grid = [c for c in found.cells if c.role == "grid"]
    first, second = sorted(grid, key=lambda c: -sign * c.summary(metric.name).mean)[:2]
    gap = abs(first.summary(metric.name).mean - second.summary(metric.name).mean)
    fall = sign * (gap + 0.01)
    curves: dict[str, Curves] = dict(found.curves)
    for record in first.records:
        curves[record.key] = {
            at: {s: v - fall * (s == max(of)) if at[1] == metric.name else v for s, v in of.items()}
            for at, of in curves[record.key].items()
        }
    planted = scored(found, rule, curves)
    last = scored(found, LAST, curves)
    winners = [
        max(
            (c for c in e.cells if c.role == "grid"),
            key=lambda c: sign * c.summary(metric.name).mean,
        ).variant
        for e in (planted, last)
    ]
    return planted if winners[0] != winners[1] else None


def of_another_set(evidence: Evidence) -> Evidence:
    """The scores of the last configuration are of another split than those of the others."""
    last = evidence.cells[-1].variant

    def moved(record: Record) -> Record:
        scores = {
            n: replace(s, split="holdout" if record.variant == last else s.split)
            for n, s in record.scores.items()
        }
        return replace(record, scores=scores)

    return replace(evidence, records=[moved(r) for r in evidence.records])


def beyond_its_bound(evidence: Evidence) -> Evidence:
    """The study expects a loss that no training had."""
    checks = (Check("train.loss", step=5, max=0.5),)
    return replace(evidence, study=replace(evidence.study, checks=checks))


PLANTS: dict[str, Callable[[Evidence], Evidence | None]] = {
    "W120": on_test,
    "W121": late_fall,
    "N121": late_fall_of_another,
    "W124": of_another_set,
    "W250": beyond_its_bound,
}
