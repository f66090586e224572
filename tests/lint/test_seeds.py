"""Lines of the reports that the project grew from, as they are printed, against their numbers."""

import os
from pathlib import Path

import pytest

from tests.lint.conftest import AQR, FACES, MODULES, Lint, Said, refuted

HEADS = {
    MODULES: "| 配置 | Rank-1 | mAP |\n|---|---|---|\n",
    "sums": "| 组合 | 实际Rank-1 | 理论和（独立相加） | 协同效应 |\n|---|---|---|---|\n",
    "sweep": "| LIF_BETA | Rank-1 | mAP | 评价 |\n|---|---|---|---|\n",
    AQR: "| 指标 | 基线模型 | AQR模型 | 差异 | 变化率 | 影响 |\n|---|---|---|---|---|---|\n",
}
SAID = [
    (MODULES, "- mAP: **76.0%**（所有实验中最高）", "wrong", "superlative", "76.6"),
    (
        MODULES,
        "- SDTPS + LIF: 75.1% Rank-1（**下降5.0%**）\n- 这是所有实验中最大的性能下降",
        "wrong",
        "superlative",
        "full lif.loss_weight=0.1 minus full is −5.2",
    ),
    (
        MODULES,
        "- Rank-1: 78.8%，高于任何双模块组合（除了SACR+SDTPS的78.0%）",
        "wrong",
        "exception",
        "78.0",
    ),
    (MODULES, "- **这是唯一一个单模块超过所有组合的情况**", "partly", "universal", "76.6"),
    (MODULES, "1. **没有任何组合产生正协同效应**", "partly", "universal", "sacr+lif +0.8"),
    (MODULES, "2. **所有双模块组合均为负协同**", "partly", "universal", "Rank-10"),
    (MODULES, "SDTPS only 以最少的复杂度达到最优性能", "wrong", "superlative", "baseline"),
    (MODULES, "组合产生严重负协同（最大-5.0%）", "wrong", "superlative", "−5.9"),
    (MODULES, "- Rank-1: 77.6% vs 76.3% (+1.3%)", "mislabelled", "points", "+1.3 points"),
    (MODULES, "- SACR: 性能 +1.3%, 参数 +9.5% → 性价比低", "mislabelled", "points", "+1.3"),
    (
        MODULES,
        HEADS["sums"] + "| 完整配置 | 78.8 | 82.4 | -3.5 |",
        "wrong",
        "sum",
        "76.3 +1.3 +3.8 +0.9 = 82.3, not 82.4",
    ),
    (
        MODULES,
        HEADS["sums"] + "| 完整配置 | 78.8 | 82.3 | -3.6 |",
        "wrong",
        "sum",
        "78.8 departs from it by −3.5, not -3.6",
    ),
    (
        MODULES,
        HEADS["sweep"] + "| 0.6 | 76.9 | 75.5 | |\n| 0.2 | 79.3 | 74.6 | 最佳 |",
        "partly",
        "superlative",
        "true of Rank-1; better is mAP 75.5",
    ),
    (FACES, "**效果**: 0.6753 → 0.6819 (+0.98%, **绝对提升**)", "mislabelled", "relative", "+0.66"),
    (FACES, "- 轻量级设计：仅增加25,984参数 (1.4%)", "wrong", "share", "1.51 % of 1,721,939"),
    (
        FACES,
        "**证据**: Test F-Score (0.72) > Val F-Score (0.6819) 说明泛化能力强",
        "mislabelled",
        "split",
        "the data differ",
    ),
    (FACES, "With LMSA + Class Weights:    0.6753", "mislabelled", "labels", "lmsa is off"),
    (AQR, "- mAP下降1.78%", "mislabelled", "points", "1.78 points"),
    (AQR, "1. 性能下降2.71% mAP", "mislabelled", "relative", "−1.78 points"),
    (AQR, "- 训练时间增加2.5倍", "mislabelled", "ratio", "1.53"),
    (
        AQR,
        HEADS[AQR] + "| 训练时间 | 3363秒 | 8503秒 | +5140秒 (+152%) | | |",
        "mislabelled",
        "rounding",
        "152.84",
    ),
    (AQR, "基线模型全面优于AQR模型", "partly", "universal", "mAOE 0.3259 : 0.3339"),
]


@pytest.mark.parametrize("said", SAID)
def test_what_the_records_refute_is_found(check: Lint, said: Said) -> None:
    assert refuted(check, said).line == said[1].count("\n") + 1


