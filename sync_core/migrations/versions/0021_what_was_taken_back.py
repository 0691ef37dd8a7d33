"""Find quickly which resources were taken back since they were in step."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "runs_that_undo",
        "runs",
        ["organization_id", "resource", "finished_at"],
        unique=False,
        postgresql_where=sa.text("kind = 'undo'"),
    )


def downgrade() -> None:
    op.drop_index("runs_that_undo", table_name="runs")
