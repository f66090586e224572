"""A study's scores as a table of pandas. Only who wants one imports this module."""

from collections.abc import Sequence

import pandas as pd

from ablate.store import finals, reading
from ablate.store.store import Store

_PLACES = "SELECT trial_id, variant, seed FROM placement WHERE study_id = ? ORDER BY position"
_SCORES = (
    "SELECT trial_id, CASE nonfinite WHEN 'inf' THEN 9e999 WHEN '-inf' THEN -9e999 ELSE value END"
    " FROM final WHERE study_id = ? AND selection IN (?, ?) AND metric = ?"
)


def pivot(store: Store, study: str, metrics: Sequence[str] = ()) -> pd.DataFrame:
    """Scores under the study's own selection rule: a row per variant and seed, in its order.

    The columns are `metrics`, or all that the study declares. A score that is missing is NaN, as
    is one that was measured to be NaN. Raises UsageError where the study is unknown.
    """
    with store.reading() as session:
        row = reading.row_of(session, study)
        assert row.id is not None
        names = metrics or tuple(reading.document(session, row.id).directions)
        # The driver's own cursor: rows that are dropped at once never wake the garbage collector.
        cursor = session.connection().connection.cursor()
        places = list(cursor.execute(_PLACES, (row.id,)))
        columns: dict[str, list[float | None]] = {}
        for name in names:
            rule = (row.id, row.selection, finals.REPORTED, name)
            scores: dict[int, float] = dict(cursor.execute(_SCORES, rule))
            columns[name] = [scores.get(trial) for trial, _, _ in places]
        cursor.close()
    index = pd.MultiIndex.from_arrays(
        [[v for _, v, _ in places], [s for _, _, s in places]], names=["variant", "seed"]
    )
    return pd.DataFrame(columns, index=index, dtype="float64")
