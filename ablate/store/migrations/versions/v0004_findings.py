"""Findings whole, notes on findings, and on which state a study was audited."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make `finding` and `note` anew with their new columns, which are empty; add `audit`."""
    for table in ("finding", "note"):
        op.rename_table(table, f"{table}_before")
    _finding()
    _note()
    op.execute(
        "INSERT INTO finding SELECT study_id, position, code, severity, sentence, command,"
        " '', '', '[]', '', '', '' FROM finding_before"
    )
    op.execute(
        "INSERT INTO note SELECT id, study_id, variant, trial_id, text, author, date, ''"
        " FROM note_before"
    )
    for table in ("finding", "note"):
        op.drop_table(f"{table}_before")
    _audit()
    op.execute("PRAGMA user_version = 4")


def _finding() -> None:
    op.create_table(
        "finding",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("chinese", sa.Text(), nullable=False),
        sa.Column("keys", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("chinese_command", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_id", "position"),
    )


def _note() -> None:
    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=True),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("trial_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("date", sa.Text(), nullable=False),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(study_id IS NULL) <> (trial_id IS NULL) AND (variant = '' OR trial_id IS NULL)"
            " AND (finding = '' OR (variant = '' AND trial_id IS NULL))",
            name="note_is_on_one_thing",
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("stamp", sa.Text(), nullable=False),
        sa.Column("audited", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_id"),
    )
