"""No check breaks on a study that has hardly anything: each looks at every odd kind of evidence."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from ablate.audit.catalogue import CHECKS
from ablate.audit.check import Check
from ablate.audit.evidence import Evidence
from ablate.metric import Metric
from ablate.record import Record, State
from ablate.selection import LAST, Curves, Selection
from ablate.study import Study
from tests.audit.clean import clean

BARE = Study(
    name="bare",
    title="Bare",
    system="x",
    revision="1",
    factors=(),
    metrics=(Metric("mAP"),),
    primary="mAP",
)
SELECTIONS = (LAST, Selection("mAP"), Selection("mAP", "val"), Selection("mAP", "test"))


@cache
def study() -> Evidence:
    """A clean study with a sweep, settings and replicates."""
    found = (clean(seed) for seed in range(100))
    return next(e for e in found if e.study.sweeps and e.settings and e.study.primary == "mAP")


def all_of(change: Callable[[Record], Record]) -> Evidence:
    evidence = study()
    return replace(evidence, records=[change(r) for r in evidence.records])


def scored_anew(change: Callable[[Curves], Curves], selection: Selection = LAST) -> Evidence:
    """The study with other curves, and with the scores that its rule makes of them."""
    evidence = study()
    own = replace(evidence.study, selection=selection)
    curves = {key: change(of) for key, of in evidence.curves.items()}
    records = [
        replace(r, scores=selection.apply(curves[r.key], own.directions)) for r in evidence.records
    ]
    return replace(evidence, study=own, records=records, curves=curves)


def pending(evidence: Evidence) -> Evidence:
    records = [
        replace(r, state=State.PENDING, scores={}, costs={}, attempt=None, source="")
        for r in evidence.records
    ]
    return Evidence(evidence.study, records)


def valued(value: float) -> Evidence:
    return scored_anew(lambda of: {at: dict.fromkeys(c, value) for at, c in of.items()})


def of_state(state: State) -> Evidence:
    return all_of(lambda r: replace(r, state=state, scores={}, costs={}))


def one_run(evidence: Evidence) -> Evidence:
    first = evidence.records[0]
    curves = {first.key: evidence.curves[first.key]}
    return Evidence(evidence.study, [first], curves, evidence.settings)


CASES: dict[str, Callable[[], Evidence]] = {
    "an empty study": lambda: Evidence(BARE, []),
    "no records": lambda: Evidence(study().study, []),
    "all planned": lambda: pending(study()),
    "all failed": lambda: of_state(State.FAILED),
    "all running": lambda: of_state(State.RUNNING),
    "all incomplete": lambda: of_state(State.INCOMPLETE),
    "one run": lambda: one_run(study()),
    "one variant": lambda: replace(
        study(), records=[r for r in study().records if r.variant == "full"]
    ),
    "no baseline": lambda: replace(
        study(), records=[r for r in study().records if r.variant != "baseline"]
    ),
    "no score": lambda: all_of(lambda r: replace(r, scores={})),
    "nothing but scores": lambda: replace(
        all_of(lambda r: replace(r, costs={}, attempt=None, source="")), curves={}, settings={}
    ),
    "scores without curves": lambda: replace(study(), curves={}),
    "empty curves": lambda: replace(study(), curves={key: {} for key in study().curves}),
    "curves without points": lambda: scored_anew(lambda of: {at: {} for at in of}),
    "no costs": lambda: all_of(lambda r: replace(r, costs={})),
    "empty settings": lambda: replace(study(), settings={key: {} for key in study().settings}),
    "only NaN": lambda: valued(math.nan),
    "only infinity": lambda: valued(math.inf),
    "only zero": lambda: valued(0.0),
    "enormous scores": lambda: valued(1e100),
    "curves of one step": lambda: scored_anew(lambda of: {at: {1: c[1]} for at, c in of.items()}),
    "curves of two steps": lambda: scored_anew(
        lambda of: {at: {1: c[1], 2: c[2]} for at, c in of.items()}
    ),
    "steps far apart": lambda: scored_anew(
        lambda of: {at: {10**9 * s: v for s, v in c.items()} for at, c in of.items()}
    ),
    "a metric nobody logged": lambda: replace(
        study(), study=replace(study().study, metrics=(*study().study.metrics, Metric("lost")))
    ),
    "names of two tongues": lambda: all_of(
        lambda r: replace(r, variant=f"{r.variant} 完整 [x] 'y'", parent=r.parent and f"{r.parent}")
    ),
    **{
        f"scores by {rule}": lambda rule=rule: scored_anew(lambda of: of, rule)
        for rule in SELECTIONS
    },
}


@cache
def evidence_of(case: str) -> Evidence:
    return CASES[case]()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.code)
def test_no_check_breaks(check: Check, case: str) -> None:
    for finding in check.findings(evidence_of(case)):
        assert finding.sentence
        assert finding.chinese


@pytest.mark.parametrize("case", ["an empty study", "no records"])
def test_of_nothing_nothing_is_said(case: str) -> None:
    evidence = evidence_of(case)

    assert [f.sentence for c in CHECKS for f in c.findings(evidence)] == []


def test_before_training_only_checks_of_plans_speak() -> None:
    evidence = evidence_of("all planned")
    said = {f.code for c in CHECKS for f in c.findings(evidence)}

    assert said <= {c.code for c in CHECKS if c.planned}
