"""The tables. Rows of these classes never leave `ablate.store`; JSON columns are text.

A number is `value`, or NULL beside `nonfinite` (`nan`, `inf`, `-inf`): NULL alone is never stored.
"""

from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, Float, ForeignKey, Integer, Text, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from ablate.record import State

APPLICATION_ID = 0x61626C74
"""`ablt`: marks a SQLite file as a results database of ablate."""

VERSION = 4
"""The schema that this program reads and writes: `PRAGMA user_version`."""

SAME_RESULTS = 3
"""The oldest schema whose tables of trials and results are those of this one."""

_STATES = ", ".join(f"'{state}'" for state in State)


def _number(table: str) -> tuple[CheckConstraint, CheckConstraint]:
    return (
        CheckConstraint("typeof(value) IN ('real', 'null')", name=f"{table}_value_is_real"),
        CheckConstraint(
            "(value IS NULL) = (nonfinite IS NOT NULL) AND "
            "(nonfinite IS NULL OR nonfinite IN ('nan', 'inf', '-inf'))",
            name=f"{table}_value_or_nonfinite",
        ),
    )


def _whole(table: str, column: str) -> CheckConstraint:
    return CheckConstraint(f"typeof({column}) = 'integer'", name=f"{table}_{column}_is_integer")


def _state(table: str) -> CheckConstraint:
    return CheckConstraint(f"state IN ({_STATES})", name=f"{table}_state_is_known")


def _text(*, primary_key: bool = False, nullable: bool = False) -> Any:  # noqa: ANN401 - as Field
    return Field(sa_column=Column(Text, primary_key=primary_key, nullable=nullable))


def _real() -> Any:  # noqa: ANN401 - as Field
    return Field(default=None, sa_column=Column(Float, nullable=True))


def _of(
    table: str, *, primary_key: bool = False, index: bool = False, nullable: bool = False
) -> Any:  # noqa: ANN401 - as Field
    key = ForeignKey(f"{table}.id", ondelete="CASCADE")
    return Field(
        sa_column=Column(Integer, key, primary_key=primary_key, index=index, nullable=nullable)
    )


class Table(SQLModel, registry=registry()):
    """The tables of this database alone, apart from a user's own SQLModel classes."""


