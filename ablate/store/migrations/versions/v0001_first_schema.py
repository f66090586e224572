"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = (
    "(value IS NULL) = (nonfinite IS NOT NULL) AND "
    "(nonfinite IS NULL OR nonfinite IN ('nan', 'inf', '-inf'))"
)
_STATES = (
    "state IN ('pending', 'running', 'completed', 'failed', 'crashed', 'timeout', 'cancelled')"
)


def upgrade() -> None:
    """Make every table and the view `results`."""
    op.create_table(
        "study",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("primary_metric", sa.Text(), nullable=False),
        sa.Column("selection", sa.Text(), nullable=False),
        sa.Column("scale", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("standin", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created", sa.Text(), nullable=False),
        sa.Column("activity", sa.Integer(), nullable=False),
        sa.CheckConstraint("typeof(activity) = 'integer'", name="study_activity_is_integer"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "trial",
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
    op.create_table(
        "attempt",
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
    op.create_table(
        "cost",
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("counter", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("nonfinite", sa.Text(), nullable=True),
        sa.CheckConstraint("typeof(value) IN ('real', 'null')", name="cost_value_is_real"),
        sa.CheckConstraint(_NUMBER, name="cost_value_or_nonfinite"),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("trial_id", "name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "factor",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("requires", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("module", sa.Boolean(), nullable=False),
        sa.CheckConstraint("typeof(position) = 'integer'", name="factor_position_is_integer"),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_id", "name"),
    )
    op.create_table(
        "final",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("selection", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("nonfinite", sa.Text(), nullable=True),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("split", sa.Text(), nullable=False),
        sa.CheckConstraint("typeof(value) IN ('real', 'null')", name="final_value_is_real"),
        sa.CheckConstraint(_NUMBER, name="final_value_or_nonfinite"),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_id", "selection", "metric", "trial_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_final_trial_id"), "final", ["trial_id"], unique=False)
    op.create_table(
        "finding",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_id", "position"),
    )
    op.create_table(
        "item",
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("split", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("nonfinite", sa.Text(), nullable=True),
        sa.CheckConstraint("typeof(value) IN ('real', 'null')", name="item_value_is_real"),
        sa.CheckConstraint(_NUMBER, name="item_value_or_nonfinite"),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("trial_id", "position"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "metric",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("display", sa.Text(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("direction IN ('up', 'down')", name="metric_direction_is_known"),
        sa.CheckConstraint("display IN ('percent', 'number')", name="metric_display_is_known"),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_id", "name"),
    )
    op.create_table(
        "placement",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("seed", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("extra", sa.Boolean(), nullable=False),
        sa.CheckConstraint("typeof(seed) = 'integer'", name="placement_seed_is_integer"),
        sa.CheckConstraint("typeof(position) = 'integer'", name="placement_position_is_integer"),
        sa.CheckConstraint("role IN ('grid', 'sweep', 'arm')", name="placement_role_is_known"),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_id", "variant", "seed"),
    )
    op.create_index(op.f("ix_placement_trial_id"), "placement", ["trial_id"], unique=False)
    op.create_table(
        "scalar",
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("split", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("nonfinite", sa.Text(), nullable=True),
        sa.CheckConstraint("typeof(value) IN ('real', 'null')", name="scalar_value_is_real"),
        sa.CheckConstraint(_NUMBER, name="scalar_value_or_nonfinite"),
        sa.CheckConstraint("typeof(step) = 'integer'", name="scalar_step_is_integer"),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("trial_id", "step", "split", "name"),
        sqlite_with_rowid=False,
    )
    op.execute(_RESULTS)
    op.execute("PRAGMA user_version = 1")


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
