import math

import pytest

from ablate.metric import Metric, plain, signed


def test_a_percent_is_stored_as_a_fraction_and_shown_in_points() -> None:
    rank1 = Metric("rank1", "Rank-1")
    assert rank1.text(0.803) == "80.3"
    assert rank1.difference(0.803 - 0.764) == "+3.9"
    assert rank1.difference(-0.011) == "\N{MINUS SIGN}1.1"
    assert rank1.unit == "points"


def test_a_zero_difference_has_both_signs() -> None:
    assert signed(0.04, 1) == "\N{PLUS-MINUS SIGN}0.0"
    assert signed(-0.04, 1) == "\N{PLUS-MINUS SIGN}0.0"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.05, 1, "0.1"),
        (2.675, 2, "2.68"),
        (80.35, 1, "80.4"),
        (1.0 - 0.9, 1, "0.1"),
        (-0.01, 1, "0.0"),
        (-1.25, 1, "\N{MINUS SIGN}1.3"),
    ],
)
def test_halves_are_rounded_away_from_zero_as_on_paper(
    value: float, digits: int, text: str
) -> None:
    assert plain(value, digits) == text


def test_numbers_that_are_none_are_named() -> None:
    assert plain(math.nan, 1) == "nan"
    assert plain(-math.inf, 1) == "\N{MINUS SIGN}inf"
    assert signed(math.nan, 1) == "nan"


def test_a_nan_is_never_better_whichever_way_is_up() -> None:
    up, down = Metric("mAP"), Metric("loss", direction="down", display="number")
    assert up.better(0.2, 0.1)
    assert down.better(0.1, 0.2)
    for metric in (up, down):
        assert not metric.better(math.nan, 0.1)
        assert not metric.better(0.1, math.nan)


def test_a_plain_number_has_no_unit_and_its_own_digits() -> None:
    loss = Metric("loss", direction="down", display="number", digits=3)
    assert (loss.text(0.12345), loss.unit, loss.arrow) == ("0.123", "", "\N{DOWNWARDS ARROW}")


def test_a_number_too_large_for_decimals_is_printed_with_an_exponent() -> None:
    assert plain(1e30, 2) == "1e+30"
    assert plain(-1e15, 0) == "\N{MINUS SIGN}1e+15"
    assert signed(2.5e20, 1) == "+2.5e+20"
    assert signed(-1e308, 1) == "\N{MINUS SIGN}1e+308"
