import pytest

from tests.lint.conftest import AQR, FACES, MODULES, Lint, Said, refuted

GRID = """| Configuration | Rank-1 (%) | mAP (%) | Δ Rank-1 | Remark |
|---|---|---|---|---|
| Baseline | 76.3 | 72.3 | – | |
| SACR only | 77.6 | 74.0 | +1.3 | |
| SACR + SDTPS | 78.0 | 74.8 | +1.7 | |
| Full model (SACR+SDTPS+LIF) | 78.8 | 74.7 | +2.5 | best |
"""
SAID = [
    (MODULES, "SDTPS alone has mAP 76.0, the highest of all runs.", "wrong", "superlative", "76.6"),
    (
        MODULES,
        "- Rank-1 of SDTPS + LIF against SDTPS: -5.0\n- This is the largest drop of all runs",
        "wrong",
        "superlative",
        "−5.2 points of Rank-1",
    ),
    (
        MODULES,
        "Rank-1 is 78.8, higher than any pair (except SACR+SDTPS with 78.0)",
        "wrong",
        "exception",
        "78.0",
    ),
    (MODULES, "No combination shows positive synergy.", "partly", "universal", "Rank-10"),
    (MODULES, "Rank-1: 77.6% vs 76.3% (+1.3%)", "mislabelled", "points", "+1.3 points"),
    (MODULES, "Rank-1: 80.1% vs 76.3% (+4.8%)", "wrong", "difference", "+3.8 (+4.98 % rel.)"),
    (MODULES, "Rank-1: 77.6 vs 76.3 (+1.5)", "wrong", "difference", "+1.3"),
    (
        MODULES,
        "The full model has the highest mAP of all runs.",
        "wrong",
        "superlative",
        "mAP of full sdtps.loss_weight=1 is 76.6, of full 74.7",
    ),
    (
        MODULES,
        "mAP improves from 72.3 to 76.0 (+4.7 points)",
        "wrong",
        "difference",
        "72.3 to 76.0 is +3.7",
    ),
    (MODULES, "SDTPS alone needs the fewest parameters", "wrong", "superlative", "baseline"),
    (MODULES, GRID, "partly", "superlative", "true of Rank-1; better is mAP 74.8"),
    (
        FACES,
        "F-score 0.6753 -> 0.6819 (+0.98%, an absolute gain)",
        "mislabelled",
        "relative",
        "0.66",
    ),
    (FACES, "only 25,984 more parameters (1.4%)", "wrong", "share", "1.51 % of 1,721,939"),
    (
        FACES,
        "Test F-score 0.72 > validation F-score 0.6819, so it generalises",
        "mislabelled",
        "split",
        "the data differ",
    ),
    (
        FACES,
        "```\nBaseline (0.6036)\n  ↓ +8.4%\n+ Class Weights (0.6483)\n```",
        "wrong",
        "difference",
        "+7.41",
    ),
    (AQR, "AQR drops by 2.71% mAP", "mislabelled", "relative", "−1.78 points"),
    (AQR, "The mAP dropped by 1.78%", "mislabelled", "points", "1.78 points"),
    (AQR, "Training time increased by 2.5 times", "mislabelled", "ratio", "1.53"),
    (AQR, "The baseline is better than AQR on everything", "partly", "universal", "mAOE"),
]


@pytest.mark.parametrize("said", SAID)
def test_what_the_records_refute_is_found(check: Lint, said: Said) -> None:
    refuted(check, said)


