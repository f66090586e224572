"""What a check may look at: a study with everything that is known of its runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ablate.analysis.cells import Cell, cells, trained_apart
from ablate.audit.liveness import functions, inert_of
from ablate.record import Item, Record, State
from ablate.selection import Curves
from ablate.study import Level, Study


def _no_items(_key: str) -> Sequence[Item]:
    return ()


def _no_others() -> "Sequence[Evidence]":
    return ()


@dataclass(frozen=True)
class Evidence:
    """A study, one record per placement, and by trial key what its runs left.

    A trial without curves or settings is in neither mapping. `others` gives the other studies of
    the same database; both functions read it when they are called. Before training the records are
    pending, and all else is empty.
    """

    study: Study
    records: Sequence[Record]
    curves: Mapping[str, Curves] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    items: Callable[[str], Sequence[Item]] = _no_items
    others: "Callable[[], Sequence[Evidence]]" = _no_others
    ways: Mapping[str, tuple[str, Level]] = field(default_factory=dict)
    """Of modules out of the output: a factor and its level at which a probe found them in it."""
    path: str = ""
    """The study's file as somebody named it, where somebody did."""

    @cached_property
    def cells(self) -> list[Cell]:
        """The configurations with their records, in the order of the study."""
        return cells(self.records)

    @cached_property
    def distinct(self) -> list[Cell]:
        """The configurations with results, without those whose runs are an earlier one's."""
        return trained_apart([c for c in self.cells if c.completed])

    @cached_property
    def completed(self) -> list[Record]:
        """The records that have results, each trial once."""
        done = {r.key: r for r in self.records if r.state is State.COMPLETED}
        return list(done.values())

    @cached_property
    def inert(self) -> dict[str, frozenset[str]]:
        """Variant -> the modules of the grid that cannot move its output."""
        return inert_of(self.study, self.cells)

    @cached_property
    def functions(self) -> dict[str, tuple[Level, ...]]:
        """Variant -> what it computes; those of one function are replicates of each other."""
        return functions(self.study, self.cells, self.inert)

    @property
    def file(self) -> str:
        """The study's file for commands: as it was named, else by its usual place."""
        return self.path or f"studies/{self.study.name}.toml"

    @property
    def imported(self) -> bool:
        """Whether no run of it was trained here."""
        return bool(self.records) and all(r.source.startswith("import") for r in self.records)
