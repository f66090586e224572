"""What an audit found, as the terminal shows it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Literal, TypeAlias

from ablate.record import Finding, Note, Severity

if TYPE_CHECKING:
    from rich.console import Console

    from ablate.store import Store
    from ablate.study import Study

Lang: TypeAlias = Literal["en", "zh"]
INDENT = 6
COUNTED: dict[Severity, tuple[str, str]] = {
    "error": ("error", "个错误"),
    "warning": ("warning", "个警告"),
    "note": ("note", "个提示"),
}
HEADS: dict[Severity, tuple[str, str]] = {
    "error": ("Errors", "错误"),
    "warning": ("Warnings", "警告"),
    "note": ("Notes", "提示"),
}
CLEAN = {
    "en": "{study}: {checks}, nothing found in {runs}",
    "zh": "{study}：{checks}，{runs}，未发现问题",
}
FOUND = {
    "en": "{study}: {counts} ({checks}, {runs})",
    "zh": "{study}：{counts}（{checks}，{runs}）",
}
SETTLE = {"en": "to settle it: {}", "zh": "如何查明：{}"}
ACKNOWLEDGED = {
    "en": "acknowledged by {}, {}: {}",
    "zh": "{}（{}）已确认：{}",
}


@dataclass(frozen=True, slots=True)
class Audited:
    """A study with what its audit found in its completed runs, and what people say of it."""

    study: "Study"
    runs: int
    findings: Sequence[Finding]
    notes: Sequence[Note]

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity."""
        found = Counter(f.severity for f in self.findings)
        return {severity: found[severity] for severity in HEADS}


def asked(store: "Store", names: Iterable[str], path: str = "") -> list[Audited]:
    """Audit these studies and keep what is found; `path` is the file of a study, as it is typed."""
    from ablate.audit.gather import audit
    from ablate.cli.reading import file_of

    paths = {name: path or file_of(name) for name in names}
    return [
        Audited(of.study, len(of.completed), found, store.notes(of.study.name))
        for of, found in audit(store, paths, paths)
    ]


def counted(findings: Sequence[Finding], lang: Lang = "en") -> str:
    """`1 error, 2 warnings`; nothing where nothing was found."""
    parts = []
    for severity, (en, zh) in COUNTED.items():
        n = sum(f.severity == severity for f in findings)
        if n:
            parts.append(f"{n} {zh}" if lang == "zh" else _many(n, en))
    return ("、" if lang == "zh" else ", ").join(parts)


def _many(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def summary(study: str, findings: Sequence[Finding]) -> str:
    """What a command that audits at its end says: how many findings, and how they are read."""
    if not findings:
        return "audit: nothing found"
    return f"audit: {counted(findings)} (ablate audit {quote(study)})"


def told(finding: Finding) -> str:
    """A finding as a line, and its command as another that can be taken out whole.

    What is no more than a note is not called a warning.
    """
    word = "note" if finding.severity == "note" else "warning"
    said = f"{word}: {finding.code} {finding.sentence}"
    if finding.runnable:
        return f"{said}\n{'':{INDENT}}{finding.command}"
    return f"{said} ({finding.command})" if finding.command else said


def show(found: Sequence[Audited], lang: Lang) -> None:
    """Print each study's findings, errors first; one line of a study without any."""
    from ablate.cli.console import note, out

    console = out()
    for position, one in enumerate(found):
        if one.study.standin:
            note(f"stand-in data: {one.study.name} is not about the real data set")
        if position and one.findings:
            console.print()
        console.print(_head(one, lang), soft_wrap=True)
        for severity, heads in HEADS.items():
            of = [f for f in one.findings if f.severity == severity]
            if of:
                console.print(f"\n{heads[lang == 'zh']}")
            for finding in of:
                _print(console, one, finding, lang)


def _head(one: Audited, lang: Lang) -> str:
    from ablate.audit.catalogue import CHECKS

    checks, runs = len(CHECKS), one.runs
    words = {
        "study": one.study.name,
        "counts": counted(one.findings, lang),
        "checks": f"{checks} 项检查" if lang == "zh" else _many(checks, "check"),
        "runs": f"{runs} 次运行" if lang == "zh" else _many(runs, "run"),
    }
    return (FOUND if one.findings else CLEAN)[lang].format(**words)


def _print(console: "Console", one: Audited, finding: Finding, lang: Lang) -> None:
    said = (lang == "zh" and finding.chinese) or finding.sentence
    first, *lines = _folded(console, f"{finding.name}  {said}")
    if finding.command and not finding.runnable:
        said = finding.chinese_command if lang == "zh" else finding.command
        words, command, last = said.partition("ablate ")  # words may end in a command
        lines += _folded(console, SETTLE[lang].format(words))
        lines += [command + last] if command else []
    lines += _commands(one, finding)
    for note in one.notes:
        if note.acknowledges(finding):
            reason = ACKNOWLEDGED[lang].format(note.author, note.date, note.text)
            lines += _folded(console, reason)
    console.print(first, soft_wrap=True)
    for line in lines:
        console.print(f"{'':{INDENT}}{line}", soft_wrap=True)


def _commands(one: Audited, finding: Finding) -> Iterator[str]:
    """What can be typed, each a line of its own however long, so that it can be taken out whole."""
    if finding.runnable:
        yield finding.command
    if finding.remedy and "--remedy" not in finding.command:
        yield f"ablate audit {quote(one.study.name)} --remedy {quote(finding.name)}"


def _folded(console: "Console", text: str) -> list[str]:
    """A text as lines that fit the terminal beside the indent; Chinese takes two cells a sign."""
    from rich.text import Text

    return [line.plain.rstrip() for line in Text(text).wrap(console, console.width - INDENT)]
