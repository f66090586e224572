"""`ablate systems`: what can be studied here: systems, their factors and their metrics."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ablate.study import Factor
    from ablate.system import System


def systems(
    name: Annotated[str | None, typer.Argument(help="Only this system.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the systems of the project, with what a study may change in them and measure."""
    from ablate.cli.console import note, print_json
    from ablate.project import FILE, Project

    project = Project.find()
    names = list(project.systems) if name is None else [name]
    found = [(project.reference(n), project.system(n)) for n in names]
    if json:
        print_json({"schema": "ablate.systems/1", "systems": [_document(r, s) for r, s in found]})
        return
    if not found:
        where = project.file or f"no {FILE} here or above (ablate init)"
        note(f"no systems: {where}")
    for reference, system in found:
        _print(reference, system)


def _document(reference: str, system: "System") -> dict[str, object]:
    return {
        "name": system.name,
        "reference": reference,
        "revision": system.revision,
        "standin": system.standin,
        "probe": system.probe is not None,
        "factors": [
            {
                "name": f.name,
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


def _print(reference: str, system: "System") -> None:
    from ablate.cli.console import Column, out, print_table
    from ablate.design import shown

    console = out()
    standin = f"stand-in data: {system.standin}" if system.standin else "no stand-in data"
    console.print(
        f"{system.name} (revision {system.revision}, {reference}): {standin}", soft_wrap=True
    )
    columns = [
        Column("Factor"),
        Column("Reference"),
        Column("Accepts"),
        Column("Requires"),
        Column("Title", drop=1),
    ]
    rows = [
        [f.name, shown(f.reference), _accepts(f), f.requires or "", f.title] for f in system.factors
    ]
    print_table(columns, rows)
    metrics = ", ".join(f"{m.name} {m.arrow}" for m in system.metrics)
    console.print(f"metrics: {metrics}\n", soft_wrap=True)
