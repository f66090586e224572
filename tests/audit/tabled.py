"""Evidence from a typed table: one line a configuration, its scores in percent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ablate.audit.evidence import Evidence
from ablate.record import Attempt, Cost, Record, State
from ablate.selection import Curves, Score
from ablate.study import Level, Role, Study, changed


@dataclass(frozen=True)
class Row:
    """A configuration with the score of each run, by metric, in percent."""

    name: str
    set: Mapping[str, Level] = field(default_factory=dict)
    scores: Mapping[str, Sequence[float]] = field(default_factory=dict)
    role: Role = "arm"
    parent: str | None = None
    params: float | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    curve: Sequence[float] = ()
    """Of the primary metric, in percent."""
    provenance: Mapping[str, str] = field(default_factory=dict)


def evidence(study: Study, *rows: Row, source: str = "import logs") -> Evidence:
    """Completed runs; a row without scores is pending."""
    records: list[Record] = []
    curves: dict[str, Curves] = {}
    settings: dict[str, Mapping[str, str]] = {}
    base = {f.name: f.reference for f in study.factors}
    for row in rows:
        levels = {**base, **row.set}
        runs = max(map(len, row.scores.values()), default=0)
        for run in range(max(runs, 1)):
            key = f"{len(records):016x}"
            attempt = Attempt(
                key, 1, State.COMPLETED, "owner", f"{key}/1", provenance=row.provenance
            )
            records.append(
                Record(
                    study=study.name,
                    variant=row.name,
                    role=row.role,
                    parent=row.parent,
                    position=len(records),
                    levels=levels,
                    changed=changed(levels, study.factors),
                    seed=run,
                    key=key,
                    state=State.COMPLETED if runs else State.PENDING,
                    scores={
                        m: Score(m, of[run] / 100, 1, "test", "last")
                        for m, of in row.scores.items()
                    },
                    costs=(
                        {"params": Cost("params", row.params, "", "as printed")}
                        if row.params
                        else {}
                    ),
                    attempt=attempt if runs else None,
                    source=source if runs else "",
                )
            )
            if row.settings:
                settings[key] = row.settings
            if row.curve:
                own = {i: v / 100 for i, v in enumerate(row.curve, start=1)}
                curves[key] = {("test", study.primary): own}
    return Evidence(study, records, curves, settings)
