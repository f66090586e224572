"""A comparison's page: what is said of one run, of the published detector, of three variants."""

import re
from dataclasses import replace

from rich.cells import cell_len

from ablate.analysis.cells import Cell
from ablate.record import Attempt, Cost, State
from ablate.report import comparison_document, render_comparison
from ablate.report.comparison import Asked
from ablate.report.comparison_page import comparison_page
from ablate.report.comparison_words import apart, fits
from ablate.report.layout import Page, Section
from tests.report.comparing import DETECTOR, PAIRED, STUDY, cell, detector, side

ON, OFF = {"a": True}, {"a": False}


def page(chosen: list[Cell], others: tuple[Cell, ...] = ()) -> Page:
    return comparison_page(comparison_document(STUDY, chosen, others))


def published(at: tuple[int, ...] = (50, 600, 1200, 2000, 3000, 4000)) -> Page:
    chosen, evidence = detector()
    study = replace(
        DETECTOR,
        tiers={"clear": 3.0, "severe": 4.5},
        groups={"classes": {"small": ("pedestrian", "bicycle")}},
    )
    asked = Asked(at=at)
    return comparison_page(comparison_document(study, chosen, evidence=evidence, asked=asked))


def section(of: Page, title: str) -> Section:
    (found,) = (s for s in of.sections if s.title.startswith(title))
    return found


def rows(of: Section, table: int = 0) -> dict[str, list[str]]:
    return {row[0].text: [t.text for t in row[1:]] for row in of.tables[table].rows}


def test_one_run_beside_replicated_cells_shows_the_studys_noise_and_no_verdict() -> None:
    others = (cell(side("both", {"a": True, "b": True}, {0: 0.50, 1: 0.52, 2: 0.54})),)
    chosen = [cell(side("off", OFF, {0: 0.7})), cell(side("on", ON, {0: 0.9}))]
    found = section(page(chosen, others), "Metrics")
    heads = [c.text for c in found.tables[0].columns]
    assert heads == ["Metric", "off", "on", "Δ", "rel. %", "noise"]
    # t(2) = 4.3027, s = 2 points, two single runs
    assert rows(found)["Rank-1 (%) ↑"] == ["70.0 (1)", "90.0 (1)", "+20.0", "+28.6", "±12.2"]
    assert len(found.tables) == 1
    (note,) = (n for n in found.notes if n.startswith("One run a side: no verdict."))
    assert "(Rank-1: s = 2.0, 2 df)" in note


def test_the_published_comparison_is_reproduced() -> None:
    found = published()
    lead = section(found, "In short").lead
    assert lead[0] == (
        "By its means aqr is better than baseline on 2 of 7 metrics, worse on 5, the same on 0;"
        " NDS −0.83 points (−1.20 % rel.), mAP −1.78 points (−2.71 % rel.); one run a side: no"
        " verdict."
    )
    assert lead[1] == "Costs of aqr over baseline: Seconds 2.53×, Memory 1.10×."
    split = section(found, "Parts of NDS")
    assert split.lead[0] == "NDS −0.83 = −0.89 from mAP, +0.06 from the errors, in points."
    assert "baseline 69.08 (stored: 69.08), aqr 68.25 (stored: 68.25)" in split.lead[1]
    classes = rows(section(found, "By item"))
    assert classes["bicycle"] == ["64.10", "59.40", "−4.70", "severe"]
    assert classes["barrier"] == ["71.10", "70.80", "−0.30", "–"]
    assert classes["mean"] == ["65.75", "63.98", "−1.77", "–"]
    assert rows(section(found, "By item"), 1)["small"] == ["2", "74.05", "70.80", "−3.25", "clear"]
    assert "clear from 3, severe from 4.5" in " ".join(section(found, "By item").notes)


def test_the_published_losses_stand_at_the_steps_asked_for() -> None:
    found = section(published(), "Learning curves")
    assert rows(found) == {
        "baseline": ["10.05", "9.99", "10.13", "10.15", "9.99", "9.93"],
        "aqr": ["13.35", "10.63", "10.46", "10.39", "10.19", "10.12"],
        "Δ": ["+3.30", "+0.64", "+0.33", "+0.24", "+0.20", "+0.19"],
    }
    terms = section(published(), "Loss terms")
    assert rows(terms)["loss_cls"] == ["0.08560", "0.08330", "−0.00230"]
    assert "1 auxiliary term (d0.loss_cls, …)" in terms.notes[0]


def test_gradient_norms_tell_nan_and_inf_and_where() -> None:
    found = section(published(), "Gradient norms")
    assert [[t.text for t in row][-3:] for row in found.tables[0].rows] == [
        ["57.60", "1", "1"],
        ["61.50", "2", "0"],
    ]
    assert "grad_norm of baseline: nan at step 50; inf at step 2000." in found.notes
    assert "grad_norm of aqr: nan at step 50, 600." in found.notes


