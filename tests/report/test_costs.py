"""What a report says of costs: live and executed, whole and by factor, and doubts."""

from collections.abc import Mapping
from dataclasses import replace

from ablate.analysis.cells import cells
from ablate.metric import Metric
from ablate.record import Attempt, Cost, Finding, Record, State
from ablate.report import comparison_document, render_comparison, render_study, study_document
from ablate.study import Level, Modules, Study, switch

STUDY = Study(
    name="s",
    title="A and B",
    system="toy",
    revision="1",
    factors=(switch("a"), switch("b")),
    metrics=(Metric("rank1", "Rank-1"),),
    primary="rank1",
    modules=Modules(("a", "b")),
)
GRID: dict[str, dict[str, Level]] = {
    "baseline": {"a": False, "b": False},
    "a": {"a": True, "b": False},
    "full": {"a": True, "b": True},
}
META = "torch formulas/2 on meta"
# Seed 000 as its source ran, one sample of RGBNT201: SACR alone adds parameters and nothing else.
LIVE = {"baseline": 34_170_132_000, "a": 34_170_132_000, "full": 38_202_486_000}
EXECUTED = LIVE | {"a": 37_391_357_000}
PARAMS = {"baseline": 87_988_224, "a": 96_381_957, "full": 97_186_812}
OWN = 8_393_733


def spent(variant: str, seed: int, position: int, counter: str = META) -> Record:
    costs = (
        Cost("params", PARAMS[variant], "", "trainable"),
        Cost("macs", EXECUTED[variant], "MAC", counter),
        Cost("live_macs", LIVE[variant], "MAC", counter),
    )
    levels, key = GRID[variant], f"{position:016x}"
    found = {c.name: c for c in costs}
    return Record(
        "s", variant, "grid", None, position, levels, {}, seed, key, State.COMPLETED, costs=found
    )


def section(report: str, title: str) -> str:
    return report.split(f". {title}", 1)[1].split("\n## ", 1)[0]


def cell(report: str, row: str, title: str) -> str:
    lines = section(report, title).splitlines()
    return next(line for line in lines if line.startswith(f"| {row} |"))


def share(live: int) -> Mapping[str, Mapping[str, Cost]]:
    own = Cost("params", OWN, "", "trainable", "a"), Cost("live_params", live, "", "reachable", "a")
    return {"a": {c.name: c for c in own}}


RECORDS = [spent(v, 0, i) for i, v in enumerate(PARAMS)]


def test_gflops_are_the_live_ones_and_executed_ones_stand_beside_them_where_they_differ() -> None:
    report = render_study(study_document(STUDY, RECORDS))

    heads = section(report, "Complexity").splitlines()[2]
    assert heads.startswith("| Configuration | Params (M) | GFLOPs | executed GFLOPs |")
    assert cell(report, "a", "Complexity").startswith("| a | 96.38 | 34.17 | 37.39 | +8.39 | ±0.00")
    assert f"multiply–accumulates of one scored sample, by {META}." in report
    without = render_study(study_document(STUDY, [RECORDS[0], RECORDS[2]]))
    assert "executed GFLOPs" not in without


def test_counts_of_two_counters_never_share_a_column_nor_a_difference() -> None:
    other = spent("full", 0, 2, counter="torch formulas/2 on the CPU")
    report = render_study(study_document(STUDY, [*RECORDS[:2], other]))

    heads = section(report, "Complexity").splitlines()[2]
    assert f"GFLOPs [{META}]" in heads
    assert "GFLOPs [torch formulas/2 on the CPU]" in heads
    assert "+4.03" not in cell(report, "full", "Complexity")


def test_a_live_count_and_an_older_executed_one_of_another_counter_are_two_columns() -> None:
    old = Cost("macs", 34_170_132_000, "MAC", "torch.FlopCounterMode/2 on meta")
    report = render_study(
        study_document(STUDY, [replace(RECORDS[0], costs={"macs": old}), RECORDS[2]])
    )

    assert f"GFLOPs [{META}]" in report
    assert "GFLOPs [torch.FlopCounterMode/2 on meta]" in report


def test_what_a_module_adds_is_a_line_for_each_size_that_it_has() -> None:
    dead, live = replace(RECORDS[1], shares=share(0)), replace(RECORDS[2], shares=share(OWN))
    document = study_document(STUDY, [RECORDS[0], dead, live])
    lines = section(render_study(document), "What each module adds").splitlines()

    assert lines[2] == "| Module | Configurations | Params (M) | Live (M) |"
    assert lines[4:6] == ["| a | a | 8.39 | 0.00 |", "| a | full | 8.39 | 8.39 |"]
    assert document["cells"][1]["shares"]["a"][1]["mean"] == 0


def test_step_time_and_peak_memory_stand_beside_the_times_of_a_training() -> None:
    costs = {
        "step": Cost("step", 0.0625, "s", "median of the steps after the first epoch"),
        "memory": Cost("memory", 3 * 2**29, "B", "torch.cuda.max_memory_allocated"),
    }
    report = render_study(study_document(STUDY, [replace(RECORDS[0], costs=costs)]))

    assert cell(report, "baseline", "Time and memory") == "| baseline | 62.5 | 1.5 |"
    assert "Step (ms): median of the steps after the first epoch." in report


def test_a_comparison_puts_executed_operations_beside_live_ones() -> None:
    by_name = {c.variant: c for c in cells(RECORDS)}
    text = render_comparison(comparison_document(STUDY, [by_name["baseline"], by_name["a"]]))

    assert "| GFLOPs | 34.17 | 34.17 | ±0.00 |" in text
    assert "| executed GFLOPs | 34.17 | 37.39 | +3.22 |" in text


def test_a_doubt_that_trainings_noted_is_said_once_with_the_variants_it_concerns() -> None:
    def noting(r: Record, notes: str) -> Record:
        attempt = Attempt(r.key, 1, State.COMPLETED, "", "", provenance={"notes": notes})
        return replace(r, attempt=attempt)

    random = "CLIP weights are random: not comparable"
    records = [
        noting(RECORDS[0], random),
        noting(RECORDS[1], f"{random}\none image is gone"),
        noting(RECORDS[2], random),
    ]
    report = render_study(study_document(STUDY, records))
    top = report.split("\n## ")[0]

    assert f"> ⚠️ Noted of the runs of every configuration: {random}" in top
    assert "> ⚠️ Noted of the runs of a: one image is gone" in top
    assert report.count(random) == 1


def test_what_the_audit_only_notes_carries_no_warning_sign() -> None:
    found = [
        Finding("W204", "warning", "a: read by nobody", "x"),
        Finding("N204", "note", "b: acts elsewhere", "y"),
    ]
    top = render_study(study_document(STUDY, RECORDS, {}, found)).split("\n# ")[0].splitlines()

    assert "> ⚠️ W204: a: read by nobody (x)." in top
    assert "> N204: b: acts elsewhere (y)." in top
