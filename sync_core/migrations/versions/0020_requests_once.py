"""Keys of requests, so that asking again makes no second run."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "requests_once",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("requests_once_organization_id_exists"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("requests_once_run_id_exists")),
        sa.PrimaryKeyConstraint("organization_id", "email", "key", name=op.f("requests_once_pkey")),
    )
    op.create_index("requests_once_by_time", "requests_once", ["at"], unique=False)


def downgrade() -> None:
    op.drop_index("requests_once_by_time", table_name="requests_once")
    op.drop_table("requests_once")
