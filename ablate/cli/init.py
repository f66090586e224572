"""`ablate init`: a project that runs: `ablate.toml`, one study, one small torch system."""

from pathlib import Path
from typing import Annotated

import typer

FILES = {
    "ablate.toml": "ablate.toml",
    "studies/toy.toml": "study.toml",
    "systems/toy.py": "system.txt",
}
"""What is written, and the template it comes from."""


def init(
    folder: Annotated[Path, typer.Argument(help="Where; made if it is not there.")] = Path(),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Only say what would be written.")
    ] = False,
) -> None:
    """Write a project to begin from. Overwrites nothing."""
    from importlib.resources import files

    from ablate.cli.console import note, out
    from ablate.cli.writing import write_text
    from ablate.errors import UsageError

    there = [name for name in FILES if (folder / name).exists()]
    if there:
        raise UsageError(f"{folder / there[0]} is there already: init overwrites nothing")
    console = out()
    for name, template in FILES.items():
        if not dry_run:
            text = files("ablate.cli").joinpath("templates", template).read_text("utf-8")
            write_text(folder / name, text)
        console.print(f"{'would write' if dry_run else 'wrote'} {folder / name}", soft_wrap=True)
    at = "" if folder.resolve() == Path.cwd() else f"cd {folder} && "
    note(f"next: {at}ablate run studies/toy.toml && ablate report toy")
