"""Tables whose scores another rule of selection gives: one finding, not one for each number."""

from collections.abc import Callable

from ablate.audit.check import Text
from ablate.lint.document import Table
from ablate.lint.ledger import Kind, Ledger, Place, Verdict
from ablate.lint.names import Names

_UNREFUTED = 3
"""Of how many numbers a rule must be the only account, where the records refute none of them."""
_LONG = 2000
"""From how many rows on a table is held against the last step only, as checking takes long."""


def by_its_rule(
    table: Table, check: Callable[[Names, Ledger], None], names: Names, ledger: Ledger
) -> None:
    """Check a table by the rule of the records, or by the one that accounts for its scores.

    That is a rule by which at most half as many of its numbers are refuted, and more are traced.
    """
    own = _checked(check, names)
    refuted = _refuted(own)
    found: tuple[str, Ledger] | None = None
    if refuted != 1 or any(f.verdict == "wrong" for f in own.findings):
        for other in names.otherwise[: 1 if len(table.rows) > _LONG else None]:
            again = _checked(check, other)
            gain = len(again.traced) - len((found[1] if found else own).traced)
            least = 1 if refuted or found else _UNREFUTED
            if gain >= least and 2 * _refuted(again) <= refuted:
                found = str(other.world.study.selection), again
    if found is not None:
        ledger.accuse(Place(table.number, -1, 0), *_another(found[0], names))
    ledger.add(found[1] if found else own)


def _checked(check: Callable[[Names, Ledger], None], names: Names) -> Ledger:
    ledger = Ledger()
    check(names, ledger)
    return ledger


def _refuted(ledger: Ledger) -> int:
    return sum(f.verdict == "wrong" or f.kind == "rule" for f in ledger.findings)


def _another(rule: str, names: Names) -> tuple[Verdict, Kind, Text]:
    own = names.world.study.selection
    return (
        "mislabelled",
        "rule",
        Text(
            f"the scores of this table are by another rule, {rule}; the records are read by {own}"
            f" (`--select {rule}` reads them so)",
            f"此表的分数按另一规则 {rule} 取得，记录按 {own} 读取（加 `--select {rule}` 即可）",
        ),
    )
