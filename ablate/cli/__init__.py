"""The command line: one command, one file. Nothing heavy is imported before a command runs."""

import gc
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer

from ablate import __version__
from ablate.cli import (
    audit,
    compare,
    db,
    doctor,
    explain,
    export,
    import_,
    init,
    lint,
    logs,
    ls,
    note,
    plan,
    record,
    report,
    rm,
    run,
    show,
    status,
    systems,
)
from ablate.errors import AblateError

UNREAD = 141
EXIT_CODES = (
    "Exit codes: 0 ok · 1 some trials failed · 2 wrong usage or study file · 3 database unusable"
    " · 4 environment · 5 internal error · 6 locked by another process · 130/143 interrupted"
    " · 141 nobody reads on"
)
app = typer.Typer(
    name="ablate",
    help="Ablation studies of neural networks: run them, keep every number, answer with its doubt.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"ablate {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """What every command shares; `main` reads --debug itself, before anything can fail."""


_COMMANDS: tuple[tuple[str, dict[str, Callable[..., None]]], ...] = (
    ("Start", {"init": init.init, "doctor": doctor.doctor, "systems": systems.systems}),
    ("Run", {"plan": plan.plan, "run": run.run}),
    ("Look", {"status": status.status, "ls": ls.ls, "show": show.show, "logs": logs.logs}),
    (
        "Conclude",
        {
            "report": report.report,
            "compare": compare.compare,
            "audit": audit.audit,
            "explain": explain.explain,
            "lint": lint.lint,
            "export": export.export,
        },
    ),
    ("Keep", {"import": import_.import_, "record": record.record, "note": note.note, "rm": rm.rm}),
)
for _panel, _commands in _COMMANDS:
    for _verb, _command in _commands.items():
        app.command(_verb, rich_help_panel=_panel)(_command)
app.add_typer(db.app, name="db", rich_help_panel="Keep")


def main() -> NoReturn:
    """Run one command; an error becomes one line on stderr and its exit code."""
    debug = "--debug" in sys.argv[1:]
    if not sys.argv[1:]:
        app(["--help"], standalone_mode=False)
        sys.exit(2)
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except AblateError as error:
        if debug:
            raise
        _fail(str(error), error.exit_code)
    except (SystemExit, BrokenPipeError) as error:
        if BrokenPipeError not in {type(error), type(error.__context__)}:
            raise
        _unread()
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", 130)
    except Exception as error:
        if hasattr(error, "format_message"):
            _fail(_usage(error), getattr(error, "exit_code", 2))
        if debug:
            raise
        _fail(f"internal: {type(error).__name__}: {error} (--debug shows where)", 5)
    gc.freeze()  # else the interpreter looks through all that was read once more at its end
    sys.exit(code or 0)


def _unread() -> NoReturn:
    """End as a program does whose reader has gone: no word, and the exit code of SIGPIPE."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still held goes there
    sys.exit(UNREAD)


def _usage(error: Any) -> str:  # noqa: ANN401 - typer exports no name of its usage errors' kind
    context = getattr(error, "ctx", None)
    hint = f" ({context.command_path} --help)" if context is not None else ""
    return f"{error.format_message()}{hint}"


def _fail(message: str, code: int) -> NoReturn:
    typer.echo("error: " + " ".join(message.split()), err=True)
    sys.exit(code)
