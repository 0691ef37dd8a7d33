"""The thresholds of guards for each resource, and whether an approval needs a second person."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    guards = sa.Column("guards", postgresql.JSONB(), server_default="{}", nullable=False)
    op.add_column("policies", guards)
    op.add_column(
        "organizations",
        sa.Column("four_eyes", sa.Boolean(), server_default=sa.false(), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("organizations", "four_eyes")
    op.drop_column("policies", "guards")
