"""`ablate import`: results that already exist become a study."""

from pathlib import Path
from typing import Annotated

import typer

from ablate.cli.options import Json


def import_(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Logs, folders of runs, or a table.")
    ],
    *,
    reader: Annotated[
        str | None, typer.Option("--reader", help="How to read them; found out without.")
    ] = None,
    study: Annotated[
        str | None, typer.Option("--study", help="The study's name, or a study file.")
    ] = None,
    system: Annotated[
        str | None, typer.Option("--system", help="Whose trials they are: a system of ablate.toml.")
    ] = None,
    select: Annotated[
        str, typer.Option("--select", help="last, best:METRIC, best:METRIC@SPLIT; the logs' own.")
    ] = "",
    mapping: Annotated[
        Path | None, typer.Option("--map", help="A TOML file that says what keys or columns mean.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="With --system: the data set's folder.")
    ] = None,
    replicates: Annotated[
        bool, typer.Option("--replicates", help="Runs of the same levels are further seeds.")
    ] = False,
    guess: Annotated[
        bool, typer.Option("--guess", help="Write a study file and a system for them, too.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Over trials trained here or imported from other runs.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Instead of the runs that the study holds.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be imported; write nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Import old runs or a table of results as a study, so that ls, report and compare work on it.

    What was understood is said before anything is written; importing twice changes nothing.
    """
    from ablate.cli import import_runs, import_table
    from ablate.errors import UsageError
    from ablate.ingest.tables import SUFFIXES, TABLES

    table = reader in TABLES or (
        reader is None and not guess and all(p.suffix.lower() in SUFFIXES for p in paths)
    )
    if table:
        given = {"--system": system, "--select": select, "--guess": guess, "--data": data}
        wrong = next((name for name, value in given.items() if value), None)
        if wrong is not None:
            raise UsageError(f"{wrong} means nothing for a table")
        if len(paths) > 1:
            raise UsageError("a table is a study of its own: import one at a time")
        import_table.bring(
            import_table.Asked(
                paths[0], reader, study, mapping, replace=replace, dry_run=dry_run, json=json
            )
        )
        return
    import_runs.bring(
        import_runs.Asked(
            paths=tuple(paths),
            reader=reader,
            study=study,
            system=system,
            select=select,
            mapping=mapping,
            data=data,
            replicates=replicates,
            guess=guess,
            force=force,
            replace=replace,
            dry_run=dry_run,
            json=json,
        )
    )