class StudyRow(Table, table=True):
    """A question: `document` is the exact Study, the columns beside it are for reading by hand."""

    __tablename__: ClassVar[Any] = "study"
    __table_args__: ClassVar[Any] = (_whole("study", "activity"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    title: str = _text()
    system: str = _text()
    revision: str = _text()
    primary_metric: str = _text()
    selection: str = _text()
    scale: str = _text()
    data: str = _text()
    standin: bool
    source: str = _text()
    document: str = _text()
    created: str = _text()
    activity: int


class FactorRow(Table, table=True):
    """One factor of a study's system; `module` where the study switches it on and off."""

    __tablename__: ClassVar[Any] = "factor"
    __table_args__: ClassVar[Any] = (_whole("factor", "position"),)

    study_id: int = _of("study", primary_key=True)
    name: str = _text(primary_key=True)
    kind: str = _text()
    reference: str = _text()
    requires: str | None = _text(nullable=True)
    title: str = _text()
    position: int
    module: bool


class MetricRow(Table, table=True):
    """One score of a study's system: its direction and how it is displayed."""

    __tablename__: ClassVar[Any] = "metric"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("direction IN ('up', 'down')", name="metric_direction_is_known"),
        CheckConstraint("display IN ('percent', 'number')", name="metric_display_is_known"),
    )

    study_id: int = _of("study", primary_key=True)
    name: str = _text(primary_key=True)
    title: str = _text()
    unit: str = _text()
    direction: str = _text()
    display: str = _text()
    digits: int
    position: int


class TrialRow(Table, table=True):
    """What is executed once; `key` is its identity under the rule that `identity` tags."""

    __tablename__: ClassVar[Any] = "trial"
    __table_args__: ClassVar[Any] = (_state("trial"), _whole("trial", "seed"))

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    identity: str = _text()
    system: str = _text()
    revision: str = _text()
    levels: str = _text()
    changed: str = _text()
    seed: int
    data: str = _text()
    start: str | None = _text(nullable=True)
    stops: str = _text()
    state: str = _text()


class PlacementRow(Table, table=True):
    """A study's variant at a seed, and the trial that stands there."""

    __tablename__: ClassVar[Any] = "placement"
    __table_args__: ClassVar[Any] = (
        _whole("placement", "seed"),
        _whole("placement", "position"),
        CheckConstraint("role IN ('grid', 'sweep', 'arm')", name="placement_role_is_known"),
    )

    study_id: int = _of("study", primary_key=True)
    variant: str = _text(primary_key=True)
    seed: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    trial_id: int = _of("trial", index=True)
    parent: str | None = _text(nullable=True)
    role: str = _text()
    position: int
    extra: bool


class AttemptRow(Table, table=True):
    """One execution of a trial: `number` is its fencing token, ids give the order."""

    __tablename__: ClassVar[Any] = "attempt"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("trial_id", "number", name="attempt_of_trial"),
        _state("attempt"),
        _whole("attempt", "number"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    trial_id: int = _of("trial")
    number: int
    state: str = _text()
    owner: str = _text()
    folder: str = _text()
    source: str = _text()
    host: str = _text()
    device: str = _text()
    started: str = _text()
    ended: str = _text()
    seconds: float | None = _real()
    exit_code: int | None = None
    error_type: str = _text()
    error: str = _text()
    provenance: str = _text()
    scores: str = _text()
    digest: str = _text()


class ScalarRow(Table, table=True):
    """One point of a curve; the key is the order of logging, so that an insert appends."""

    __tablename__: ClassVar[Any] = "scalar"
    __table_args__: ClassVar[Any] = (
        *_number("scalar"),
        _whole("scalar", "step"),
        {"sqlite_with_rowid": False},
    )

    trial_id: int = _of("trial", primary_key=True)
    step: int = Field(primary_key=True)
    split: str = _text(primary_key=True)
    name: str = _text(primary_key=True)
    value: float | None = _real()
    nonfinite: str | None = _text(nullable=True)


class FinalRow(Table, table=True):
    """The number that a study's selection rule makes of a trial; the key's order suits a pivot."""

    __tablename__: ClassVar[Any] = "final"
    __table_args__: ClassVar[Any] = (*_number("final"), {"sqlite_with_rowid": False})

    study_id: int = _of("study", primary_key=True)
    selection: str = _text(primary_key=True)
    metric: str = _text(primary_key=True)
    trial_id: int = _of("trial", primary_key=True, index=True)
    value: float | None = _real()
    nonfinite: str | None = _text(nullable=True)
    step: int | None = None
    split: str = _text()


class CostRow(Table, table=True):
    """What a trial's variant spends; with a `factor`, that factor's share of it."""

    __tablename__: ClassVar[Any] = "cost"
    __table_args__: ClassVar[Any] = (*_number("cost"), {"sqlite_with_rowid": False})

    trial_id: int = _of("trial", primary_key=True)
    factor: str = _text(primary_key=True)
    name: str = _text(primary_key=True)
    counter: str = _text()
    unit: str = _text()
    value: float | None = _real()
    nonfinite: str | None = _text(nullable=True)


class ItemRow(Table, table=True):
    """One score of one query, image or class, in the order of logging."""

    __tablename__: ClassVar[Any] = "item"
    __table_args__: ClassVar[Any] = (*_number("item"), {"sqlite_with_rowid": False})

    trial_id: int = _of("trial", primary_key=True)
    position: int = Field(primary_key=True)
    split: str = _text()
    item: str = _text()
    name: str = _text()
    value: float | None = _real()
    nonfinite: str | None = _text(nullable=True)


class SettingRow(Table, table=True):
    """One key of the configuration that a trial's own program resolved."""

    __tablename__: ClassVar[Any] = "setting"
    __table_args__: ClassVar[Any] = ({"sqlite_with_rowid": False},)

    trial_id: int = _of("trial", primary_key=True)
    key: str = _text(primary_key=True)
    value: str = _text()


class ExternalRow(Table, table=True):
    """A score that was measured elsewhere and recorded by hand; never part of `final`."""

    __tablename__: ClassVar[Any] = "external"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("typeof(value) = 'real'", name="external_value_is_real"),
    )

    trial_id: int = _of("trial", primary_key=True)
    metric: str = _text(primary_key=True)
    split: str = _text(primary_key=True)
    source: str = _text(primary_key=True)
    date: str = _text(primary_key=True)
    value: float = Field(sa_column=Column(Float, nullable=False))
    recorded: str = _text()


class NoteRow(Table, table=True):
    """Somebody's words on a study, one of its variants or findings, or a trial."""

    __tablename__: ClassVar[Any] = "note"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(
            "(study_id IS NULL) <> (trial_id IS NULL) AND (variant = '' OR trial_id IS NULL)"
            " AND (finding = '' OR (variant = '' AND trial_id IS NULL))",
            name="note_is_on_one_thing",
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    study_id: int | None = _of("study", nullable=True)
    variant: str = _text()
    trial_id: int | None = _of("trial", nullable=True)
    text: str = _text()
    author: str = _text()
    date: str = _text()
    finding: str = _text()


class FindingRow(Table, table=True):
    """One audit result of a study."""

    __tablename__: ClassVar[Any] = "finding"

    study_id: int = _of("study", primary_key=True)
    position: int = Field(primary_key=True)
    code: str = _text()
    severity: str = _text()
    sentence: str = _text()
    command: str = _text()
    subject: str = _text()
    chinese: str = _text()
    keys: str = _text()
    remedy: str = _text()
    family: str = _text()
    chinese_command: str = _text()


class AuditRow(Table, table=True):
    """When a study was last audited; `stamp` is of the checks and of all that they looked at."""

    __tablename__: ClassVar[Any] = "audit"

    study_id: int = _of("study", primary_key=True)
    stamp: str = _text()
    audited: str = _text()


RESULTS_VIEW = """\
CREATE VIEW results AS
SELECT study.name AS study, placement.variant, placement.seed, trial.key AS trial, trial.state,
       final.metric, coalesce(final.value, final.nonfinite) AS value, final.step, final.split,
       final.selection
FROM placement
JOIN study ON study.id = placement.study_id
JOIN trial ON trial.id = placement.trial_id
LEFT JOIN final ON final.study_id = placement.study_id AND final.trial_id = placement.trial_id
ORDER BY study.name, placement.position, final.metric"""
"""One line per study, variant, seed and metric, for plain SQL and datasette."""
