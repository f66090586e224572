"""Which split chose the numbers."""

from ablate.record import Finding
from ablate.selection import Curves
from ablate.study import Study


def selected_on_test(study: Study, curves: Curves) -> Finding | None:
    """W120: the best step was chosen on the split it is scored on; `curves` are one trial's."""
    if study.selection.chosen_on(curves) != "test":
        return None
    return Finding(
        "W120",
        "warning",
        f"the best step of every trial was chosen on the test split ({study.selection}):"
        " its scores are optimistic",
        'log a `val` split, or set select = "last" in the study file',
    )
