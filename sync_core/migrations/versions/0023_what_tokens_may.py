"""What a token may do of all that its role may."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tokens", sa.Column("permissions", sa.ARRAY(sa.Text()), nullable=True))


def downgrade() -> None:
    op.drop_column("tokens", "permissions")
