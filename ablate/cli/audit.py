"""`ablate audit`: what the numbers of a study cannot bear."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ablate.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.cli.audit_text import Audited
    from ablate.record import Finding
    from ablate.store import Store


def audit(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[STUDY|DB]",
            help="A study, or all studies of a database or project folder; the latest without.",
        ),
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All studies here.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 where an error or a warning is found.")
    ] = False,
    lang: Annotated[Literal["en", "zh"], typer.Option("--lang", help="Of what is printed.")] = "en",
    remedy: Annotated[
        str | None,
        typer.Option(
            "--remedy",
            metavar="CODE[:SUBJECT]",
            help="Print the study file whose runs would settle this finding.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="With --remedy: write it to this new file."),
    ] = None,
    json: Json = False,
) -> None:
    """Ask every check of a study's runs; keep and print what they find.

    An acknowledged finding (ablate note --finding) counts as before.
    """
    from ablate.cli import audit_text
    from ablate.cli.console import note, print_json
    from ablate.errors import UsageError

    if every and what is not None:
        raise UsageError(f"--all means every study here; without it {what!r} alone is audited")
    if output is not None and remedy is None:
        raise UsageError("-o means something with --remedy only")
    with _store(what) as store:
        found = audit_text.asked(store, _names(store, what, every=every))
        if not store.is_writable:
            note(f"not kept: {store.path} cannot be written")
    if remedy is not None:
        _settle(found, remedy, output)
        return
    if json:
        print_json(_document(found))
    else:
        audit_text.show(found, lang)
    if strict and any(f.severity != "note" for one in found for f in one.findings):
        raise typer.Exit(1)


def _store(what: str | None) -> "Store":
    """The database that is meant: a study of the project's own comes before a path."""
    from ablate.cli.reading import project_store
    from ablate.errors import StoreError
    from ablate.project import Project
    from ablate.store import open_store

    path = Path(what or "")
    if what is None or not path.exists():
        return project_store()
    try:
        with project_store() as store:
            named = what in store.studies()
    except StoreError:
        named = False
    if named:
        return project_store()
    return open_store(Project.find(path).store if path.is_dir() else path)


def _names(store: "Store", what: str | None, *, every: bool) -> list[str]:
    """The studies that are meant, the most recently active first; raises UsageError."""
    from ablate.cli.reading import latest_or
    from ablate.errors import UsageError

    names = store.studies()
    if what is not None and what not in names and Path(what).exists():
        every = True
    if every:
        if not names:
            raise UsageError(f"{store.path} holds no study yet")
        return names
    return [latest_or(store, what).name]


def _settle(found: "Sequence[Audited]", name: str, output: Path | None) -> None:
    import sys

    from ablate.cli.console import note
    from ablate.cli.writing import write_text
    from ablate.errors import UsageError

    finding = _meant([f for one in found for f in one.findings], name)
    if not finding.remedy:
        words = f"; {finding.command}" if finding.command else ""
        raise UsageError(f"{finding.name}: no study file settles it{words}")
    system = next(one.study.system for one in found if finding in one.findings)
    if output is None:
        sys.stdout.write(finding.remedy)
    elif output.exists():
        raise UsageError(f"{output} exists already; name a new file")
    else:
        write_text(output, finding.remedy)
        note(f"wrote {output}")
    if missing := _undeclared(system):
        note(missing)
    elif output is not None:
        note(f"ablate plan {quote(str(output))}")


def _undeclared(system: str) -> str:
    """What is to be done before the project can train a system; nothing where it knows it."""
    from ablate.errors import DeclarationError
    from ablate.project import Project

    try:
        Project.find().reference(system)
    except DeclarationError as wrong:
        return (
            f"no run can be planned yet: {wrong}; first declare the program that trains it in"
            f" ablate.toml, as [systems.{system}] with its command (ablate import --guess"
            " proposes that from logs)"
        )
    return ""


def _meant(findings: "Sequence[Finding]", name: str) -> "Finding":
    """The one finding that a name or a code means; raises UsageError."""
    from ablate.errors import UsageError

    asked = name.casefold()
    exact = [f for f in findings if f.name.casefold() == asked]
    meant = exact or [f for f in findings if f.code.casefold() == asked]
    if len(meant) == 1:
        return meant[0]
    if meant:
        names = ", ".join(f.name for f in meant)
        raise UsageError(f"{name} is {len(meant)} findings: {names}; name a study and one of them")
    able = ", ".join(dict.fromkeys(f.name for f in findings if f.remedy))
    raise UsageError(
        f"there is no finding {name!r}; "
        + (f"a study file settles {able}" if able else "no finding is settled by a study file")
    )


def _document(found: "Sequence[Audited]") -> dict[str, Any]:
    from ablate.audit.catalogue import CHECKS
    from ablate.report.document import findings_document

    titles = {c.code: c.title._asdict() for c in CHECKS}
    return {
        "schema": "ablate.audit/1",
        "checks": len(CHECKS),
        "studies": [
            {
                "study": one.study.name,
                "standin": one.study.standin,
                "runs": one.runs,
                "counts": one.counts,
                "findings": [
                    {"title": titles[f["code"]], **f}
                    for f in findings_document(one.findings, one.notes)
                ],
            }
            for one in found
        ],
    }
