"""Totals and their parts, leads of one item, times: with the numbers of the real reports."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from ablate.audit.evidence import Evidence
from ablate.audit.measurement import granularity, timing, totals
from ablate.metric import Metric
from ablate.record import Attempt, Cost, Item, Record, State
from ablate.selection import Curves, Score
from ablate.study import Modules, Study, switch

ERRORS = ("mATE", "mASE", "mAOE", "mAVE", "mAAE")
BASELINE = (0.6908, 0.6575, 0.3353, 0.2493, 0.3339, 0.2715, 0.1899)
AQR = (0.6825, 0.6397, 0.3373, 0.2500, 0.3259, 0.2731, 0.1876)
"""NDS, mAP and the five errors of seed 004, as printed."""
AQR_CLASSES = (0.851, 0.602, 0.729, 0.416, 0.289, 0.822, 0.695, 0.594, 0.692, 0.708)
"""Their mean is 0.6398, not the printed 0.6397: three digits each."""
QUERIES = {granularity.QUERIES: "30, 836, 2"}
STUDY = Study(
    name="s",
    title="S",
    system="x",
    revision="1",
    factors=(switch("sacr"), switch("lif")),
    metrics=(Metric("rank1", "Rank-1"),),
    primary="rank1",
    modules=Modules(("sacr", "lif")),
)
DETECTION = replace(
    STUDY,
    metrics=(
        Metric("NDS", digits=2),
        Metric("mAP", digits=2),
        *(Metric(e, direction="down", display="number", digits=4) for e in ERRORS),
    ),
    primary="NDS",
)


def run(  # noqa: PLR0913 - each has its name at the call
    variant: str = "baseline",
    scores: Mapping[str, float] | None = None,
    *,
    costs: Mapping[str, float] | None = None,
    facts: Mapping[str, str] | None = None,
    seed: int = 0,
    number: int = 1,
) -> Record:
    key = f"{variant}-{seed}"
    units = {"seconds": "s", "step": "s"}
    on = {m: m in variant or variant == "full" for m in ("sacr", "lif")}
    return Record(
        study="s",
        variant=variant,
        role="grid",
        parent=None,
        position=0,
        levels=on,
        changed={m: True for m in on if on[m]},
        seed=seed,
        key=key,
        state=State.COMPLETED,
        scores={n: Score(n, v, 1, "val", "last") for n, v in (scores or {}).items()},
        costs={n: Cost(n, v, units.get(n, ""), "as printed") for n, v in (costs or {}).items()},
        attempt=Attempt(
            key, number, State.COMPLETED, "", "", provenance={**QUERIES, **(facts or {})}
        ),
    )


def detected(values: Sequence[float]) -> Evidence:
    names = [m.name for m in DETECTION.metrics]
    return Evidence(DETECTION, [run(scores=dict(zip(names, values, strict=True)))])


@pytest.mark.parametrize("values", [BASELINE, AQR])
def test_the_published_nds_is_what_map_and_the_errors_make(values: Sequence[float]) -> None:
    assert list(totals.CHECK.findings(detected(values))) == []


def test_an_nds_that_is_not_made_of_its_parts_is_made_again() -> None:
    (finding,) = totals.CHECK.findings(detected((0.6925, *AQR[1:])))

    assert finding.name == "W150:NDS"
    assert finding.sentence == (
        "NDS is not what mAP and the errors make in baseline (69.25, made again 68.25)"
    )


def test_a_mean_of_classes_may_be_off_by_what_was_rounded_away() -> None:
    def of(values: Sequence[float]) -> Evidence:
        items = [Item("val", f"class{i}", "AP", v) for i, v in enumerate(values)]
        return replace(detected(AQR), items=lambda _key: items)

    assert list(totals.CHECK.findings(of(AQR_CLASSES))) == []
    (finding,) = totals.CHECK.findings(of((*AQR_CLASSES[:-1], 0.728)))
    assert finding.sentence == (
        "mAP is not what the AP of its items make in baseline (63.97, made again 64.18)"
    )


def test_a_score_that_was_rounded_is_the_mean_of_exact_items() -> None:
    exact = [Item("val", f"class{i}", "AP", 0.63974 + (i - 4.5) / 97) for i in range(10)]

    assert list(totals.CHECK.findings(replace(detected(AQR), items=lambda _key: exact))) == []


def test_items_of_another_step_are_no_contradiction() -> None:
    evidence = replace(
        detected(AQR), items=lambda _key: [Item("val", f"c{i}", "AP", 0.5) for i in range(10)]
    )
    curves: dict[str, Curves] = {"baseline-0": {("val", "mAP"): {1: 0.6397, 2: 0.5}}}

    assert list(totals.CHECK.findings(evidence))
    assert list(totals.CHECK.findings(replace(evidence, curves=curves))) == []


@pytest.mark.parametrize(
    "values", [(*AQR_CLASSES, -1.0, float("nan")), [round(100 * v, 1) for v in AQR_CLASSES]]
)
def test_absent_classes_and_percentages_beside_fractions_are_no_contradiction(
    values: Sequence[float],
) -> None:
    items = [Item("val", f"class{i}", "AP", v) for i, v in enumerate(values)]

    assert list(totals.CHECK.findings(replace(detected(AQR), items=lambda _key: items))) == []


def counted(**params: float) -> Evidence:
    return Evidence(STUDY, [run(v, costs={"params": n}) for v, n in params.items()])


def test_parameters_of_the_real_grid_are_the_sum_of_its_modules() -> None:
    # the counts of four of seed 000's logs
    real = {"baseline": 87_988_224, "sacr": 96_381_957, "lif": 88_157_859, "full": 96_551_592}
    printed = {"baseline": 87.99e6, "sacr": 96.38e6, "lif": 88.16e6, "full": 96.56e6}

    assert list(totals.CHECK.findings(counted(**real))) == []
    assert list(totals.CHECK.findings(counted(**printed))) == []
    (finding,) = totals.CHECK.findings(counted(**{**real, "full": 96_551_593}))
    assert finding.sentence == (
        "the parameters are not those of the baseline and of each module"
        " in full (96,551,593, its parts make 96,551,592)"
    )


def test_a_part_cannot_cost_more_than_the_whole() -> None:
    record = run(costs={"params": 100.0})
    shares = {"sacr": {"params": Cost("params", 101.0, "", "as printed", "sacr")}}

    (finding,) = totals.CHECK.findings(Evidence(STUDY, [replace(record, shares=shares)]))

    assert finding.sentence == "sacr has more params than the whole of baseline (101 of 100)"


def ranked(*cells: Sequence[float]) -> Evidence:
    """Configurations with one run a Rank-1."""
    names = ("sdtps", "full", "baseline")
    return Evidence(
        STUDY,
        [
            run(name, {"rank1": value}, seed=seed)
            for name, values in zip(names, cells, strict=False)
            for seed, value in enumerate(values)
        ],
    )


def test_80_1_against_80_0_is_one_query_of_836() -> None:
    evidence = ranked((0.801,), (0.800,), ())
    curves: dict[str, Curves] = {
        "full-0": {("val", "rank1"): dict(enumerate(_every(836), start=2))}
    }

    (finding,) = granularity.CHECK.findings(replace(evidence, curves=curves))

    assert finding.sentence == "Rank-1: sdtps leads full by one query of 836 (80.1 against 80.0)"


def _every(size: int) -> list[float]:
    """A hundred counts of a test set, as printed with one decimal of a percentage."""
    return [round(hits / size, 3) for hits in range(size // 2, size // 2 + 100)]


def test_few_printed_values_do_not_tell_that_a_metric_counts() -> None:
    assert list(granularity.CHECK.findings(ranked((0.801,), (0.800,)))) == []


def test_values_that_are_no_counts_have_no_granularity() -> None:
    curves: dict[str, Curves] = {
        "full-0": {("val", "rank1"): {s: round(0.5 + s / 1000, 3) for s in range(1, 80)}}
    }

    assert list(granularity.CHECK.findings(replace(ranked((0.801,), (0.8,)), curves=curves))) == []


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ((670,), (669,), "one query of 836"),
        ((671,), (669,), ""),
        ((669,), (669,), ""),  # a tie has no leader
        ((670, 672, 668), (670, 670, 668), "0.67 of 836 queries on average"),
        ((670, 674, 672), (670, 670, 668), ""),
    ],
)
def test_unrounded_counts_tell_of_a_lead_of_one_item(
    first: Sequence[int], second: Sequence[int], said: str
) -> None:
    cells = [[hits / 836 for hits in cell] for cell in (first, second, (500, 400, 300))]

    findings = list(granularity.CHECK.findings(ranked(*cells)))

    assert bool(findings) == bool(said)
    assert all(said in f.sentence for f in findings)


def test_printed_totals_and_rates_of_seed_004_tell_of_unequal_iterations() -> None:
    records = [
        run("baseline", costs={"seconds": 3363, "step": 0.64}),
        run("full", costs={"seconds": 8503, "step": 1.90}),
    ]

    (finding,) = timing.CHECK.findings(Evidence(STUDY, records))

    assert "tell of 5,255 iterations and of 4,475" in finding.sentence
    assert "baseline 3,363 s at 0.64 s, full 8,503 s at 1.9 s" in finding.sentence


def timed(total: float, pace: float, facts: Mapping[str, str], name: str, **of: int) -> Evidence:
    """A run that logs its seconds an iteration at every 50th of 4,000 iterations."""
    curve = dict.fromkeys(range(50, 4001, 50), pace)
    record = run(costs={"seconds": total}, facts=facts, number=of.get("number", 1))
    return Evidence(STUDY, [record], {record.key: {("train", name): curve}})


@pytest.mark.parametrize(
    ("total", "facts", "name", "number", "said"),
    [
        (3340.3, {"reader": "mmdet"}, "time", 1, False),  # the real baseline: evaluation beside
        (2400.0, {"reader": "mmdet"}, "time", 1, True),
        (2400.0, {}, "time", 1, False),  # of another source it may be anything
        (2400.0, {}, "seconds_per_batch", 1, True),
        (2400.0, {}, "seconds_per_batch", 2, False),  # resumed: its curves are older
        (2550.0, {}, "seconds_per_batch", 1, False),  # within 5 % of 2,581 s
    ],
)
def test_a_run_takes_no_less_than_its_iterations(
    total: float, facts: Mapping[str, str], name: str, number: int, *, said: bool
) -> None:
    findings = list(timing.CHECK.findings(timed(total, 0.6535, facts, name, number=number)))

    assert bool(findings) == said
    assert all(
        "took 2,400 s, but 3,950 of its iterations of 0.654 s take 2,581 s" in f.sentence
        for f in findings
    )


def test_a_point_an_epoch_alone_does_not_tell_how_many_iterations_there_were() -> None:
    short, record = run(costs={"seconds": 10.0}), run(costs={"seconds": 1000.0})
    epochs: Curves = {("train", "seconds_per_batch"): dict.fromkeys(range(1, 41), 0.65)}
    counted_too: Curves = {**epochs, ("train", "acc"): {54 * e: 0.5 for e in range(1, 41)}}

    assert list(timing.CHECK.findings(Evidence(STUDY, [short], {short.key: epochs}))) == []
    (finding,) = timing.CHECK.findings(Evidence(STUDY, [record], {record.key: counted_too}))
    # 39 epochs of 54 iterations after the first point
    assert "but 2,106 of its iterations of 0.650 s take 1,369 s" in finding.sentence


def test_steps_that_count_images_are_no_iterations() -> None:
    record = run(costs={"seconds": 1400.0})
    images: Curves = {
        ("train", "seconds_per_batch"): dict.fromkeys(range(1, 41), 0.65),
        ("train", "acc"): {54 * 64 * e: 0.5 for e in range(1, 41)},
    }

    assert list(timing.CHECK.findings(Evidence(STUDY, [record], {record.key: images}))) == []
