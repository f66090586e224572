"""A factor's share of a cost beside the whole."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER = (
    "(value IS NULL) = (nonfinite IS NOT NULL) AND "
    "(nonfinite IS NULL OR nonfinite IN ('nan', 'inf', '-inf'))"
)


def upgrade() -> None:
    """Make `cost` anew with the factor in its key; what was measured before is of the whole."""
    op.rename_table("cost", "cost_before")
    op.create_table(
        "cost",
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("factor", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("counter", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("nonfinite", sa.Text(), nullable=True),
        sa.CheckConstraint("typeof(value) IN ('real', 'null')", name="cost_value_is_real"),
        sa.CheckConstraint(_NUMBER, name="cost_value_or_nonfinite"),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("trial_id", "factor", "name"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO cost SELECT trial_id, '', name, counter, unit, value, nonfinite"
        " FROM cost_before"
    )
    op.drop_table("cost_before")
    op.execute("PRAGMA user_version = 2")
