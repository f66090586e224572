import math
from dataclasses import replace

import pytest

from ablate.errors import UsageError
from ablate.record import Ending, State
from ablate.store import Store
from ablate.store.frame import pivot
from ablate.study import Placement, Study


def test_a_pivot_has_a_row_per_place_and_a_column_per_metric(
    store: Store, study: Study, placements: list[Placement], ending: Ending
) -> None:
    store.put_study(study, placements)
    for placement, given in (
        (placements[3], ending),
        (placements[1], Ending(State.COMPLETED, 1.0, "", scores={"rank1": -math.inf})),
    ):
        attempt = store.claim(placement.trial.key, "me")
        assert attempt is not None
        assert store.finish(attempt, given)
    frame = pivot(store, "small")
    assert list(frame.columns) == ["rank1", "loss"]
    assert list(frame.index) == [("baseline", 0), ("baseline", 1), ("lif", 0), ("lif", 1)]
    assert frame.loc["lif", 1].to_dict() == {"rank1": 0.4, "loss": math.inf}
    assert frame.loc[("baseline", 1), "rank1"] == -math.inf
    assert frame.loc["lif", 0].isna().all()
    assert list(frame.dtypes) == ["float64", "float64"]
    assert pivot(store, "small", ["NDS"]).loc[("lif", 1), "NDS"] == 0.71


def test_a_pivot_of_an_empty_study_is_empty(store: Store, study: Study) -> None:
    store.put_study(replace(study, name="empty"), [])
    assert pivot(store, "empty").shape == (0, 2)
    with pytest.raises(UsageError, match="did you mean 'empty'"):
        pivot(store, "emtpy")
