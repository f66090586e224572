"""`ablate import` of a table: one row per run, or per configuration."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablate.ingest import Imported
    from ablate.ingest.changes import Changes
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
    replace: bool
    dry_run: bool
    json: bool


def bring(asked: Asked) -> None:
    """Say what a table was taken for and what it changes and, unless it is a dry run, import it."""
    from ablate.cli import audit_text
    from ablate.cli.console import note
    from ablate.cli.import_changes import Change, agreed
    from ablate.cli.import_text import said
    from ablate.ingest import read
    from ablate.ingest.bring import Target, bring_table, foresee_table
    from ablate.project import Project
    from ablate.store import open_store

    file, path = asked.file, Project.find().store
    found = read(file, reader=asked.reader, study=asked.study, mapping=asked.mapping)

    def target(store: "Store") -> Target:
        joins = asked.study is not None and not asked.replace
        return Target(store, f"import {file.name}", joins=joins, replace=asked.replace)

    if not asked.json:
        _tell(found, asked)
    for column in found.columns:
        if column.doubt:
            note(f"warning: {column.doubt}")
    changes = agreed(
        Change(
            path=path,
            look=lambda store: foresee_table(target(store), found),
            replace=asked.replace,
            dry_run=asked.dry_run,
            quiet=asked.json,
        )
    )
    if asked.json:
        _document(found, asked, changes)
    if asked.dry_run:
        return
    with open_store(path, create=True) as store:
        brought = bring_table(target(store), found)
        (one,) = audit_text.asked(store, [found.study.name])
    for line in said(found.study.name, brought):
        note(line)
    note(audit_text.summary(found.study.name, one.findings))


def _tell(found: "Imported", asked: Asked) -> None:
    from ablate.cli.console import Column, out, print_table

    study = found.study
    variants = list(dict.fromkeys(p.variant.name for p, _ in found.results))
    seeds = ", ".join(map(str, study.seeds[:SEEDS])) + (", ..." if study.seeds[SEEDS:] else "")
    out().print(
        f"{asked.file.name}: {len(found.results)} runs of {len(variants)} configurations,"
        f" seeds {seeds}",
        soft_wrap=True,
    )
    columns = [Column("Column"), Column("Role"), Column("As"), Column("Means")]
    print_table(columns, [[c.header, c.role, c.name, _means(c, found)] for c in found.columns])


def _document(found: "Imported", asked: Asked, changes: "Changes | None") -> None:
    from ablate.cli import import_changes
    from ablate.cli.console import print_json

    study = found.study
    print_json(
        {
            "schema": "ablate.import/2",
            "study": study.name,
            "reader": study.system,
            "dry_run": asked.dry_run,
            "rows": len(found.results),
            "configurations": list(dict.fromkeys(p.variant.name for p, _ in found.results)),
            "seeds": study.seeds,
            "columns": [
                {"header": c.header, "role": c.role, "as": c.name, "means": _means(c, found)}
                for c in found.columns
            ],
            "changes": import_changes.document(changes),
        }
    )


def _means(column: "Understood", found: "Imported") -> str:
    if column.role != "factor":
        return column.note
    factor = found.study.factor(column.name)
    needs = f"; where {factor.requires} is on" if factor.requires else ""
    kinds = {"bool": "switch", "int": "whole number", "float": "number", "str": "text"}
    return f"{kinds[factor.kind]}, reference {str(factor.reference).lower()}{needs}"
