"""Why rows failed, counted by run; and an index that tells when data were in step."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0002"
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
    op.create_index(
        "runs_in_step",
        "runs",
        ["organization_id", "resource", "finished_at"],
        unique=False,
        postgresql_where=sa.text("status in ('completed','partial') and kind <> 'preview'"),
    )


def downgrade() -> None:
    op.drop_index("runs_in_step", table_name="runs")
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
