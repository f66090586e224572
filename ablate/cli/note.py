"""`ablate note`: somebody's words on a study, a configuration or a trial."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ablate.record import Note
    from ablate.store import Store


def note(
    ref: Annotated[str, typer.Argument(help="A study, STUDY/CONFIGURATION, or a trial's key.")],
    text: Annotated[
        str | None, typer.Argument(help="What to keep; lists the notes without.")
    ] = None,
    author: Annotated[
        str | None, typer.Option("--author", help="Who says so; git's user.name without.")
    ] = None,
    finding: Annotated[
        str | None,
        typer.Option(
            "--finding",
            metavar="CODE[:SUBJECT]",
            help="Acknowledge what the audit finds of the study: the reason is printed with it.",
        ),
    ] = None,
) -> None:
    """Keep a signed and dated note that reports print; it changes no number."""
    from ablate.cli.console import note as tell
    from ablate.cli.console import out
    from ablate.cli.reading import project_store
    from ablate.errors import UsageError

    with project_store() as store:
        about = _about(store, ref)
        if finding is not None:
            about = _acknowledged(store, about, finding)
        if text is None:
            for found in store.notes(about.study) if about.study else store.notes():
                if _is_about(found, about):
                    out().print(line(found), soft_wrap=True)
            return
        if not text.strip():
            raise UsageError("the note is empty")
        new = _signed(about, " ".join(text.split()), author)
        tell("noted" if store.put_note(new) else "noted already, word for word")


def line(note: "Note") -> str:
    """A note as it is listed."""
    about = note.key[:8] or "/".join(filter(None, [note.study, note.variant]))
    about += f", {note.finding}" if note.finding else ""
    return f"{note.date}  {note.author}  on {about}: {note.text}"


def _is_about(note: "Note", about: "Note") -> bool:
    """Whether a note is on what another names, or on a part of that."""
    return (
        about.variant in {"", note.variant}
        and about.key in {"", note.key}
        and about.finding.casefold() in {"", note.finding.casefold()}
    )


def _acknowledged(store: "Store", about: "Note", name: str) -> "Note":
    """An empty note on a finding of the study, which is audited; raises UsageError.

    The code alone means all that it finds.
    """
    from dataclasses import replace

    from ablate.cli.audit_text import asked
    from ablate.errors import UsageError

    if about.variant or about.key:
        raise UsageError("--finding goes with a study's name: its audit finds it")
    (one,) = asked(store, [about.study])
    known = {f.name.casefold(): f.name for f in one.findings}
    known |= {f.code.casefold(): f.code for f in one.findings}
    if name.casefold() not in known:
        found = ", ".join(f.name for f in one.findings)
        raise UsageError(
            f"the audit of {about.study} finds no {name}: it finds {found or 'nothing'}"
        )
    return replace(about, finding=known[name.casefold()])


def _about(store: "Store", ref: str) -> "Note":
    """An empty note on what a reference means; raises UsageError."""
    from ablate.cli.reading import looks_like_key, record_of
    from ablate.errors import UsageError, not_one_of
    from ablate.record import Note

    names = store.studies()
    study, _, variant = ref.partition("/")
    if ref in names:
        return Note("", "", "", study=ref)
    if looks_like_key(ref) and store.find_trial(ref):
        return Note("", "", "", key=record_of(store, ref, None)[1].key)
    if study not in names:
        raise UsageError(not_one_of("study or trial", study, names))
    known = dict.fromkeys(r.variant for r in store.records(study))
    if variant not in known:
        raise UsageError(not_one_of("configuration", variant, known))
    return Note("", "", "", study=study, variant=variant)


def _signed(about: "Note", text: str, author: str | None) -> "Note":
    from dataclasses import replace

    from ablate.cli.writing import today
    from ablate.errors import UsageError

    who = author or _git_name() or _user()
    if not who:
        raise UsageError("nobody is known here; sign with --author")
    return replace(about, text=text, author=who, date=today())


def _git_name() -> str:
    import subprocess

    try:
        asked = subprocess.run(
            ["git", "config", "user.name"],  # noqa: S607 - whichever git the user has
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
    except OSError:
        return ""
    return asked.stdout.strip()


def _user() -> str:
    import os

    return os.environ.get("USER", "")