TRUE = [
    (MODULES, "mAP 76.0 with SDTPS alone, the highest of all single modules"),
    (MODULES, "mAP 76.0 with SDTPS alone, the highest of all runs without LIF"),
    (MODULES, "mAP 74.8, the highest of all runs with SACR and SDTPS"),
    (MODULES, "Rank-1: 77.6% vs 76.3% (+1.3% absolute)"),
    (MODULES, "Rank-1: 77.6% vs 76.3% (+1.3 % points)"),
    (MODULES, "Rank-1: 80.1% vs 76.3% (+5.0%)"),
    (MODULES, "Rank-1: 80.1% vs 76.3% (+4.98%)"),
    (MODULES, "Elsewhere 80.13% vs 76.38% (+4.9%)"),
    (MODULES, "mAP rose by 1.7 points (+2.4 % rel., not absolute) with SACR alone"),
    (
        MODULES,
        "No pair has a positive synergy on Rank-1: every pair has negative synergy on Rank-1",
    ),
    (MODULES, "A batch of 32.0 -> 64.0 (+1.6%) for SACR alone"),
    (MODULES, "LIF's beta 0.2 -> 0.4 (-0.6%)"),
    (MODULES, "SDTPS alone: Rank-1 80.1\n\nOn another data set mAP drops by 3.7%"),
    (AQR, "a relative drop of 2.71% mAP"),
    (AQR, "Compared with AQR, the baseline is better on everything"),
    (FACES, "Validation F-score 0.6819 and test F-score 0.72"),
    (MODULES, "SDTPS alone has Rank-1 80.1, the highest of all runs."),
    (MODULES, GRID.replace("best", "")),
    (MODULES, "SDTPS alone achieves the highest Rank-1 of all runs."),
    (MODULES, "The full model has the highest mAP of all runs without LIF."),
    (MODULES, "The full model trained longer has the highest mAP of all runs."),
    (MODULES, "mAP improves from 72.3 to 76.0 (+3.7 points)"),
    (MODULES, "mAP lies within 72.3 to 76.0 (+4.7 points)"),
    (MODULES, "Rank-1 rose by 1.3 points with SACR alone"),
    (MODULES, "Parameters grow by 10.5% in the full model"),
    (
        AQR,
        "| Metric | Baseline | AQR | Diff |\n|---|---|---|---|\n| NDS | 69.08 | 68.25 | -0.83 |",
    ),
    (AQR, "Training time is 2.5 times that of the baseline"),
    (MODULES, 'Smith et al. [12] report mAP 76.0, "the highest of all runs"'),
    (MODULES, 'They write "mAP 76.0 with SDTPS alone, the highest of all runs".'),
    (MODULES, "> mAP 76.0 with SDTPS alone, the highest of all runs"),
    (MODULES, "LIF vs SDTPS: 75.6 (+0.9%)"),
    (MODULES, "SACR only against LIF: Rank-1 +0.9%"),
    (MODULES, "The loss drops by 1.7% with SACR+SDTPS"),
]


@pytest.mark.parametrize(("study", "text"), TRUE)
def test_what_is_true_is_not_accused(check: Lint, study: str, text: str) -> None:
    assert check(text, study).findings == []


def test_a_score_that_is_not_the_record_is_found_with_the_record(check: Lint) -> None:
    (found,) = check(GRID.replace("| 74.0 |", "| 74.9 |").replace("best", ""), MODULES).findings
    assert (found.line, found.verdict, found.kind) == (4, "wrong", "value")
    assert found.said.en == "mAP of sacr is 74.0 by the records, not 74.9"


def test_a_table_of_other_numbers_is_not_accused(check: Lint) -> None:
    other = (
        "| Configuration | mAP |\n|---|---|\n| Baseline | 61.0 |\n| SACR | 62.5 |\n| LIF | 60.3 |"
    )
    found = check(other, MODULES)
    assert found.findings == []
    assert len(found.untraced) == 3


def test_what_one_of_two_studies_bears_is_not_accused(check: Lint) -> None:
    table = "| Model | mAP (%) |\n|---|---|\n| Baseline | 65.75 |\n| AQR | 63.97 |"
    assert check(table, AQR, MODULES).findings == []
    assert check(table, MODULES, AQR).untraced == {}


def test_an_approximation_or_a_range_is_never_accused(check: Lint) -> None:
    found = check("Full model: Rank-1 about 79.5, mAP 74-76, expected Rank-1 81.1", MODULES)
    assert found.findings == []


