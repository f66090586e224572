import math

import pytest

from ablate.analysis.cells import cells, summary
from ablate.analysis.contrast import difference
from ablate.analysis.effects import corners
from ablate.record import Record, State
from ablate.selection import Score
from ablate.study import Level


def record(variant: str, levels: dict[str, Level], seed: int, position: int) -> Record:
    score = Score("acc", position / 10, 1, "test", "last")
    return Record(
        study="s",
        variant=variant,
        role="grid",
        parent=None,
        position=position,
        levels=levels,
        changed={},
        seed=seed,
        key=f"{position:016x}",
        state=State.COMPLETED if seed < 2 else State.FAILED,
        scores={"acc": score} if seed < 2 else {},
    )


OFF: dict[str, Level] = {"m": False, "lr": 0.1}
ON: dict[str, Level] = {"m": True, "lr": 0.1}
FAST: dict[str, Level] = {"m": True, "lr": 0.3}


def test_a_summary_is_the_mean_and_the_sample_standard_deviation() -> None:
    found = summary([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0])
    assert (found.n, found.mean) == (8, 5.0)
    assert found.sd == pytest.approx(math.sqrt(32 / 7))


def test_values_that_are_not_finite_are_counted_and_left_out() -> None:
    found = summary([1.0, math.nan, 3.0, math.inf])
    assert (found.n, found.mean, found.lost) == (2, 2.0, 2)


def test_one_value_has_no_spread_and_none_has_no_mean() -> None:
    assert summary([1.0]).sd is None
    assert math.isnan(summary([]).mean)


def test_records_of_one_variant_are_one_cell_in_the_order_of_the_study() -> None:
    records = [record("m", ON, 0, 2), record("b", OFF, 1, 1), record("b", OFF, 0, 0)]
    found = cells([*records, record("b", OFF, 2, 3)])
    assert [c.variant for c in found] == ["b", "m"]
    assert found[0].scores("acc") == {0: 0.0, 1: 0.1}
    assert len(found[0].records) == 3
    assert len(found[0].completed) == 2


def test_the_first_repetition_of_a_grid_is_its_corners() -> None:
    records = [record("b", OFF, 0, 0), record("m", ON, 0, 1), record("m lr=0.3", FAST, 0, 2)]
    found = corners(cells(records), {"m": True})
    assert found[frozenset({"m"})].variant == "m"


def test_a_difference_with_an_empty_side_is_not_there() -> None:
    assert difference([], [(0, 1.0)]) is None
