"""Schedules of syncs and of old values, and what became of each tick."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retentions",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("days > 0", name=op.f("retentions_some_days")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("retentions_organization_id_exists"),
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("retentions_pkey")),
    )
    op.create_table(
        "sync_schedules",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_by", sa.Text(), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "pause_reason in ('by hand', 'failures', 'undo')",
            name=op.f("sync_schedules_pause_reason_known"),
        ),
        sa.CheckConstraint(
            "(paused_at is null) = (pause_reason is null)",
            name=op.f("sync_schedules_paused_for_a_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("sync_schedules_organization_id_exists"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "resource", name=op.f("sync_schedules_pkey")),
    )
    op.create_index(
        "sync_schedules_due",
        "sync_schedules",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("paused_at is null"),
    )
    op.create_table(
        "schedule_ticks",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "noted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("late", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("missed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("skipped", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(run_id is null) = (skipped is not null)",
            name=op.f("schedule_ticks_started_or_skipped"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("schedule_ticks_organization_id_exists"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("schedule_ticks_run_id_exists")),
        sa.PrimaryKeyConstraint(
            "organization_id", "resource", "at", name=op.f("schedule_ticks_pkey")
        ),
    )
    op.create_index("schedule_ticks_by_time", "schedule_ticks", ["noted_at"], unique=False)
    op.create_index("schedule_ticks_of_runs", "schedule_ticks", ["run_id"], unique=False)
    # retries and undos are told apart by their kind
    op.drop_index("runs_by_time", table_name="runs")
    op.create_index(
        "runs_by_time",
        "runs",
        ["organization_id", sa.literal_column("queued_at desc"), sa.literal_column("id desc")],
        unique=False,
        postgresql_include=[
            "resource",
            "kind",
            "trigger",
            "status",
            "started_at",
            "finished_at",
            "error_code",
        ],
    )


def downgrade() -> None:
    op.drop_index("runs_by_time", table_name="runs")
    op.create_index(
        "runs_by_time",
        "runs",
        ["organization_id", sa.literal_column("queued_at desc"), sa.literal_column("id desc")],
        unique=False,
        postgresql_include=[
            "resource",
            "trigger",
            "status",
            "started_at",
            "finished_at",
            "error_code",
        ],
    )
    op.drop_index("schedule_ticks_of_runs", table_name="schedule_ticks")
    op.drop_index("schedule_ticks_by_time", table_name="schedule_ticks")
    op.drop_table("schedule_ticks")
    op.drop_index(
        "sync_schedules_due",
        table_name="sync_schedules",
        postgresql_where=sa.text("paused_at is null"),
    )
    op.drop_table("sync_schedules")
    op.drop_table("retentions")
