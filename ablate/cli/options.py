"""The arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

StudyFile: TypeAlias = Annotated[Path, typer.Argument(help="The study file.")]
Overrides: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="Fix a factor; a,b,c makes an axis."),
]
Seeds: TypeAlias = Annotated[
    str, typer.Option("--seeds", help="Instead of the file's: 0-4 or 0,1,2.")
]
Only: TypeAlias = Annotated[
    str, typer.Option("--only", help="Parts of names, globs, or grid, sweep, arm; commas.")
]
Scale: TypeAlias = Annotated[str | None, typer.Option("--scale", help="paper, small, ...")]
Data: TypeAlias = Annotated[Path | None, typer.Option("--data", help="The data set's folder.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Select: TypeAlias = Annotated[
    str | None,
    typer.Option("--select", metavar="RULE", help="last or best:METRIC[@SPLIT], not the study's."),
]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Say what would be done, and do nothing.")
]