def test_a_row_that_says_it_is_of_another_source_is_not_accused(check: Lint) -> None:
    found = check(GRID.replace("| Baseline | 76.3", "| Baseline (as published) | 77.9"), MODULES)
    assert all(f.line != 3 for f in found.findings)
    assert [p for p in found.untraced if p.line == 3]


def test_a_superlative_of_uncertain_scope_is_listed_and_not_judged(check: Lint) -> None:
    found = check(
        "SDTPS works best by itself\n\nmAP 76.0, the highest of all single modules", MODULES
    )
    assert found.findings == []
    assert sorted(p.line for p in found.vague) == [1, 3]
    checked = check("Rank-1 80.1 with SDTPS alone, the highest of all runs", MODULES)
    assert checked.vague == set()


def test_a_row_of_another_making_of_a_metric_is_not_accused(check: Lint) -> None:
    head = "| Metric | Baseline | AQR |\n|---|---|---|\n"
    rows = "| mAP (%) | 65.75 | 63.97 |\n| mAP (our reproduction) | 64.10 | 63.02 |\n"
    found = check(head + rows, AQR)
    assert found.findings == []
    assert [p.line for p in found.untraced] == [4, 4]


def test_a_metric_of_one_letter_is_known_by_its_heading(check: Lint) -> None:
    table = "| Step | F |\n|---|---|\n| Baseline | 0.6036 |\n| Class weights | 0.6483 |\n"
    assert check(table, FACES).untraced == {}


def test_cells_are_read_without_their_decoration(check: Lint) -> None:
    table = (
        "| Model | Rank-1 |\n|---|---|\n| [Baseline](runs/a.md) | **76.3** |\n"
        "| SACR 🏆 | <u>77.7</u> |\n| LIF | $77.2\\%$ |\n| [SDTPS](https://a.org/b) | 79.0 |\n"
    )
    found = check(table, MODULES)
    assert [(f.line, f.kind) for f in found.findings] == [(4, "value")]
    assert [p.line for p in found.untraced] == [6]


def test_a_fall_without_a_sign_is_wrong_where_others_have_signs(check: Lint) -> None:
    head = "| Configuration | Rank-1 | Δ Rank-1 |\n|---|---|---|\n| Baseline | 76.3 | – |\n"
    rows = "| SACR | 77.6 | {}1.3 |\n| SACR+LIF | 74.6 | 1.7 |\n| SDTPS | 80.1 | {}3.8 |\n"
    assert check(head + rows.format("", ""), MODULES).findings == []
    (found,) = check(head + rows.format("+", "+"), MODULES).findings
    assert found.said.en.endswith("is −1.7 points (−2.23 % rel.); not 1.7")


def test_rows_name_a_module_that_is_left_out_or_all_of_them(check: Lint) -> None:
    head = "| Configuration | Rank-1 | mAP |\n|---|---|---|\n"
    rows = (
        "| Ours (full) | 78.8 | 74.7 |\n| w/o LIF | 78.0 | 74.8 |\n| - SACR | 75.1 | 71.7 |\n"
        "| full without SDTPS | 74.6 | 73.3 |\n"
    )
    found = check(head + rows, MODULES)
    assert (found.findings, found.untraced) == ([], {})
    (wrong,) = check(head + rows.replace("71.7", "77.1"), MODULES).findings
    assert wrong.said.en == "mAP of sdtps+lif is 71.7 by the records, not 77.1"
    other = check(
        f"{head}{rows}| w/o RandAugment | 70.1 | 66.2 |\n| Ours | 80.5 | 76.2 |\n", MODULES
    )
    assert other.findings == []
    assert {p.line for p in other.untraced} == {7, 8}


def test_of_a_line_as_long_as_a_book_only_what_it_prints_itself_is_judged(check: Lint) -> None:
    text = "mAP drops by 1.7% with SACR. " + "and so on " * 2000
    assert check(text, MODULES).findings == []
    (found, *_) = check(f"{text} 77.6 vs 76.3 (+1.5)", MODULES).findings
    assert found.said.en.endswith("not +1.5")
