"""`ablate db`: whether the database is sound, copies of it, and making it anew."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True, help="Check, copy, rebuild or upgrade the results database."
)
MOST = 40


@app.command()
def check() -> None:
    """Whether the database is sound, agrees with the attempts' folders and with its own curves."""
    from ablate.cli.console import note, out
    from ablate.cli.reading import project_store
    from ablate.errors import StoreError
    from ablate.run.checking import disagreements, without_row
    from ablate.run.rebuild import imports

    with project_store() as store:
        wrong = store.problems()
        compared = 0
        if not wrong:
            compared, wrong = disagreements(store)
        for line in wrong[:MOST]:
            out().print(line, soft_wrap=True)
        if wrong:
            raise StoreError(
                f"{store.path}: {len(wrong)} things are wrong; `ablate db rebuild` makes it anew"
            )
        unplaced, folders = store.unplaced(), without_row(store)
        gone = list(imports(store.forgotten()))
    if unplaced:
        note(f"note: {len(unplaced)} trials stand in no study (ablate rm KEY takes one away)")
    if folders:
        note(f"note: {len(folders)} folders of attempts are not in it, such as {folders[0]}")
    for line in gone:
        note(f"not there: {line}")
    out().print(f"sound; {compared} attempts agree with their folders", soft_wrap=True)
    if gone:
        raise typer.Exit(1)


@app.command()
def backup(
    file: Annotated[
        Path | None, typer.Argument(help="A new file; .ablate/backups/ without.")
    ] = None,
) -> None:
    """Copy the database whole into a new file, also while a run writes it."""
    from ablate.cli.reading import project_store

    with project_store() as store:
        copy = store.keep("backup") if file is None else store.backup(file)
    typer.echo(str(copy))


@app.command()
def upgrade() -> None:
    """Bring a database of an older ablate up to date, after a copy of it."""
    from ablate.cli.console import out
    from ablate.errors import StoreError
    from ablate.project import Project
    from ablate.store import open_store
    from ablate.store.connection import check as header
    from ablate.store.schema import VERSION

    path = Project.find().store
    before = header(path)
    if before == VERSION:
        out().print(f"{path}: up to date (schema {VERSION})", soft_wrap=True)
        return
    with open_store(path, create=True) as store:
        store.write_beside()
        wrong = store.problems()
    if wrong:
        raise StoreError(f"{path}: upgraded, and not sound: {wrong[0]}")
    out().print(f"{path}: schema {before} is now {VERSION}", soft_wrap=True)
    for copy in sorted(path.parent.glob(f"backups/*.schema-{before}.*")):
        out().print(f"kept as it was: {copy}", soft_wrap=True)


@app.command()
def rebuild() -> None:
    """Make the database anew from what lies beside it; the old file is kept, a loss is exit 1."""
    from ablate.cli.console import note, out
    from ablate.errors import StoreError
    from ablate.project import Project
    from ablate.run.rebuild import rebuild as make
    from ablate.store.connection import refuse_unwritable

    path = Project.find().store
    if not path.parent.is_dir():
        raise StoreError(f"{path.parent}: there is nothing to rebuild from")
    if path.exists():
        refuse_unwritable(path)
    done = make(path)
    if done.old is not None:
        out().print(f"kept as it was: {done.old}", soft_wrap=True)
    out().print(
        f"rebuilt {done.studies} studies from {done.attempts} attempts run here"
        f" and {done.imported} trials brought in from elsewhere",
        soft_wrap=True,
    )
    for line in done.copied:
        out().print(line, soft_wrap=True)
    for line in done.lost:
        note(f"not brought back: {line}")
    if done.lost:
        raise typer.Exit(1)
