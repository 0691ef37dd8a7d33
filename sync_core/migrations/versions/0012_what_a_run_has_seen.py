"""What a run has seen of a sheet as a whole, and how that compares with what was known."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("observed", "figures"):
        column = sa.Column(name, postgresql.JSONB(), server_default="{}", nullable=False)
        op.add_column("checkpoints", column)


def downgrade() -> None:
    op.drop_column("checkpoints", "figures")
    op.drop_column("checkpoints", "observed")
