"""`ablate import` of a table: one row per run, or per configuration."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablate.ingest import Imported
    from ablate.ingest.columns import Column as Understood
    from ablate.store import Store

SEEDS = 8


@dataclass(frozen=True, slots=True, kw_only=False)
class Asked:
    """What one call asks of a table."""

    file: Path
    reader: str | None
    study: str | None
    mapping: Path | None
    dry_run: bool
    json: bool


def bring(asked: Asked) -> None:
    """Say what a table was taken for and, unless it is a dry run, import it."""
    from ablate.cli.console import note
    from ablate.ingest import read
    from ablate.project import Project
    from ablate.store import open_store

    file = asked.file
    found = read(file, reader=asked.reader, study=asked.study, mapping=asked.mapping)
    _tell(found, asked)
    if asked.dry_run:
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
            f"study {name!r} holds trials of {store.study(name).system}; choose another name with"
            " --study"
        )


def _tell(found: "Imported", asked: Asked) -> None:
    from ablate.cli.console import Column, out, print_json, print_table

    study = found.study
    variants = list(dict.fromkeys(p.variant.name for p, _ in found.results))
    if asked.json:
        print_json(
            {
                "schema": "ablate.import/2",
                "study": study.name,
                "reader": study.system,
                "dry_run": asked.dry_run,
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
        f"{asked.file.name}: {len(found.results)} runs of {len(variants)} configurations,"
        f" seeds {seeds}",
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
