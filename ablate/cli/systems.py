"""`ablate systems`: what can be studied here: systems, their factors and their metrics."""

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ablate.command import Declaration
    from ablate.study import Factor
    from ablate.system import System


def systems(
    name: Annotated[str | None, typer.Argument(help="Only this system.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the systems of the project, with what a study may change in them and measure."""
    from ablate.cli.console import note, print_json
    from ablate.errors import DeclarationError
    from ablate.project import FILE, Project

    project = Project.find()
    origins = project.origins()
    names = list(origins) if name is None else [name]
    found: list[Found] = []
    wrong: list[DeclarationError] = []
    for one in names:
        try:
            with redirect_stdout(sys.stderr):  # what a system prints when imported is no result
                found.append(Found(project.reference(one), project.system(one), origins[one]))
        except DeclarationError as refused:
            if name is not None:
                raise
            wrong.append(refused)
    if json:
        print_json({"schema": "ablate.systems/1", "systems": [_document(s) for s in found]})
    else:
        for system in found:
            _print(system)
    if not names and not json:
        where = project.file or f"no {FILE} here or above (ablate init)"
        note(f"no systems: {where}")
    for said in wrong:
        note(f"error: {said}")
    if wrong:
        raise typer.Exit(wrong[0].exit_code)


@dataclass(frozen=True, slots=True)
class Found:
    """A system of this project: its reference, itself, and where it comes from."""

    reference: str
    system: "System"
    origin: str

    @property
    def program(self) -> "Declaration | None":
        """What declares it where it is a program."""
        from ablate import command

        return command.declaration(self.reference)


def _document(one: Found) -> dict[str, object]:
    system, program = one.system, one.program
    keys = {n: t.key or n for n, t in program.table.factors.items()} if program else {}
    return {
        "name": system.name,
        "origin": one.origin,
        "reference": one.reference if program is None else None,
        "command": program.table.model_dump(mode="json") if program else None,
        "revision": system.revision,
        "standin": system.standin,
        "probe": system.probe is not None,
        "factors": [
            {
                "name": f.name,
                "key": keys.get(f.name),
                "kind": str(f.kind),
                "reference": f.reference,
                "requires": f.requires,
                "accepts": _accepts(f),
                "title": f.label,
            }
            for f in system.factors
        ],
        "metrics": [
            {"name": m.name, "title": m.label, "direction": m.direction, "display": m.display}
            for m in system.metrics
        ],
    }


def _accepts(factor: "Factor") -> str:
    import math

    if factor.choices:
        return ", ".join(map(str, factor.choices))
    what = {"bool": "true, false", "int": "whole number", "float": "number", "str": "text"}
    low, high = math.isfinite(factor.low), math.isfinite(factor.high)
    if low and high:
        return f"{what[factor.kind]} in [{factor.low:g}, {factor.high:g}]"
    limit = f" ≥ {factor.low:g}" if low else f" ≤ {factor.high:g}" if high else ""
    return what[factor.kind] + limit


def _print(one: Found) -> None:
    from ablate.cli.console import Column, out, print_table
    from ablate.design import shown

    console = out()
    system, program = one.system, one.program
    console.print(_headline(one), soft_wrap=True, markup=False)
    table = program.table if program else None
    columns = [
        Column("Factor"),
        *([Column("Key")] if table else []),
        Column("Reference"),
        Column("Accepts"),
        Column("Requires"),
        Column("Title", drop=1),
    ]
    rows = [
        [
            f.name,
            *([table.factors[f.name].key or f.name] if table else []),
            shown(f.reference),
            _accepts(f),
            f.requires or "",
            f.title,
        ]
        for f in system.factors
    ]
    print_table(columns, rows)
    metrics = ", ".join(f"{m.name} {m.arrow}" for m in system.metrics)
    console.print(f"metrics: {metrics}\n", soft_wrap=True)


def _headline(one: Found) -> str:
    from ablate.project import FILE

    system, program = one.system, one.program
    origin = "" if one.origin == FILE else f", {one.origin}"
    if program is None:
        standin = f"stand-in data: {system.standin}" if system.standin else "no stand-in data"
        return f"{system.name} (revision {system.revision}, {one.reference}{origin}): {standin}"
    table = program.table
    reader = f", reader {table.reader}" if table.reader else ""
    what = f"{table.command}  [{table.style}{reader}]"
    return f"{system.name} (revision {system.revision}, a program): {what}"
