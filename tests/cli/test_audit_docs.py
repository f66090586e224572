"""docs/audit.md lists the checks as the catalogue has them; as a program, this writes them."""

from pathlib import Path

from ablate.audit.catalogue import CHECKS
from ablate.cli.explain import rank, title

DOCS = Path(__file__).resolve().parents[2] / "docs" / "audit.md"
HEAD = ["| Code | Severity | Family | What it finds | Of a plan, too |", "|---|---|---|---|---|"]


def table() -> list[str]:
    """One row per check, as `ablate explain` lists them."""
    rows = [
        f"| {c.code} | {c.severity} | {c.family} | {title(c)} | {'yes' if c.planned else ''} |"
        for c in sorted(CHECKS, key=rank)
    ]
    return [*HEAD, *rows]


def written(lines: list[str]) -> tuple[int, int]:
    """Where the table begins and ends in the document."""
    start = lines.index(HEAD[0])
    stop = next(i for i in range(start, len(lines)) if not lines[i].startswith("|"))
    return start, stop


def test_the_document_lists_the_checks_of_the_catalogue() -> None:
    lines = DOCS.read_text("utf-8").splitlines()
    start, stop = written(lines)
    assert lines[start:stop] == table(), f"write it anew: python {Path(__file__).name}"


def test_no_two_checks_share_a_code() -> None:
    codes = [c.code for c in CHECKS]
    assert len(set(codes)) == len(codes)
    letters = {"E": "error", "W": "warning", "N": "note"}
    assert all(letters[c.code[0]] == c.severity for c in CHECKS)


if __name__ == "__main__":
    _lines = DOCS.read_text("utf-8").splitlines()
    _start, _stop = written(_lines)
    _lines[_start:_stop] = table()
    DOCS.write_text("\n".join(_lines) + "\n", "utf-8")