TRUE = [
    (MODULES, "- Rank-1: **80.1%**（所有实验中最高）"),
    (MODULES, "**SDTPS only vs Baseline**: Rank-1 80.1% vs 76.3% (+3.8个百分点)"),
    (MODULES, "完整配置参数增长10.5%，计算量增长11.8%，增长适中"),
    (MODULES, HEADS["sums"] + "| SACR + LIF | 74.6 | 78.5 | -3.9 |"),
    (MODULES, "- 参数最少的是 Baseline"),
    (FACES, "**效果**: 0.6036 → 0.6483 (+7.4%)"),
    (FACES, "```\nBaseline (0.6036)\n    ↓ +7.4%\n+ Class Weights (0.6483)\n```"),
    (FACES, "仅增加25,984参数 (1.5%)"),
    (FACES, "With LMSA, NO Class Weights:  0.6819"),
    (AQR, HEADS[AQR] + "| mAOE | 0.3339 | 0.3259 | -0.0080 | -2.40% | |"),
    (AQR, "NDS 下降 0.83 个百分点（-1.20%）"),
    (AQR, "训练时间是基线的2.5倍"),
    (AQR, "| 类别 | 基线AP | AQR AP | 差异 |\n|---|---|---|---|\n| car | 0.859 | 0.851 | -0.008 |"),
]


@pytest.mark.parametrize(("study", "text"), TRUE)
def test_what_is_true_is_not_accused(check: Lint, study: str, text: str) -> None:
    found = check(text, study)
    assert found.findings == []


UNKNOWN = [
    (MODULES, "**预期性能**: Rank-1 ≈ 80.0-80.5%, mAP ≈ 76.5%"),
    (MODULES, "- 训练配置（50 epochs, LR=0.00035）"),
    (MODULES, "| 配置 | Rank-1 |\n|---|---|\n| 另一个方法 | 76.5 |"),
    (MODULES, "稀疏率70%，保留30%"),
    (AQR, "Camera相对变化：36.1%  ⚠️ 过强"),
    (AQR, "理想范围：25-30%"),
    (AQR, "小目标性能提升了 3.1%"),
]


@pytest.mark.parametrize(("study", "text"), UNKNOWN)
def test_what_cannot_be_traced_is_listed_and_not_accused(
    check: Lint, study: str, text: str
) -> None:
    found = check(text, study)
    assert found.findings == []
    assert found.untraced


def _lines(found: list[tuple[int, str]], *kinds: str) -> list[int]:
    return sorted({line for line, kind in found if kind in kinds})


seeds = pytest.mark.skipif("ABLATE_SEEDS" not in os.environ, reason="ABLATE_SEEDS is not set")


def _whole(check: Lint, number: str, study: str) -> list[tuple[int, str]]:
    (file,) = Path(os.environ["ABLATE_SEEDS"]).glob(f"{number}*.txt")
    return [(f.line, f.kind) for f in check(file.read_text(), study).findings]


@seeds
def test_the_report_of_three_modules_is_accused_of_these_lines_and_no_others(check: Lint) -> None:
    found = _whole(check, "000", MODULES)
    points = [
        57,
        58,
        73,
        74,
        75,
        94,
        110,
        111,
        126,
        136,
        146,
        191,
        251,
        252,
        253,
        259,
        260,
        261,
        264,
    ]
    assert _lines(found, "points") == [*points, 331, 332, 456, 457, 458]
    assert _lines(found, "superlative") == [68, 137, 160, 190, 303, 332, 467]
    assert _lines(found, "universal", "exception", "sum") == [131, 192, 262, 267, 268]
    assert _lines(found, "unmeasured") == [347]
    assert len(found) == 44


@seeds
def test_the_report_on_faces_is_accused_of_these_lines_and_no_others(check: Lint) -> None:
    found = _whole(check, "003", FACES)
    assert _lines(found, "share") == [27, 196, 280]
    assert _lines(found, "split") == [33, 86, 268]
    assert _lines(found, "relative", "labels") == [22, 168]
    assert len(found) == 8


@seeds
def test_the_report_of_two_models_is_accused_of_these_lines_and_no_others(check: Lint) -> None:
    found = _whole(check, "004", AQR)
    assert _lines(found, "points") == [29, 30, 37, 479, 480, 583, 706]
    assert _lines(found, "relative") == [149, 374, 652]
    assert _lines(found, "ratio") == [68, 73, 482, 509, 653, 707]
    assert _lines(found, "rounding", "universal") == [68, 147, 373, 581]
    assert len(found) == 21


@seeds
@pytest.mark.parametrize(
    ("number", "study"), [("001", MODULES), ("002", MODULES), ("004", MODULES), ("000", AQR)]
)
def test_a_report_about_something_else_is_accused_of_nothing(
    check: Lint, number: str, study: str
) -> None:
    assert _whole(check, number, study) == []
