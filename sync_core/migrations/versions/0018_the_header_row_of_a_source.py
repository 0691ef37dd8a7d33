"""The row in which a source's header stands, where a person has set it."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sources", sa.Column("header_row", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("sources", "header_row")
