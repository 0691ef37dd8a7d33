"""Which sheets and accounts an organization may read, where there are several organizations."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "organizations",
        sa.Column("only_allowed", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "allowed_sources",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column(
            "allowed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("allowed_sources_organization_id_exists"),
        ),
        sa.PrimaryKeyConstraint(
            "organization_id", "kind", "location", name=op.f("allowed_sources_pkey")
        ),
    )
    op.execute(
        "update organizations set only_allowed = true where (select count(*) from organizations) > 1"
    )
    # whose a sheet is that several have set, the shell must say: one of them may have taken it
    op.execute(
        "insert into allowed_sources (organization_id, kind, location)"
        " select min(organization_id), kind, location from sources where kind = 'sheet'"
        " group by kind, location having count(distinct organization_id) = 1"
    )
    op.execute(
        "insert into allowed_sources (organization_id, kind, location)"
        " select distinct organization_id, kind, location from sources where kind = 'cliniko'"
    )


def downgrade() -> None:
    op.drop_table("allowed_sources")
    op.drop_column("organizations", "only_allowed")
