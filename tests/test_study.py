import hashlib

import pytest

from ablate.metric import Metric
from ablate.study import (
    Factor,
    Kind,
    Study,
    Trial,
    changed,
    choice,
    real,
    settled,
    switch,
    whole,
)

FACTORS = (
    switch("sacr"),
    switch("lif"),
    real("lif.beta", 0.4, requires="lif", low=0.0),
    whole("epochs", 50, low=1),
)


def trial(**levels: bool | float | str) -> Trial:
    return Trial("reid", "1", levels, levels, seed=3, data="standin:v1")


def test_a_key_is_the_sha256_of_the_documented_json() -> None:
    text = (
        '{"data":"standin:v1","identity":"v1",'
        '"levels":{"lif":["bool",true],"lif.beta":["float",0.2]},'
        '"revision":"1","seed":3,"system":"reid"}'
    )
    expected = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert expected == "3ce65c0766a063e4"
    assert trial(**{"lif": True, "lif.beta": 0.2}).key == expected


def test_the_order_of_levels_does_not_matter_to_the_key() -> None:
    assert trial(a=1, b=2).key == trial(b=2, a=1).key


def test_one_and_true_and_one_point_zero_and_text_make_four_keys() -> None:
    assert len({trial(x=level).key for level in (1, True, 1.0, "1")}) == 4


def test_a_start_and_a_stopping_check_are_part_of_the_key() -> None:
    plain = trial(x=1)
    begun = Trial("reid", "1", {}, {"x": 1}, 3, "standin:v1", start=plain.key)
    stopped = Trial("reid", "1", {}, {"x": 1}, 3, "standin:v1", stops=("{}",))
    assert len({plain.key, begun.key, stopped.key}) == 3


def test_levels_at_their_reference_are_not_part_of_the_key() -> None:
    everything = settled({"lif": True}, FACTORS)
    assert changed(everything, FACTORS) == {"lif": True}


def test_a_factor_whose_switch_is_off_stands_at_its_reference() -> None:
    assert settled({"lif": False, "lif.beta": 0.2}, FACTORS)["lif.beta"] == 0.4
    assert settled({"lif": True, "lif.beta": 0.2}, FACTORS)["lif.beta"] == 0.2


def test_what_requires_something_that_is_itself_without_meaning_means_nothing() -> None:
    chain = (switch("a"), switch("b", requires="a"), real("c", 1.0, requires="b"))
    assert settled({"b": True, "c": 2.0}, chain) == {"a": False, "b": False, "c": 1.0}


@pytest.mark.parametrize(
    ("factor", "given", "level"),
    [
        (real("lr", 1.0), 1, 1.0),
        (real("lr", 1.0), -0.0, 0.0),
        (whole("n", 1), 3.0, 3),
        (switch("s"), True, True),
        (choice("loss", "ce", "focal"), "focal", "focal"),
    ],
)
def test_a_level_has_one_canonical_form(
    factor: Factor, given: float | str, level: float | str
) -> None:
    found = factor.level(given)
    assert found == level
    assert type(found) is type(level)
    assert str(found) == str(level)


@pytest.mark.parametrize(
    ("factor", "given"),
    [
        (real("lr", 1.0), True),
        (real("lr", 1.0), "1"),
        (real("lr", 1.0), float("nan")),
        (real("lr", 1.0), float("inf")),
        (real("lr", 1.0), 10**400),
        (whole("n", 1), 1.5),
        (whole("n", 1), 2**63),
        (whole("n", 1), -1),
        (switch("s"), 1),
        (choice("loss", "ce"), "dice"),
        (Factor("x", Kind.STR, "a"), 1),
    ],
)
def test_a_level_of_another_kind_or_out_of_range_is_refused(factor: Factor, given: object) -> None:
    with pytest.raises(ValueError, match=r"is not|is outside"):
        factor.level(given)


def test_a_metric_goes_by_its_name_or_by_the_title_that_is_its_own_in_any_case() -> None:
    known = (Metric("rank1", "Rank-1"), Metric("a", "mAP"), Metric("mAP"), Metric("b", "Same"))
    study = Study(
        name="s",
        title="S",
        system="toy",
        revision="1",
        factors=(),
        metrics=(*known, Metric("c", "same")),
        primary="mAP",
    )
    assert study.metric("RANK-1") == study.metric("Rank1") == known[0]
    assert study.metric("map") == known[2]
    for name in ("same", "", "rank"):
        with pytest.raises(KeyError):
            study.metric(name)


def test_the_levels_of_a_choice_are_given_one_by_one() -> None:
    with pytest.raises(TypeError, match=r"choice 'x': \('b', 'c'\) is no text; name its levels"):
        choice("x", "a", ("b", "c"))  # type: ignore[arg-type]
    assert choice("x", "a", "b", "c").choices == ("a", "b", "c")
