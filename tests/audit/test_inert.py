"""Which modules of a cell are known not to be in its output."""

from dataclasses import replace

from ablate.analysis.cells import Cell, cells
from ablate.audit import inert_of
from ablate.record import Cost
from tests.report.planted import runs, share, study

AC = study("a", "c")


def with_shares(**shares: dict[str, dict[str, Cost]]) -> list[Cell]:
    records = runs(AC, lambda on: 0.5 + len(on) / 10, 2)
    return cells([replace(r, shares=shares.get(r.variant, {})) for r in records])


def test_a_module_is_inert_where_none_of_its_parameters_is_live_or_taught() -> None:
    found = with_shares(c=share("c", live=False), full=share("c", live=True))
    assert inert_of(AC, found) == {"c": frozenset({"c"})}


def test_parameters_that_a_loss_of_the_score_teaches_may_act_through_shared_weights() -> None:
    taught = share("c", live=False)
    taught["c"]["trained_params"] = replace(taught["c"]["trained_params"], value=10.0)
    assert inert_of(AC, with_shares(c=taught)) == {}


def test_a_module_whose_operations_the_output_uses_is_no_inert_one() -> None:
    own = share("c", live=False)
    own["c"]["live_macs"] = replace(own["c"]["params"], name="live_macs", value=0.0)
    assert inert_of(AC, with_shares(c=own)) == {"c": frozenset({"c"})}
    own["c"]["live_macs"] = replace(own["c"]["live_macs"], value=64.0)
    assert inert_of(AC, with_shares(c=own)) == {}


def test_what_was_not_counted_is_not_known() -> None:
    uncounted = share("c", live=False)
    del uncounted["c"]["live_params"]
    assert inert_of(AC, with_shares(c=uncounted)) == {}
    assert inert_of(AC, with_shares()) == {}


def test_only_modules_of_the_grid_are_told() -> None:
    assert inert_of(AC, with_shares(a=share("other", live=False))) == {}
