"""`ablate.log`: how a training that `ablate run` has started says its scores, in two lines."""

import json
import os
from typing import SupportsFloat, SupportsIndex

VARIABLE = "ABLATE_METRICS"


def log(step: SupportsIndex, split: str = "test", **values: SupportsFloat) -> None:
    """Add one point to each named curve of the trial that this process belongs to.

    Scores are stored as given (a fraction where a metric is shown in percent). Does nothing where
    the program was started by hand. Raises TypeError or ValueError for what is no number.
    """
    path = os.environ.get(VARIABLE)
    if not path:
        return
    points = {name: float(value) for name, value in values.items()}
    line = json.dumps({"step": step.__index__(), "split": split, **points}) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(handle, line.encode())  # one write: lines of several processes do not mix
    finally:
        os.close(handle)
