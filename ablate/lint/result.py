"""What lint says of a report: findings that say the same of several lines stand as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ablate.audit.check import Text
from ablate.lint.document import Document
from ablate.lint.ledger import Finding, Ledger, Verdict

VERDICTS: tuple[Verdict, ...] = ("wrong", "partly", "mislabelled", "unmeasured")


@dataclass(frozen=True, slots=True)
class Group:
    """One statement about one line or several; `quote` is the first of them as it is written."""

    verdict: Verdict
    kind: str
    said: Text
    lines: tuple[int, ...]
    quote: str
    numbers: int


def groups(document: Document, ledger: Ledger) -> list[Group]:
    """The findings, folded: those in points written as percent into one, others if alike."""
    folded: dict[tuple[str, ...], list[Finding]] = {}
    for finding in ledger.findings:
        same = "" if finding.kind == "points" else finding.said.en
        folded.setdefault((finding.verdict, finding.kind, same), []).append(finding)
    found = [_group(document, of) for of in folded.values()]
    return sorted(found, key=lambda g: (VERDICTS.index(g.verdict), g.lines))


def _group(document: Document, of: Sequence[Finding]) -> Group:
    first = of[0]
    said, count = first.said, len(of)
    if first.kind == "points" and count > 1:
        said = Text(
            f"{count} differences of percentages are written as percent: {said.en}",
            f"{count} 处百分数之差写成了百分比：{said.zh}",
        )
    lines = tuple(dict.fromkeys(f.line for f in of))
    return Group(first.verdict, first.kind, said, lines, document.quote(lines[0]), count)


def untraced(ledger: Ledger) -> dict[int, list[str]]:
    """Line -> the numbers in it of which the records say nothing."""
    found: dict[int, list[str]] = {}
    for place, text in sorted(ledger.untraced.items()):
        found.setdefault(place.line, []).append(text)
    return found


def unchecked(ledger: Ledger) -> list[int]:
    """The lines with a superlative whose metric or scope is not certain."""
    return sorted({p.line for p in ledger.vague})


def counts(ledger: Ledger) -> dict[str, int]:
    """How many numbers were read and traced, how many not, and the findings by verdict."""
    found: dict[str, int] = {v: sum(f.verdict == v for f in ledger.findings) for v in VERDICTS}
    return {
        "numbers": len(ledger.known),
        "traced": len(ledger.traced & set(ledger.known)),
        "untraced": len(ledger.untraced),
        "superlatives": len(ledger.superlatives),
        **found,
    }


def as_document(
    report: str, studies: Sequence[str], document: Document, ledger: Ledger
) -> Mapping[str, Any]:
    """All of it as one JSON document; every finding stands by itself there."""
    return {
        "schema": "ablate.lint/1",
        "report": report,
        "studies": list(studies),
        "related": not ledger.unrelated,
        "counts": counts(ledger),
        "findings": [
            {
                "line": f.line,
                "verdict": f.verdict,
                "kind": f.kind,
                "said": f.said._asdict(),
                "quote": document.quote(f.line),
            }
            for f in ledger.findings
        ],
        "unchecked_superlatives": [
            {"line": line, "quote": document.quote(line)} for line in unchecked(ledger)
        ],
        "untraced": [
            {"line": line, "numbers": numbers, "quote": document.quote(line)}
            for line, numbers in untraced(ledger).items()
        ],
    }
