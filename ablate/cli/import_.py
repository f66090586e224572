"""`ablate import`: results that already exist become a study."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ablate.ingest import Imported
    from ablate.ingest.columns import Column as Understood
    from ablate.store import Store


SEEDS = 8


def import_(
    file: Annotated[Path, typer.Argument(help="The file that holds the results.")],
    *,
    reader: Annotated[
        str | None, typer.Option("--reader", help="How to read it; by its suffix without.")
    ] = None,
    study: Annotated[
        str | None, typer.Option("--study", help="The study's name; the file's without.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--map", help="A TOML file that says what columns mean.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be imported.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Import a table of results as a study, so that ls, report and compare work on it."""
    from ablate.cli.console import note
    from ablate.ingest import read
    from ablate.project import Project
    from ablate.store import open_store

    found = read(file, reader=reader, study=study, mapping=mapping)
    _tell(found, file, json, dry_run)
    if dry_run:
        return
    with open_store(Project.find().store, create=True) as store:
        _check_free(store, found)
        store.put_results(found.study, found.results, source=f"import {file.name}")
    note(f"imported as study {found.study.name} (ablate report {found.study.name})")


def _check_free(store: "Store", found: "Imported") -> None:
    from ablate.errors import UsageError

    name = found.study.name
    if name in store.studies() and store.study(name).system != found.study.system:
        raise UsageError(
            f"study {name!r} holds trials that were run here; choose another name with --study"
        )


def _tell(found: "Imported", file: Path, json: bool, dry_run: bool) -> None:
    from ablate.cli.console import Column, out, print_json, print_table

    study = found.study
    variants = list(dict.fromkeys(p.variant.name for p, _ in found.results))
    if json:
        print_json(
            {
                "schema": "ablate.import/1",
                "study": study.name,
                "dry_run": dry_run,
                "rows": len(found.results),
                "configurations": variants,
                "seeds": study.seeds,
                "columns": [
                    {"header": c.header, "role": c.role, "as": c.name, "means": _means(c, found)}
                    for c in found.columns
                ],
            }
        )
        return
    seeds = ", ".join(map(str, study.seeds[:SEEDS])) + (", ..." if study.seeds[SEEDS:] else "")
    out().print(
        f"{file.name}: {len(found.results)} runs of {len(variants)} configurations, seeds {seeds}",
        soft_wrap=True,
    )
    columns = [Column("Column"), Column("Role"), Column("As"), Column("Means")]
    print_table(columns, [[c.header, c.role, c.name, _means(c, found)] for c in found.columns])


def _means(column: "Understood", found: "Imported") -> str:
    if column.role != "factor":
        return column.note
    factor = found.study.factor(column.name)
    needs = f"; where {factor.requires} is on" if factor.requires else ""
    kinds = {"bool": "switch", "int": "whole number", "float": "number", "str": "text"}
    return f"{kinds[factor.kind]}, reference {str(factor.reference).lower()}{needs}"
