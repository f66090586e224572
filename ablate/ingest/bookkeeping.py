"""What W&B, Optuna, MLflow and Ray Tune write into their tables beside settings and scores."""

import ast
import json
import re
from collections.abc import Mapping, Sequence

from ablate.ingest.mapping import Wanted
from ablate.ingest.names import bare
from ablate.ingest.settings import flat
from ablate.ingest.table import INDEX, Row, Table
from ablate.record import State

SETTINGS = re.compile(
    r"(?:params_(?![kmbg]$)|(?:config|params|param|hparams|hyperparameters)[./])(?=.)"
)
_ONE_LETTER = re.compile(r"params_[kmbg]")
RESULTS = re.compile(r"(?:(?:summary|metrics)[./]|user_attrs_)(?=.)")
_FOLDED = frozenset({"config", "summary", "params", "hparams", "hyperparameters", "metrics"})
_NOTES = re.compile(
    r"(?:_(?:step|timestamp|wandb.*)|(?:summary[./])_(?:step|timestamp|wandb.*)|(?:config[./])_wandb.*"
    r"|system_attrs_.*|tags[./].*|.* - _(?:step|timestamp))",
    re.IGNORECASE,
)
_ALWAYS = frozenset(
    {
        *("user", "username", "userid", "tags", "notes", "created", "createdat", "updated"),
        *("updatedat", "hostname", "host", "nodeip", "starttime", "endtime", "started", "ended"),
        *("datetimestart", "datetimecomplete", "timestamp", "date", "artifacturi", "experimentid"),
        *("runid", "trialid", "logdir", "pid", "experimenttag", "githash", "gitcommit", "commit"),
        *("gputype", "gpucount", "cpucount", "pythonversion", "url", "heartbeatat", "project"),
        *("entity", "checkpointdirname", "iterationssincerestore", "timesincerestore"),
        *("timethisiters", "trainingiteration", "sourcename", "runname"),
    }
)
_AMONG = frozenset(
    {
        *("group", "jobtype", "sweep", "description", "version", "agent", "displayname", "number"),
        *("os", "done", "timetotals", "experiment", "epoch", "step", "globalstep"),
        *("trainer/globalstep", "iteration"),
    }
)
"""Bookkeeping too where the table has more of it; elsewhere they may be anything."""
_ENOUGH = 2

_STATES = {
    **dict.fromkeys(
        ("complete", "completed", "finished", "finish", "success", "successful", "succeeded"),
        State.COMPLETED,
    ),
    **dict.fromkeys(("done", "terminated", "ok", "ended", "passed"), State.COMPLETED),
    **dict.fromkeys(
        ("fail", "failed", "failure", "error", "errored", "exception", "diverged"), State.FAILED
    ),
    **dict.fromkeys(("oom", "outofmemory", "nodefail", "bootfail"), State.FAILED),
    **dict.fromkeys(
        ("incomplete", "crashed", "crash", "killed", "pruned", "running", "preempted"),
        State.INCOMPLETE,
    ),
    **dict.fromkeys(
        ("preempting", "interrupted", "aborted", "cancelled", "canceled", "stopped", "paused"),
        State.INCOMPLETE,
    ),
    **dict.fromkeys(("timeout", "timedout", "deadline", "suspended"), State.INCOMPLETE),
    **dict.fromkeys(
        ("pending", "waiting", "queued", "scheduled", "created", "starting"), State.PENDING
    ),
}
STATES_SAID = "completed, failed, crashed, timeout, cancelled, incomplete, running, pending"


def state_of(text: str) -> State | None:
    """How a run ended by a tracker's, a scheduler's or ablate's own word; None for another."""
    return _STATES.get(re.sub(r"by\d+$", "", bare(text.rpartition(".")[2])))


def is_state(header: str, texts: Sequence[str]) -> bool:
    """Whether a column says how runs ended."""
    return bare(header) in {"state", "status"} and any(texts)


def is_bookkeeping(header: str, columns: Sequence[str]) -> bool:
    """Whether a column holds what a tracker notes for itself, neither setting nor score."""
    if header == INDEX or _NOTES.fullmatch(header) or bare(header) in _ALWAYS:
        return True
    if bare(header) not in _AMONG:
        return False
    others = [c for c in columns if _NOTES.fullmatch(c) or bare(c) in _ALWAYS | {"state"}]
    return len(others) >= _ENOUGH


def of_optuna(header: str, columns: Sequence[str]) -> bool:
    """Whether a column is the objective of an Optuna study, whose direction no table says."""
    return re.fullmatch(r"values?(_\d+)?", header) is not None and any(
        c.startswith(("params_", "params.")) for c in columns
    )


def begun(table: Table, wanted: Mapping[str, Wanted]) -> Table:
    """The table without runs that never began; raises UsageError where no other is there."""
    asked = {c: wanted[c].role if c in wanted else None for c in table.columns}
    said = [
        c
        for c, role in asked.items()
        if role == "state" or (role is None and is_state(c, table.texts(c)))
    ]
    rows = tuple(
        row for row in table.rows if not any(state_of(row.cells[c]) is State.PENDING for c in said)
    )
    if not rows:
        raise table.wrong(table.rows[0].line, "no run of it ever began")
    return Table(table.path, table.columns, rows)


def one_lettered(columns: Sequence[str]) -> dict[str, str]:
    """Optuna's parameters called k, m, b or g under a name that means no count of parameters."""
    settings = [c for c in columns if c.startswith("params_") and SETTINGS.match(c)]
    optunas = bool(settings) or any(of_optuna(c, columns) for c in columns)
    return {c: f"params.{c[-1]}" for c in columns if optunas and _ONE_LETTER.fullmatch(c)}


def renamed(table: Table, names: Mapping[str, str]) -> Table:
    """The table with some columns under other names."""
    rows = tuple(
        Row(row.line, {names.get(c, c): text for c, text in row.cells.items()})
        for row in table.rows
    )
    return Table(table.path, tuple(names.get(c, c) for c in table.columns), rows)


def unfolded(table: Table) -> Table:
    """Columns whose cells are whole objects (`config`, `summary`) as one column for each key."""
    folded = [c for c in table.columns if c in _FOLDED and _objects(table.texts(c))]
    if not folded:
        return table
    rows = [(row.line, _unfold(table, row, folded)) for row in table.rows]
    columns = tuple(dict.fromkeys(key for _, cells in rows for key in cells))
    return Table(
        table.path,
        columns,
        tuple(Row(n, {c: cells.get(c, "") for c in columns}) for n, cells in rows),
    )


def _objects(texts: Sequence[str]) -> bool:
    return any(texts) and all(t.startswith("{") and t.endswith("}") for t in texts if t)


def _unfold(table: Table, row: Row, folded: Sequence[str]) -> dict[str, str]:
    cells: dict[str, str] = {}
    for column, text in row.cells.items():
        if column not in folded:
            cells[column] = text
        elif text:
            inner = flat(_object(table, row.line, column, text))
            cells.update({f"{column}.{key}": value for key, value in inner.items()})
    return cells


def _object(table: Table, line: int, column: str, text: str) -> Mapping[str, object]:
    """JSON, or what Python prints of a dictionary."""
    try:
        found = json.loads(text, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        plain = re.sub(r"(?<=[:\[,] )(-?(?:nan|inf))(?=[,}\]])", r"'\1'", text)
        try:
            found = ast.literal_eval(plain)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            raise table.wrong(line, f"{column}: neither JSON nor a dictionary of Python") from None
    if not isinstance(found, dict):
        raise table.wrong(line, f"{column}: it is no object")
    return found
