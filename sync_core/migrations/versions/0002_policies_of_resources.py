"""What organizations decide for their resources: how fresh, and what removal means."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "policies",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("fresh_hours", sa.Integer(), nullable=False),
        sa.Column("removal", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "removal IN ('keep', 'deactivate', 'delete')", name=op.f("policies_removal_known")
        ),
        sa.CheckConstraint("fresh_hours > 0", name=op.f("policies_fresh_some_time")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("policies_organization_id_exists")
        ),
        sa.PrimaryKeyConstraint("organization_id", "resource", name=op.f("policies_pkey")),
    )


def downgrade() -> None:
    op.drop_table("policies")