def test_costs_are_differences_ratios_and_a_check_of_time_against_iterations() -> None:
    found = section(published(), "Costs")
    assert rows(found)["Seconds"] == ["3363", "8503", "+5140", "2.53×", "+152.8"]
    assert rows(found)["Seconds / iteration"] == ["0.640", "1.900", "+1.260", "2.97×", "+196.9"]
    # the published report's own numbers: the time in all is more than iterations times seconds
    assert "baseline 4000 × 0.640 s = 2560 s of 3363 s in all (76 %)" in " ".join(found.notes)


def test_runs_that_are_not_of_one_configuration_are_warned_of() -> None:
    rows = side("on", ON, {0: 0.5, 1: 0.6})
    other = replace(rows[1], levels=dict(rows[1].levels) | {"b": True})
    found = page([cell(side("off", OFF, {0: 0.5})), cell([rows[0], other])])
    assert found.warnings == (
        (
            "The runs of on are not of one configuration (b is false and true): its means and"
            " differences describe none of them."
        ),
    )


def test_times_of_different_hardware_are_said_not_to_be_comparable() -> None:
    chosen = []
    for name, levels, device in (("off", OFF, "A100"), ("on", ON, "V100")):
        (row,) = side(name, levels, {0: 0.5})
        attempt = Attempt(row.key, 1, State.COMPLETED, "", "", device=device)
        spent = {"seconds": Cost("seconds", 9.0, "s", "wall")}
        chosen.append(cell([replace(row, attempt=attempt, costs=spent)]))
    found = page(chosen)
    assert "device differs: off A100; on V100." in section(found, "Runs").notes
    (note,) = (n for n in section(found, "Costs").notes if "hardware" in n)
    assert note == "Times are of different hardware (device): not comparable."


def test_no_word_of_size_without_the_studys_own_tiers() -> None:
    chosen, evidence = detector()
    text = render_comparison(comparison_document(DETECTOR, chosen, evidence=evidence))
    assert not re.search(r"severe|slight|clear|Tier|significantly", text)


def test_three_variants_have_one_table_of_differences_and_each_pair_its_own() -> None:
    chosen = [
        cell(side(n, levels, {0: v, 1: v + 0.01, 2: v + 0.03}))
        for n, levels, v in (("off", OFF, 0.5), ("on", ON, 0.6), ("b", {"b": True}, 0.55))
    ]
    found = page(chosen)
    short = section(found, "In short")
    assert [c.text for c in short.tables[0].columns][2:] == ["Δ on", "Verdict", "Δ b", "Verdict"]
    told = ["51.3 ± 1.5", "+10.0", "positive", "+5.0", "positive"]
    assert rows(short)["Rank-1 (%) ↑"] == told
    assert rows(section(found, "Configuration"))["b"] == ["false", "false", "true"]
    first, second = section(found, "Metrics: on"), section(found, "Metrics: b")
    assert rows(first)["Rank-1 (%) ↑"][2] == "+10.0"
    assert rows(second)["Rank-1 (%) ↑"][2] == "+5.0"
    said = [n for n in second.notes if n in first.notes]
    assert said == []


def test_verdicts_leave_the_table_of_all_before_its_differences_do() -> None:
    chosen = [
        cell(side(f"number {i}", {"a.rate": 0.1 * i, "a": True}, {0: 0.5, 1: 0.6 + i / 10}))
        for i in range(5)
    ]
    (table,) = section(page(chosen), "In short").tables
    assert [c.text for c in table.columns][2:] == [f"Δ number {i}" for i in range(1, 5)]


def test_a_difference_above_the_least_significant_one_says_why_it_is_undecided() -> None:
    quiet = cell(side("quiet", {"a": True, "b": True}, {s: 0.5 + s / 1000 for s in range(12)}))
    chosen = [
        cell(side("off", OFF, {0: 0.60, 1: 0.65, 2: 0.70})),
        cell(side("on", ON, {0: 0.70, 1: 0.71, 2: 0.72})),
    ]
    notes = section(page(chosen, (quiet,)), "Metrics").notes
    own = "Δ exceeds LSD, yet its interval goes by the variances of these two alone"
    assert f"Rank-1, Loss: {own}, with fewer df." in notes
    (least,) = (n for n in notes if n.startswith("LSD"))
    assert "pooled over 3 replicated configurations of the study" in least
    # without the quiet one: s = 3.6 points of 4 df, an LSD of 8.2 above the 6.0 found
    assert not any("exceeds" in n for n in section(page(chosen), "Metrics").notes)


