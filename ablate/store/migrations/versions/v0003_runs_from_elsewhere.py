"""Runs whose record is incomplete, resolved settings, and what is written by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_STATES = (
    "state IN ('pending', 'running', 'completed', 'failed', 'crashed', 'timeout', 'cancelled',"
    " 'incomplete')"
)
_RESULTS = """\
CREATE VIEW results AS
SELECT study.name AS study, placement.variant, placement.seed, trial.key AS trial, trial.state,
       final.metric, coalesce(final.value, final.nonfinite) AS value, final.step, final.split,
       final.selection
FROM placement
JOIN study ON study.id = placement.study_id
JOIN trial ON trial.id = placement.trial_id
LEFT JOIN final ON final.study_id = placement.study_id AND final.trial_id = placement.trial_id
ORDER BY study.name, placement.position, final.metric"""


def upgrade() -> None:
    """Make `trial` and `attempt` anew with the state `incomplete`, and three tables beside them.

    Foreign keys are not enforced meanwhile: dropping a table would delete all that refers to it.
    """
    op.execute("DROP VIEW results")
    _trial()
    _attempt()
    for table in ("trial", "attempt"):
        op.execute(f"INSERT INTO {table}_next SELECT * FROM {table}")  # noqa: S608 - the names above
        op.drop_table(table)
        op.rename_table(f"{table}_next", table)
    op.execute(_RESULTS)
    _beside()
    op.execute("PRAGMA user_version = 3")


def _trial() -> None:
    op.create_table(
        "trial_next",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("levels", sa.Text(), nullable=False),
        sa.Column("changed", sa.Text(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("start", sa.Text(), nullable=True),
        sa.Column("stops", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint(_STATES, name="trial_state_is_known"),
        sa.CheckConstraint("typeof(seed) = 'integer'", name="trial_seed_is_integer"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )


def _attempt() -> None:
    op.create_table(
        "attempt_next",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("started", sa.Text(), nullable=False),
        sa.Column("ended", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("error_type", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("provenance", sa.Text(), nullable=False),
        sa.Column("scores", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.UniqueConstraint("trial_id", "number", name="attempt_of_trial"),
        sa.CheckConstraint(_STATES, name="attempt_state_is_known"),
        sa.CheckConstraint("typeof(number) = 'integer'", name="attempt_number_is_integer"),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )


def _beside() -> None:
    op.create_table(
        "setting",
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("trial_id", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "external",
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("split", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("date", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("recorded", sa.Text(), nullable=False),
        sa.CheckConstraint("typeof(value) = 'real'", name="external_value_is_real"),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("trial_id", "metric", "split", "source", "date"),
    )
    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=True),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("trial_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("date", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(study_id IS NULL) <> (trial_id IS NULL) AND (variant = '' OR trial_id IS NULL)",
            name="note_is_on_one_thing",
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
