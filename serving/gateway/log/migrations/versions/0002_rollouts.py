"""Rollouts: their state, their decisions and the pairs of answers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies the revision."""
    op.create_table(
        "rollouts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("base_url", sa.String(length=500), nullable=False),
        sa.Column("champion_url", sa.String(length=500), nullable=False),
        sa.Column("challenger_url", sa.String(length=500), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("stage_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stage_after", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "rollout_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("rollout_id", sa.String(length=32), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("user_name", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollouts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("rollout_events_by_rollout", "rollout_events", ["rollout_id", "id"], unique=False)
    op.create_table(
        "comparisons",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("rollout_id", sa.String(length=32), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prediction_id", sa.String(length=32), nullable=False),
        sa.Column("answered_by", sa.String(length=16), nullable=False),
        sa.Column("champion_label", sa.String(length=255), nullable=False),
        sa.Column("challenger_label", sa.String(length=255), nullable=False),
        sa.Column("shift", sa.Float(), nullable=False),
        sa.Column("champion_ms", sa.Float(), nullable=False),
        sa.Column("challenger_ms", sa.Float(), nullable=False),
        sa.Column("slow", sa.Boolean(), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollouts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("comparisons_by_rollout", "comparisons", ["rollout_id", "created"], unique=False)
    op.create_index("comparisons_by_prediction", "comparisons", ["prediction_id"], unique=False)


def downgrade() -> None:
    """Takes it back."""
    for table in ("comparisons", "rollout_events", "rollouts"):
        op.drop_table(table)
