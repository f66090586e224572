"""How commands write files."""

from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write a file whole, its folder too; raises HostError when that cannot be done."""
    from ablate.errors import HostError
    from ablate.files import write_atomically

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    except OSError as wrong:
        raise HostError(f"cannot write {path}: {wrong.strerror or wrong}") from None
