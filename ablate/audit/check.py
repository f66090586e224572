"""What a check is: a small value that looks at the evidence of a study and says what it finds."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from ablate.audit.evidence import Evidence
from ablate.record import Finding, Severity

Family: TypeAlias = Literal["design", "execution", "measurement", "provenance", "interpretation"]
_ORDER: tuple[Severity, ...] = ("error", "warning", "note")


class Text(NamedTuple):
    """The same words in English and in Chinese."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that a check found, with what settles it; the rest is as in a `Finding`.

    `command` is a command as it is typed; or, where none settles it, words.
    """

    said: Text
    command: str | Text = ""
    subject: str = ""
    keys: tuple[str, ...] = ()
    remedy: str = ""


Look: TypeAlias = Callable[[Evidence], Iterable[Hit]]


@dataclass(frozen=True, slots=True)
class Check:
    """One question to a study's evidence.

    `why` says what the finding means and by which rule, with its thresholds, it is made; `settle`
    what would settle it. A `planned` check needs no results and is asked before training, too.
    """

    code: str
    severity: Severity
    family: Family
    title: Text
    why: Text
    settle: Text
    look: Look
    planned: bool = False

    def findings(self, evidence: Evidence) -> Iterator[Finding]:
        """What it finds, each with the code and severity of the check."""
        for hit in self.look(evidence):
            command = hit.command if isinstance(hit.command, Text) else Text(hit.command, "")
            yield Finding(
                self.code,
                self.severity,
                hit.said.en,
                command.en,
                hit.subject,
                hit.said.zh,
                hit.keys,
                hit.remedy,
                self.family,
                command.zh,
            )


def ask(checks: Sequence[Check], evidence: Evidence, *, planned: bool = False) -> list[Finding]:
    """What the checks find, errors first and then by code; with `planned` only those that may."""
    found = [f for c in checks if c.planned or not planned for f in c.findings(evidence)]
    return sorted(found, key=rank)


def rank(finding: Finding) -> tuple[int, str, str]:
    """Where a finding stands among others."""
    return _ORDER.index(finding.severity), finding.code[1:], finding.subject


def some(names: Sequence[str], most: int = 3) -> Text:
    """`a, b, c and 4 more`; in Chinese the same."""
    shown, more = names[:most], len(names) - most
    if more <= 0:
        return Text(_listed(names), "\N{IDEOGRAPHIC COMMA}".join(names))
    space = " " if shown[-1][-1:].isascii() else ""
    return Text(
        f"{', '.join(shown)} and {more} more",
        "\N{IDEOGRAPHIC COMMA}".join(shown) + f"{space}\u7b49 {len(names)} \u9879",
    )


def _listed(names: Sequence[str]) -> str:
    *first, last = names or ("",)
    return f"{', '.join(first)} and {last}" if first else last
