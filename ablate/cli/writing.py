"""How commands write files."""

from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write a file whole, its folder too; raises HostError when that cannot be done."""
    from ablate.errors import HostError
    from ablate.files import write_atomically

    if path.is_dir():
        raise HostError(f"cannot write {path}: it is a folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    except OSError as wrong:
        raise HostError(f"cannot write {path}: {wrong.strerror or wrong}") from None


def today() -> str:
    """The date of today (UTC), or that of SOURCE_DATE_EPOCH where it is set; raises UsageError."""
    import os
    from datetime import UTC, datetime

    from ablate.errors import UsageError

    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch and not epoch.isdecimal():
        raise UsageError(f"SOURCE_DATE_EPOCH: {epoch!r} is not a whole number of seconds")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return now.date().isoformat()


def confirmed(question: str, *, yes: bool) -> bool:
    """Whether to go on: asked on a terminal; elsewhere only `yes` says so, else UsageError."""
    import sys

    import typer

    from ablate.errors import UsageError

    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked; --yes does it, -n only says what it would")
    return typer.confirm(question)
