"""How commands write files."""

from pathlib import Path

DOCUMENTS = (".md", ".markdown", ".json")
"""The suffixes of what reports and comparisons are written to."""


def document_path(path: Path) -> Path:
    """The file that `-o` names; raises UsageError unless it is one of Markdown or JSON.

    Any other suffix may be that of data, of a study file or of the database.
    """
    from ablate.errors import UsageError

    if path.is_dir():
        raise UsageError(f"-o {path}: it is a folder; name a file, as in {path / 'answer.md'}")
    if path.suffix.lower() not in DOCUMENTS:
        raise UsageError(
            f"-o {path}: Markdown or JSON is written here; name a file that ends in"
            f" {', '.join(DOCUMENTS[:-1])} or {DOCUMENTS[-1]}"
        )
    there = _file_among(path.parent)
    if there is not None:
        raise UsageError(f"-o {path}: {there} is a file, not a folder")
    return path


def folder_path(path: Path) -> Path:
    """The folder that `-o` names; raises UsageError where it is a file or lies in one."""
    from ablate.errors import UsageError

    there = _file_among(path)
    if there is not None:
        raise UsageError(f"-o {path}: -o is a folder here, and {there} is a file")
    return path


def _file_among(folder: Path) -> Path | None:
    """The file that stands where a folder, or one that it lies in, would be."""
    return next((p for p in (folder, *folder.parents) if p.exists() and not p.is_dir()), None)


def write_text(path: Path, text: str) -> None:
    """Write a file whole, its folder too.

    Raises UsageError where the path is a folder, HostError where it cannot be written.
    """
    from ablate.errors import HostError, UsageError
    from ablate.files import write_atomically

    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a folder; name a file")
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
