"""What a report says about studies of several seeds, unfinished ones and hostile names."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from ablate.analysis.cells import cells
from ablate.cli.console import json_text
from ablate.metric import Metric
from ablate.record import Attempt, Cost, Record, State
from ablate.report import comparison_document, render_study, study_document
from ablate.report.markdown import escaped
from ablate.selection import Curves, Score
from ablate.study import Level, Modules, Study, Sweep, changed, real, switch

FACTORS = (switch("a"), switch("b"), real("a.rate", 0.5, requires="a"))
METRICS = (Metric("rank1", "Rank-1"), Metric("loss", "Loss", "down", "number", 3))
STUDY = Study(
    name="s",
    title="A and B",
    system="toy",
    revision="1",
    factors=FACTORS,
    metrics=METRICS,
    primary="rank1",
    seeds=(0, 1, 2),
    modules=Modules(("a", "b")),
    data="standin:1",
    standin=True,
)
GRID: dict[str, dict[str, Level]] = {
    "baseline": {},
    "a": {"a": True},
    "b": {"b": True},
    "full": {"a": True, "b": True},
}


def record(variant: str, seed: int, position: int, **others: object) -> Record:
    levels = {f.name: f.reference for f in FACTORS} | GRID.get(variant, {})
    facts: dict[str, object] = {
        "study": "s",
        "variant": variant,
        "role": "grid",
        "parent": None if variant == "baseline" else "baseline",
        "position": position,
        "levels": levels,
        "changed": changed(levels, FACTORS),
        "seed": seed,
        "key": f"{position:016x}",
        "state": State.COMPLETED,
        "source": "run",
    }
    return Record(**(facts | others))


def scored(rank1: float, loss: float = 1.0) -> dict[str, Score]:
    values = {"rank1": rank1, "loss": loss}
    return {n: Score(n, v, 10, "test", "last") for n, v in values.items()}


def grid(values: Mapping[str, list[float]]) -> list[Record]:
    records = []
    for variant, of in values.items():
        for seed, value in enumerate(of):
            records.append(record(variant, seed, len(records), scores=scored(value)))
    return records


NORMAL = {
    "baseline": [0.70, 0.71, 0.72],
    "a": [0.80, 0.81, 0.82],
    "b": [0.70, 0.72, 0.71],
    "full": [0.80, 0.81, 0.83],
}


def cell(report: str, row: str, section: str) -> str:
    part = report.split(f". {section}", 1)[1].split("\n## ", 1)[0]
    return next(line for line in part.splitlines() if line.startswith(f"| {row} |"))


def test_stand_in_data_are_named_in_the_very_first_line() -> None:
    first = render_study(study_document(STUDY, grid(NORMAL))).splitlines()[0]
    assert "**stand-in data**" in first
    assert "not the real data set" in first


def test_seeds_give_mean_sd_and_n() -> None:
    report = render_study(study_document(STUDY, grid(NORMAL)))
    assert cell(report, "baseline", "Performance").startswith("| baseline | 3 | 71.0 ± 1.0 |")
    assert "**81.3 ± 1.5**" in cell(report, "full", "Performance")


def test_a_main_effect_comes_with_its_welch_interval_and_its_runs() -> None:
    # (0.81 + 0.81333 - 0.71 - 0.71) / 2 = 0.10167; variances 1e-4 three times and 7/3 e-4, n = 3:
    # se^2 = (3e-4 + 7/3 e-4) / 3 / 4 = 4.4444e-5, df = 6.737, t = 2.3835 -> half-width 1.589 points
    report = render_study(study_document(STUDY, grid(NORMAL)))
    row = cell(report, "a", "What each module contributes")
    assert "| +10.17 | [+8.58, +11.76] |" in row
    assert "Welch–Satterthwaite" in report


def test_a_lower_loss_is_the_best_one() -> None:
    records = [record(v, 0, i, scores=scored(0.5, loss=1.0 - i / 10)) for i, v in enumerate(GRID)]
    report = render_study(study_document(STUDY, records))
    assert "**0.700**" in cell(report, "full", "Performance")
    assert "−0.300" in cell(report, "full", "Performance")


def fading(records: list[Record]) -> dict[str, Curves]:
    def curve(r: Record) -> Curves:
        gain = {1: 0.2, 2: 0.3, 3: 0.05}
        own = r.seed / 100
        return {
            ("test", "rank1"): {s: 0.5 + own + (g if r.levels["a"] else 0) for s, g in gain.items()}
        }

    return {r.key: curve(r) for r in records}


def noisy(curves: dict[str, Curves]) -> dict[str, Curves]:
    spread = (0.0, 0.004, -0.003, 0.002, -0.001, 0.003)
    return {
        key: {
            name: {s: v + spread[(i * 3 + s) % 6] for s, v in points.items()}
            for name, points in of.items()
        }
        for i, (key, of) in enumerate(curves.items())
    }


def test_an_effect_that_fades_with_training_is_said_at_the_top_with_its_numbers() -> None:
    records = grid(NORMAL)
    report = render_study(study_document(STUDY, records, noisy(fading(records))))
    top = report.split("\n## ")[0]
    assert "The effect of a on Rank-1 fades with training: +30." in top
    assert "at step 2" in top
    assert "effect of b" not in top


def test_an_effect_that_stays_is_not_said_to_fade() -> None:
    records = grid(NORMAL)
    steady = {
        r.key: {("test", "rank1"): {s: r.scores["rank1"].value + s / 1000 for s in (1, 2, 3)}}
        for r in records
    }
    assert "fades" not in render_study(study_document(STUDY, records, steady))


def test_the_correlation_over_seeds_is_printed_with_its_n() -> None:
    report = render_study(study_document(STUDY, grid(NORMAL)))
    part = section(report, "What seeds share")
    assert "r: Pearson's, of baseline and full over seeds, n = 3." in part
    # r of (70, 71, 72) and (80, 81, 83): 3 / sqrt(2 * 14 / 3) = 0.982
    assert re.search(r"^\| Rank-1 \| \S+ \| \[\S+, \S+\] \| 0\.98 \|$", part, re.MULTILINE)


def test_costs_of_different_counters_share_no_column_and_no_difference() -> None:
    counted = {"macs": Cost("macs", 2e9, "MAC", "counter one")}
    other = {"macs": Cost("macs", 3e9, "MAC", "counter two")}
    records = [
        record("baseline", 0, 0, scores=scored(0.5), costs=counted),
        record("a", 0, 1, scores=scored(0.6), costs=other),
    ]
    report = render_study(study_document(STUDY, records))
    assert "GFLOPs [counter one] | GFLOPs [counter two]" in report
    assert cell(report, "a", "Complexity") == "| a | – | 3 | – | – |"


def test_small_networks_are_shown_in_thousands() -> None:
    spent = {"params": Cost("params", 125_984, "", "module tree")}
    records = [record("baseline", 0, 0, scores=scored(0.5), costs=spent)]
    report = render_study(study_document(STUDY, records))
    assert "| baseline | 125.98 | – |" in report
    assert "Params (k)" in report


def test_failed_and_missing_trials_are_listed() -> None:
    broken = Attempt("k", 1, State.FAILED, "me", "k/1", error="ValueError: bad | day\nsecond line")
    records = [
        record("baseline", 0, 0, scores=scored(0.5)),
        record("a", 0, 1, state=State.FAILED, attempt=broken),
        record("b", 0, 2, state=State.PENDING),
    ]
    report = render_study(study_document(STUDY, records))
    assert "1 done · 1 failed · 1 missing" in report
    assert r"| a | 0 | failed | 00000000 | ValueError: bad \| day second line |" in report
    assert "| b | 0 | pending |" in report


def test_a_study_without_any_result_has_a_report() -> None:
    records = [record(v, 0, i, state=State.PENDING) for i, v in enumerate(GRID)]
    report = render_study(study_document(STUDY, records))
    assert "0 done · 0 failed · 4 missing" in report


def test_a_score_that_is_not_finite_is_told_and_spoils_no_mean() -> None:
    records = grid(NORMAL | {"b": [0.7, float("nan"), 0.72]})
    report = render_study(study_document(STUDY, records))
    assert "71.0 ± 1.4 (1 not finite)" in cell(report, "b", "Performance")


def test_hostile_names_stay_inside_their_cell() -> None:
    assert escaped("a|b\n# c <img> `x` *y* [z](u)") == (r"a\|b # c &lt;img&gt; \`x\` \*y\* [z\](u)")
    assert escaped("sdtps.loss_weight") == "sdtps.loss_weight"
    name = "```\n| x | <script>"
    records = [
        record("baseline", 0, 0, scores=scored(0.5)),
        record(name, 0, 1, role="arm", scores=scored(0.6)),
    ]
    report = render_study(study_document(STUDY, records))
    assert "<script>" not in re.sub(r"(?s)^````$.*?^````$", "", report, flags=re.MULTILINE)
    for line in report.splitlines():
        assert not line.startswith("```\n")


def test_the_document_is_strict_json_and_says_its_schema() -> None:
    records = grid(NORMAL | {"b": [0.7, float("inf"), 0.72]})
    document = json.loads(json_text(study_document(STUDY, records)))
    assert document["schema"] == "ablate.report/3"
    assert document["cells"][2]["scores"]["rank1"]["by_seed"]["1"] == "inf"
    assert document["cells"][1]["scores"]["rank1"]["mean"] == 0.81


def test_a_level_that_another_design_asked_for_is_a_row_of_its_sweep_too() -> None:
    study = replace(STUDY, sweeps=(Sweep("full", "a.rate", (0.2, 0.5, 0.8)),))
    on = {f.name: f.reference for f in FACTORS} | GRID["full"]
    records = [
        *grid(NORMAL),
        record("slow", 0, 20, role="arm", levels=on | {"a.rate": 0.2}, scores=scored(0.6)),
        record(
            "full a.rate=0.8",
            0,
            21,
            role="sweep",
            parent="full",
            levels=on | {"a.rate": 0.8},
            scores=scored(0.9),
        ),
    ]
    report = render_study(study_document(study, records))
    part = report.split("### a.rate around full", 1)[1].split("\n## ", 1)[0]
    levels = [line.split("|")[1].strip() for line in part.splitlines() if line.startswith("| ")]
    assert levels == ["a.rate", ":---", "0.2", "0.5 (default)", "0.8"]


NAN = float("nan")


def section(report: str, title: str) -> str:
    return report.split(f". {title}", 1)[1].split("\n## ", 1)[0]


def test_a_configuration_that_lost_a_run_is_neither_best_nor_ranked() -> None:
    report = render_study(study_document(STUDY, grid(NORMAL | {"full": [0.99, NAN, 0.99]})))
    row = cell(report, "full", "Performance")
    assert row.startswith("| full | 2, 3 | 99.0 ± 0.0 (1 not finite) |")
    assert "**81.0 ± 1.0**" in cell(report, "a", "Performance")
    ranking = section(report, "Ranking")
    assert " 1. a " in ranking
    assert "full  " not in ranking
    assert "Not ranked: full, 1 of 3 runs not finite." in ranking
    lost = "Left out, not finite: full 1 of 3 runs (Rank-1)."
    assert lost in section(report, "What each module contributes")


def test_a_missing_interval_is_explained_by_its_own_cause() -> None:
    def contributes(values: Mapping[str, list[float]]) -> str:
        report = render_study(study_document(STUDY, grid(values)))
        return section(report, "What each module contributes")

    one = contributes({v: of[:1] for v, of in NORMAL.items()})
    assert "One run per cell" in one
    lost = contributes(NORMAL | {"b": [0.7, NAN, NAN]})
    assert "a cell used has one run, whose variance is taken from the replicated cells" in lost
    assert "One run per cell" not in lost
    same = contributes({v: [0.5, 0.5, 0.5] for v in NORMAL})
    assert "no run differs from another of its cell" in same
    none = contributes(NORMAL | {"b": [NAN, NAN, NAN]})
    assert "need a finite run of every cell; missing: b." in none
    assert "missing: a, b, full." in contributes({"baseline": [0.1, 0.2]})
    gaps = render_study(study_document(STUDY, grid(NORMAL | {"b": [NAN, NAN, NAN]})))
    assert "| b | no finite score |" in section(gaps, "Missing cells")
    alone = render_study(study_document(STUDY, grid({"baseline": [0.1, 0.2]})))
    assert "| full | not in the design |" in section(alone, "Missing cells")


def test_points_are_said_of_percent_scores_only() -> None:
    rank1, loss = METRICS
    both = render_study(study_document(STUDY, grid(NORMAL)))
    assert "difference from baseline; differences of percent scores in points." in both
    percent = render_study(study_document(replace(STUDY, metrics=(rank1,)), grid(NORMAL)))
    assert "difference from baseline, in points." in percent
    number = replace(STUDY, metrics=(loss,), primary="loss")
    assert "points" not in render_study(study_document(number, grid(NORMAL)))


def test_runs_of_two_configurations_under_one_name_are_told_at_the_top() -> None:
    records = grid(NORMAL)
    odd = replace(records[4], levels=dict(records[4].levels) | {"a.rate": 0.9})
    off = replace(records[1], levels=dict(records[1].levels) | {"a.rate": 0.9})
    mixed = study_document(STUDY, [*records[:4], odd, *records[5:]])
    assert mixed["mixed"] == [{"variant": "a", "levels": {"a.rate": [0.5, 0.9]}}]
    assert "the runs of a are not of one configuration" in render_study(mixed).split("\n## ")[0]
    assert study_document(STUDY, [records[0], off, *records[2:]])["mixed"] == []


def test_a_score_of_any_size_has_a_report() -> None:
    records = [
        record(v, 0, i, scores=scored(0.5, loss=of))
        for i, (v, of) in enumerate({"baseline": 1e30, "a": -1.7e308, "b": 1.7e308}.items())
    ]
    assert "1e+30" in render_study(study_document(STUDY, records))
    assert "1.7e+308" in render_study(study_document(replace(STUDY, primary="loss"), records[1:]))


def test_levels_that_mean_nothing_are_no_difference_of_two_configurations() -> None:
    records = grid(NORMAL)
    off = [replace(r, levels=dict(r.levels) | {"a.rate": 0.9}) for r in records[:3]]
    by_name = {c.variant: c for c in cells([*off, *records[3:]])}
    document = comparison_document(STUDY, [by_name["baseline"], by_name["a"]])
    assert document["pairs"][0]["differs"] == {"a": {"a": False, "b": True}}
