"""Indexes for a user's classes, and for the accepted photos that are asked again."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
_ASKED = sa.text("blind = 'asked'")


def upgrade() -> None:
    """Applies the revision."""
    op.create_index("predictions_by_label", "predictions", ["user_id", "label", "id"], unique=False)
    op.create_index(
        "predictions_asked_again",
        "predictions",
        ["id"],
        unique=False,
        sqlite_where=_ASKED,
        postgresql_where=_ASKED,
    )


def downgrade() -> None:
    """Takes the revision back."""
    op.drop_index("predictions_asked_again", table_name="predictions")
    op.drop_index("predictions_by_label", table_name="predictions")
