"""Why rows failed, counted by run; and indexes for figures over months."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "issue_tallies",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("issue_tallies_run_id_exists")),
        sa.PrimaryKeyConstraint("run_id", "entity", "code", name=op.f("issue_tallies_pkey")),
    )
    _count_what_is_there()
    op.drop_index("runs_by_time", table_name="runs")
    op.create_index(
        "runs_by_time",
        "runs",
        ["organization_id", sa.literal_column("queued_at desc"), sa.literal_column("id desc")],
        unique=False,
        postgresql_include=[
            *("resource", "trigger", "status", "started_at", "finished_at", "error_code")
        ],
    )
    # Indexes answer alone only where a vacuum was lately: the newest runs are asked for most.
    op.execute(
        "alter table runs set (autovacuum_vacuum_scale_factor = 0.01,"
        " autovacuum_vacuum_insert_scale_factor = 0.01)"
    )
    op.create_index(
        "runs_in_step",
        "runs",
        ["organization_id", "resource", "finished_at"],
        unique=False,
        postgresql_where=sa.text("status in ('completed','partial') and kind <> 'preview'"),
    )


def downgrade() -> None:
    op.drop_index("runs_in_step", table_name="runs")
    op.execute(
        "alter table runs reset (autovacuum_vacuum_scale_factor,"
        " autovacuum_vacuum_insert_scale_factor)"
    )
    op.drop_index("runs_by_time", table_name="runs")
    op.create_index(
        "runs_by_time", "runs", ["organization_id", sa.literal_column("queued_at desc")]
    )
    op.drop_table("issue_tallies")


def _count_what_is_there() -> None:
    """Count the outcomes of runs that ended before this migration."""
    op.execute(
        """
        insert into issue_tallies (run_id, entity, code, rows)
        select o.run_id, o.entity, i.code, count(*)
        from outcomes o cross join lateral (
            select distinct issue ->> 'code' as code from jsonb_array_elements(o.issues) issue
        ) i
        where o.kind = 'failed'
        group by o.run_id, o.entity, i.code
        """
    )
