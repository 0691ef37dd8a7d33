"""An index of the plans that wait for a person, for maintenance looks every second."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "runs_to_decide",
        "runs",
        ["id"],
        unique=False,
        postgresql_where=sa.text("status = 'waiting'"),
    )


def downgrade() -> None:
    op.drop_index("runs_to_decide", table_name="runs")
