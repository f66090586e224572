"""`ablate lint`: a report that people wrote, read against the records."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ablate.cli.options import Json, Select

if TYPE_CHECKING:
    from ablate.lint.world import World
    from ablate.store import Store


def lint(
    report: Annotated[
        Path, typer.Argument(help="A Markdown file, English or Chinese; - reads what is piped in.")
    ],
    study: Annotated[list[str], typer.Option("--study", help="What it is about; may be repeated.")],
    *,
    select: Select = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 where a statement is wrong.")
    ] = False,
    lang: Annotated[Literal["en", "zh"], typer.Option("--lang", help="Of what is printed.")] = "en",
    json: Json = False,
) -> None:
    """Trace a report's numbers, differences and superlatives to the records of a study.

    What cannot be traced is listed apart, never guessed.
    """
    from ablate.cli import lint_text
    from ablate.cli.console import print_json
    from ablate.cli.reading import banner, project_store
    from ablate.lint.check import lint as check
    from ablate.lint.document import parse
    from ablate.lint.result import as_document, counts

    document = parse(_text(report))
    names = list(dict.fromkeys(study))
    with project_store() as store:
        worlds = [_world(store, name, select) for name in names]
        ledger = check(document, worlds)
    for world in worlds:
        banner(world.study)
    if json:
        print_json(as_document(str(report), names, document, ledger))
    else:
        lint_text.show(str(report), names, (document, ledger), lang)
    if strict and counts(ledger)["wrong"]:
        raise typer.Exit(1)


def _text(path: Path) -> str:
    from sys import stdin

    from ablate.errors import UsageError

    piped = str(path) == "-"
    try:
        return (stdin.buffer.read() if piped else path.read_bytes()).decode("utf-8-sig")
    except OSError as wrong:
        raise UsageError(f"cannot read {path}: {wrong.strerror or wrong}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8; save it as UTF-8") from None


def _world(store: "Store", name: str, select: str | None) -> "World":
    from dataclasses import replace

    from ablate.cli.reading import rule_of, tell_rule
    from ablate.lint.world import World

    study = store.study(name)
    rule = rule_of(store, study, select)
    tell_rule(study, rule)
    records = store.records(study.name, rule)
    single = [r for r in records if r.scores]
    curves = {r.key: store.curves(r.key) for r in single} if len(single) <= _CURVES else {}
    return World(replace(study, selection=rule or study.selection), records, curves, store.items)


_CURVES = 1000
"""Runs of which the curves are read, to tell a number that another rule of selection gives."""
