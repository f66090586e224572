"""What results that are to be brought in would change in those that are there."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection
from sqlmodel import Session

from ablate.record import Ending, State
from ablate.store import importing, values
from ablate.study import Placement

_SCORES = (
    "SELECT scores FROM attempt WHERE trial_id = ? AND number ="
    " (SELECT max(number) FROM attempt WHERE trial_id = ?)"
)
_MEASURED = (
    "SELECT 'scalar', split, name, step, '', value, nonfinite FROM scalar WHERE trial_id = ?"
    " UNION ALL SELECT 'item', split, name, item, '', value, nonfinite FROM item WHERE trial_id = ?"
    " UNION ALL SELECT 'cost', factor, name, counter, unit, value, nonfinite FROM cost"
    " WHERE trial_id = ?"
)
_Values = dict[tuple[object, ...], str]


def differing(session: Session, results: Sequence[tuple[Placement, Ending]]) -> dict[str, int]:
    """Key -> how many values become others, appear or go, of trials that have completed.

    A trial whose measurements stay and that completes no longer counts one value: its state.
    """
    connection = session.connection()
    known = importing.newest(connection, [placement.trial.key for placement, _ in results])
    found: dict[str, int] = {}
    for placement, ending in results:
        key = placement.trial.key
        there = known.get(key)
        if there is None or there.state != State.COMPLETED:
            continue
        if there.digest == importing.digest(ending):
            continue
        count = _differences(_stored(connection, there.trial), dict(_given(ending)))
        count = count or int(ending.state is not State.COMPLETED)
        if count:
            found[key] = count
    return found


def _differences(before: _Values, after: _Values) -> int:
    return sum(before.get(at) != after.get(at) for at in before.keys() | after.keys())


def _stored(connection: Connection, trial: int) -> _Values:
    rows = connection.exec_driver_sql(_MEASURED, (trial, trial, trial))
    found: _Values = {tuple(at): repr(values.read(value, bad)) for *at, value, bad in rows}
    scores = connection.exec_driver_sql(_SCORES, (trial, trial)).scalar()
    numbers = values.numbers(str(scores)) if scores else {}
    return found | {("score", "", name, "", ""): repr(value) for name, value in numbers.items()}


def _given(ending: Ending) -> Iterator[tuple[tuple[object, ...], str]]:
    for point in ending.scalars:
        yield ("scalar", point.split, point.name, point.step, ""), repr(float(point.value))
    for one in ending.items:
        yield ("item", one.split, one.name, one.item, ""), repr(float(one.value))
    for cost in ending.costs:
        at = ("cost", cost.factor, cost.name, cost.counter, cost.unit)
        yield at, repr(float(cost.value))
    for name, value in values.numbers(values.scores(ending.scores)).items():
        yield ("score", "", name, "", ""), repr(value)
