"""Turns of organizations, and what is asked for by Sync all."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_email", sa.Text(), nullable=False),
        sa.Column("requested_team", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("batches_organization_id_exists")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("batches_pkey")),
    )
    op.create_index(
        "batches_by_organization",
        "batches",
        ["organization_id", sa.literal_column("id desc")],
        unique=False,
    )
    op.create_index(
        "batches_one_at_once",
        "batches",
        ["organization_id"],
        unique=True,
        postgresql_where=sa.text("finished_at is null"),
    )
    op.create_table(
        "turns",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("turns_organization_id_exists")
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("turns_pkey")),
    )
    op.create_table(
        "batch_parts",
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("skipped", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], name=op.f("batch_parts_batch_id_exists")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("batch_parts_run_id_exists")),
        sa.PrimaryKeyConstraint("batch_id", "resource", name=op.f("batch_parts_pkey")),
    )


def downgrade() -> None:
    op.drop_table("batch_parts")
    op.drop_table("turns")
    op.drop_index(
        "batches_one_at_once", table_name="batches", postgresql_where=sa.text("finished_at is null")
    )
    op.drop_index("batches_by_organization", table_name="batches")
    op.drop_table("batches")
