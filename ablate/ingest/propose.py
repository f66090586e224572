"""Proposed texts go to a project: a new study file, a new stanza of `ablate.toml`."""

from dataclasses import dataclass
from pathlib import Path

from ablate.errors import HostError, SpecError, UsageError
from ablate.files import write_atomically
from ablate.ingest.guess import Guess
from ablate.project import FILE, Project
from ablate.spec.document import validated
from ablate.spec.schema import StudyFile, Table, Text
from ablate.spec.systems import CommandTable, check
from ablate.spec.toml import parse

STUDIES = "studies"
_HEAD = "# The project: systems that studies may name, and where things are kept.\n"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A guess with the files that it would be written to, and the new text of `ablate.toml`.

    `there` where an earlier call has written just this: an interrupted import goes on.
    """

    guess: Guess
    study_file: Path
    project_file: Path
    project_text: str
    there: bool = False

    @classmethod
    def of(cls, guess: Guess, project: Project) -> "Proposal":
        """Where a guess goes; raises UsageError where a file or a system is in its place."""
        file = project.file or project.root / FILE
        study_file = project.root / STUDIES / f"{guess.name}.toml"
        text = file.read_text("utf-8") if file.exists() else _HEAD
        written = study_file.exists() and study_file.read_text("utf-8") == guess.study
        if written and guess.stanza in text:
            return cls(guess, study_file, file, text, there=True)
        if study_file.exists():
            raise UsageError(
                f"{study_file}: there is a study of this name; import its runs with --study"
                f" {study_file}, or choose another name with --study"
            )
        if guess.system in project.origins():
            raise UsageError(
                f"{file}: there is a system {guess.system!r} already; its old runs come in with"
                f" --system {guess.system} --study FILE, another one needs a name (--system NAME)"
            )
        joined = text.rstrip("\n") + "\n\n" + guess.stanza
        try:
            parse(joined)
        except SpecError as wrong:
            raise UsageError(f"{file}: the system cannot be added to it: {wrong}") from None
        _check(guess)
        return cls(guess, study_file, file, joined)

    def write(self) -> None:
        """Write both files whole; raises HostError where that cannot be done."""
        if self.there:
            return
        try:
            self.study_file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.project_file, self.project_text.encode())
            write_atomically(self.study_file, self.guess.study.encode())
        except OSError as wrong:
            raise HostError(f"cannot write {wrong.filename}: {wrong.strerror or wrong}") from None


def _check(guess: Guess) -> None:
    """Refuse texts that no project could read back, such as keys of a thousand characters."""
    try:
        validated(StudyFile, parse(guess.study))
        stanza = validated(_Stanza, parse(guess.stanza))
        check(stanza.systems[guess.system])
    except SpecError as wrong:
        at = ".".join(map(str, wrong.keys))
        raise UsageError(
            f"these runs propose what no study file can say ({at}: {wrong}): give --map the factors"
            " that you mean"
        ) from None


class _Stanza(Table):
    systems: dict[Text, CommandTable]
