"""How long a run of a resource may take, where an organization has decided it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("policies", sa.Column("limit_minutes", sa.Integer(), nullable=True))
    op.create_check_constraint(
        op.f("policies_limited_to_some_time"), "policies", "limit_minutes > 0"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("policies_limited_to_some_time"), "policies", type_="check")
    op.drop_column("policies", "limit_minutes")
