"""The one number per trial, metric and selection rule, made from curves and reported scores."""

from collections.abc import Iterator, Mapping

from sqlmodel import Session

from ablate.selection import Curves, Score, Selection
from ablate.store import values
from ablate.study import Study

COMPLETED = (
    "SELECT placement.trial_id FROM placement JOIN trial ON trial.id = placement.trial_id"
    " WHERE placement.study_id = ? AND trial.state = 'completed'"
)
"""The completed trials of one study, as a query."""

REPORTED = "reported"
"""The selection of a score that a training returned and that has no curve but one of `train`."""
TRAIN = "train"


def select(
    curves: Curves,
    reported: Mapping[str, float],
    selection: Selection,
    directions: Mapping[str, str],
) -> dict[str, Score]:
    """The scores of one trial by metric; a reported score stands where only `train` has a curve."""
    scores = selection.apply(curves, directions)
    declared = {metric.lower(): metric for metric in directions}
    drawn = {name for split, name in curves if split != TRAIN}
    for name, value in reported.items():
        metric = declared.get(name.lower(), name)
        if metric not in drawn:
            scores[metric] = Score(metric, value, None, "", REPORTED)
    return scores


def curves_of(
    session: Session, trials: str, parameters: tuple[object, ...]
) -> Iterator[tuple[int, dict[tuple[str, str], dict[int, float]]]]:
    """(trial id, its curves) for every trial that the query `trials` names, one at a time."""
    rows = session.connection().exec_driver_sql(
        "SELECT trial_id, step, split, name, value, nonfinite FROM scalar"  # noqa: S608 - `trials` is our own text
        f" WHERE trial_id IN ({trials}) ORDER BY trial_id, step",
        parameters,
    )
    current: int | None = None
    curves: dict[tuple[str, str], dict[int, float]] = {}
    for trial, step, split, name, value, nonfinite in rows:
        if trial != current:
            if current is not None:
                yield current, curves
            current, curves = trial, {}
        curves.setdefault((split, name), {})[step] = values.read(value, nonfinite)
    if current is not None:
        yield current, curves


def reported_of(
    session: Session, trials: str, parameters: tuple[object, ...]
) -> dict[int, dict[str, float]]:
    """Trial id -> the scores that its last attempt returned, where it returned any."""
    rows = session.connection().exec_driver_sql(
        "SELECT trial_id, scores FROM attempt"  # noqa: S608 - `trials` is our own text
        f" WHERE trial_id IN ({trials}) AND state = 'completed' AND scores <> '{{}}' ORDER BY id",
        parameters,
    )
    return {trial: values.numbers(scores) for trial, scores in rows}


def compute(
    session: Session,
    trials: str,
    parameters: tuple[object, ...],
    selection: Selection,
    directions: Mapping[str, str],
) -> Iterator[tuple[int, dict[str, Score]]]:
    """(trial id, its scores under `selection`) for every trial that the query `trials` names."""
    reported = reported_of(session, trials, parameters)
    seen = set()
    for trial, curves in curves_of(session, trials, parameters):
        seen.add(trial)
        given = reported.get(trial, {})
        yield trial, select(curves, given, selection, directions)
    for trial in reported.keys() - seen:
        yield trial, select({}, reported[trial], selection, directions)


def write(session: Session, study_id: int, study: Study, trials: str, *parameters: object) -> None:
    """Replace the study's finals of every trial that the query `trials` names."""
    connection = session.connection()
    connection.exec_driver_sql(
        f"DELETE FROM final WHERE study_id = ? AND trial_id IN ({trials})",  # noqa: S608 - our own text
        (study_id, *parameters),
    )
    rows = [
        (study_id, s.selection, s.metric, trial, *values.split(s.value), s.step, s.split)
        for trial, scores in compute(session, trials, parameters, study.selection, study.directions)
        for s in scores.values()
    ]
    if rows:
        connection.exec_driver_sql("INSERT INTO final VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
