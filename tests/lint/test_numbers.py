from decimal import Decimal

import pytest

from ablate.lint.numbers import fit, numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("76.3", [("76.3", 1, False, "")]),
        ("+1.3%", [("1.3", 1, True, "%")]),
        ("−1.2 points", [("-1.2", 1, True, "points")]),
        ("约1.4个百分点", [("1.4", 1, False, "points")]),
        ("+1.3 / -1.7", [("1.3", 1, True, ""), ("-1.7", 1, True, "")]),
        ("25,984参数 (1.4%)", [("25984", 0, False, ""), ("1.4", 1, False, "%")]),
        ("3363秒 (56分钟)", [("3363", 0, False, "s"), ("56", 0, False, "min")]),
        ("10.05→9.93", [("10.05", 2, False, ""), ("9.93", 2, False, "")]),
        ("77.6% vs 76.3%", [("77.6", 1, False, "%"), ("76.3", 1, False, "%")]),
        ("时间增加2.5倍", [("2.5", 1, False, "times")]),
        ("+8.39M", [("8.39", 2, True, "M")]),
        ("1,747,923", [("1747923", 0, False, "")]),
        ("0.0020 m", [("0.0020", 4, False, "")]),
        ("($+3.8$)", [("3.8", 1, True, "")]),
        ("100,200,3000", [("100", 0, False, ""), ("200", 0, False, ""), ("3000", 0, False, "")]),
    ],
)
def test_a_number_is_read_with_its_decimals_sign_and_unit(
    text: str, expected: list[tuple[str, int, bool, str]]
) -> None:
    found = [(str(n.value), n.decimals, n.signed, n.unit) for n in numbers(text)]
    assert found == expected


@pytest.mark.parametrize(
    "text",
    [
        "2025-12-04",
        "ViT-B-16",
        "3x3, 5x5、7x7",
        "16×8",
        "8e-4",
        "1.2.3",
        "Rank-10",
        "1:1",
        "第3",
        "loss2",
    ],
)
def test_dates_versions_sizes_and_names_hold_no_numbers(text: str) -> None:
    assert numbers(text) == []


def test_a_line_of_a_hundred_thousand_letters_holds_no_number() -> None:
    assert numbers("a" * 100_000 + " " + "a_" * 50_000) == []


@pytest.mark.parametrize(
    "text", ["80.0-80.5%", "~21GB", "≈ 76.5%", "约8.4M", "76.3 ± 0.5", "-1.7% ~ -2.3%"]
)
def test_a_range_an_approximation_and_a_spread_claim_no_exact_value(text: str) -> None:
    assert any(n.loose for n in numbers(text))


@pytest.mark.parametrize(
    ("printed", "value", "expected"),
    [
        ("0.5", "0.45", "rounded"),  # half up
        ("0.4", "0.45", "rounded"),  # half to even
        ("152", "152.84", "truncated"),
        ("153", "152.84", "rounded"),
        ("82.4", "82.3", "no"),
        ("-1.3", "-1.35", "truncated"),
        ("-1.4", "-1.35", "rounded"),
        ("1." + 40 * "0", "1", "no"),  # nobody measures that
        ("1e30", "1e30", "rounded"),
    ],
)
def test_what_rounds_to_a_printed_number(printed: str, value: str, expected: str) -> None:
    number = Decimal(printed)
    decimals = len(printed.partition(".")[2])
    assert fit(number, decimals, Decimal(value)) == expected
