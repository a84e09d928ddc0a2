"""The first tables: predictions, counts, feedback, API keys, tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies the revision."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("user_name", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("scopes", sa.String(length=200), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("api_keys_by_user", "api_keys", ["user_id"], unique=False)
    op.create_table(
        "daily_users",
        sa.Column("day", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("photos", sa.BigInteger(), nullable=False),
        sa.Column("unknown", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "user_id"),
    )
    op.create_table(
        "hourly_counts",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model_version", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("photos", sa.BigInteger(), nullable=False),
        sa.Column("confidence_sum", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "model_version", "label", "known"),
    )
    op.create_table(
        "hourly_latency",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model_version", sa.String(length=64), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("photos", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "model_version", "bucket"),
    )
    op.create_table(
        "predictions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("user_name", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("photo_sha256", sa.String(length=64), nullable=False),
        sa.Column("photo_stored", sa.Boolean(), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=True),
        sa.Column("novelty", sa.Float(), nullable=True),
        sa.Column("top", sa.JSON(), nullable=False),
        sa.Column("latency_ms", sa.Float(), nullable=False),
        sa.Column("model", sa.String(length=63), nullable=False),
        sa.Column("model_version", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("label_now", sa.String(length=255), nullable=True),
        sa.Column("review", sa.String(length=16), nullable=False),
        sa.Column("blind", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("predictions_by_photo", "predictions", ["photo_sha256"], unique=False)
    op.create_index("predictions_by_review", "predictions", ["review", "id"], unique=False)
    op.create_index("predictions_by_time", "predictions", ["created"], unique=False)
    op.create_index("predictions_by_user", "predictions", ["user_id", "id"], unique=False)
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("photo", sa.LargeBinary(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("tasks_by_expiry", "tasks", ["expires"], unique=False)
    op.create_index("tasks_by_state", "tasks", ["state", "created"], unique=False)
    op.create_table(
        "used_codes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("prediction_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("user_name", sa.String(length=200), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["prediction_id"], ["predictions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("decisions_by_prediction", "decisions", ["prediction_id"], unique=False)
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("prediction_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=True),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("comment", sa.String(length=500), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["prediction_id"], ["predictions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("feedback_by_prediction", "feedback", ["prediction_id", "user_id", "role"], unique=True)
    op.create_index("feedback_by_user", "feedback", ["user_id"], unique=False)
    op.create_table(
        "prediction_features",
        sa.Column("prediction_id", sa.String(length=32), nullable=False),
        sa.Column("features", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["prediction_id"], ["predictions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("prediction_id"),
    )


def downgrade() -> None:
    """Takes the revision back."""
    op.drop_table("prediction_features")
    op.drop_index("feedback_by_user", table_name="feedback")
    op.drop_index("feedback_by_prediction", table_name="feedback")
    op.drop_table("feedback")
    op.drop_index("decisions_by_prediction", table_name="decisions")
    op.drop_table("decisions")
    op.drop_table("used_codes")
    op.drop_index("tasks_by_state", table_name="tasks")
    op.drop_index("tasks_by_expiry", table_name="tasks")
    op.drop_table("tasks")
    op.drop_index("predictions_by_user", table_name="predictions")
    op.drop_index("predictions_by_time", table_name="predictions")
    op.drop_index("predictions_by_review", table_name="predictions")
    op.drop_index("predictions_by_photo", table_name="predictions")
    op.drop_table("predictions")
    op.drop_table("hourly_latency")
    op.drop_table("hourly_counts")
    op.drop_table("daily_users")
    op.drop_index("api_keys_by_user", table_name="api_keys")
    op.drop_table("api_keys")
