"""What lint found: every number of a report with what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from ablate.audit.check import Text

Verdict: TypeAlias = Literal["wrong", "mislabelled", "partly", "unmeasured"]
Kind: TypeAlias = Literal[
    "value",
    "rule",
    "rounding",
    "difference",
    "points",
    "relative",
    "ratio",
    "share",
    "sum",
    "superlative",
    "exception",
    "universal",
    "split",
    "labels",
    "unmeasured",
]


_MANY, _SHARE = 20, 0.1


class Place(NamedTuple):
    """Where a number stands: its line, its cell (-1 outside of tables), its first character."""

    line: int
    cell: int
    start: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement that the records do not bear, or that its own words or units get wrong.

    `wrong`: false by the records; `mislabelled`: the number is right, its unit or name is not;
    `partly`: true of one metric and false of another; `unmeasured`: expected, and of no run.
    """

    place: Place
    verdict: Verdict
    kind: Kind
    said: Text

    @property
    def line(self) -> int:
        """Its line in the report."""
        return self.place.line


@dataclass
class Ledger:
    """The numbers of one report against one study: which were traced, and what was found."""

    known: dict[Place, str] = field(default_factory=dict)
    traced: set[Place] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    superlatives: set[Place] = field(default_factory=set)
    vague: set[Place] = field(default_factory=set)
    """Superlatives whose metric or scope is not certain."""
    _told: set[tuple[Place, Kind]] = field(default_factory=set)

    def enter(self, places: Iterable[tuple[Place, str]]) -> None:
        """Note numbers that claim something, with their text."""
        self.known.update(places)

    def trace(self, place: Place) -> None:
        """A number equals what the records say."""
        self.traced.add(place)

    def accuse(self, place: Place, verdict: Verdict, kind: Kind, said: Text) -> None:
        """Report a number or a statement, once for each kind."""
        if (place, kind) not in self._told:
            self._told.add((place, kind))
            self.findings.append(Finding(place, verdict, kind, said))

    def add(self, other: "Ledger") -> None:
        """Take over what was traced and found of one part of the report."""
        self.traced |= other.traced
        self.superlatives |= other.superlatives
        for finding in other.findings:
            self.accuse(finding.place, finding.verdict, finding.kind, finding.said)

    @property
    def unrelated(self) -> bool:
        """Whether so little of a report is traced that it cannot be about the study."""
        traced = len(self.traced & set(self.known))
        return len(self.known) >= _MANY and traced < _SHARE * len(self.known)

    @property
    def untraced(self) -> dict[Place, str]:
        """The numbers of which the records say nothing."""
        told = self.traced | {f.place for f in self.findings}
        return {p: t for p, t in self.known.items() if p not in told}


def merged(ledgers: Iterable[Ledger]) -> Ledger:
    """One report against several studies: what one of them bears, no other refutes."""
    of = list(ledgers)
    whole = Ledger()
    for ledger in of:
        whole.enter(ledger.known.items())
        whole.traced |= ledger.traced
        whole.superlatives |= ledger.superlatives
        whole.vague |= ledger.vague
    for finding in (f for ledger in of for f in ledger.findings):
        borne = finding.place in whole.traced and finding.verdict == "wrong"
        if not borne or any(finding.place in o.traced and finding in o.findings for o in of):
            whole.accuse(finding.place, finding.verdict, finding.kind, finding.said)
    told = {(p.line, p.cell) for p in whole.superlatives}
    whole.vague = {p for p in whole.vague if (p.line, p.cell) not in told}
    whole.findings.sort(key=lambda f: (f.place, f.kind))
    return whole
