"""The files that a trial kept: listed, and its picture of kept tokens found or copied."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ablate.record import Record
    from ablate.store import Store

TOKENS = "tokens"


def artifacts(store: "Store", record: "Record") -> dict[str, Path]:
    """The files of a trial's last attempt by name, as its folder says, wherever they are now.

    Empty where the attempt never ended by itself, was imported, or its folder is gone or damaged.
    """
    from ablate.run.folder import read_result

    attempt = record.attempt
    if attempt is None:
        return {}
    folder = store.attempts_folder / attempt.folder
    try:
        body = read_result(folder) or {}
    except (OSError, ValueError):
        return {}
    kept = body.get("artifacts")
    return {n: folder / str(p) for n, p in kept.items()} if isinstance(kept, dict) else {}


def show_tokens(store: "Store", records: "list[Record]", output: Path | None) -> None:
    """Print the path of the one trial's picture of kept tokens, or copy it to `output`.

    Raises UsageError, saying why there is none.
    """
    import shutil

    from ablate.cli.console import note
    from ablate.errors import HostError, UsageError

    if len(records) != 1:
        keys = ", ".join(f"{r.key[:8]} (seed {r.seed})" for r in records)
        raise UsageError(f"--tokens shows one trial's picture: name one of {keys}")
    (record,) = records
    picture = artifacts(store, record).get(TOKENS)
    if picture is None or not picture.is_file():
        raise UsageError(f"{record.variant} s{record.seed}: {_why_not(store, record)}")
    if output is None:
        typer.echo(str(picture))
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, output)
    except (OSError, shutil.SameFileError) as wrong:
        raise HostError(f"cannot write {output}: {wrong}") from None
    note(f"wrote {output}")


def _why_not(store: "Store", record: "Record") -> str:
    from ablate.record import State

    if record.state is not State.COMPLETED:
        return f"no picture of tokens: the trial is {record.state}"
    if record.attempt is None or not (store.attempts_folder / record.attempt.folder).is_dir():
        return "no picture of tokens: the attempt's folder is not here"
    if TOKENS in artifacts(store, record):
        return "its picture of tokens is gone from the attempt's folder"
    return "its training kept no picture of tokens (only variants that select tokens make one)"