def test_pairs_have_no_least_difference_of_unpaired_runs() -> None:
    chosen = [
        cell(side("off", OFF, {0: 0.60, 1: 0.65, 2: 0.70})),
        cell(side("on", ON, {0: 0.70, 1: 0.71, 2: 0.72})),
    ]
    found = section(comparison_page(comparison_document(PAIRED, chosen)), "Metrics")
    assert "LSD" not in [c.text for c in found.tables[1].columns]
    assert not any("LSD" in n for n in found.notes)
    unpaired = section(page(chosen), "Metrics")
    assert "LSD" in [c.text for c in unpaired.tables[1].columns]


def test_many_variants_fall_back_to_tables_of_pairs_that_fit() -> None:
    chosen = [
        cell(side(f"variant {i}", {"a.rate": 0.1 * i, "a": True}, {0: 0.5})) for i in range(12)
    ]
    found = page(chosen)
    assert section(found, "In short").tables == ()
    tables = section(found, "Configuration").tables
    assert len(tables) == 11
    assert all(fits(t) for s in found.sections for t in s.tables)


def test_names_of_wide_characters_count_the_cells_that_they_take() -> None:
    chosen = [
        cell(side(name, levels, {0: 0.5}))
        for name, levels in (("基线配置完整", OFF), ("全部模块开启的配置", ON))
    ]
    assert cell_len("基线配置完整") == 12
    assert section(page(chosen), "Configuration").lead == (
        "A: 基线配置完整",
        "B: 全部模块开启的配置",
    )


def test_a_setting_that_the_study_fixes_has_no_row() -> None:
    fixed = replace(STUDY, fixed={"a.rate": 0.9})
    on = cell(side("on", {"a": True, "a.rate": 0.9}, {0: 0.5}))
    chosen = [cell(side("off", OFF, {0: 0.5})), on]
    found = section(comparison_page(comparison_document(fixed, chosen)), "Configuration")
    assert list(rows(found)) == ["a"]
    assert found.notes[0] == "Fixed by the study wherever it means anything: a.rate = 0.9."


def test_scores_of_no_known_split_are_called_so() -> None:
    runs = side("off", OFF, {0: 0.5})
    scores = runs[0].scores
    unsaid = replace(runs[0], scores=scores | {"loss": replace(scores["loss"], split="")})
    found = section(page([cell([unsaid]), cell(side("on", ON, {0: 0.5}))]), "Runs")
    assert {name: row[2] for name, row in rows(found).items()} == {
        "off": "test, unknown",
        "on": "test",
    }


def test_where_long_values_begin_to_differ_is_seen() -> None:
    start = "backbone.base.transformer."
    assert apart([f"{start}a.norm1"], [f"{start}b.norm1"], "-") == (
        "…sformer.a.norm1",
        "…sformer.b.norm1",
    )
    assert apart(["short"], ["shore"], "-") == ("short", "shore")
    assert apart([], ["x" * 30], "not set") == ("not set", "x" * 24 + "…")
    assert apart(["y" * 30], ["y" * 60], "-") == ("…" + "y" * 8, "…" + "y" * 24 + "…")


def test_a_constant_difference_of_paired_seeds_has_no_interval_and_no_noise() -> None:
    chosen = [
        cell(side("off", OFF, {0: 0.5, 1: 0.75, 2: 0.25})),
        cell(side("on", ON, {0: 0.625, 1: 0.875, 2: 0.375})),
    ]
    found = section(comparison_page(comparison_document(PAIRED, chosen)), "Metrics")
    assert [c.text for c in found.tables[0].columns] == ["Metric", "off", "on", "Δ", "rel. %"]
    assert "No interval: the difference is the same at every shared seed." in found.notes
    same = [cell(side("off", OFF, {0: 0.5, 1: 0.5})), cell(side("on", ON, {0: 0.6, 1: 0.6}))]
    notes = section(page(same), "Metrics").notes
    assert "No interval: no run differs from another of its configuration." in notes


def test_what_holm_leaves_undecided_is_not_put_down_to_the_design() -> None:
    chosen = [
        cell(side("off", OFF, {0: 0.70, 1: 0.72, 2: 0.74})),
        cell(side("on", ON, {0: 0.745, 1: 0.765, 2: 0.785})),
    ]
    found = section(page(chosen), "In short").lead[0]
    # t = 0.045 / sqrt(2 * 0.0004 / 3) = 2.756, df 4: p = 0.051
    assert "the smallest effect that this design can see" in found
    more = [chosen[0], cell(side("on", ON, {0: 0.75, 1: 0.77, 2: 0.79}))]
    # t = 3.062: p = 0.0376, twice that after Holm over two metrics
    lead = section(page(more), "In short").lead[0]
    assert "p 0.038, 0.075 after Holm; verdict on Rank-1: undecided (Holm's p decides)." in lead
    why = "Δ exceeds LSD, yet p is below alpha by itself, and the verdict goes by Holm's p."
    assert f"Rank-1, Loss: {why}" in section(page(more), "Metrics").notes
