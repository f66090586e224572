"""What W&B exports of a chart: one column per run and metric, one row per step."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from ablate.ingest.folders import digest, walk
from ablate.ingest.names import bare
from ablate.ingest.planned import UNSAID
from ablate.ingest.run import Draft, Reader, Run
from ablate.ingest.series import Series
from ablate.ingest.table import Table, is_number, number, read_table
from ablate.record import State

_COLUMN = re.compile(r"(.+) - (.+?)")
_RANGE = re.compile(r".*__(?:MIN|MAX)")
_AXES = frozenset({"step", "epoch", "globalstep", "trainer/globalstep"})
_HEAD = 1 << 20


def find(path: Path) -> Iterator[Path]:
    """The CSV files whose header is `Step` and then `RUN - METRIC`."""
    for folder, names in walk(path):
        for name in sorted(names):
            if name.endswith(".csv") and is_chart(folder / name):
                yield folder / name


def read(path: Path) -> Iterator[Run]:
    """The runs of one chart, in the order of its columns; raises UsageError with the line."""
    table = read_table(path)
    files = {path.name: digest(path)}
    columns: dict[str, list[tuple[str, str]]] = {}
    for header in table.columns[1:]:
        found = _COLUMN.fullmatch(header)
        if found is None:
            raise table.wrong(1, f"{header!r} is not 'RUN - METRIC', as W&B names the curves")
        if not _RANGE.fullmatch(header) and not found[2].startswith("_"):
            columns.setdefault(found[1], []).append((header, found[2]))
    for name, curves in columns.items():
        yield _run(name, curves, table, files)


def _run(name: str, curves: list[tuple[str, str]], table: Table, files: dict[str, str]) -> Run:
    draft = Draft()
    draft.name, draft.state = name, State.COMPLETED
    series = Series(draft)
    for row in table.rows:
        step = row.cells[table.columns[0]]
        if not is_number(step) or not number(step).is_integer():
            raise table.wrong(row.line, f"{table.columns[0]}: {step!r} is no step")
        for header, metric in curves:
            text = row.cells[header]
            if is_number(text):
                series.add(metric, int(number(step)), number(text))
            elif text:
                draft.miss(row.line, f"{header}: {text}")
    draft.remark(UNSAID)
    return draft.done(series.settle(), "last", files)


def is_chart(path: Path) -> bool:
    """Whether a CSV file's header is `Step` and then `RUN - METRIC`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader([file.readline(_HEAD)]), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
    curves = [_COLUMN.fullmatch(column) for column in header[1:]]
    return bool(curves) and bare(header[0]) in _AXES and all(curves)


READER = Reader(
    name="wandb-chart",
    about="what W&B exports of a chart: one column per run and metric, one row per step",
    find=find,
    read=read,
)
